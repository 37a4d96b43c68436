// The rules of spec.strategy.blueGreen. argo: paths lack the strategy's name.
import type { BlueGreenStrategy, RolloutSpec } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { checkAntiAffinity } from './anti-affinity.ts'

/** Checks a blue-green strategy. */
export function checkBlueGreen(to: Causes, strategy: BlueGreenStrategy, spec: RolloutSpec): void {
  const { activeService, previewService, scaleDownDelayRevisionLimit: limit } = strategy
  const active = activeService ?? ''
  if (active === (previewService ?? '')) {
    const text =
      'This rollout uses the same service for the active and preview services, but two different services are required.'
    to.invalid('spec.strategy.activeService', active, text)
  }
  if (limit != null && limit > (spec.revisionHistoryLimit ?? 10)) {
    const text = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
    to.invalid('spec.strategy.scaleDownDelayRevisionLimit', limit, text)
  }
  checkAntiAffinity(to, strategy.antiAffinity)
}
