// Paths and objects that the scenarios share.

export const configMaps = '/api/v1/namespaces/{ns}/configmaps'
export const deployments = '/apis/apps/v1/namespaces/{ns}/deployments'
export const replicaSets = '/apis/apps/v1/namespaces/{ns}/replicasets'
export const pods = '/api/v1/namespaces/{ns}/pods'
export const services = '/api/v1/namespaces/{ns}/services'
export const leases = '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases'
export const widgets = '/apis/conformance.pintle.dev/v1/namespaces/{ns}/widgets'
export const gadgets = '/apis/conformance.pintle.dev/v1/namespaces/{ns}/gadgets'

export const ingresses = '/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses'

export const MERGE = 'application/merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const STRATEGIC = 'application/strategic-merge-patch+json'
export const APPLY = 'application/apply-patch+yaml'

export const configMap = (name: string, data: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

export const widget = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'conformance.pintle.dev/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  spec,
})

export const gadget = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'conformance.pintle.dev/v1',
  kind: 'Gadget',
  metadata: { name, ...metadata },
  spec,
})

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: 'example/app:1' }] },
})

export const deployment = (name: string, replicas = 1, metadata: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, ...metadata },
  // Paused, so that the controllers of a real cluster leave it alone.
  spec: { replicas, paused: true, selector: { matchLabels: { app: name } }, template: template(name) },
})

export const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { ...template(name).spec, automountServiceAccountToken: false, ...spec },
})

export const ingress = (name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: { ingressClassName: 'some', defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
  status: { loadBalancer: { ingress: [{ hostname: 'a.example' }] } },
})
