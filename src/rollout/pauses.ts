// The pause and abort protocol of the status (argo-behaviour 2.5): the controller adds conditions, a person removes them.
import type { PauseCondition, RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { timestamp } from './part.ts'

export type PauseReason = 'CanaryPauseStep' | 'BlueGreenPause' | 'InconclusiveAnalysisRun' | 'InconclusiveExperiment'

/** What this pass wants to change about pauses and the abort. */
export type PauseIntent = Readonly<{
  add: readonly PauseReason[]
  remove: readonly PauseReason[]
  /** Drop every pause: a promotion, a reset, a full promotion. */
  clear: boolean
  /** Abort, with the text that follows `Rollout aborted update to revision N`; '' for none. */
  abort?: string
  unabort: boolean
}>

export const NO_INTENT: PauseIntent = { add: [], remove: [], clear: false, unabort: false }

/** Both wishes; the first reason to abort is told. */
export const both = (a: PauseIntent, b: PauseIntent): PauseIntent => ({
  add: [...new Set([...a.add, ...b.add])],
  remove: [...a.remove, ...b.remove],
  clear: a.clear || b.clear,
  unabort: a.unabort || b.unabort,
  ...(a.abort === undefined && b.abort === undefined ? {} : { abort: a.abort ?? b.abort ?? '' }),
})

export const pausesOf = (status: RolloutStatus): readonly PauseCondition[] => status.pauseConditions ?? []

export const pauseFor = (status: RolloutStatus, reason: PauseReason): PauseCondition | undefined =>
  pausesOf(status).find(pause => pause.reason === reason)

/** Will the rollout be aborted after this pass? A new abort wins over its removal. */
export function isAborted(status: RolloutStatus, intent: PauseIntent = NO_INTENT): boolean {
  if (intent.abort !== undefined) return true
  return status.abort === true && !intent.unabort
}

/** Somebody asked for an abort, and no pass has seen it yet. */
export const isFreshAbort = ({ abort, abortedAt }: RolloutStatus): boolean => abort === true && abortedAt == null

type PauseFields = Pick<RolloutStatus, 'abort' | 'abortedAt' | 'pauseConditions' | 'controllerPause'>

/** The four status fields after this pass. Absent means unset. `isHeld`: the user holds the rollout by spec.paused; who
 * promotes then resumes the pause first and lets go next, and the first must not be forgotten in between (argo does). */
export function nextPauses(status: RolloutStatus, intent: PauseIntent, now: Millis, isHeld = false): PauseFields {
  // The first instant is kept: a new one every pass would be a write every pass.
  if (isAborted(status, intent)) return { abort: true, abortedAt: status.abortedAt ?? timestamp(now) }
  if (intent.clear) return {}
  const kept = pausesOf(status).filter(pause => !intent.remove.some(reason => reason === pause.reason))
  const before = new Set(pausesOf(status).map(pause => pause.reason))
  const added = intent.add.filter(reason => !before.has(reason))
  const pauseConditions = [...kept, ...added.map(reason => ({ reason, startTime: timestamp(now) }))]
  if (pauseConditions.length === 0) return isHeld && status.controllerPause ? { controllerPause: true } : {}
  const controllerPause = added.length > 0 || status.controllerPause === true
  return { pauseConditions, ...(controllerPause ? { controllerPause } : {}) }
}
