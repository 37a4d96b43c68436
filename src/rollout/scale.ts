// Sizing ReplicaSets: one scaling write and its event; the stable and the new set; deadlines on sets that wait to go.
import type { ReplicaSet } from '../api/kube.ts'
import { type Action, type Millis, refOf } from '../contract.ts'
import { isLetGo } from './followers.ts'
import { DESIRED_REPLICAS, SCALE_DOWN_DEADLINE } from './keys.ts'
import type { Observed } from './observe.ts'
import { NOTHING, normal, type Part, part, timestamp } from './part.ts'
import { isAborted, type PauseIntent } from './pauses.ts'
import type { Known } from './plan.ts'
import {
  availableReplicas,
  deadlineOf,
  desiredAnnotation,
  hasDeadline,
  hashOf,
  revisionOf,
  specReplicas,
  untilDeadline,
} from './sets.ts'

/** A part that says whether a ReplicaSet was really resized: then the pass ends. */
export type Scaled = Readonly<{ part: Part; resized: boolean }>
export const UNSCALED: Scaled = { part: NOTHING, resized: false }

/** Nearest time at which Argo's resync would look again anyway; deadlines further off count as none of our business. */
const RESYNC = 15 * 60_000

/** Scales `rs` to `to` pods and refreshes its desired annotation. argo: the annotation counts even when the size is
 * right, since a differing one sends every pass down the replicas-only path. */
export function scale(seen: Observed, rs: ReplicaSet, to: number, intent: PauseIntent, why: string): Scaled {
  const from = specReplicas(rs)
  const dropDeadline = to === 0 && hasDeadline(rs) && !delaysOnAbort(seen, intent)
  const isTold = desiredAnnotation(rs) === seen.replicas && !(dropDeadline && seen.replicas === 0)
  if (from === to && isTold) return UNSCALED
  const annotations = {
    [DESIRED_REPLICAS]: `${seen.replicas}`,
    ...(dropDeadline ? { [SCALE_DOWN_DEADLINE]: null } : {}),
  }
  const text = `Scaled ${to > from ? 'up' : 'down'} ReplicaSet ${rs.metadata.name} (revision ${revisionOf(rs)}) from ${from} to ${to}`
  const action: Action = {
    verb: 'patch',
    ref: refOf(rs),
    type: 'merge',
    patch: { metadata: { annotations }, ...(from === to ? {} : { spec: { replicas: to } }) },
    why,
    ...(from === to ? {} : { event: normal('ScalingReplicaSet', text) }),
  }
  return { part: part({ actions: [action], because: from === to ? [] : [`${text}: ${why}`] }), resized: from !== to }
}

/** abortScaleDownDelaySeconds, 30 when unset; `never`: an explicit 0 keeps the pods. */
export function abortDelay(seen: Observed): Readonly<{ seconds: number | 'never'; isExplicit: boolean }> {
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  const set = (blueGreen ?? canary)?.abortScaleDownDelaySeconds
  if (set == null) return { seconds: 30, isExplicit: false }
  return { seconds: set === 0 ? 'never' : set, isExplicit: true }
}

/** Is the new set kept for a while after an abort? Blue-green previews and routed canaries only. */
export function delaysOnAbort(seen: Observed, intent: PauseIntent): boolean {
  if (!isAborted(seen.status, intent) || !seen.stableRS) return false
  const canary = seen.spec.strategy?.blueGreen ? undefined : seen.spec.strategy?.canary
  if (canary && !canary.trafficRouting) return false
  const delay = abortDelay(seen)
  if (delay.seconds === 'never') return false
  return !(canary?.dynamicStableScale && !delay.isExplicit)
}

const deadlineAction = (rs: ReplicaSet, value: string | null, why: string): Action => ({
  verb: 'patch',
  ref: refOf(rs),
  type: 'merge',
  patch: { metadata: { annotations: { [SCALE_DOWN_DEADLINE]: value } } },
  why,
})

/** Gives `rs` until `seconds` from now. */
export function addDeadline(rs: ReplicaSet, seconds: number, now: Millis, why: string): Part {
  const at = now + seconds * 1000
  return part({ actions: [deadlineAction(rs, timestamp(at), why)], because: [why], recheckAt: at })
}

/** The sets in use lose a deadline from an earlier life; the new one keeps it while an abort delays its end. */
export function planDeadlineRemoval(seen: Observed, intent: PauseIntent): Part {
  const { newRS, stableRS } = seen
  const inUse = new Set([...(newRS && !delaysOnAbort(seen, intent) ? [newRS] : []), ...(stableRS ? [stableRS] : [])])
  const why = 'it is in use again'
  return part({ actions: [...inUse].filter(hasDeadline).map(rs => deadlineAction(rs, null, why)) })
}

/** Sizes the new set to `wanted`, or holds it after an abort until its deadline. */
export function planNewScale(
  seen: Observed,
  known: Known,
  wanted: number,
  intent: PauseIntent,
  now: Millis,
  why: string,
): Scaled {
  const { newRS, stableRS } = seen
  if (!newRS) return UNSCALED
  if (!delaysOnAbort(seen, intent)) return scale(seen, newRS, wanted, intent, why)
  if (hasDeadline(newRS)) {
    const deadline = deadlineOf(newRS)
    // argo: one that cannot be read is none of our business either.
    if (deadline === undefined) return scale(seen, newRS, wanted, intent, why)
    const left = untilDeadline(newRS, now)
    if (left === undefined) {
      const { isFree, part: busy } = isLetGo(seen, known, hashOf(newRS), deadline, now)
      if (!isFree) return hold(seen, newRS, intent, busy)
      return scale(seen, newRS, 0, intent, 'its delay after the abort is over')
    }
    if (left >= RESYNC) return scale(seen, newRS, wanted, intent, why)
    return hold(seen, newRS, intent, part({ recheckAt: now + left }))
  }
  const { seconds } = abortDelay(seen)
  if (seconds === 'never' || availableReplicas(stableRS) < seen.replicas) return hold(seen, newRS, intent, NOTHING)
  const text = `aborted: ReplicaSet ${hashOf(newRS)} goes in ${seconds} s`
  return hold(seen, newRS, intent, addDeadline(newRS, seconds, now, text))
}

/** Keeps the size but refreshes the desired annotation, or the replicas-only path would never end. */
function hold(seen: Observed, rs: ReplicaSet, intent: PauseIntent, also: Part): Scaled {
  const kept = scale(seen, rs, specReplicas(rs), intent, 'the rollout was scaled while it waits')
  return { part: { ...also, actions: [...kept.part.actions, ...also.actions] }, resized: false }
}
