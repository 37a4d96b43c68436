// Which AnalysisRuns should exist for a rollout, and what their results mean for it (argo-behaviour 5.5, 5.6).
import { isCompleted } from '../analysis/phases.ts'
import type { AnalysisRun } from '../api/analysis.ts'
import type { RolloutAnalysis } from '../api/analysis-ref.ts'
import type { RolloutAnalysisRunStatus, RolloutStatus } from '../api/rollout-status.ts'
import type { Action, EventNote, Millis } from '../contract.ts'
import { HASH_LABEL, INSTANCE_ID, REVISION } from './keys.ts'
import type { Observed } from './observe.ts'
import { join, NOTHING, type Part, part } from './part.ts'
import { both, isAborted, NO_INTENT, type PauseIntent, pauseFor, pausesOf } from './pauses.ts'
import { currentIndex, currentStep, isFullyPromoted, rollback } from './progress.ts'
import { ownerOf } from './revision.ts'
import { endRuns } from './run-end.ts'
import { freeName } from './run-name.ts'
import { buildRunSpec, rolloutArguments } from './run-spec.ts'
import { hashOf, isSaturated, revisionOf } from './sets.ts'

export type Runs = Readonly<{
  part: Part
  /** Ends the runs that no longer count; part of `part`, and due also in a pass that does nothing else about runs. */
  ending: Part
  /** Pauses and aborts that results ask for. */
  intent: PauseIntent
  stepPhase: string | undefined
  /** No pre-promotion analysis is configured, or its run is Successful. */
  isPrePromotionDone: boolean
  /** A post-promotion analysis is configured and its run is not Successful yet. */
  isPostPromotionPending: boolean
  /** Load balancers have followed the switch of the active Service: what comes after it may begin. */
  isRegistered: boolean
  canaryStatus: NonNullable<RolloutStatus['canary']>
  blueGreenStatus: NonNullable<RolloutStatus['blueGreen']>
}>

type Kind = Readonly<{
  /** Value of the label rollout-type. */
  type: 'Background' | 'Step' | 'PrePromotion' | 'PostPromotion'
  /** How abort messages and events call it. */
  title: string
  suffix: string
  analysis: RolloutAnalysis | undefined
  /** Should a run exist now? */
  wanted: boolean
  status: RolloutAnalysisRunStatus | undefined
}>

type Outcome = Readonly<{
  part: Part
  intent: PauseIntent
  run: RolloutAnalysisRunStatus | undefined
  phase: string | undefined
}>

const NONE: Outcome = { part: NOTHING, intent: NO_INTENT, run: undefined, phase: undefined }

const phaseOf = (run: AnalysisRun | undefined): string => run?.status?.phase ?? ''
const isComplete = (run: AnalysisRun): boolean => isCompleted(run.status?.phase)

export function planRuns(seen: Observed, now: Millis, isRegistered = true): Runs {
  return seen.spec.strategy?.blueGreen ? blueGreenRuns(seen, now, isRegistered) : canaryRuns(seen, now)
}

/** Nothing is analysed on a first deploy, on a quick way back, after the promotion, and once people or the controller have
 * decided. */
const isOver = (seen: Observed, now: Millis): boolean =>
  isFullyPromoted(seen.status) ||
  isAborted(seen.status) ||
  seen.status.promoteFull === true ||
  !seen.stableRS ||
  rollback(seen, now).isFast

function canaryRuns(seen: Observed, now: Millis): Runs {
  const { canary: status } = seen.status
  const { analysis } = seen.spec.strategy?.canary ?? {}
  const index = currentIndex(seen) ?? 0
  const step = currentStep(seen)?.analysis ?? undefined
  const isPaused = pausesOf(seen.status).length > 0
  const over = isOver(seen, now)
  const background = planRun(seen, {
    type: 'Background',
    title: 'Background',
    suffix: '',
    analysis: analysis ?? undefined,
    wanted: !over && analysis != null && index >= (analysis.startingStep ?? 0),
    status: status?.currentBackgroundAnalysisRunStatus,
  })
  const inline = planRun(seen, {
    type: 'Step',
    title: 'Step-based',
    suffix: `-${index}`,
    analysis: step,
    wanted: !over && step !== undefined && (!isPaused || status?.currentStepAnalysisRunStatus !== undefined),
    status: status?.currentStepAnalysisRunStatus,
  })
  const ending = endRuns(seen.runs, [background.run?.name, inline.run?.name])
  return {
    part: join(ending, background.part, inline.part),
    ending,
    intent: both(background.intent, inline.intent),
    stepPhase: inline.phase,
    isPrePromotionDone: true,
    isPostPromotionPending: false,
    isRegistered: true,
    canaryStatus: {
      ...(background.run ? { currentBackgroundAnalysisRunStatus: background.run } : {}),
      ...(inline.run ? { currentStepAnalysisRunStatus: inline.run } : {}),
    },
    blueGreenStatus: {},
  }
}

function blueGreenRuns(seen: Observed, now: Millis, isRegistered: boolean): Runs {
  const { blueGreen: status, currentPodHash = '' } = seen.status
  const {
    prePromotionAnalysis: before,
    postPromotionAnalysis: after,
    previewReplicaCount,
  } = seen.spec.strategy?.blueGreen ?? {}
  const active = status?.activeSelector ?? ''
  const over = isOver(seen, now)
  const size = previewReplicaCount ?? seen.replicas
  const isUp = isSaturated(seen.newRS, seen.replicas) || (seen.newRS?.status?.availableReplicas ?? 0) === size
  const preKind: Kind = {
    type: 'PrePromotion',
    title: 'Blue/green pre-promotion',
    suffix: '-pre',
    analysis: before ?? undefined,
    wanted:
      !over &&
      before != null &&
      active !== '' &&
      active !== currentPodHash &&
      (isUp || status?.prePromotionAnalysisRunStatus != null),
    status: status?.prePromotionAnalysisRunStatus,
  }
  const postKind: Kind = {
    type: 'PostPromotion',
    title: 'Blue/green post-promotion',
    suffix: '-post',
    analysis: after ?? undefined,
    wanted:
      !over &&
      after != null &&
      isRegistered &&
      active === currentPodHash &&
      (isUp || status?.postPromotionAnalysisRunStatus != null),
    status: status?.postPromotionAnalysisRunStatus,
  }
  const [pre, post] = [planRun(seen, preKind), planRun(seen, postKind)]
  const ending = endRuns(seen.runs, [pre.run?.name, post.run?.name])
  const [preKept, postKept] = [kept(seen, preKind, pre), kept(seen, postKind, post)]
  return {
    part: join(ending, preKept.part, postKept.part),
    ending,
    intent: both(pre.intent, post.intent),
    stepPhase: undefined,
    isPrePromotionDone: before == null || pre.phase === 'Successful',
    isPostPromotionPending: after != null && post.phase !== 'Successful' && !isFullyPromoted(seen.status),
    isRegistered,
    canaryStatus: {},
    blueGreenStatus: {
      ...(preKept.run ? { prePromotionAnalysisRunStatus: preKept.run } : {}),
      ...(postKept.run ? { postPromotionAnalysisRunStatus: postKept.run } : {}),
    },
  }
}

/** The run of one kind: created when wanted, and read for what it says. */
function planRun(seen: Observed, kind: Kind): Outcome {
  if (!kind.wanted) return NONE
  const current = kind.status && seen.runs.find(run => run.metadata.name === kind.status?.name)
  if (!current || isWantedAnew(seen, current)) return createRun(seen, kind, current)
  const isOfStep = current.metadata.labels?.['step-index'] === kind.suffix.slice(1)
  if (kind.type === 'Step' && !isOfStep) return createRun(seen, kind, undefined)
  const phase = phaseOf(current)
  const run = toldOf(current)
  return { part: part({ events: changeEvents(kind, run) }), intent: verdict(kind, phase, run.message), run, phase }
}

/** What the status of a Rollout says of a run. */
function toldOf({ metadata, status }: AnalysisRun): RolloutAnalysisRunStatus {
  return { name: metadata.name, status: status?.phase ?? '', ...(status?.message ? { message: status.message } : {}) }
}

/** argo: what became of a run stays in the status of a blue-green Rollout when the run is not wanted any more. */
function kept(seen: Observed, kind: Kind, { part: planned, run }: Outcome): Pick<Outcome, 'part' | 'run'> {
  if (run || !kind.status) return { part: planned, run }
  const current = seen.runs.find(({ metadata }) => metadata.name === kind.status?.name)
  if (!current) return { part: planned, run: kind.status }
  const told = toldOf(current)
  return { part: join(planned, part({ events: changeEvents(kind, told) })), run: told }
}

/** A person resumed after an inconclusive run, or retries after an abort. */
function isWantedAnew(seen: Observed, current: AnalysisRun): boolean {
  const { status } = seen
  const isResumed =
    status.controllerPause === true &&
    !pauseFor(status, 'CanaryPauseStep') &&
    !pauseFor(status, 'BlueGreenPause') &&
    !pauseFor(status, 'InconclusiveAnalysisRun') &&
    phaseOf(current) === 'Inconclusive'
  return isResumed || (status.abortedAt !== undefined && isComplete(current))
}

function verdict(kind: Kind, phase: string, message: string | undefined): PauseIntent {
  if (phase === 'Inconclusive') return { ...NO_INTENT, add: ['InconclusiveAnalysisRun'] }
  if (phase !== 'Failed' && phase !== 'Error') return NO_INTENT
  const text = `${kind.title} analysis phase error/failed`
  return { ...NO_INTENT, abort: message ? `${text}: ${message}` : text }
}

function changeEvents(kind: Kind, run: RolloutAnalysisRunStatus): readonly EventNote[] {
  const before = kind.status?.status ?? 'NoPreviousStatus'
  if (run.status === '' || run.status === before) return []
  const isBad = run.status === 'Failed' || run.status === 'Error'
  const type = kind.type === 'Step' ? 'Step' : kind.type
  const message = `${type} Analysis Run '${run.name}' Status New: '${run.status}' Previous: '${before}'`
  return [{ type: isBad ? 'Warning' : 'Normal', reason: `AnalysisRun${run.status}`, message }]
}

function createRun(seen: Observed, kind: Kind, previous: AnalysisRun | undefined): Outcome {
  const given = rolloutArguments(seen, kind.analysis?.args)
  const built = 'problem' in given ? given : buildRunSpec(seen, { ...kind.analysis, args: [...given.args] })
  if ('problem' in built) return { ...NONE, part: part({ because: [`${kind.title} analysis: ${built.problem}`] }) }
  const hash = seen.newRS ? hashOf(seen.newRS) : seen.hash
  const base = `${seen.rollout.metadata.name}-${hash}-${revisionOf(seen.rollout)}${kind.suffix}`
  const found = freeName(seen.runs, base, built.spec, previous)
  const run = { name: found.name, status: found.run ? phaseOf(found.run) : '' }
  const outcome = { intent: NO_INTENT, run, phase: run.status }
  if (found.run) return { ...outcome, part: NOTHING }
  const { labels, annotations } = kind.analysis?.analysisRunMetadata ?? {}
  const action: Action = {
    verb: 'create',
    object: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AnalysisRun',
      metadata: {
        name: found.name,
        namespace: seen.namespace,
        labels: {
          ...seen.selector?.matchLabels,
          ...labels,
          ...instanceLabel(seen),
          [HASH_LABEL]: hash,
          'rollout-type': kind.type,
          ...(kind.type === 'Step' ? { 'step-index': kind.suffix.slice(1) } : {}),
        },
        annotations: { ...annotations, [REVISION]: `${revisionOf(seen.rollout)}` },
        ownerReferences: [ownerOf(seen)],
      },
      spec: built.spec,
    },
    why: `${kind.title} analysis begins`,
  }
  return { ...outcome, part: part({ actions: [action], because: [action.why] }) }
}

/** The runs of a rollout are for the same controller as the rollout. */
function instanceLabel({ rollout }: Observed): Readonly<Record<string, string>> {
  const id = rollout.metadata.labels?.[INSTANCE_ID]
  return id === undefined ? {} : { [INSTANCE_ID]: id }
}
