// Sets that no delay keeps any more: they go at once, unless a data plane of our own still has requests for them.
import type { ReplicaSet } from '../api/kube.ts'
import type { Millis } from '../contract.ts'
import { isLetGo } from './followers.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part } from './part.ts'
import type { Known } from './plan.ts'
import { addDeadline } from './scale.ts'
import { deadlineOf, hasDeadline, hashOf } from './sets.ts'

/** How many pods a set keeps now that its time is over: `keep` while it is drained, else 0. One that never had a deadline
 * gets one of now: the followers' patience counts from there, whoever is in charge by then. */
export function planDrain(
  seen: Observed,
  known: Known,
  rs: ReplicaSet,
  keep: number,
  now: Millis,
): Readonly<{ wanted: number; part: Part }> {
  // A deadline that cannot be read is over.
  const since = hasDeadline(rs) ? (deadlineOf(rs) ?? 0) : now
  const { isFree, part: busy } = isLetGo(seen, known, hashOf(rs), since, now)
  if (isFree) return { wanted: 0, part: NOTHING }
  if (hasDeadline(rs) || (busy.asks?.length ?? 0) > 0) return { wanted: keep, part: busy }
  const why = `ReplicaSet ${hashOf(rs)} goes when the requests that proxies have for it are answered`
  return { wanted: keep, part: join(addDeadline(rs, 0, now, why), busy) }
}
