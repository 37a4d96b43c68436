// One pass of a canary, in order (argo-behaviour 3.6).
import type { CanaryWeights, RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { isReturningToStable } from './dynamic-stable.ts'
import { planEphemeral } from './ephemeral.ts'
import { type Experiments, planExperiments } from './experiments.ts'
import { planAlarm } from './followers.ts'
import type { Observed } from './observe.ts'
import { planOldCanary } from './old-sets.ts'
import { join, NOTHING, normal, type Part, part } from './part.ts'
import { both, isAborted, isFreshAbort, NO_INTENT, type PauseIntent, pauseFor } from './pauses.ts'
import type { Known, Plan } from './plan.ts'
import {
  canaryPromotion,
  currentIndex,
  currentStep,
  isFullyPromoted,
  judgeStep,
  rollback,
  stepsOf,
} from './progress.ts'
import { atDesired, hasReachedThreshold } from './replicas.ts'
import { basicCounts } from './replicas-basic.ts'
import { routedCounts } from './replicas-routed.ts'
import { planPodRestart } from './restarter.ts'
import { currentRevision, planHistory, planRevision } from './revision.ts'
import { toldByProviders } from './routers.ts'
import { planRunHistory } from './run-history.ts'
import { planRuns, type Runs } from './runs.ts'
import { planDeadlineRemoval, planNewScale, type Scaled, scale, UNSCALED } from './scale.ts'
import { selectorText } from './selector.ts'
import { canaryServices, ensureTarget } from './services.ts'
import { availableReplicas, hashOf, sized, specReplicas, statusReplicas, sumOf } from './sets.ts'
import { baseStatus, finish } from './status.ts'
import { stepHash } from './step-hash.ts'
import { carriedPlugins, type Plugins, planPlugins } from './step-plugins.ts'
import { stepText } from './step-text.ts'
import { planTraffic, type Traffic } from './traffic.ts'
import { planUnblock } from './unblock.ts'
import { maxTrafficWeight } from './weight.ts'
import { planWorkloadScale } from './workload-ref.ts'

export function planCanary(seen: Observed, known: Known, now: Millis): Plan {
  const revision = planRevision(seen)
  if (isChanged(seen)) return reset(seen, known, revision, now)
  const restart = planPodRestart(seen, now)
  // Not both in one pass: evictions that are refused are planned once more, on this same reading.
  if (restart.evicted) return { ...(revision.actions.length > 0 ? revision : restart.part), status: undefined }
  const services = planCanaryServices(seen)
  // A verdict counts at once: an abort moves the traffic in this very pass. argo moves it in the next one.
  const runs = planRuns(seen, now)
  const experiments = planExperiments(seen, runs.intent)
  const alarm = planAlarm(seen, known, now)
  const decided = both(both(runs.intent, experiments.intent), alarm.intent)
  const traffic = planTraffic(seen, known, decided, experiments.dests, now)
  const before = join(
    revision,
    restart.part,
    planEphemeral(seen),
    planHistory(seen),
    services,
    alarm.part,
    traffic.part,
  )
  if (traffic.stop) return { ...join(before, runs.ending), status: undefined }
  const plugins = carriedPlugins(seen)
  const facts: Work = { traffic, runs, experiments, plugins, restartedAt: restart.restartedAt }
  const end = (work: Part, intent = decided, told: Work = facts) => {
    const others = join(experiments.part, runs.part, planRunHistory(seen))
    return finishCanary(seen, known, told, intent, join(before, others, work), now)
  }
  if (decided.add.some(reason => !pauseFor(seen.status, reason))) return end(NOTHING)
  const sizes = planSizes(seen, known, traffic.weights, decided, now, traffic.isHeld)
  if (sizes.resized) return end(sizes.part)
  const pause = planPause(seen, known, facts, decided, now)
  const asked = planPlugins(seen, known, decided, now)
  const intent = both({ ...decided, add: [...decided.add, ...pause.add] }, asked.intent)
  return end(join(sizes.part, pause.part, asked.part), intent, { ...facts, plugins: asked })
}

/** Another template or other steps than the status knows. argo: an empty step hash counts as changed. */
const isChanged = (seen: Observed): boolean => {
  const { status, newRS } = seen
  const known = status.currentPodHash ?? ''
  return (
    (status.currentStepHash ?? '') !== stepHash(seen.spec.strategy) ||
    (known !== '' && newRS !== undefined && hashOf(newRS) !== known)
  )
}

/** The status fields that every canary pass recomputes. */
function canaryStatus(seen: Observed, weights: CanaryWeights | undefined): RolloutStatus {
  const { stablePingPong } = seen.status.canary ?? {}
  return {
    ...baseStatus(seen),
    availableReplicas: sumOf(seen.allRSs, availableReplicas),
    HPAReplicas: sumOf(seen.allRSs, statusReplicas),
    selector: selectorText(seen.selector),
    currentStepHash: stepHash(seen.spec.strategy),
    canary: { ...(weights ? { weights } : {}), ...(stablePingPong ? { stablePingPong } : {}) },
  }
}

/** A change begins: the steps start anew, pauses and abort are forgotten. Back at stable, the steps are skipped. */
function reset(seen: Observed, known: Known, revision: Part, now: Millis): Plan {
  const steps = stepsOf(seen).length
  const {
    currentStepIndex: _i,
    promoteFull: _p,
    ...status
  } = canaryStatus(seen, seen.status.canary?.weights ?? undefined)
  const isStable = seen.newRS !== undefined && seen.status.stableRS === hashOf(seen.newRS)
  const inWindow = rollback(seen, now).isWithinWindow && seen.newRS !== undefined && specReplicas(seen.newRS) > 0
  const skips = steps > 0 && (isStable || inWindow)
  const text = isStable ? 'Rollback to stable ReplicaSets' : 'Rollback to active ReplicaSets within RollbackWindow'
  const intent: PauseIntent = { ...NO_INTENT, clear: true, unabort: isStable || !isFreshAbort(seen.status) }
  const work = part({
    events: skips ? [normal('SkipSteps', text)] : [],
    because: ['the template or the steps changed'],
  })
  const index = steps > 0 ? { currentStepIndex: skips ? steps : 0 } : {}
  return finish(seen, { ...status, ...toldByProviders(seen, known), ...index }, intent, join(revision, work), now)
}

/** Stable Service to the stable set, canary Service to the new one. After an abort the canary Service belongs to
 * stable and stays there: argo patches it back and forth (a deliberate difference). */
export function planCanaryServices(seen: Observed): Part {
  const { stable, canary } = canaryServices(seen)
  const isPingPong = seen.spec.strategy?.canary?.pingPong != null
  const toStable = ensureTarget(seen, stable, seen.stableRS, !isPingPong)
  if (isReturningToStable(seen)) return toStable
  if (isAborted(seen.status)) {
    const isRouted = seen.spec.strategy?.canary?.trafficRouting != null
    if (!isRouted) return join(toStable, ensureTarget(seen, canary, seen.stableRS, true))
    // Traffic leaves first (planTraffic), unless there is but one version. A pair stays as it is: its next version will
    // find the canary side free.
    if (!isPingPong && !isFullyPromoted(seen.status)) return toStable
  }
  // The other Service of the pair stays where it is until the next version needs it, so that a load balancer has time to
  // take the old pods out.
  if (isPingPong && isFullyPromoted(seen.status)) return toStable
  return join(toStable, ensureTarget(seen, canary, seen.newRS, !isPingPong))
}

const isHalted = (seen: Observed): boolean =>
  seen.spec.paused === true || pauseFor(seen.status, 'InconclusiveAnalysisRun') !== undefined

/** Sizes of the sets: stable, then new, then the others; the first that is resized ends the pass. */
export function planSizes(
  seen: Observed,
  known: Known,
  weights: CanaryWeights | undefined,
  intent: PauseIntent,
  now: Millis,
  isHeld = false,
): Scaled {
  if (isHalted(seen)) return UNSCALED
  const { stableRS, newRS, spec, status } = seen
  const routed = spec.strategy?.canary?.trafficRouting != null
  const sets = {
    spec,
    status,
    newRS: sized(newRS),
    stableRS: sized(stableRS),
    otherRSs: seen.otherRSs.map(rs => sized(rs)!),
  }
  // Stable is sized by the weights stored before this pass, new by those just computed: the lag is deliberate (argo).
  // Before any weight was stored (routing came in mid-life) all traffic is stable's; argo would scale it away here.
  const stored = status.canary?.weights ?? { stable: { weight: maxTrafficWeight(spec) } }
  const forStable = routed ? routedCounts({ ...sets, weights: stored }) : basicCounts(sets)
  const forNew = routed ? routedCounts({ ...sets, weights }) : forStable
  const deadlines = planDeadlineRemoval(seen, intent)
  // Where this pass gives traffic back to stable (a full promotion of a canary that is short of pods), its pods stay.
  // Where it would but cannot, as stable is short of pods, none of them goes: the router may know more than the status, if
  // somebody died between the two (argo sizes by the status).
  const kept = isHeld && stableRS ? Math.min(specReplicas(stableRS), seen.replicas) : 0
  const wantedStable = Math.max(forStable.stable, kept, routed && status.canary?.weights ? forNew.stable : 0)
  const why = `weight ${maxTrafficWeight(spec)} and replicas ${seen.replicas} give ${forNew.new} canary and ${wantedStable} stable pods`
  const stable =
    stableRS && stableRS !== newRS ? scale(seen, stableRS, wantedStable, intent, sizeReason(seen)) : UNSCALED
  if (stable.resized) return { part: join(deadlines, stable.part), resized: true }
  // Behind a router, back at stable while the status still tells of the update (undone and scaled in one go): nobody's
  // share but all of it. argo sizes the stable set by the canary's weight here.
  const wantedNew = routed && newRS !== undefined && newRS === stableRS ? seen.replicas : forNew.new
  const fresh = planNewScale(seen, known, wantedNew, intent, now, sizeReason(seen) || why)
  if (fresh.resized) return { part: join(deadlines, stable.part, fresh.part), resized: true }
  const old = planOldCanary(seen, known, isFullyPromoted(status), now)
  const unblocked = routed || old.resized ? UNSCALED : planUnblock(seen)
  const all = join(deadlines, stable.part, fresh.part, old.part, unblocked.part)
  return { part: all, resized: old.resized || unblocked.resized }
}

function sizeReason(seen: Observed): string {
  if (!seen.stableRS) return 'the first version is deployed'
  if (isAborted(seen.status)) return 'aborted: stable takes all pods back'
  const index = currentIndex(seen)
  const step = currentStep(seen)
  if (index === undefined) return 'a rolling update within maxSurge and maxUnavailable'
  return step ? `step ${index + 1}/${stepsOf(seen).length} (${stepText(step)})` : 'all steps are done'
}

type Paused = Readonly<{ part: Part; add: PauseIntent['add'] }>

/** A pause step begins by asking for its condition; a running one says when it ends. */
function planPause(seen: Observed, known: Known, facts: Work, intent: PauseIntent, now: Millis): Paused {
  if (seen.spec.paused || isAborted(seen.status, intent) || currentStep(seen)?.pause == null) {
    return { part: NOTHING, add: [] }
  }
  const verdict = judgeCurrent(seen, known, facts, now)
  if (verdict?.is !== 'waiting') return { part: NOTHING, add: [] }
  const recheck = verdict.recheckAt === undefined ? {} : { recheckAt: verdict.recheckAt }
  return {
    part: part({ because: [`waits for ${verdict.for}`], ...recheck }),
    add: verdict.pause ? [verdict.pause] : [],
  }
}

function judgeCurrent(seen: Observed, known: Known, { traffic, runs, experiments, plugins }: Work, now: Millis) {
  const { spec, status } = seen
  const otherRSs = seen.otherRSs.map(rs => sized(rs)!)
  const sets = { newRS: sized(seen.newRS), stableRS: sized(seen.stableRS), otherRSs }
  const isAtDesired = atDesired({ spec, status, ...sets, ...(traffic.weights ? { weights: traffic.weights } : {}) })
  const { verified } = traffic
  const phases = { runPhase: runs.stepPhase, experimentPhase: experiments.phase, plugins: plugins.statuses }
  return judgeStep(seen, known, { seen, isAtDesired, verified, ...phases }, now)
}

type Work = Readonly<{
  traffic: Traffic
  runs: Runs
  experiments: Experiments
  plugins: Plugins
  restartedAt: string | undefined
}>

/** The status at the end of the pass: promotion, abort, or at most one step further. */
function finishCanary(seen: Observed, known: Known, work: Work, wanted: PauseIntent, done: Part, now: Millis): Plan {
  const { traffic, runs, experiments, plugins, restartedAt } = work
  const steps = stepsOf(seen).length
  const index = currentIndex(seen)
  const { currentStepIndex: _i, ...base } = canaryStatus(seen, traffic.weights)
  const status: RolloutStatus = {
    ...base,
    ...traffic.told,
    ...(restartedAt ? { restartedAt } : {}),
    canary: {
      ...base.canary,
      ...runs.canaryStatus,
      ...(experiments.current ? { currentExperiment: experiments.current } : {}),
      ...(plugins.statuses.length > 0 ? { stepPluginStatuses: [...plugins.statuses] } : {}),
    },
    ...(index === undefined ? {} : { currentStepIndex: index }),
  }
  const isInFlight = !isFullyPromoted(seen.status)
  const skips = seen.status.promoteFull === true || (isInFlight && rollback(seen, now).isWithinWindow)
  const intent = skips ? { ...wanted, clear: true, unabort: true } : wanted
  const atEnd = steps > 0 ? { currentStepIndex: steps } : {}
  const isReady = hasReachedThreshold(seen, availableReplicas(seen.newRS), seen.replicas)
  const reason = canaryPromotion(skips ? withIndex(seen, steps) : seen, intent, isReady, now)
  if (reason !== undefined) {
    const promoted = promote(seen, { ...status, ...atEnd }, reason)
    const healthy = planWorkloadScale(seen, availableReplicas(seen.newRS) >= seen.replicas)
    const all = join(done, part({ actions: healthy, events: promoted.events, because: [reason] }))
    return finish(seen, promoted.status, { ...intent, clear: true, unabort: true }, all, now)
  }
  if (isAborted(seen.status, intent)) {
    const back = steps > 0 ? { currentStepIndex: status.stableRS === status.currentPodHash ? steps : 0 } : {}
    return finish(seen, { ...status, ...back }, intent, done, now)
  }
  if (skips) return finish(seen, { ...status, ...atEnd }, intent, done, now)
  return advance(seen, known, work, status, intent, done, now)
}

const withIndex = (seen: Observed, index: number): Observed => ({
  ...seen,
  status: { ...seen.status, currentStepIndex: index },
})

/** At most one step a pass. */
function advance(
  seen: Observed,
  known: Known,
  work: Work,
  status: RolloutStatus,
  intent: PauseIntent,
  done: Part,
  now: Millis,
): Plan {
  const index = currentIndex(seen)
  const step = currentStep(seen)
  const isBlocked = seen.spec.paused === true || step === undefined || index === undefined
  const verdict = isBlocked ? undefined : judgeCurrent(seen, known, work, now)
  if (verdict?.is === 'failed') return finish(seen, status, { ...intent, abort: verdict.message }, done, now)
  if (verdict?.is !== 'done' || index === undefined) {
    const waits = verdict?.is === 'waiting' ? part({ because: [`waits for ${verdict.for}`] }) : NOTHING
    return finish(seen, status, intent, join(done, waits), now)
  }
  const total = stepsOf(seen).length
  const text = `Rollout step ${index + 1}/${total} completed (${stepText(step)})`
  const { currentStepAnalysisRunStatus: _gone, ...canary } = status.canary ?? {}
  const next = { ...status, canary, currentStepIndex: index + 1 }
  const stepped = part({ events: [normal('RolloutStepCompleted', text)], because: [text] })
  return finish(seen, next, { ...intent, remove: [...intent.remove, 'CanaryPauseStep'] }, join(done, stepped), now)
}

/** The new version becomes stable; says so only when that is a change. */
export function promote(seen: Observed, status: RolloutStatus, reason: string) {
  const { promoteFull: _gone, ...rest } = status
  if (seen.status.stableRS === status.currentPodHash) return { status: rest as RolloutStatus, events: [] }
  const pingPong = seen.spec.strategy?.canary?.pingPong
  const role = seen.status.canary?.stablePingPong === 'ping' ? ('pong' as const) : ('ping' as const)
  const { duration } = rest
  const next: RolloutStatus = {
    ...rest,
    stableRS: status.currentPodHash ?? '',
    ...(pingPong ? { canary: { ...rest.canary, stablePingPong: role } } : {}),
    ...(duration && seen.status.promoteFull ? { duration: { ...duration, completionStatus: 'FastPromoted' } } : {}),
  }
  const text = `Rollout completed update to revision ${currentRevision(seen)} (${status.currentPodHash}): ${reason}`
  return { status: next, events: [normal('RolloutCompleted', text)] }
}
