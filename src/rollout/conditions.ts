// status.conditions: the rules of argo-behaviour 2.4 and 2.6, and the events that go with them.

import type { ReplicaSet } from '../api/kube.ts'
import type { RolloutSpec } from '../api/rollout.ts'
import type { RolloutCondition, RolloutStatus } from '../api/rollout-status.ts'
import type { EventNote, Millis } from '../contract.ts'
import type { Observed } from './observe.ts'
import { normal, timestamp, warning } from './part.ts'
import { isAborted, type PauseIntent, pausesOf } from './pauses.ts'
import { currentRevision } from './revision.ts'
import { availableReplicas, hasDeadline, hashOf, isSaturated, specReplicas, sumOf } from './sets.ts'

export type Conditions = readonly RolloutCondition[]
type Fields = Readonly<{ type: string; status: 'True' | 'False' | 'Unknown'; reason: string; message: string }>

export const findCondition = (conditions: Conditions | undefined, type: string): RolloutCondition | undefined =>
  conditions?.find(condition => condition.type === type)

export const dropCondition = (conditions: Conditions, type: string): Conditions =>
  conditions.some(c => c.type === type) ? conditions.filter(c => c.type !== type) : conditions

/** Sets a condition. The same status and reason change nothing, not even the message; a changed condition moves to
 * the end of the list. argo: the order matters, phases are read from the first match. */
export function setCondition(conditions: Conditions, fields: Fields, now: Millis): Conditions {
  const current = findCondition(conditions, fields.type)
  if (current?.status === fields.status && current.reason === fields.reason) return conditions
  const lastTransitionTime =
    current?.status === fields.status && current.lastTransitionTime ? current.lastTransitionTime : timestamp(now)
  const { type, ...rest } = fields
  return [...dropCondition(conditions, type), { type, ...rest, lastUpdateTime: timestamp(now), lastTransitionTime }]
}

const quoted = (text: string): string => JSON.stringify(text)

export const created = (rs: string): Fields => ({
  type: 'Progressing',
  status: 'True',
  reason: 'NewReplicaSetCreated',
  message: `Created new replica set ${quoted(rs)}`,
})

/** The API server does not take the ReplicaSet. argo: FailedRSCreateReason. */
export const refusedSet = (rs: string, error: string): Fields => ({
  type: 'Progressing',
  status: 'False',
  reason: 'ReplicaSetCreateError',
  message: `Failed to create new replica set ${quoted(rs)}: ${error}`,
})

export const found = (rs: string): Fields => ({
  type: 'Progressing',
  status: 'True',
  reason: 'FoundNewReplicaSet',
  message: `Found new replica set ${quoted(rs)}`,
})

/** Healthy: all pods are of the new version and available, the generation was seen in an earlier pass, and the
 * strategy has run to its end. */
export function isHealthy(seen: Observed, next: RolloutStatus): boolean {
  const { replicas, status, rollout } = seen
  return (
    (next.updatedReplicas ?? 0) === replicas &&
    (next.availableReplicas ?? 0) === replicas &&
    status.observedGeneration === `${rollout.metadata.generation ?? 0}` &&
    isStrategyComplete(seen.spec, next, replicas)
  )
}

function isStrategyComplete(spec: RolloutSpec, next: RolloutStatus, replicas: number): boolean {
  const hash = next.currentPodHash ?? ''
  const { blueGreen, canary } = spec.strategy ?? {}
  if (blueGreen) {
    const previewDone = !blueGreen.previewService || (next.blueGreen?.previewSelector ?? '') === hash
    return previewDone && (next.blueGreen?.activeSelector ?? '') === hash
  }
  if (!canary) return false
  const steps = canary.steps?.length ?? 0
  // argo: an index that is not recorded passes.
  const stepsDone = steps === 0 || next.currentStepIndex == null || next.currentStepIndex === steps
  return stepsDone && next.stableRS === hash && hash !== '' && (next.replicas ?? 0) === replicas
}

export const isCompleted = (next: RolloutStatus): boolean =>
  (next.stableRS ?? '') !== '' && next.stableRS === next.currentPodHash

/** Has anything moved forward since the old status? */
export function hasProgressed(spec: RolloutSpec, old: RolloutStatus, next: RolloutStatus): boolean {
  const n = (status: RolloutStatus, field: 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas') =>
    status[field] ?? 0
  const { blueGreen, canary } = spec.strategy ?? {}
  const strategyMoved =
    (blueGreen !== undefined &&
      ((old.blueGreen?.activeSelector ?? '') !== (next.blueGreen?.activeSelector ?? '') ||
        (old.blueGreen?.previewSelector ?? '') !== (next.blueGreen?.previewSelector ?? ''))) ||
    (canary !== undefined &&
      ((old.stableRS ?? '') !== (next.stableRS ?? '') ||
        (old.currentStepHash ?? '') !== (next.currentStepHash ?? '') ||
        (typeof old.currentStepIndex === 'number' &&
          typeof next.currentStepIndex === 'number' &&
          old.currentStepIndex !== next.currentStepIndex)))
  return (
    n(next, 'updatedReplicas') !== n(old, 'updatedReplicas') ||
    n(next, 'replicas') - n(next, 'updatedReplicas') < n(old, 'replicas') - n(old, 'updatedReplicas') ||
    n(next, 'readyReplicas') > n(old, 'readyReplicas') ||
    n(next, 'availableReplicas') > n(old, 'availableReplicas') ||
    strategyMoved
  )
}

/** Seconds before a rollout without progress counts as stuck. */
export const progressDeadline = (spec: RolloutSpec): number => spec.progressDeadlineSeconds ?? 600

/** Steps that may take for ever: a deadline makes no sense while one runs. */
export function isIndefiniteStep(seen: Observed): boolean {
  const steps = seen.spec.strategy?.canary?.steps
  const step = steps?.[seen.status.currentStepIndex ?? 0]
  return step !== undefined && (step.pause != null || step.experiment != null || step.analysis != null)
}

/** Has the deadline passed without progress? Strictly later than lastUpdateTime plus the deadline. */
export function isTimedOut(seen: Observed, next: RolloutStatus, now: Millis): boolean {
  const condition = findCondition(next.conditions, 'Progressing')
  if (!condition || condition.reason === 'RolloutAborted' || condition.reason === 'RolloutPaused') return false
  if (condition.reason === 'ProgressDeadlineExceeded') return true
  return Date.parse(condition.lastUpdateTime ?? '') + progressDeadline(seen.spec) * 1000 < now
}

/** An old set that was scaled down and still counts pods. */
const isGoing = (rs: ReplicaSet): boolean => specReplicas(rs) < (rs.status?.replicas ?? 0)

/** No clock runs for the update: its step may take for ever, or an old set waits for its end. argo: the clock is there
 * again, long past, for the moment between that end and the count that tells of it. */
const isClockStopped = (seen: Observed): boolean =>
  isIndefiniteStep(seen) || seen.otherRSs.some(rs => hasDeadline(rs) || (isCompleted(seen.status) && isGoing(rs)))

const mayTimeOut = (seen: Observed): boolean =>
  !isClockStopped(seen) && findCondition(seen.status.conditions, 'Paused')?.status !== 'True'

const timeOutText = (seen: Observed): string =>
  seen.newRS
    ? `ReplicaSet ${quoted(seen.newRS.metadata.name)} has timed out progressing.`
    : `Rollout ${quoted(seen.rollout.metadata.name)} has timed out progressing.`

/** progressDeadlineAbort: the abort message when the deadline has passed; undefined otherwise. Evaluated before the
 * pause status of the pass is known. */
export function deadlineAbort(
  seen: Observed,
  next: RolloutStatus,
  intent: PauseIntent,
  now: Millis,
): string | undefined {
  if (seen.spec.progressDeadlineAbort !== true || isAborted(seen.status, intent)) return undefined
  if (isHealthy(seen, next) || isCompleted(next) || hasProgressed(seen.spec, seen.status, next)) return undefined
  return mayTimeOut(seen) && isTimedOut(seen, next, now) ? timeOutText(seen) : undefined
}

export type ConditionOutcome = Readonly<{ conditions: Conditions; events: readonly EventNote[] }>

/** The conditions after this pass, from the counts and the strategy fields of `next`. `revision` is what messages call
 * the update. */
export function nextConditions(
  seen: Observed,
  next: RolloutStatus,
  intent: PauseIntent,
  now: Millis,
  revision = currentRevision(seen),
): ConditionOutcome {
  const { status: old, newRS } = seen
  const events: EventNote[] = []
  const isPaused = pausesOf(next).length > 0 || seen.spec.paused === true
  const aborted = isAborted(old, intent)
  let list: Conditions = next.conditions ?? []
  const set = (fields: Fields): boolean => {
    const before = list
    list = setCondition(list, fields, now)
    return list !== before
  }

  const healthy = isHealthy(seen, next)
  const hadHealthy = findCondition(old.conditions, 'Healthy') !== undefined
  let becameUnhealthy = false
  if (!isPaused && healthy) {
    set({ type: 'Healthy', status: 'True', reason: 'RolloutHealthy', message: 'Rollout is healthy' })
  } else if (hadHealthy) {
    becameUnhealthy = set({
      type: 'Healthy',
      status: 'False',
      reason: 'RolloutHealthy',
      message: 'Rollout is not healthy',
    })
  }

  if (aborted) {
    const text = `Rollout aborted update to revision ${revision}`
    const message = intent.abort ? `${text}: ${intent.abort}` : text
    if (set({ type: 'Progressing', status: 'False', reason: 'RolloutAborted', message })) {
      events.push(warning('RolloutAborted', message))
    }
  }

  const current = findCondition(old.conditions, 'Progressing')
  if (!aborted) list = progressing(seen, next, list, { healthy, becameUnhealthy, current }, now)

  const enough = hasMinimumAvailability(seen, next)
  set({
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: 'AvailableReason',
    message: `Rollout ${enough ? 'has' : 'does not have'} minimum availability`,
  })

  const failure = [newRS, seen.stableRS, ...seen.otherRSs]
    .flatMap(rs => rs?.status?.conditions ?? [])
    .find(condition => condition.type === 'ReplicaFailure')
  if (failure) {
    const { status, reason = '', message = '', lastTransitionTime = '' } = failure
    // argo: its times are those of the ReplicaSet's condition.
    const at = Date.parse(lastTransitionTime)
    const fields = { type: 'ReplicaFailure', status: status as Fields['status'], reason, message }
    list = setCondition(list, fields, Number.isNaN(at) ? now : at)
  } else list = dropCondition(list, 'ReplicaFailure')

  const completed = { type: 'Completed', reason: 'RolloutCompleted', message: 'RolloutCompleted' }
  if (isCompleted(next)) set({ ...completed, status: 'True' })
  else if (set({ ...completed, status: 'False' })) {
    const text = `Rollout not completed, started update to revision ${revision} (${next.currentPodHash ?? ''})`
    events.push(normal('RolloutNotCompleted', text))
  }
  return { conditions: list, events }
}

type ProgressFacts = Readonly<{ healthy: boolean; becameUnhealthy: boolean; current: RolloutCondition | undefined }>

function progressing(seen: Observed, next: RolloutStatus, list: Conditions, facts: ProgressFacts, now: Millis) {
  const rs = seen.newRS?.metadata.name ?? ''
  if (facts.healthy) {
    const message = `ReplicaSet ${quoted(rs)} has successfully progressed.`
    return setCondition(list, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message }, now)
  }
  if (hasProgressed(seen.spec, seen.status, next) || facts.becameUnhealthy) {
    // A fully promoted rollout that lost pods says so, and its clock starts anew, so that it does not time out.
    const lostPods = facts.becameUnhealthy && isCompleted(next)
    const message = lostPods
      ? 'Rollout does not have minimum availability'
      : seen.newRS
        ? `ReplicaSet ${quoted(rs)} is progressing.`
        : `Rollout ${quoted(seen.rollout.metadata.name)} is progressing.`
    const reason = lostPods ? 'ReplicaSetNotAvailable' : 'ReplicaSetUpdated'
    const before = facts.current?.status === 'True' ? facts.current.lastTransitionTime : undefined
    return [
      ...dropCondition(list, 'Progressing'),
      {
        type: 'Progressing',
        status: 'True' as const,
        reason,
        message,
        lastUpdateTime: timestamp(now),
        lastTransitionTime: before ?? timestamp(now),
      },
    ]
  }
  if (!mayTimeOut(seen) || !isTimedOut(seen, next, now)) return list
  return setCondition(
    list,
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: timeOutText(seen) },
    now,
  )
}

function hasMinimumAvailability(seen: Observed, next: RolloutStatus): boolean {
  if (!seen.spec.strategy?.blueGreen) return sumOf(seen.allRSs, availableReplicas) >= seen.replicas
  const active = next.blueGreen?.activeSelector ?? ''
  return (
    active !== '' &&
    isSaturated(
      seen.allRSs.find(rs => hashOf(rs) === active),
      seen.replicas,
    )
  )
}

/** When to look again because of the progress deadline; undefined when no clock runs. */
export function deadlineRecheck(seen: Observed, next: RolloutStatus, now: Millis): Millis | undefined {
  const condition = findCondition(next.conditions, 'Progressing')
  if (!condition || pausesOf(next).length > 0 || seen.spec.paused || next.abort) return undefined
  // The end of the step, or of the old set, brings the next look: asked by the clock it would be asked again and again.
  if (!mayTimeOut(seen)) return undefined
  if (isHealthy(seen, next) || condition.reason === 'ProgressDeadlineExceeded') return undefined
  const at = Date.parse(condition.lastUpdateTime ?? '') + progressDeadline(seen.spec) * 1000 + 1000
  return Number.isNaN(at) ? undefined : Math.max(at, now)
}
