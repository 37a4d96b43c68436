// The Deployments of the controller and of the proxy, with what belongs to them.
import { readFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const NAMESPACE = 'pintle'
/** Built from deploy/Dockerfile; push it where the cluster can pull it, and name it here by kustomize or sed. */
const IMAGE = `pintle:${version}`

const labelsOf = (component: string) => ({
  'app.kubernetes.io/name': 'pintle',
  'app.kubernetes.io/component': component,
})

const SAFE = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
const POD_SAFE = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } }

const probe = (path: string, port: string, more = {}) => ({ httpGet: { path, port }, ...more })
const NAMES = [
  { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
  { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
]

/** The namespace that everything lives in. */
export const namespace = (): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })

/** Two controllers, one of which holds the lease; and the Service that Prometheus scrapes. */
export function controllerWorkload(): object[] {
  const labels = labelsOf('controller')
  const container = {
    name: 'controller',
    image: IMAGE,
    args: ['controller'],
    env: NAMES,
    ports: [
      { name: 'healthz', containerPort: 8080 },
      { name: 'metrics', containerPort: 8090 },
    ],
    livenessProbe: probe('/healthz', 'healthz', { periodSeconds: 20, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', 'healthz', { periodSeconds: 5 }),
    resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '512Mi' } },
    securityContext: SAFE,
  }
  return [
    deployment('pintle', labels, 2, { serviceAccountName: 'pintle', terminationGracePeriodSeconds: 30 }, container),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'pintle-metrics', namespace: NAMESPACE, labels },
      spec: { selector: labels, ports: [{ name: 'metrics', port: 8090, targetPort: 'metrics' }] },
    },
  ]
}

/** Seconds that a proxy goes on serving after it was told to leave: until everybody has noticed. */
const GRACE = 10
/** Seconds for requests in flight, behind that. */
const LIMIT = 60

/** The proxy, for one namespace of applications: it reads their route tables, Services and EndpointSlices. */
export function proxyWorkload(): object[] {
  const labels = labelsOf('proxy')
  const metadata = { name: 'pintle-proxy', labels }
  const container = {
    name: 'proxy',
    image: IMAGE,
    args: [
      'proxy',
      '--kubernetes',
      '--namespace=$(POD_NAMESPACE)',
      '--listen=:8080',
      '--admin=:9180',
      `--grace=${GRACE}s`,
      `--drain-limit=${LIMIT}s`,
    ],
    env: NAMES,
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'admin', containerPort: 9180 },
    ],
    livenessProbe: probe('/healthz', 'admin', { periodSeconds: 20, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', 'admin', { periodSeconds: 2, failureThreshold: 1 }),
    resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    securityContext: SAFE,
  }
  const pod = {
    serviceAccountName: 'pintle-proxy',
    terminationGracePeriodSeconds: GRACE + LIMIT + 5,
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels },
      },
    ],
  }
  const rbac = 'rbac.authorization.k8s.io'
  const read = (apiGroup: string, resources: readonly string[]) => ({
    apiGroups: [apiGroup],
    resources,
    verbs: ['get', 'list', 'watch'],
  })
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [
        read('', ['configmaps', 'services']),
        read('discovery.k8s.io', ['endpointslices']),
        // For --ingress-class only.
        read('networking.k8s.io', ['ingresses']),
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'pintle-proxy' },
      subjects: [{ kind: 'ServiceAccount', name: 'pintle-proxy' }],
    },
    deployment('pintle-proxy', labels, 2, pod, container, false),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
    // Its EndpointSlices tell the controller where each proxy can be asked what it serves.
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'pintle-proxy-admin', labels: { ...labels, 'pintle.dev/proxy': 'true' } },
      spec: { clusterIP: 'None', selector: labels, ports: [{ name: 'admin', port: 9180, targetPort: 'admin' }] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
    },
  ]
}

function deployment(
  name: string,
  labels: Readonly<Record<string, string>>,
  replicas: number,
  pod: object,
  container: object,
  isNamespaced = true,
): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, ...(isNamespaced ? { namespace: NAMESPACE } : {}), labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels },
        spec: { ...pod, securityContext: POD_SAFE, containers: [container] },
      },
    },
  }
}
