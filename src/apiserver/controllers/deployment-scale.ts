// How many Pods each ReplicaSet of a Deployment should have next; pure, one scaling step at a time.
import { bounds, DESIRED, type Deployment, MAX, newReplicas, oldestFirst, replicasOf } from './deployment-sets.ts'
import type { ReplicaSet } from './objects.ts'

export type Scaling = Readonly<{ set: ReplicaSet; replicas: number }>

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + of(set), 0)
const available = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0

/** The new ReplicaSet grows within the surge, or shrinks to what is wanted; nothing when it is there. */
export function growNew(deployment: Deployment, sets: readonly ReplicaSet[], set: ReplicaSet): readonly Scaling[] {
  const wanted = replicasOf(deployment)
  const current = replicasOf(set)
  const replicas = current > wanted ? wanted : newReplicas(deployment, sets, current)
  return replicas === current ? [] : [{ set, replicas }]
}

/** The old ReplicaSets shrink as far as availability allows: first what is not available anyway, then the oldest. */
export function shrinkOld(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
): readonly Scaling[] {
  const old = sets.filter(set => set !== fresh && replicasOf(set) > 0).toSorted(oldestFirst)
  if (old.length === 0) return []
  const least = replicasOf(deployment) - bounds(deployment).unavailable
  const missing = fresh ? replicasOf(fresh) - available(fresh) : 0
  let spare = sum(sets, replicasOf) - least - missing
  if (spare <= 0) return []
  const next = new Map(old.map(set => [set, replicasOf(set)]))
  for (const set of old) {
    const cut = Math.min(spare, replicasOf(set) - Math.min(replicasOf(set), available(set)))
    next.set(set, replicasOf(set) - cut)
    spare -= cut
  }
  let excess = sum(sets, available) - least
  for (const set of old) {
    if (excess <= 0) break
    const cut = Math.min(excess, next.get(set)!)
    next.set(set, next.get(set)! - cut)
    excess -= cut
  }
  return [...next]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([set, replicas]) => ({ set, replicas }))
}

/** Have the wanted replicas changed since the ReplicaSets were last scaled? */
export const isResized = (deployment: Deployment, sets: readonly ReplicaSet[]): boolean =>
  sets.some(set => {
    const desired = set.metadata.annotations?.[DESIRED]
    return replicasOf(set) > 0 && desired !== undefined && Number(desired) !== replicasOf(deployment)
  })

/** A change of the wanted replicas, or a pause: all to the only ReplicaSet that is up, else in proportion. */
export function resize(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
): readonly Scaling[] {
  const wanted = replicasOf(deployment)
  const active = sets.filter(set => replicasOf(set) > 0)
  const only =
    active.length === 1 ? active[0] : active.length === 0 ? (fresh ?? sets.toSorted(oldestFirst).at(-1)) : undefined
  if (only) return [{ set: only, replicas: wanted }]
  if (fresh && replicasOf(fresh) === wanted && available(fresh) === wanted)
    return active.filter(set => set !== fresh).map(set => ({ set, replicas: 0 }))
  if (deployment.spec.strategy?.type === 'Recreate') return []
  const allowed = wanted > 0 ? wanted + bounds(deployment).surge : 0
  const toAdd = allowed - sum(active, replicasOf)
  const youngerFirst = toAdd > 0 ? -1 : 1
  const ordered = active.toSorted((a, b) => replicasOf(b) - replicasOf(a) || youngerFirst * oldestFirst(a, b))
  let added = 0
  const scalings = ordered.map(set => {
    const share = proportion(deployment, set, toAdd, added)
    added += share
    return { set, replicas: Math.max(0, replicasOf(set) + share) }
  })
  const [first, ...rest] = scalings
  if (!first || toAdd === 0) return scalings
  return [{ ...first, replicas: Math.max(0, first.replicas + toAdd - added) }, ...rest]
}

function proportion(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === 0 || toAdd === added) return 0
  const most = Number(set.metadata.annotations?.[MAX] ?? 0) || Number(deployment.status?.['replicas'] ?? 0) || 1
  const wanted = replicasOf(deployment)
  const size = wanted === 0 ? 0 : Math.round((replicasOf(set) * (wanted + bounds(deployment).surge)) / most)
  const share = size - replicasOf(set)
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added)
}
