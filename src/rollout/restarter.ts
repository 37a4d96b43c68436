// spec.restartAt: pods older than that instant are evicted, a few at a time (argo-behaviour 3.8).
import type { Pod, ReplicaSet } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import { type Action, type Millis, refOf } from '../contract.ts'
import { maxUnavailable } from './limits.ts'
import type { Observed } from './observe.ts'
import { NOTHING, type Part, part } from './part.ts'
import { podsOf } from './pods-of.ts'
import { availableReplicas, byCreation, specReplicas, sumOf } from './sets.ts'

/** Does a restart wait to be done at `now`? Then the reading needs the pods. */
export function needsRestart(rollout: Rollout, now: Millis): boolean {
  const { restartAt } = rollout.spec
  if (restartAt == null) return false
  const at = Date.parse(restartAt)
  return at < now && Date.parse(rollout.status?.restartedAt ?? '') !== at
}

export type Restart = Readonly<{
  part: Part
  /** Pods were evicted: availability can no longer be trusted in this pass. */
  evicted: boolean
  /** status.restartedAt after this pass, when every pod is newer. */
  restartedAt?: string
}>

const RETRY: Millis = 30_000

/** Evictions of this pass: never more than keeps (replicas - maxUnavailable, at least one) pods available. */
export function planPodRestart(seen: Observed, now: Millis): Restart {
  const { restartAt } = seen.spec
  if (restartAt == null) return { part: NOTHING, evicted: false }
  if (!needsRestart(seen.rollout, now)) {
    const at = Date.parse(restartAt)
    return { part: at >= now ? part({ recheckAt: at + 1 }) : NOTHING, evicted: false }
  }
  const wanted = Math.max(seen.replicas, sumOf(seen.allRSs, specReplicas))
  let allowed = availableNow(seen) - (wanted - Math.max(maxUnavailable(seen.spec), 1))
  const before = Date.parse(restartAt)
  const old = inRestartOrder(seen).flatMap(rs =>
    podsOf(seen, rs).filter(pod => Date.parse(pod.metadata.creationTimestamp ?? '') < before),
  )
  const actions: Action[] = []
  for (const pod of old) {
    const isStuck = pod.metadata.deletionTimestamp !== undefined || seen.unevictable?.has(pod.metadata.name)
    if (isStuck || allowed <= 0) continue
    actions.push({ verb: 'evict', ref: refOf(pod), why: `restart of pods created before ${restartAt}` })
    allowed -= 1
  }
  if (old.length === 0) return { part: NOTHING, evicted: false, restartedAt: restartAt }
  const because = [`restart: ${old.length} pods are older than ${restartAt}, ${actions.length} are evicted now`]
  return { part: part({ actions, because, recheckAt: now + RETRY }), evicted: actions.length > 0 }
}

/** Pods that serve at this moment. The counts of the ReplicaSets lag behind our own evictions, the pods themselves were
 * just read; a pod counts as available only when both say so. argo trusts the counts alone and evicts too many. */
function availableNow(seen: Observed): number {
  const serving = seen.allRSs.flatMap(rs => podsOf(seen, rs)).filter(isServing).length
  return Math.min(sumOf(seen.allRSs, availableReplicas), serving)
}

const isServing = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.conditions ?? []).some(condition => condition.type === 'Ready' && condition.status === 'True')

/** Stable first, then new, then the others by age. */
export function inRestartOrder(seen: Observed): readonly ReplicaSet[] {
  const first = [seen.stableRS, seen.newRS].filter((rs): rs is ReplicaSet => rs !== undefined)
  return [...new Set([...first, ...seen.otherRSs.toSorted(byCreation)])]
}
