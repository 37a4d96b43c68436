// Passes that only write the status, taken together: the next one is planned on the status that was not written yet, so
// that one write says all of it. States that would stand for no time are not shown to anybody.
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { type Observed, withStatus } from './observe.ts'
import { join } from './part.ts'
import { type Known, type Plan, planRollout } from './plan.ts'
import { stepsOf } from './progress.ts'
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

/** The passes up to the first that does something, or up to the one that waits, as one plan. Events keep their order. */
export function planAhead(seen: Observed, known: Known, now: Millis): Plan {
  let plan = planRollout(seen, known, now)
  let reading = seen
  for (let passes = 1; passes < MOST; passes += 1) {
    const { status } = plan
    if (plan.asks || plan.actions.length > 0 || !status || !statusPatch(reading.status, status)) return plan
    reading = withStatus(seen, status)
    const next = planRollout(reading, known, now)
    if (next.asks || (next.actions.length > 0 && (next.status === undefined || isToldFirst(seen, status)))) return plan
    const { recheckAt: _r, ...earlier } = plan
    plan = { ...join(earlier, next), status: next.status ?? status }
  }
  return plan
}
