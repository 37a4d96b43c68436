// status.duration: how long an update took, without the time that people let it wait (argo-behaviour 2.7).
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { findCondition } from './conditions.ts'
import type { Observed } from './observe.ts'
import { timestamp } from './part.ts'
import { pausesOf } from './pauses.ts'
import { rollback } from './progress.ts'
import { availableReplicas, hashOf, isOlder } from './sets.ts'
import { stepHash } from './step-hash.ts'

export type Duration = NonNullable<RolloutStatus['duration']>

/** The record after this pass; undefined when there is none. Marks such as FastPromoted are set on `next` before. */
export function nextDuration(seen: Observed, next: RolloutStatus, now: Millis): Duration | undefined {
  const old = next.duration ?? undefined
  if (findCondition(next.conditions, 'InvalidSpec')) return old
  const changed = isChanged(seen)
  const done =
    (next.stableRS ?? '') !== '' &&
    next.stableRS === next.currentPodHash &&
    availableReplicas(seen.newRS) >= seen.replicas &&
    seen.newRS !== undefined
  const isRunning = old?.rolloutStartedAt !== undefined && old.finishedAt === undefined
  if (old && isRunning) return manualPause(seen, next, running(seen, next, old, { changed, done }, now), now)
  if (done || !(changed || isRetry(seen, next))) return old
  return manualPause(seen, next, { rolloutStartedAt: timestamp(now) }, now)
}

function isChanged(seen: Observed): boolean {
  const { status, newRS, spec } = seen
  if ((status.currentPodHash ?? '') === '') return true
  if (newRS && hashOf(newRS) !== status.currentPodHash) return true
  return spec.strategy?.canary != null && status.currentStepHash !== stepHash(spec.strategy)
}

const isRetry = (seen: Observed, next: RolloutStatus): boolean =>
  findCondition(seen.status.conditions, 'Progressing')?.reason === 'RolloutAborted' && next.abort !== true

/** An attempt that is over: how it ended, and how long it took with and without the time that people let it wait. */
export type Attempt = Readonly<{
  status: string
  totalSeconds: number
  progressionSeconds: number
  manualPauseSeconds: number
}>

/** The attempt that ended in this pass: `after` is the record that nextDuration gave. Undefined: none ended. */
export function endedAttempt(
  seen: Observed,
  next: RolloutStatus,
  after: Duration | undefined,
  now: Millis,
): Attempt | undefined {
  const before = next.duration ?? undefined
  if (before?.rolloutStartedAt === undefined || before.finishedAt !== undefined || !after) return undefined
  const isSuperseded = after.rolloutStartedAt !== before.rolloutStartedAt || isRestarted(seen, before, after)
  if (!isSuperseded && after.finishedAt === undefined) return undefined
  const paused = before.manualPauseStartedAt ? Math.trunc((now - Date.parse(before.manualPauseStartedAt)) / 1000) : 0
  const manualPauseSeconds = (before.totalManualPauseDurationSeconds ?? 0) + Math.max(0, paused)
  const totalSeconds = (now - Date.parse(before.rolloutStartedAt)) / 1000
  return {
    status: isSuperseded ? 'Superseded' : (after.completionStatus ?? 'Promoted'),
    totalSeconds,
    progressionSeconds: totalSeconds - manualPauseSeconds,
    manualPauseSeconds,
  }
}

/** Two attempts within one second have the same start: a change that is no way back began a new one. */
const isRestarted = (seen: Observed, before: Duration, after: Duration): boolean =>
  isChanged(seen) && after.completionStatus === undefined && before.completionStatus !== undefined

type Facts = Readonly<{ changed: boolean; done: boolean }>

function running(seen: Observed, next: RolloutStatus, old: Duration, facts: Facts, now: Millis): Duration {
  const ended = (completionStatus: string): Duration => ({ ...old, completionStatus, finishedAt: timestamp(now) })
  if (facts.changed) {
    const { newRS, stableRS } = seen
    if (newRS && next.stableRS === hashOf(newRS)) return { ...old, completionStatus: 'FastRolledBack' }
    if (newRS && stableRS && isOlder(newRS, stableRS)) {
      return { ...old, completionStatus: rollback(seen, now).isFast ? 'FastRolledBack' : 'RolledBack' }
    }
    return { rolloutStartedAt: timestamp(now) }
  }
  if (facts.done) return ended(old.completionStatus ?? 'Promoted')
  return next.abort === true ? ended(old.completionStatus ?? 'Aborted') : old
}

/** Is the rollout waiting for a person? */
function isManualPause(seen: Observed, next: RolloutStatus): boolean {
  if (seen.spec.paused === true) return true
  const { blueGreen, canary } = seen.spec.strategy ?? {}
  const step = canary?.steps?.[seen.status.currentStepIndex ?? 0]
  return pausesOf(next).some(({ reason }) => {
    if (reason === 'InconclusiveAnalysisRun' || reason === 'InconclusiveExperiment') return true
    if (reason === 'CanaryPauseStep') return step?.pause != null && step.pause.duration == null
    return reason === 'BlueGreenPause' && blueGreen?.autoPromotionEnabled === false
  })
}

function manualPause(seen: Observed, next: RolloutStatus, duration: Duration, now: Millis): Duration {
  const started = duration.manualPauseStartedAt
  const goesOn = duration.finishedAt === undefined && isManualPause(seen, next)
  if (goesOn) return started ? duration : { ...duration, manualPauseStartedAt: timestamp(now) }
  if (!started) return duration
  const { manualPauseStartedAt: _gone, ...rest } = duration
  const seconds = Math.max(0, Math.trunc((now - Date.parse(started)) / 1000))
  return { ...rest, totalManualPauseDurationSeconds: (duration.totalManualPauseDurationSeconds ?? 0) + seconds }
}
