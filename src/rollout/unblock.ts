// A plain canary that three versions share can block itself: the surge is used up by pods that will never be ready, and
// what is available cannot go. The unhealthy pods of the side that shrinks anyway make room then.

import type { Observed } from './observe.ts'
import { NO_INTENT } from './pauses.ts'
import { basicWish } from './replicas-basic.ts'
import { type Scaled, scale, UNSCALED } from './scale.ts'
import { availableReplicas, sized, specReplicas } from './sets.ts'

/** Trims the unhealthy pods of the stable or the new set, whichever is to shrink, when the other one cannot grow and no old
 * set could give way. argo: such a rollout stands still for ever (a deliberate difference). */
export function planUnblock(seen: Observed): Scaled {
  const { newRS, stableRS, spec, status } = seen
  if (!newRS || !stableRS || newRS === stableRS || !seen.otherRSs.some(rs => specReplicas(rs) > 0)) return UNSCALED
  const wish = basicWish(spec, status, sized(newRS), sized(stableRS))
  const sides = [
    { shrinks: stableRS, to: wish.stable, grows: newRS, wanted: wish.new },
    { shrinks: newRS, to: wish.new, grows: stableRS, wanted: wish.stable },
  ]
  for (const { shrinks, to, grows, wanted } of sides) {
    const kept = Math.max(to, availableReplicas(shrinks))
    if (specReplicas(grows) >= wanted || kept >= specReplicas(shrinks)) continue
    return scale(seen, shrinks, kept, NO_INTENT, 'its unhealthy pods make room for the version that grows')
  }
  return UNSCALED
}
