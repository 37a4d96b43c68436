// What the benchmark of the controller releases: small rollouts, and the Deployments that they are compared to.
import type { KubeObject } from '../../src/contract.ts'

export const NAMESPACE = 'bench'
export const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' } as const

const podSpec = (version: string) => ({ containers: [{ name: 'app', image: `example/app:${version}` }] })

const specOf = (name: string) => ({
  replicas: 2,
  selector: { matchLabels: { app: name } },
  template: { metadata: { labels: { app: name } }, spec: podSpec('v1') },
})

/** The merge patch that ships a version, for both kinds. */
export const shipped = (version: string) => ({ spec: { template: { spec: podSpec(version) } } })

export const nameOf = (n: number): string => `app-${n}`

const placed = (name: string) => ({ name, namespace: NAMESPACE })

/** The n-th rollout with all that it needs: canary 20, pause 1 s, 60, pause 1 s. */
export function rolloutApp(n: number, isRouted: boolean): readonly KubeObject[] {
  const name = nameOf(n)
  const steps = [{ setWeight: 20 }, { pause: { duration: 1 } }, { setWeight: 60 }, { pause: { duration: 1 } }]
  const routing = {
    stableService: `${name}-stable`,
    canaryService: `${name}-canary`,
    trafficRouting: { nginx: { stableIngress: name } },
  }
  const canary = { steps, ...(isRouted ? routing : {}) }
  const rollout = { ...ROLLOUT, metadata: placed(name), spec: { ...specOf(name), strategy: { canary } } }
  return isRouted ? [...surroundings(name), rollout] : [rollout]
}

function surroundings(name: string): readonly KubeObject[] {
  const service = (role: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: placed(`${name}-${role}`),
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  })
  const backend = { service: { name: `${name}-stable`, port: { number: 80 } } }
  const rules = [{ host: `${name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: placed(name),
    spec: { ingressClassName: 'nginx', rules },
  }
  return [service('stable'), service('canary'), ingress]
}

/** The same pods as a plain Deployment. */
export const deploymentApp = (n: number): readonly KubeObject[] => [
  { ...DEPLOYMENT, metadata: placed(nameOf(n)), spec: specOf(nameOf(n)) },
]

type Status = Readonly<{
  phase?: string
  observedGeneration?: string | number
  stableRS?: string
  currentPodHash?: string
  availableReplicas?: number
  updatedReplicas?: number
  replicas?: number
}>

/** Whether an object has arrived at its newest version, with all pods and no others. */
export function isThere(object: KubeObject): boolean {
  const status = (object['status'] ?? {}) as Status
  if (`${status.observedGeneration}` !== `${object.metadata.generation}`) return false
  if (object.kind === 'Deployment') {
    return status.updatedReplicas === 2 && status.availableReplicas === 2 && status.replicas === 2
  }
  return status.phase === 'Healthy' && status.stableRS === status.currentPodHash && status.availableReplicas === 2
}
