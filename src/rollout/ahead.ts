// Passes that only write the status, taken together: the next one is planned on the status that was not written yet, so
// that one write says all of it. States that would stand for no time are not shown to anybody.
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { findCondition } from './conditions.ts'
import { type Observed, withStatus } from './observe.ts'
import { join } from './part.ts'
import { type Known, type Plan, planRollout } from './plan.ts'
import { stepsOf } from './progress.ts'
import { withNewReplicaSet } from './revision.ts'
import { statusPatch } from './status.ts'

/** More passes than any release takes without a change of the world; only a fault of ours would want more. */
const MOST = 20

/** What is written down before anything is done on the strength of it: another stable version, and the way to a step that
 * makes objects, which a controller that stands a step behind would end again. All else would be decided the same way by
 * whoever takes over. */
function isToldFirst(seen: Observed, after: RolloutStatus): boolean {
  const { stableRS = '', currentStepIndex } = seen.status
  if (stableRS !== (after.stableRS ?? '')) return true
  const step = stepsOf(seen)[after.currentStepIndex ?? 0]
  const makesObjects = [step?.experiment, step?.analysis, step?.plugin].some(one => one != null)
  return makesObjects && currentStepIndex !== after.currentStepIndex
}

/** The same reading after a pass; undefined: what the pass does must be seen in the world before more is planned. A new
 * ReplicaSet is known before it is there: it has no pods. Where an update overtakes one that is progressing, the condition
 * says in between that there is a new ReplicaSet; else nobody would see the one progress end and the other begin. */
function readingAfter(seen: Observed, { actions }: Plan, status: RolloutStatus, now: Millis): Observed | undefined {
  if (actions.length === 0) return withStatus(seen, status)
  const isProgressing = findCondition(seen.status.conditions ?? [], 'Progressing')?.reason === 'ReplicaSetUpdated'
  return seen.newRS || isProgressing ? undefined : withStatus(withNewReplicaSet(seen, now), status)
}

/** The passes up to the first that does something, or up to the one that waits, as one plan. Events keep their order. */
export function planAhead(seen: Observed, known: Known, now: Millis): Plan {
  let last = planRollout(seen, known, now)
  let plan = last
  let reading = seen
  for (let passes = 1; passes < MOST; passes += 1) {
    const { status } = last
    if (last.asks || !status) return plan
    const after = readingAfter(reading, last, status, now)
    if (!after || (after.newRS === reading.newRS && !statusPatch(reading.status, status))) return plan
    reading = after
    last = planRollout(reading, known, now)
    const isFirst = last.actions.length > 0 && (last.status === undefined || isToldFirst(seen, status))
    if (last.asks || isFirst) return plan
    const { recheckAt: _r, ...earlier } = plan
    plan = { ...join(earlier, last), status: last.status ?? status }
  }
  return plan
}
