// Small applications for tests: a canary and a blue-green release, with the objects around them.
import type { KubeObject } from '../../src/contract.ts'

const container = (version: string) => ({
  name: 'app',
  image: `example/app:${version}`,
  ports: [{ containerPort: 8080 }],
})

const service = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})

const rollout = (strategy: object): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name: 'app' },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'app' } },
    template: { metadata: { labels: { app: 'app' } }, spec: { containers: [container('v1')] } },
    strategy,
  },
})

const ingress: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'app' },
  spec: {
    ingressClassName: 'nginx',
    rules: [
      {
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'app-stable', port: { name: 'http' } } } },
          ],
        },
      },
    ],
  },
}

/** A canary 50, pause; behind a router when one is given. */
export const canaryApp = (trafficRouting: object | undefined): readonly KubeObject[] => {
  const steps = [{ setWeight: 50 }, { pause: {} }, { setWeight: 75 }, { pause: { duration: '2s' } }]
  if (!trafficRouting) return [rollout({ canary: { steps } })]
  const services = { stableService: 'app-stable', canaryService: 'app-canary', scaleDownDelaySeconds: 3 }
  return [
    service('app-stable'),
    service('app-canary'),
    ingress,
    rollout({ canary: { ...services, steps, trafficRouting } }),
  ]
}

/** A canary whose pods carry their version's role as a label. */
export const markedApp = (): readonly KubeObject[] => {
  const steps = [{ setWeight: 50 }, { pause: {} }]
  const canaryMetadata = { labels: { role: 'canary' }, annotations: { note: 'new' } }
  return [rollout({ canary: { steps, canaryMetadata, stableMetadata: { labels: { role: 'stable' } } } })]
}

/** A canary that compares both versions for a while, each template behind a Service of its own. */
export const experimentApp = (): readonly KubeObject[] => {
  const templates = [
    { name: 'base', specRef: 'stable', service: {} },
    { name: 'new', specRef: 'canary' },
  ]
  const steps = [
    { setWeight: 50 },
    { experiment: { duration: '5s', templates, scaleDownDelaySeconds: 3 } },
    { pause: {} },
  ]
  return [rollout({ canary: { steps } })]
}

/** Blue-green, promoted by hand. */
export const blueGreenApp = (): readonly KubeObject[] => [
  service('app-active'),
  service('app-preview'),
  rollout({
    blueGreen: {
      activeService: 'app-active',
      previewService: 'app-preview',
      autoPromotionEnabled: false,
      scaleDownDelaySeconds: 3,
    },
  }),
]

/** The patch that ships a version. */
export const shipped = (version: string) => ({ spec: { template: { spec: { containers: [container(version)] } } } })
