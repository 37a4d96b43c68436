import { test } from 'tap'
import { samePodTemplate } from '../../src/rollout/template-equal.ts'

const container = { name: 'main', image: 'nginx:1.25' }
const desired = { metadata: { labels: { app: 'a' } }, spec: { containers: [container] } }

/** The same template as it comes back from an API server, in a ReplicaSet. */
const live = {
  metadata: { creationTimestamp: null, labels: { app: 'a', 'rollouts-pod-template-hash': 'abc' } },
  spec: {
    containers: [
      {
        ...container,
        resources: {},
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
}

const withSpec = <T extends { spec: object }>(template: T, spec: object) => ({
  ...template,
  spec: { ...template.spec, ...spec },
})
const withContainer = <T extends typeof desired>(template: T, fields: object) =>
  withSpec(template, { containers: [{ ...template.spec.containers[0], ...fields }] })

const hashTerm = {
  labelSelector: { matchExpressions: [{ key: 'rollouts-pod-template-hash', operator: 'In', values: ['old'] }] },
  topologyKey: 'kubernetes.io/hostname',
}
const userTerm = { labelSelector: { matchLabels: { app: 'a' } }, topologyKey: 'zone' }
const required = (...terms: object[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
})
const preferred = (...terms: object[]) => ({
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: terms.map(podAffinityTerm => ({ weight: 1, podAffinityTerm })),
    },
  },
})
const port = { containerPort: 80, name: 'http' }
const probe = { httpGet: { port: 80 } }
const fullProbe = {
  httpGet: { port: 80, path: '/', scheme: 'HTTP' },
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
}
const added = { 'rollout.argoproj.io/ephemeral-metadata': '{"labels":{"role":"canary"},"annotations":{"note":"x"}}' }
const withAdded = {
  ...live,
  metadata: { labels: { ...live.metadata.labels, role: 'canary' }, annotations: { note: 'x' } },
}

// biome-ignore format: a table reads best as a table
const table: Record<string, readonly [live: unknown, desired: unknown, same: boolean, annotations?: Record<string, string>]> = {
  'defaults of the API server do not count': [live, desired, true],
  'another image is another template': [live, withContainer(desired, { image: 'nginx:1.26' }), false],
  'another label is another template': [live, { ...desired, metadata: { labels: { app: 'b' } } }, false],
  'unknown members do not count': [live, withSpec(desired, { notAField: 1 }), true],
  'an empty list is no list': [live, withSpec(desired, { tolerations: [], nodeSelector: {} }), true],
  'a false that is the zero value does not count': [live, withSpec(desired, { hostNetwork: false }), true],
  'a false that is a choice counts': [live, withSpec(desired, { automountServiceAccountToken: false }), false],
  'an image without a tag is always pulled': [
    withContainer(live, { image: 'nginx', imagePullPolicy: 'Always' }), withContainer(desired, { image: 'nginx' }), true],
  'a digest is pulled once': [
    withContainer(live, { image: 'reg:5000/nginx@sha256:ab' }), withContainer(desired, { image: 'reg:5000/nginx@sha256:ab' }), true],
  'a port of the registry is no tag': [
    withContainer(live, { image: 'reg:5000/nginx', imagePullPolicy: 'Always' }), withContainer(desired, { image: 'reg:5000/nginx' }), true],
  'ports and probes have defaults': [
    withContainer(live, { ports: [{ ...port, protocol: 'TCP' }], readinessProbe: fullProbe }),
    withContainer(desired, { ports: [port], readinessProbe: probe }), true],
  'another period of a probe counts': [
    withContainer(live, { readinessProbe: fullProbe }), withContainer(desired, { readinessProbe: { ...probe, periodSeconds: 5 } }), false],
  'quantities are equal by size': [
    withContainer(live, { resources: { limits: { cpu: '1', memory: '1Gi' } } }),
    withContainer(desired, { resources: { limits: { cpu: '1000m', memory: '1024Mi' } } }), true],
  'a number is a quantity': [
    withContainer(live, { resources: { limits: { cpu: '500m' } } }), withContainer(desired, { resources: { limits: { cpu: 0.5 } } }), true],
  'another quantity counts': [
    withContainer(live, { resources: { limits: { cpu: '1' } } }), withContainer(desired, { resources: { limits: { cpu: '2' } } }), false],
  'volumes have default modes and kinds': [
    withSpec(live, { volumes: [{ name: 'a', configMap: { name: 'c', defaultMode: 420 } }, { name: 'b', emptyDir: {} }] }),
    withSpec(desired, { volumes: [{ name: 'a', configMap: { name: 'c' } }, { name: 'b' }] }), true],
  'on the host network a port is a host port': [
    withSpec(withContainer(live, { ports: [{ ...port, protocol: 'TCP', hostPort: 80 }] }), { hostNetwork: true }),
    withSpec(withContainer(desired, { ports: [port] }), { hostNetwork: true }), true],
  'the deprecated service account does not count': [
    withSpec(live, { serviceAccountName: 's', serviceAccount: 's' }), withSpec(desired, { serviceAccountName: 's' }), true],
  'an injected anti-affinity does not count': [withSpec(live, required(hashTerm)), desired, true],
  'an injected preference does not count': [withSpec(live, preferred(hashTerm)), desired, true],
  'the user\'s own anti-affinity counts': [withSpec(live, required(userTerm, hashTerm)), desired, false],
  'the user\'s own anti-affinity stays beside an injected one': [
    withSpec(live, required(userTerm, hashTerm)), withSpec(desired, required(userTerm)), true],
  'metadata that was added does not count': [withAdded, desired, true, added],
  'metadata that nobody is known to have added counts': [withAdded, desired, false],
  'a broken list of added metadata is none': [withAdded, desired, false, { 'rollout.argoproj.io/ephemeral-metadata': '{' }],
}

for (const [name, [found, wanted, same, annotations]] of Object.entries(table)) {
  test(name, async t => {
    t.equal(samePodTemplate(found, wanted, annotations), same)
  })
}
