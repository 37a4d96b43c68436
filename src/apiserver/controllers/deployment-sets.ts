// The ReplicaSets of a Deployment: which is the new one, how it is made, what is written on it.
import { type KubeObject, sameJson } from '../../contract.ts'
import type { LabelSelector } from '../selectors.ts'
import { controllerRef, type IntOrString, type PodTemplate, REPLICA_SET, type ReplicaSet } from './objects.ts'

export type DeploymentSpec = Readonly<{
  replicas?: number
  paused?: boolean
  minReadySeconds?: number
  revisionHistoryLimit?: number
  progressDeadlineSeconds?: number
  selector: LabelSelector
  template: PodTemplate
  strategy?: Readonly<{
    type?: string
    rollingUpdate?: Readonly<{ maxSurge?: IntOrString; maxUnavailable?: IntOrString }>
  }>
}>
export type Deployment = KubeObject &
  Readonly<{ spec: DeploymentSpec; status?: Readonly<Record<string, unknown>> & Readonly<{ collisionCount?: number }> }>

export const HASH = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
const HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED = 'deployment.kubernetes.io/desired-replicas'
export const MAX = 'deployment.kubernetes.io/max-replicas'

/** Annotations of a Deployment that its ReplicaSets do not inherit. */
const OWN = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  HISTORY,
  DESIRED,
  MAX,
  'deprecated.deployment.rollback.to',
])

export const replicasOf = (object: ReplicaSet | Deployment): number => object.spec.replicas ?? 1

export const revisionOf = (object: KubeObject): number => Number(object.metadata.annotations?.[REVISION] ?? 0) || 0

const withoutHash = (template: PodTemplate | undefined): unknown => {
  const { [HASH]: _hash, ...labels } = template?.metadata?.labels ?? {}
  return { ...template, metadata: { ...template?.metadata, labels } }
}

const age = (set: ReplicaSet): string => `${set.metadata.creationTimestamp} ${set.metadata.name}`
export const oldestFirst = (a: ReplicaSet, b: ReplicaSet): number => (age(a) < age(b) ? -1 : 1)

/** The ReplicaSet whose template is the Deployment's; the oldest when there are several. */
export const newSetOf = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  sets
    .toSorted(oldestFirst)
    .find(set => sameJson(withoutHash(set.spec.template), withoutHash(deployment.spec.template)))

/** `value` as a number of Pods: a percentage of `total` is rounded up or down. */
function resolve(value: IntOrString | undefined, total: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value ?? '25%')?.[1]
  return percent === undefined ? 0 : round((Number(percent) * total) / 100)
}

/** How many Pods more than wanted there may be, and how many fewer available. */
export function bounds(deployment: Deployment): Readonly<{ surge: number; unavailable: number }> {
  const { strategy } = deployment.spec
  if (strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 }
  const total = replicasOf(deployment)
  const surge = resolve(strategy?.rollingUpdate?.maxSurge, total, Math.ceil)
  const unavailable = Math.min(total, resolve(strategy?.rollingUpdate?.maxUnavailable, total, Math.floor))
  // Both zero would stand still for ever: the real controller then takes one away first.
  return { surge, unavailable: surge === 0 && unavailable === 0 ? Math.min(1, total) : unavailable }
}

/** How many Pods the new ReplicaSet gets next, within the surge. */
export function newReplicas(deployment: Deployment, sets: readonly ReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment)
  if (deployment.spec.strategy?.type === 'Recreate') return wanted
  const total = sets.reduce((sum, set) => sum + replicasOf(set), 0)
  const room = wanted + bounds(deployment).surge - total
  return room <= 0 ? current : current + Math.min(room, wanted - current)
}

/** The annotations that the Deployment has its ReplicaSet carry, with the given revision. */
export function setAnnotations(
  deployment: Deployment,
  set: KubeObject | undefined,
  revision: number,
): Record<string, string> {
  const before = set?.metadata.annotations ?? {}
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !OWN.has(key))
  const old = before[REVISION]
  const history = old !== undefined && Number(old) < revision ? [...(before[HISTORY]?.split(',') ?? []), old] : []
  return {
    ...before,
    ...Object.fromEntries(inherited),
    [REVISION]: `${Math.max(revision, Number(old ?? 0))}`,
    ...(history.length > 0 && { [HISTORY]: history.join(',') }),
    [DESIRED]: `${replicasOf(deployment)}`,
    [MAX]: `${replicasOf(deployment) + bounds(deployment).surge}`,
  }
}

/** The new ReplicaSet, as it is created. */
export function makeSet(deployment: Deployment, sets: readonly ReplicaSet[], revision: number): KubeObject {
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0)
  const labels = { ...template.metadata?.labels, [HASH]: hash }
  return {
    ...REPLICA_SET,
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: setAnnotations(deployment, undefined, revision),
      ownerReferences: [controllerRef(deployment)],
    },
    spec: {
      replicas: newReplicas(deployment, sets, 0),
      ...(minReadySeconds !== undefined && minReadySeconds > 0 && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** Not the real controller's hash, which is made of a Go struct's print; only as stable as that one is. */
function templateHash(template: PodTemplate, collisions: number): string {
  const text = JSON.stringify(sorted(template)) + (collisions > 0 ? `#${collisions}` : '')
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return [...`${hash}`].map(digit => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  )
}
