// One pass of a blue-green release, in order (argo-behaviour 3.4).
import type { Service } from '../api/kube.ts'
import type { BlueGreenStrategy } from '../api/rollout.ts'
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Millis } from '../contract.ts'
import { planBlueGreenRoutes } from './blue-green-routes.ts'
import { promote } from './canary.ts'
import { planEphemeral } from './ephemeral.ts'
import { endExperiments } from './experiments.ts'
import type { Observed } from './observe.ts'
import { planOldBlueGreen } from './old-sets.ts'
import { join, NOTHING, type Part, part } from './part.ts'
import { isAborted, isFreshAbort, NO_INTENT, type PauseIntent, pauseFor, pausesOf } from './pauses.ts'
import type { Known, Plan } from './plan.ts'
import { isFullyPromoted, rollback } from './progress.ts'
import { registeredActive } from './registered.ts'
import { planPodRestart } from './restarter.ts'
import { planHistory, planRevision } from './revision.ts'
import { planRunHistory } from './run-history.ts'
import { planRuns, type Runs } from './runs.ts'
import { planDeadlineRemoval, planNewScale, type Scaled, scale, UNSCALED } from './scale.ts'
import { selectorText } from './selector.ts'
import { ensureBlueGreenTarget, selectedHash } from './services.ts'
import {
  availableReplicas,
  hashOf,
  isFullyAvailable,
  isSaturated,
  readyReplicas,
  specReplicas,
  statusReplicas,
  sumOf,
} from './sets.ts'
import { baseStatus, finish } from './status.ts'
import { planWorkloadScale } from './workload-ref.ts'

export function planBlueGreen(seen: Observed, known: Known, now: Millis): Plan {
  const revision = planRevision(seen)
  const preview = switchPreview(seen)
  if (isChanged(seen)) return reset(seen, join(revision, preview.part), preview.hash, now)
  const restart = planPodRestart(seen, now)
  const registered = registeredActive(seen, known, now)
  const runs = planRuns(seen, now, registered.isVerified)
  const isSwitched = (seen.status.blueGreen?.activeSelector ?? '') === seen.status.currentPodHash
  // A new version that is not whole is not analysed yet, unless that has begun.
  const isAnalysed = seen.status.blueGreen?.postPromotionAnalysisRunStatus || isSaturated(seen.newRS, seen.replicas)
  const isPending = runs.isPostPromotionPending && isSwitched && Boolean(isAnalysed)
  const sizes = planBlueGreenSizes(seen, known, runs.intent, isPending, now)
  const pause = planPause(seen, runs, now)
  const intent: PauseIntent = {
    ...runs.intent,
    add: [...runs.intent.add, ...pause.add],
    remove: [...runs.intent.remove, ...pause.remove],
  }
  const active = switchActive(seen, runs, intent, now)
  const routes = planBlueGreenRoutes(seen, known, { active: active.hash, preview: preview.hash }, now)
  const work = join(
    revision,
    preview.part,
    restart.part,
    sizes.part,
    planHistory(seen),
    pause.part,
    active.part,
    registered.part,
    routes,
    runs.part,
    // Of a canary that it was before.
    endExperiments(seen.experiments),
    planRunHistory(seen),
    planEphemeral(seen),
  )
  const selectors = { preview: preview.hash, active: active.hash }
  return finishBlueGreen(seen, runs, selectors, restart.restartedAt, intent, work, now)
}

const strategyOf = (seen: Observed): Partial<BlueGreenStrategy> => seen.spec.strategy?.blueGreen ?? {}

/** Another template than the status knows. argo: false while no hash is recorded, so a first deploy goes on at once. */
const isChanged = (seen: Observed): boolean => {
  const known = seen.status.currentPodHash ?? ''
  return known !== '' && seen.newRS !== undefined && hashOf(seen.newRS) !== known
}

const isHalted = (seen: Observed): boolean =>
  seen.spec.paused === true || pauseFor(seen.status, 'InconclusiveAnalysisRun') !== undefined

type Switched = Readonly<{ part: Part; hash: string }>
const unswitched = (service: Service | undefined): Switched => ({ part: NOTHING, hash: selectedHash(service) })

/** The preview Service shows the new version at once, even before it has pods. */
export function switchPreview(seen: Observed): Switched {
  const { previewService } = strategyOf(seen)
  const service = previewService ? seen.service(previewService) : undefined
  if (!service || !seen.newRS || isHalted(seen)) return unswitched(service)
  const hash = hashOf(seen.newRS)
  return { part: ensureBlueGreenTarget(seen, service, hash, 'the preview shows the new version'), hash }
}

/** Sizes of all sets: stable full, new full or previewReplicaCount, the others after their delay. */
export function planBlueGreenSizes(
  seen: Observed,
  known: Known,
  intent: PauseIntent,
  isPostPending: boolean,
  now: Millis,
): Scaled {
  const { stableRS, newRS, replicas } = seen
  const deadlines = planDeadlineRemoval(seen, intent)
  const full = 'blue-green runs both versions at full size'
  const stable = stableRS && stableRS !== newRS ? scale(seen, stableRS, replicas, intent, full) : UNSCALED
  const wanted = newSize(seen)
  const why = wanted === replicas ? full : `previewReplicaCount is ${wanted}`
  const fresh = planNewScale(seen, known, wanted, intent, now, why)
  const old = planOldBlueGreen(seen, known, isPostPending, now)
  return {
    part: join(deadlines, stable.part, fresh.part, old.part),
    resized: stable.resized || fresh.resized || old.resized,
  }
}

/** How many pods the new set should have. */
export function newSize(seen: Observed): number {
  const { previewReplicaCount: preview } = strategyOf(seen)
  const { status, newRS, replicas } = seen
  const hash = newRS ? hashOf(newRS) : ''
  const active = status.blueGreen?.activeSelector ?? ''
  const activeRS = active === '' ? undefined : seen.allRSs.find(rs => hashOf(rs) === active)
  if (preview == null || !activeRS || activeRS === newRS || status.promoteFull) return replicas
  // Stable is always whole, also where nobody had written down which version it was before an update came.
  if (hash === status.stableRS) return replicas
  if (hash !== status.currentPodHash) return preview
  const isPaused = seen.spec.paused === true || pausesOf(status).length > 0
  return status.blueGreen?.scaleUpPreviewCheckPoint && !isPaused ? replicas : preview
}

/** The new set has exactly the pods it should have now, all available. */
export const isReadyForPause = (seen: Observed): boolean => {
  const { newRS } = seen
  return newRS !== undefined && specReplicas(newRS) === newSize(seen) && availableReplicas(newRS) === newSize(seen)
}

const liveActive = (seen: Observed): string => selectedHash(seen.service(strategyOf(seen).activeService ?? ''))

/** Pause and analysis are passed over: a quick way back, a full promotion, nothing active yet, or already active. */
function isFastTracked(seen: Observed, now: Millis): boolean {
  const active = liveActive(seen)
  const isNew = seen.newRS !== undefined && active === hashOf(seen.newRS)
  return active === '' || isNew || seen.status.promoteFull === true || rollback(seen, now).isFast
}

type Pause = Readonly<{ part: Part; add: PauseIntent['add']; remove: PauseIntent['remove'] }>

function planPause(seen: Observed, runs: Runs, now: Millis): Pause {
  const nothing: Pause = { part: NOTHING, add: [], remove: [] }
  const { status } = seen
  const { autoPromotionEnabled, autoPromotionSeconds = 0 } = strategyOf(seen)
  if (isAborted(status, runs.intent) || !isReadyForPause(seen) || isHalted(seen)) return nothing
  const isUnneeded =
    isFastTracked(seen, now) ||
    status.blueGreen?.scaleUpPreviewCheckPoint === true ||
    (autoPromotionEnabled !== false && !autoPromotionSeconds)
  if (isUnneeded) return { ...nothing, remove: ['BlueGreenPause'] }
  if (!runs.isPrePromotionDone) return nothing
  const condition = pauseFor(status, 'BlueGreenPause')
  if (!condition) return status.controllerPause ? nothing : { ...nothing, add: ['BlueGreenPause'] }
  if (autoPromotionEnabled === false || !autoPromotionSeconds) {
    return { ...nothing, part: part({ because: ['waits for someone to promote'] }) }
  }
  const ends = Date.parse(condition.startTime) + autoPromotionSeconds * 1000
  if (now > ends) return { ...nothing, remove: ['BlueGreenPause'] }
  const because = [`waits for automatic promotion at ${new Date(ends).toISOString()}`]
  return { ...nothing, part: part({ because, recheckAt: ends + 1 }) }
}

/** Is the pause over, so that the active Service may switch? A person may end a timed pause early, as any other
 * (argo does not let them: a deliberate difference). */
export function isPauseDone(seen: Observed, intent: PauseIntent, now: Millis): boolean {
  const { status } = seen
  const { autoPromotionEnabled, autoPromotionSeconds } = strategyOf(seen)
  if (intent.add.includes('BlueGreenPause')) return false
  if (status.blueGreen?.scaleUpPreviewCheckPoint) return true
  const condition = pauseFor(status, 'BlueGreenPause')
  if (autoPromotionEnabled === false) return status.controllerPause === true && !condition
  if (!autoPromotionSeconds) return true
  if (status.controllerPause && !condition) return true
  return condition !== undefined && now > Date.parse(condition.startTime) + autoPromotionSeconds * 1000
}

/** The cutover. On abort the active Service goes back to stable as soon as stable's pods can take it: argo waits for
 * the new set to be whole, which a broken new version never is (a deliberate difference). */
export function switchActive(
  seen: Observed,
  runs: Pick<Runs, 'isPrePromotionDone'>,
  intent: PauseIntent,
  now: Millis,
): Switched {
  const service = seen.service(strategyOf(seen).activeService ?? '')
  const { newRS, stableRS } = seen
  if (!service || isHalted(seen)) return unswitched(service)
  const live = selectedHash(service)
  if (isAborted(seen.status, intent)) {
    const canReturn = stableRS !== undefined && hashOf(stableRS) !== live && isFullyAvailable(stableRS)
    if (!canReturn) return unswitched(service)
    const why = 'aborted: the active Service goes back to the stable version'
    return { part: ensureBlueGreenTarget(seen, service, hashOf(stableRS), why), hash: hashOf(stableRS) }
  }
  if (!newRS || !isReadyForPause(seen) || !isSaturated(newRS, seen.replicas)) return unswitched(service)
  const isPromoted = isFastTracked(seen, now) || (isPauseDone(seen, intent, now) && runs.isPrePromotionDone)
  const hash = isPromoted ? hashOf(newRS) : live
  return { part: ensureBlueGreenTarget(seen, service, hash, 'the new version is ready and promoted'), hash }
}

type Selectors = Readonly<{ preview: string; active: string }>

function blueGreenStatus(seen: Observed, selectors: Selectors): RolloutStatus {
  const { currentStepIndex: _i, ...base } = baseStatus(seen)
  const active = selectors.active === '' ? undefined : seen.allRSs.find(rs => hashOf(rs) === selectors.active)
  const counted = active ? [active] : seen.allRSs
  return {
    ...base,
    readyReplicas: sumOf(counted, readyReplicas),
    availableReplicas: sumOf(counted, availableReplicas),
    HPAReplicas: sumOf(counted, statusReplicas),
    selector: selectorText(active?.spec.selector ?? seen.selector),
    blueGreen: {
      ...(selectors.preview ? { previewSelector: selectors.preview } : {}),
      ...(selectors.active ? { activeSelector: selectors.active } : {}),
    },
  }
}

/** A change begins: pauses, abort and check point are forgotten. */
function reset(seen: Observed, work: Part, preview: string, now: Millis): Plan {
  const { promoteFull: _p, ...status } = blueGreenStatus(seen, { preview, active: liveActive(seen) })
  const because = part({ because: ['the template changed'] })
  const isStable = seen.newRS !== undefined && seen.status.stableRS === hashOf(seen.newRS)
  const intent: PauseIntent = { ...NO_INTENT, clear: true, unabort: isStable || !isFreshAbort(seen.status) }
  return finish(seen, status, intent, join(work, because), now)
}

/** Why the new version becomes stable; undefined: not yet. */
export function blueGreenPromotion(
  seen: Observed,
  runs: Pick<Runs, 'isPostPromotionPending' | 'isRegistered'>,
  active: string,
  intent: PauseIntent,
  now: Millis,
): string | undefined {
  const { newRS, stableRS, status } = seen
  if (!newRS) return undefined
  if (!stableRS) return 'Initial deploy'
  if (active === '') return 'Initial deploy'
  if (active !== hashOf(newRS) || !runs.isRegistered) return undefined
  if (status.promoteFull) return 'Full promotion requested'
  const { isFast, isWithinWindow } = rollback(seen, now)
  if (isWithinWindow) return 'Rollback within window'
  if (isFast) return 'Fast rollback'
  if (isAborted(status, intent) || runs.isPostPromotionPending) return undefined
  return 'Completed blue-green update'
}

function finishBlueGreen(
  seen: Observed,
  runs: Runs,
  selectors: Selectors,
  restartedAt: string | undefined,
  wanted: PauseIntent,
  work: Part,
  now: Millis,
): Plan {
  const base = blueGreenStatus(seen, selectors)
  const status = {
    ...base,
    ...(restartedAt ? { restartedAt } : {}),
    blueGreen: { ...base.blueGreen, ...runs.blueGreenStatus },
  }
  const skips = seen.status.promoteFull || (!isFullyPromoted(seen.status) && rollback(seen, now).isWithinWindow)
  const intent = skips ? { ...wanted, clear: true, unabort: true } : wanted
  const reason = blueGreenPromotion(seen, runs, selectors.active, intent, now)
  if (reason !== undefined) {
    const promoted = promote(seen, status, reason)
    const isUp = selectors.active === hashOf(seen.newRS!) && availableReplicas(seen.newRS) >= seen.replicas
    const all = join(work, part({ actions: planWorkloadScale(seen, isUp), events: promoted.events, because: [reason] }))
    return finish(seen, promoted.status, { ...intent, clear: true, unabort: true }, all, now)
  }
  const isThrough = hasCheckPoint(seen, runs, intent, now)
  const blueGreen = { ...status.blueGreen, ...(isThrough ? { scaleUpPreviewCheckPoint: true } : {}) }
  const workload = part({ actions: planWorkloadScale(seen, false) })
  return finish(seen, { ...status, blueGreen }, intent, join(work, workload), now)
}

/** The preview has passed its pause with previewReplicaCount pods: from now on it may grow to full size. */
function hasCheckPoint(seen: Observed, runs: Runs, intent: PauseIntent, now: Millis): boolean {
  const { previewReplicaCount: preview } = strategyOf(seen)
  if (preview == null || seen.status.promoteFull) return false
  if (seen.status.blueGreen?.scaleUpPreviewCheckPoint) return true
  if (isAborted(seen.status, intent) || !runs.isPrePromotionDone || !isPauseDone(seen, intent, now)) return false
  return seen.newRS !== undefined && availableReplicas(seen.newRS) === preview
}
