// Which Pods of a ReplicaSet go first when it shrinks.
// Source: ActivePodsWithRanks in the Kubernetes controllers, with the logarithmic treatment of ages.
import { conditionOf, isReady, type Pod } from './objects.ts'

const COST = 'controller.kubernetes.io/pod-deletion-cost'
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

const cost = (pod: Pod): number => {
  const text = pod.metadata.annotations?.[COST] ?? '0'
  return /^-?\d+$/.test(text) ? Number(text) : 0
}

const readySince = (pod: Pod): number | undefined => {
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  return ready?.status === 'True' && ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : undefined
}

const restarts = (pod: Pod): number =>
  Math.max(0, ...(pod.status?.containerStatuses ?? []).map(container => container.restartCount ?? 0))

/** Ages within a factor of two count as equal, so that the choice is not always the same rack or zone. */
const ageClass = (since: number, now: number): number => {
  const age = (now - since) * 1e6
  return age <= 0 ? -1 : Math.floor(Math.log2(age))
}

const byUid = (a: Pod, b: Pod): number => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1)

/** Younger first; undefined counts as the oldest of all. */
function byAge(a: Pod, b: Pod, at: (pod: Pod) => number | undefined, now: number): number {
  const [since, other] = [at(a), at(b)]
  if (since === other) return 0
  if (since === undefined) return -1
  if (other === undefined) return 1
  return ageClass(since, now) - ageClass(other, now) || byUid(a, b)
}

/** The Pods in the order in which they are to be deleted. `neighbours` says how many Pods of the same owner share the
 * Pod's node. */
export function rankForDeletion(pods: readonly Pod[], neighbours: (pod: Pod) => number, now: number): readonly Pod[] {
  const created = (pod: Pod) => Date.parse(pod.metadata.creationTimestamp ?? '')
  return pods.toSorted(
    (a, b) =>
      Number((a.spec?.nodeName ?? '') !== '') - Number((b.spec?.nodeName ?? '') !== '') ||
      (phaseRank[a.status?.phase ?? ''] ?? 0) - (phaseRank[b.status?.phase ?? ''] ?? 0) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      cost(a) - cost(b) ||
      neighbours(b) - neighbours(a) ||
      byAge(a, b, readySince, now) ||
      restarts(b) - restarts(a) ||
      byAge(a, b, created, now) ||
      byUid(a, b),
  )
}
