// dynamicStableScale: stable shrinks as the canary grows, so the way back must not outrun stable's pods
// (argo-behaviour 1.11 and 4.2).
import type { Observed } from './observe.ts'
import { isFullyPromoted } from './progress.ts'
import { availableReplicas, hashOf, sized } from './sets.ts'
import { desiredWeight, maxTrafficWeight } from './weight.ts'

/** Back at the stable version with stable not whole yet, while the recorded canary still serves. */
export function isReturningToStable(seen: Observed): boolean {
  const { newRS, status, spec } = seen
  const recorded = status.canary?.weights?.canary?.podTemplateHash ?? ''
  return (
    spec.strategy?.canary?.dynamicStableScale === true &&
    spec.strategy.canary.trafficRouting != null &&
    isFullyPromoted(status) &&
    newRS !== undefined &&
    recorded !== '' &&
    recorded !== hashOf(newRS) &&
    availableReplicas(newRS) < seen.replicas
  )
}

/** The canary weight on the way back: never above the recorded one, held while stable cannot carry the next lower.
 * `isAborted`: also when the abort is this pass's own and no status says so yet. */
export function dynamicWeight(seen: Observed, isAborted = seen.status.abort === true): number {
  const { newRS, stableRS, spec, replicas } = seen
  const status = { ...seen.status, abort: isAborted }
  // argo: also while spec.replicas is not written down yet.
  if (!newRS || !stableRS || !spec.replicas) return 0
  const whole = maxTrafficWeight(spec)
  const wish = desiredWeight({ spec, status, newRS: sized(newRS), stableRS: sized(stableRS) })
  const carried = Math.floor((whole * availableReplicas(stableRS)) / replicas)
  const lacking = Math.max(0, whole - carried)
  const current = status.canary?.weights?.canary?.weight
  if (current === undefined) return Math.max(lacking, wish)
  if (wish <= 0) return Math.min(lacking, current)
  return carried < whole - wish ? current : Math.min(wish, current)
}
