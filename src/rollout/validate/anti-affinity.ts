// The rules of antiAffinity, the same for both strategies.
import type { CanaryStrategy } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'

/** Exactly one of the two forms; a preferred one needs a weight. */
export function checkAntiAffinity(to: Causes, rule: CanaryStrategy['antiAffinity']): void {
  if (rule == null) return
  const preferred = rule.preferredDuringSchedulingIgnoredDuringExecution
  const hard = rule.requiredDuringSchedulingIgnoredDuringExecution
  if ((preferred == null) === (hard == null)) {
    const value = `antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: ${preferred != null} antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: ${hard != null}`
    to.invalid('spec.strategy.antiAffinity', value, 'AntiAffinity must have exactly one strategy listed')
  }
  const weight = preferred?.weight ?? 0
  if (preferred != null && (weight < 1 || weight > 100)) {
    to.invalid('spec.strategy.antiAffinity.weight', weight, 'AntiAffinity weight must be between 1-100')
  }
}
