// The whole next status of a pass, and the smallest patch that writes it.
import type { RolloutStatus } from '../api/rollout-status.ts'
import { type EventNote, type Millis, sameJson } from '../contract.ts'
import { deadlineAbort, deadlineRecheck, dropCondition, nextConditions } from './conditions.ts'
import { nextDuration } from './duration.ts'
import { WORKLOAD_GENERATION } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, normal, type Part, part, warning } from './part.ts'
import { nextPauses, type PauseIntent, pausesOf } from './pauses.ts'
import { calculatedPhase } from './phase.ts'
import type { Plan } from './plan.ts'
import { hashOf, readyReplicas, statusReplicas, sumOf } from './sets.ts'

/** What every pass recomputes or carries over; all else starts empty. argo: a field that is not carried is erased; without
 * verification that goes for alb and albs, too (toldByProviders). */
export function baseStatus(seen: Observed): RolloutStatus {
  const { status, allRSs, newRS } = seen
  return {
    ...keep(status, ['restartedAt', 'duration', 'collisionCount', 'stableRS', 'currentStepIndex']),
    ...(status.promoteFull && status.currentPodHash !== status.stableRS ? { promoteFull: true } : {}),
    currentPodHash: newRS ? hashOf(newRS) : seen.hash,
    replicas: sumOf(allRSs, statusReplicas),
    updatedReplicas: statusReplicas(newRS),
    readyReplicas: sumOf(allRSs, readyReplicas),
    conditions: [...dropCondition(status.conditions ?? [], 'InvalidSpec')],
    blueGreen: {},
    canary: {},
  }
}

function keep(status: RolloutStatus, fields: readonly (keyof RolloutStatus)[]): Partial<RolloutStatus> {
  return Object.fromEntries(fields.flatMap(field => (status[field] == null ? [] : [[field, status[field]]])))
}

/** Ends a pass: conditions, pauses, duration, phase and message on top of `next`. `work` are the actions of the pass. */
export function finish(seen: Observed, next: RolloutStatus, wanted: PauseIntent, work: Part, now: Millis): Plan {
  const deadline = deadlineAbort(seen, next, wanted, now)
  const intent = deadline === undefined ? wanted : { ...wanted, abort: deadline }
  const pauses = nextPauses(seen.status, intent, now, seen.spec.paused === true)
  const { conditions, events } = nextConditions(seen, { ...next, ...pauses }, intent, now)
  const timedOut = deadline === undefined ? [] : [warning('RolloutAborted', deadline)]
  const settled = settle(seen, { ...next, ...pauses, conditions: [...conditions] }, now)
  const recheckAt = deadlineRecheck(seen, settled, now)
  const late = part({
    events: [...timedOut, ...events, ...pauseEvents(seen.status, settled)],
    ...(recheckAt ? { recheckAt } : {}),
  })
  return { ...join(work, late), status: settled }
}

/** The fields that every status write carries: observed generations, duration, phase and message. */
export function settle(seen: Observed, next: RolloutStatus, now: Millis): RolloutStatus {
  const { rollout } = seen
  const { workloadObservedGeneration: _w, phase: _p, message: _m, duration: _d, ...rest } = next
  const workload = rollout.metadata.annotations?.[WORKLOAD_GENERATION]
  const duration = nextDuration(seen, next, now)
  // A workload that is gone for a while was observed all the same.
  const refersToWorkload = seen.resolvedFromRef || seen.workloadProblem !== undefined
  const status: RolloutStatus = {
    ...rest,
    ...(duration ? { duration } : {}),
    ...(refersToWorkload && workload !== undefined ? { workloadObservedGeneration: workload } : {}),
    observedGeneration: `${rollout.metadata.generation ?? 0}`,
  }
  const { phase, message } = calculatedPhase({ ...rollout, spec: seen.spec, status })
  return { ...status, phase, ...(message === '' ? {} : { message }) }
}

function pauseEvents(old: RolloutStatus, next: RolloutStatus): readonly EventNote[] {
  const [was, is] = [pausesOf(old), pausesOf(next)]
  if (was.length > 0 === is.length > 0) return []
  if (is[0]) return [normal('RolloutPaused', `Rollout is paused (${is[0].reason})`)]
  return next.abortedAt === undefined ? [normal('RolloutResumed', 'Rollout is resumed')] : []
}

// Written even when zero; everywhere else a zero value and an absent one are the same. argo: pointer fields.
const POINTERS = new Set(['currentStepIndex', 'collisionCount', 'verified', 'weight', 'additional'])
// Patched member by member, since a merge patch that leaves a member out keeps it.
const NESTED = new Set(['canary', 'blueGreen', 'duration', 'weights', 'stable'])

const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === 0 ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The merge patch from the old status to the new one; undefined when it says nothing new. */
export function statusPatch(old: RolloutStatus | undefined, next: RolloutStatus): Record<string, unknown> | undefined {
  const patch = diff(old ?? {}, next)
  return Object.keys(patch).length > 0 ? patch : undefined
}

function diff(old: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [before, after] = [old[key], next[key]]
    if (sameJson(before, after)) continue
    if (NESTED.has(key) && isRecord(before) && isRecord(after)) {
      const inner = diff(before, after)
      if (Object.keys(inner).length > 0) patch[key] = inner
      continue
    }
    const unset = POINTERS.has(key) ? (value: unknown) => value == null : isZero
    if (unset(before) && unset(after)) continue
    patch[key] = unset(after) ? null : after
  }
  return patch
}
