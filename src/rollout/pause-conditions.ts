// The start of a pass: conditions follow what people did to pauses, the abort flag and spec.paused (argo-behaviour 2.5).

import type { Millis } from '../contract.ts'
import { type Conditions, findCondition, setCondition } from './conditions.ts'
import type { Observed } from './observe.ts'
import { pausesOf } from './pauses.ts'

/** The conditions with Progressing and Paused brought in line; undefined when they are already. */
export function syncPauseConditions(seen: Observed, now: Millis): Conditions | undefined {
  const { status, rollout, spec } = seen
  if (status.observedGeneration !== `${rollout.metadata.generation ?? 0}`) return undefined
  const before = status.conditions ?? []
  const progressing = findCondition(before, 'Progressing')
  const isPaused = pausesOf(status).length > 0 || spec.paused === true
  const wasAborted = progressing?.reason === 'RolloutAborted'
  const isCompleted = findCondition(before, 'Completed')?.status === 'True'
  let list: Conditions = before
  const unknown = (reason: string, message: string) => {
    list = setCondition(list, { type: 'Progressing', status: 'Unknown', reason, message }, now)
  }
  if (isPaused !== (progressing?.reason === 'RolloutPaused') && !wasAborted && !isCompleted) {
    if (isPaused) unknown('RolloutPaused', 'Rollout is paused')
    else unknown('RolloutResumed', 'Rollout is resumed')
  }
  if (status.abort !== true && wasAborted) unknown('RolloutRetry', 'Retrying Rollout after abort')
  const pausedTrue = findCondition(before, 'Paused')?.status === 'True'
  if (isPaused !== pausedTrue && !wasAborted) {
    const fields = { type: 'Paused', reason: 'RolloutPaused', message: 'Rollout is paused' }
    list = setCondition(list, { ...fields, status: isPaused ? 'True' : 'False' }, now)
  }
  return list === before ? undefined : list
}
