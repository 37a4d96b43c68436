// From one reading and the time to everything that should happen now. Pure; the order of the parts is the safe order.
import type { RolloutStatus } from '../api/rollout-status.ts'
import { type Millis, refOf, type StepPlugin, type TrafficRouter } from '../contract.ts'
import { planBlueGreen } from './blue-green.ts'
import { planCanary } from './canary.ts'
import { findCondition, setCondition } from './conditions.ts'
import type { Observed, Problem } from './observe.ts'
import { join, NOTHING, type Part, part } from './part.ts'
import { syncPauseConditions } from './pause-conditions.ts'
import { isFreshAbort } from './pauses.ts'
import { planReplicasOnly } from './replicas-only.ts'
import { foundCondition, planClaims, planNewReplicaSet } from './revision.ts'
import { desiredAnnotation, hashOf, specReplicas } from './sets.ts'
import { settle } from './status.ts'
import type { Step } from './steps/step.ts'
import { findProblem } from './validate/problem.ts'
import { planWorkloadGeneration } from './workload-ref.ts'

/** The one-file things that were loaded: handed in by the caller, so that the core names none of them. */
export type Known = Readonly<{
  steps: Readonly<Record<string, Step<unknown>>>
  routers: Readonly<Record<string, TrafficRouter<unknown>>>
  plugins: Readonly<Record<string, StepPlugin<unknown>>>
  /** The controller's own namespace, if it has one. */
  home?: string
  /** Are providers asked by interfaces of their own whether what is wanted is in force? */
  asksProviders?: boolean
  /** Versions (apiVersion) that the operator wants of kinds that providers bring along. */
  apiVersions?: Readonly<Record<string, string>>
}>

export type Plan = Part &
  Readonly<{
    /** The whole next status; undefined: this pass does not write it. */
    status: RolloutStatus | undefined
  }>

/** How soon a refused spec is looked at again although nothing changed. argo: 20 s. */
const INVALID_RECHECK: Millis = 20_000

/** One pass. Each early return is a pass that ends there: its writes bring the next one. */
export function planRollout(seen: Observed, known: Known, now: Millis): Plan {
  if (seen.unseen !== undefined) return refuse(seen, { message: seen.unseen }, now)
  const claims = planClaims(seen)
  if (claims.actions.length > 0) return { ...claims, status: undefined }
  const problem = findProblem(seen, known)
  if (problem) return refuse(seen, problem, now)
  const generation = planWorkloadGeneration(seen)
  if (generation.length > 0) return { ...part({ actions: generation }), status: undefined }
  if (!seen.newRS) return planNewReplicaSet(seen, now)
  return (
    recordFound(seen, now) ??
    dropNeedlessAbort(seen, now) ??
    writeDefaultReplicas(seen) ??
    followPauses(seen, now) ??
    planStrategy(seen, known, now)
  )
}

function planStrategy(seen: Observed, known: Known, now: Millis): Plan {
  if (isScalingEvent(seen)) return planReplicasOnly(seen, known, now)
  if (seen.spec.strategy?.blueGreen) return planBlueGreen(seen, known, now)
  return planCanary(seen, known, now)
}

/** InvalidSpec: a condition, no work, another look later. Its message is renewed when the problem changes. */
function refuse(seen: Observed, problem: Problem, now: Millis): Plan {
  const message = `The Rollout "${seen.rollout.metadata.name}" is invalid: ${problem.message}`
  const wait = part({ because: [message], recheckAt: now + INVALID_RECHECK })
  const old = seen.status.conditions ?? []
  if (findCondition(old, 'InvalidSpec')?.message === message) return { ...wait, status: undefined }
  const others = old.filter(condition => condition.type !== 'InvalidSpec')
  const fields = { type: 'InvalidSpec', status: 'True', reason: 'InvalidSpec', message } as const
  const conditions = [...setCondition(others, fields, now)]
  return { ...wait, status: settle(seen, { ...seen.status, conditions }, now) }
}

function recordFound(seen: Observed, now: Millis): Plan | undefined {
  const conditions = foundCondition(seen, now)
  return conditions && { ...NOTHING, status: { ...seen.status, conditions: [...conditions] } }
}

/** An abort of a rollout that is already back at stable has nothing left to do. */
function dropNeedlessAbort(seen: Observed, now: Millis): Plan | undefined {
  const { status, newRS } = seen
  const isAtStable = (status.stableRS ?? '') !== '' && status.stableRS === status.currentPodHash
  // An abort beside a change that no pass has seen is meant for that change.
  const isStable = isAtStable && (!isFreshAbort(status) || !newRS || hashOf(newRS) === status.stableRS)
  if (!isStable || status.abort !== true) return undefined
  const { abort: _a, abortedAt: _t, ...rest } = status
  return { ...part({ because: ['nothing to abort: the stable version runs'] }), status: settle(seen, rest, now) }
}

/** argo: an absent spec.replicas is written down as 1, since autoscalers need it. */
function writeDefaultReplicas(seen: Observed): Plan | undefined {
  if (seen.rollout.spec.replicas != null) return undefined
  const why = 'spec.replicas is unset; autoscalers need a number'
  const action = {
    verb: 'patch',
    ref: refOf(seen.rollout),
    type: 'merge',
    patch: { spec: { replicas: 1 } },
    why,
  } as const
  return { ...part({ actions: [action] }), status: undefined }
}

function followPauses(seen: Observed, now: Millis): Plan | undefined {
  const conditions = syncPauseConditions(seen, now)
  return conditions && { ...NOTHING, status: settle(seen, { ...seen.status, conditions: [...conditions] }, now) }
}

/** spec.replicas changed since the sets in use were last scaled: first the sizes, then everything else. */
const isScalingEvent = (seen: Observed): boolean =>
  [seen.newRS, seen.stableRS].some(rs => {
    const desired = rs && specReplicas(rs) > 0 ? desiredAnnotation(rs) : undefined
    return desired !== undefined && desired !== seen.replicas
  })

/** Parts with a status on top. */
export const planOf = (status: RolloutStatus | undefined, ...parts: readonly Part[]): Plan => ({
  ...join(...parts),
  status,
})
