// What is wrong with the spec of an experiment.
import type { Experiment } from '../api/experiment.ts'
import { progressDeadline } from './facts.ts'

/** The first problem of the spec, as the InvalidSpec condition tells it; undefined when there is none.
 * argo: the message about the selector speaks of a Rollout. */
export function experimentProblem({ metadata, spec }: Experiment): string | undefined {
  const names = new Set<string>()
  for (const [i, template] of (spec.templates ?? []).entries()) {
    const { name = '', selector, minReadySeconds = 0 } = template
    if (selector == null) return `Rollout has missing field '.Spec.Templates[${i}].Selector'`
    if (selector.matchLabels == null && selector.matchExpressions == null) {
      return `This experiment is selecting all pods at index ${i}. A non-empty selector is required.`
    }
    if (minReadySeconds > progressDeadline(spec)) {
      return `MinReadySeconds cannot be longer than ProgressDeadlineSeconds. Check template index ${i}`
    }
    if (name === '') return `Experiment ${metadata.name} has empty template name at index ${i}`
    if (names.has(name)) return `Experiment ${metadata.name} has repeated template name '${name}' in templates`
    names.add(name)
  }
  return undefined
}
