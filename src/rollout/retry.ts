// Retry: start an aborted update again, from its first step.
import type { RolloutShape, VerbPlan } from './verb.ts'

/** The patch behind `retry rollout`. */
export function planRetry(rollout: RolloutShape): VerbPlan {
  if (!rollout.status?.abort) return { note: 'nothing to retry: the rollout is not aborted' }
  return { status: { abort: false } }
}
