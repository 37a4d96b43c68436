// What a spec refers to must exist and fit (argo-behaviour 9.2 to 9.4). First everything is looked up: one missing object
// hides all that are wrong. Missing things come back by themselves: the rollout is looked at again when they appear.
import type { Observed, Problem } from '../observe.ts'
import type { Known } from '../plan.ts'
import { missingTemplate, unfitTemplates } from './analysis.ts'
import { routerFindings } from './routers.ts'
import { missingService, unfitServices } from './services.ts'

/** The first problem of what the spec refers to; undefined: all is there and fits. */
export const findReferenceProblem = (seen: Observed, known: Known): Problem | undefined =>
  referenceProblems(seen, known)[0]

/** What is missing (one), or else everything that does not fit, in Argo's order. */
export function referenceProblems(seen: Observed, known: Known): readonly Problem[] {
  const routers = routerFindings(seen, known)
  const missing = missingService(seen) ?? missingTemplate(seen) ?? routers.missing
  if (missing) return [missing]
  return [...unfitServices(seen), ...unfitTemplates(seen), ...routers.unfit]
}
