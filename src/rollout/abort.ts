// Abort: back to the stable revision; the template stays the new one until it is retried or changed.
import { isSettled, type RolloutShape, type VerbPlan } from './verb.ts'

/** The patch behind `abort`. A rollout that runs its stable revision only is left alone: the flag would stay and
 * hit the next update. A full promotion of what was aborted before is taken back. */
export function planAbort(rollout: RolloutShape): VerbPlan {
  if (rollout.status?.abort && rollout.status.promoteFull) return { status: { promoteFull: null } }
  if (rollout.status?.abort) return { note: 'nothing to abort: the update was aborted before' }
  if (isSettled(rollout)) return { note: 'nothing to abort: no update is in progress' }
  return { status: { abort: true } }
}
