// What keeps a rollout from being worked on: the first thing that is wrong with it, or with what it refers to.
import type { RolloutSpec } from '../../api/rollout.ts'
import type { Observed, Problem } from '../observe.ts'
import { perObject } from '../per-object.ts'
import type { Known } from '../plan.ts'
import { findReferenceProblem } from './references.ts'
import { specCauses } from './spec.ts'

/** The first problem of the spec or of what it refers to; undefined: fine. */
export function findProblem(seen: Observed, known: Known): Problem | undefined {
  if (seen.workloadProblem) return seen.workloadProblem
  const own = seen.resolvedFromRef ? findSpecProblem(seen.spec, true) : ownProblem(seen.rollout.spec)
  return own ?? unreadableProblem(seen) ?? findReferenceProblem(seen, known)
}

/** argo: goes on with what comes before, and has lost the status, too. Pods without half of their spec are worse than none. */
function unreadableProblem({ unreadable }: Observed): Problem | undefined {
  if (!unreadable) return undefined
  const { path, value, wanted } = unreadable
  return { message: `spec.template${path}: Invalid value: ${JSON.stringify(value)}: must be ${wanted}` }
}

/** What a spec with its own template shows by itself. */
const ownProblem = perObject((spec: RolloutSpec) => findSpecProblem(spec))

/** The first problem that the spec shows by itself. */
export function findSpecProblem(spec: RolloutSpec, isResolvedFromRef = false): Problem | undefined {
  const [first] = specCauses({ spec, isResolvedFromRef })
  return first && { message: `${first.field}: ${first.message}` }
}
