// Which Experiments should exist for a canary, what their results mean for it, and the traffic that they get
// (argo-behaviour 4.2, 6).
import { isCompleted } from '../analysis/phases.ts'
import type { Experiment } from '../api/experiment.ts'
import { type Action, type Dest, refOf, sameJson } from '../contract.ts'
import { buildExperimentSpec } from './experiment-spec.ts'
import { HASH_LABEL, REVISION } from './keys.ts'
import { EXPERIMENT, type Observed } from './observe.ts'
import { join, NOTHING, normal, type Part, part, warning } from './part.ts'
import { isAborted, NO_INTENT, type PauseIntent, pauseFor } from './pauses.ts'
import { currentIndex, currentStep } from './progress.ts'
import { ownerOf } from './revision.ts'
import { hashOf, revisionOf } from './sets.ts'

export type Experiments = Readonly<{
  part: Part
  /** The pause or the abort that a result asks for. */
  intent: PauseIntent
  /** Phase of the current step's Experiment. */
  phase: string | undefined
  /** status.canary.currentExperiment after this pass. */
  current: string | undefined
  /** Shares of the traffic for the templates that run. */
  dests: readonly Dest[]
}>

const NONE: Experiments = { part: NOTHING, intent: NO_INTENT, phase: undefined, current: undefined, dests: [] }

const phaseOf = (experiment: Experiment | undefined): string => experiment?.status?.phase ?? ''

/** Looks after the Experiments of a canary. `intent`: what this pass has decided so far; an abort ends them all. */
export function planExperiments(seen: Observed, intent: PauseIntent): Experiments {
  if (isAborted(seen.status, intent) || seen.status.promoteFull)
    return { ...NONE, part: endExperiments(seen.experiments) }
  const step = currentStep(seen)?.experiment
  const name = seen.status.canary?.currentExperiment
  const known = step && name ? seen.experiments.find(one => one.metadata.name === name) : undefined
  // What an analysis has stopped stands as it is; an Experiment that ends meanwhile is judged when somebody resumes.
  if (pauseFor(seen.status, 'InconclusiveAnalysisRun')) {
    return known ? { ...NONE, current: known.metadata.name, dests: destsOf(known, seen) } : NONE
  }
  if (!step) return { ...NONE, part: endExperiments(seen.experiments) }
  const others = (kept: Experiment | undefined) => endExperiments(seen.experiments.filter(one => one !== kept))
  if (known) return { ...judge(known, seen), part: others(known) }
  // Somebody must decide first. argo: makes another one in every pass of the pause.
  if (pauseFor(seen.status, 'InconclusiveExperiment')) return { ...NONE, part: others(undefined) }
  // The first deploy has nothing to compare with.
  if (!seen.stableRS) return { ...NONE, part: others(undefined) }
  const made = create(seen, step)
  if ('problem' in made) {
    const text = `Experiment of step ${(currentIndex(seen) ?? 0) + 1}: ${made.problem}`
    const told = part({ events: [warning('ExperimentError', text)], because: [text] })
    return { ...NONE, part: join(others(undefined), told) }
  }
  const { experiment } = made
  const is = experiment ? judge(experiment, seen) : { ...NONE, phase: '', current: made.name }
  return { ...is, part: join(made.part, others(experiment)) }
}

function judge(experiment: Experiment, seen: Observed): Experiments {
  const phase = phaseOf(experiment)
  const message = experiment.status?.message
  const is = { ...NONE, phase }
  switch (phase) {
    case 'Successful':
      return is
    case 'Inconclusive':
      return { ...is, intent: { ...NO_INTENT, add: ['InconclusiveExperiment'] } }
    case 'Failed':
    case 'Error': {
      const text = 'Experiment analysis phase is error/failed'
      return { ...is, intent: { ...NO_INTENT, abort: message ? `${text}: ${message}` : text } }
    }
    default:
      return { ...is, current: experiment.metadata.name, dests: destsOf(experiment, seen) }
  }
}

/** Those that still run are told to end; their pods stay for a while, so that the traffic can leave them. */
export const endExperiments = (experiments: readonly Experiment[]): Part =>
  part({
    actions: experiments
      .filter(one => !isCompleted(phaseOf(one)) && !one.spec.terminate)
      .map((one): Action => {
        const why = 'its rollout has moved on'
        return { verb: 'patch', ref: refOf(one), type: 'merge', patch: { spec: { terminate: true } }, why }
      }),
  })

type Made = Readonly<{ part: Part; name: string; experiment: Experiment | undefined } | { problem: string }>

function create(seen: Observed, step: NonNullable<ReturnType<typeof currentStep>>['experiment'] & object): Made {
  const built = buildExperimentSpec(seen, step)
  if ('problem' in built) return built
  const hash = seen.newRS ? hashOf(seen.newRS) : seen.hash
  const revision = revisionOf(seen.rollout)
  const { labels } = seen.rollout.metadata
  const base = `${seen.rollout.metadata.name}-${hash}-${revision}-${currentIndex(seen) ?? 0}`
  const { name, experiment } = freeName(seen, base, built.spec)
  if (experiment) return { part: NOTHING, name, experiment }
  const why = `step ${(currentIndex(seen) ?? 0) + 1} is an experiment`
  const object: Experiment = {
    ...EXPERIMENT,
    metadata: {
      name,
      namespace: seen.namespace,
      // The instance id is one of them.
      labels: { ...labels, [HASH_LABEL]: hash },
      annotations: { [REVISION]: `${revision}` },
      ownerReferences: [ownerOf(seen)],
    },
    spec: built.spec,
  }
  const action: Action = {
    verb: 'create',
    object,
    why,
    event: normal('ExperimentCreated', `Created Experiment '${name}'`),
  }
  return { part: part({ actions: [action], because: [why] }), name, experiment: undefined }
}

/** The first name of the series `base`, `base-1`, `base-2` that is free, or an Experiment under it that still does the
 * same: one that an earlier pass made and forgot. */
function freeName({ experiments }: Observed, base: string, spec: Experiment['spec']) {
  for (let n = 0; ; n += 1) {
    const name = n === 0 ? base : `${base}-${n}`
    const experiment = experiments.find(one => one.metadata.name === name)
    if (!experiment) return { name, experiment: undefined }
    const isLive = !isCompleted(phaseOf(experiment)) && !experiment.spec.terminate
    if (isLive && sameJson(experiment.spec, spec)) return { name, experiment }
  }
}

/** Each running template with a weight is a destination of its own. */
function destsOf(experiment: Experiment, seen: Observed): readonly Dest[] {
  if (phaseOf(experiment) !== 'Running') return []
  const templates = currentStep(seen)?.experiment?.templates ?? []
  return (experiment.status?.templateStatuses ?? []).flatMap(({ name, serviceName, podTemplateHash }) => {
    const weight = templates.find(one => one.name === name)?.weight
    if (weight == null || !serviceName) return []
    return [{ role: 'extra' as const, weight, service: serviceName, hash: podTemplateHash ?? '' }]
  })
}
