// Tables of conditions, pauses, and the bookkeeping of a release's duration.
import type { Experiment } from '../../src/api/experiment.ts'
import type { RolloutCondition, RolloutStatus } from '../../src/api/rollout-status.ts'
import { experimentProblem } from '../../src/experiment/verify.ts'
import {
  deadlineAbort,
  deadlineRecheck,
  hasProgressed,
  isCompleted,
  isHealthy,
  isTimedOut,
  nextConditions,
  setCondition,
} from '../../src/rollout/conditions.ts'
import { endedAttempt, nextDuration } from '../../src/rollout/duration.ts'
import { NO_INTENT, nextPauses, type PauseReason } from '../../src/rollout/pauses.ts'
import { hasDeadline, revisionOf } from '../../src/rollout/sets.ts'
import { stepHash } from '../../src/rollout/step-hash.ts'
import { nowOf, seenOf } from '../kit/seen-of-vector.ts'
import type { Row, Table } from '../kit/vector-table.ts'

/** The next status as the pass has it before conditions are set: the old conditions are carried over. */
const nextOf = (row: Row): RolloutStatus => {
  const next = (row['newStatus'] ?? {}) as RolloutStatus
  return { conditions: seenOf(row).status.conditions ?? [], ...next }
}

const answers: Readonly<Record<string, (row: Row) => unknown>> = {
  progressing: row => hasProgressed(seenOf(row).spec, seenOf(row).status, nextOf(row)),
  healthy: row => ({ healthy: isHealthy(seenOf(row), nextOf(row)), completed: isCompleted(nextOf(row)) }),
  timedOut: row => isTimedOut(seenOf(row), nextOf(row), nowOf(row)),
  stepHash: row => stepHash(seenOf(row).spec.strategy),
  setCondition(row) {
    const before = (row['newStatus'] as RolloutStatus).conditions ?? []
    const { type, status, reason = '', message = '', lastUpdateTime } = row['condition'] as RolloutCondition
    const at = Date.parse(lastUpdateTime ?? '')
    const conditions = setCondition(before, { type, status: status as 'True', reason, message }, at)
    return { changed: conditions !== before, conditions }
  },
  conditions(row) {
    const abort = row['abortMessage'] as string | undefined
    const intent = abort === undefined ? NO_INTENT : { ...NO_INTENT, abort }
    const seen = seenOf(row)
    return nextConditions(seen, nextOf(row), intent, nowOf(row), revisionOf(seen.rollout))
  },
  deadlineAbort(row) {
    const message = deadlineAbort(seenOf(row), nextOf(row), NO_INTENT, nowOf(row))
    return { abort: message !== undefined, message: message ?? '' }
  },
  requeue(row) {
    const seen = seenOf(row)
    // The reference asks only when nothing has changed, so what is paused or aborted is as it was.
    const { abort, pauseConditions } = seen.status
    const next = { ...nextOf(row), ...(abort ? { abort } : {}), ...(pauseConditions ? { pauseConditions } : {}) }
    const at = deadlineRecheck(seen, next, nowOf(row))
    // The reference looks when the deadline ends; ours a second later, when it is over: then one look is enough.
    return at === undefined ? null : Math.max(0, Math.trunc((at - nowOf(row)) / 1000) - 1)
  },
  verifyExperimentSpec(row) {
    const message = experimentProblem(row['experiment'] as Experiment)
    return message === undefined ? null : { type: 'InvalidSpec', status: 'True', reason: 'InvalidSpec', message }
  },
  pauseStatus(row) {
    const { clear = false, addAbort, removeAbort = false } = row['actions'] as Actions
    const intent = {
      add: row['addPause'] as readonly PauseReason[],
      remove: row['removePause'] as readonly PauseReason[],
      clear,
      unabort: removeAbort,
      ...(addAbort ? { abort: '' } : {}),
    }
    const {
      abort = false,
      abortedAt = null,
      pauseConditions,
      controllerPause = false,
    } = nextPauses(seenOf(row).status, intent, nowOf(row))
    return { abort, abortedAt, controllerPause, pauseConditions: pauseConditions ?? null }
  },
}

type Actions = Readonly<{ clear?: boolean; addAbort?: boolean; removeAbort?: boolean }>

export const conditionsTable: Table = {
  name: 'conditions-message',
  answer: row => answers[row['kind'] as string]!(row),
  exceptions(row) {
    if (row['kind'] === 'stepHash' && JSON.stringify(row).includes('{"b":1,"a":2}')) {
      return { reason: 'an API server serves the keys of a plugin config in order, which this row does not' }
    }
    if (row['kind'] === 'requeue' && seenOf(row).otherRSs.some(hasDeadline)) {
      return { reason: 'the end of an old set brings the next look; the reference looks over and over', want: null }
    }
    return undefined
  },
  want(row) {
    if (row['kind'] !== 'deadlineAbort') return row.want
    // The event is recorded by the pass together with the condition: nextConditions has it.
    const { events: _e, ...rest } = row.want as Readonly<Record<string, unknown>>
    return rest
  },
}

export const durations: Table = {
  name: 'duration-status',
  answer(row) {
    const seen = seenOf(row)
    const next = nextOf(row)
    const duration = nextDuration(seen, next, nowOf(row))
    return { duration: duration ?? null, finished: endedAttempt(seen, next, duration, nowOf(row)) ?? null }
  },
}
