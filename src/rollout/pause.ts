// Pause: hold a rollout where it stands until someone promotes it.
import type { RolloutShape, VerbPlan } from './verb.ts'

/** The patch behind `pause`. */
export function planPause(rollout: RolloutShape): VerbPlan {
  if (rollout.spec.paused) return { note: 'nothing to pause: the rollout is paused already' }
  return { spec: { paused: true } }
}
