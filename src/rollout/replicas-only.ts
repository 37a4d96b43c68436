// A scaling event: spec.replicas changed. Only sizes are touched in such a pass; no Service, no traffic, no step
// (argo-behaviour 3.3).
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { planBlueGreenSizes } from './blue-green.ts'
import { planSizes } from './canary.ts'
import { dropCondition } from './conditions.ts'
import type { Observed } from './observe.ts'
import { join } from './part.ts'
import { NO_INTENT } from './pauses.ts'
import type { Known, Plan } from './plan.ts'
import { planRevision } from './revision.ts'
import { availableReplicas, hashOf, readyReplicas, statusReplicas, sumOf } from './sets.ts'
import { finish } from './status.ts'

export function planReplicasOnly(seen: Observed, known: Known, now: Millis): Plan {
  const { status, allRSs } = seen
  const blueGreen = seen.spec.strategy?.blueGreen != null
  const weights = status.canary?.weights ?? undefined
  const sizes = blueGreen
    ? planBlueGreenSizes(seen, known, NO_INTENT, false, now)
    : planSizes(seen, known, weights, NO_INTENT, now)
  const active = blueGreen ? allRSs.find(rs => hashOf(rs) === status.blueGreen?.activeSelector) : undefined
  const counted = active ? [active] : allRSs
  const next: RolloutStatus = {
    ...status,
    conditions: [...dropCondition(status.conditions ?? [], 'InvalidSpec')],
    replicas: sumOf(allRSs, statusReplicas),
    readyReplicas: sumOf(counted, readyReplicas),
    availableReplicas: sumOf(counted, availableReplicas),
    HPAReplicas: sumOf(counted, statusReplicas),
    blueGreen: { ...status.blueGreen },
    canary: { ...status.canary },
  }
  const plan = finish(seen, next, NO_INTENT, join(planRevision(seen), sizes.part), now)
  return isTakenUp(seen) ? plan : { ...plan, status: plan.status && unobserved(seen, plan.status) }
}

/** Does the status speak of the template that is wanted now? */
const isTakenUp = ({ status, newRS }: Observed): boolean =>
  newRS === undefined || !status.currentPodHash || hashOf(newRS) === status.currentPodHash

/** The status with the generations as they were observed before. A change of size and template in one is not observed
 * before its template is: whoever waits for the release would take the phase of the old version for its end. argo: it is
 * Healthy for a moment. */
function unobserved({ status: before }: Observed, status: RolloutStatus): RolloutStatus {
  const { observedGeneration: _o, workloadObservedGeneration: _w, ...rest } = status
  const { observedGeneration, workloadObservedGeneration } = before
  return {
    ...rest,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(workloadObservedGeneration === undefined ? {} : { workloadObservedGeneration }),
  }
}
