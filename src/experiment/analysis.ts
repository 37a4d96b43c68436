// One analysis of an experiment: its AnalysisRun, and what it says (argo-behaviour 6).
import { isCompleted } from '../analysis/phases.ts'
import type { ExperimentAnalysis, ExperimentAnalysisStatus } from '../api/experiment.ts'
import { type Action, refOf } from '../contract.ts'
import { INSTANCE_ID } from '../rollout/keys.ts'
import { ANALYSIS_RUN } from '../rollout/observe.ts'
import { normal } from '../rollout/part.ts'
import { freeName } from '../rollout/run-name.ts'
import { buildRunSpec, type RunSpec } from '../rollout/run-spec.ts'
import { templateOf } from '../rollout/templates.ts'
import { experimentArguments } from './arguments.ts'
import { analysisStatusOf, isFinished, isTerminating } from './facts.ts'
import { type ExperimentSeen, ownerOf } from './observe.ts'
import { analysisKey, type Task } from './task.ts'

export type AnalysisPlan = Readonly<{ tasks: readonly Task[]; status: ExperimentAnalysisStatus }>

/** What an analysis needs now, and its status when that has been done. `awaitsTemplates`: none begins yet, as templates may
 * still come. */
export function planAnalysis(
  seen: ExperimentSeen,
  analysis: ExperimentAnalysis,
  awaitsTemplates: boolean,
): AnalysisPlan {
  const { name } = analysis
  const before = analysisStatusOf(seen.status, name) ?? { name, analysisRun: '', phase: '' }
  const ending = isTerminating({ spec: seen.experiment.spec, status: seen.status })
  if (isCompleted(before.phase)) return { tasks: [], status: before }
  if (before.analysisRun !== '' && seen.status.availableAt !== undefined) return follow(seen, before, ending)
  if (awaitsTemplates) return { tasks: [], status: before }
  const status = verified(seen, analysis, before)
  const isToBegin = seen.status.availableAt !== undefined && !ending && !isCompleted(status.phase)
  return isToBegin ? begin(seen, analysis, before) : { tasks: [], status }
}

const failed = (before: ExperimentAnalysisStatus, message: string): ExperimentAnalysisStatus => ({
  ...before,
  phase: 'Error',
  message,
})

/** A template that is missing is told before pods are waited for. */
function verified(
  seen: ExperimentSeen,
  { name, templateName, clusterScope }: ExperimentAnalysis,
  before: ExperimentAnalysisStatus,
) {
  if (templateOf(seen, { templateName, clusterScope: clusterScope ?? null })) return before
  const kind = clusterScope ? 'ClusterAnalysisTemplate' : 'AnalysisTemplate'
  const text = `${kind.toLowerCase()}.argoproj.io "${templateName}" not found`
  return failed(before, `${kind} verification failed for analysis '${name}': ${text}`)
}

/** The run of an analysis is read until the experiment has ended; then it is told to end too.
 * argo: a run that is being ended is read no more, so a required one would never end its experiment. */
function follow(seen: ExperimentSeen, before: ExperimentAnalysisStatus, ending: boolean): AnalysisPlan {
  const run = seen.runs.find(one => one.metadata.name === before.analysisRun)
  if (!run) {
    const text = `analysisrun.argoproj.io "${before.analysisRun}" not found`
    return { tasks: [], status: isFinished(seen.status) ? before : failed(before, text) }
  }
  const phase = run.status?.phase ?? ''
  const message = run.status?.message
  const { message: _old, ...rest } = before
  const read = { ...rest, phase: phase || before.phase, ...(message ? { message } : {}) }
  const status = isFinished(seen.status) ? before : read
  if (!ending || isCompleted(phase) || run.spec.terminate) return { tasks: [], status }
  const action: Action = {
    verb: 'patch',
    ref: refOf(run),
    type: 'merge',
    patch: { spec: { terminate: true } },
    why: 'its experiment is over',
    event: normal('AnalysisRunTerminating', `Terminating ${before.name} (${run.metadata.name})`),
  }
  return {
    tasks: [{ of: analysisKey(before.name), action, failure: `Failed to terminate AnalysisRun ${run.metadata.name}` }],
    status,
  }
}

function begin(seen: ExperimentSeen, analysis: ExperimentAnalysis, before: ExperimentAnalysisStatus): AnalysisPlan {
  const failure = `Failed to create AnalysisRun for analysis '${analysis.name}'`
  const built = specOf(seen, analysis)
  if ('problem' in built) return { tasks: [], status: failed(before, `${failure}: ${built.problem}`) }
  const base = `${seen.experiment.metadata.name}-${analysis.name}`
  const { name, run } = freeName(seen.runs, base, built.spec)
  const status = { ...before, analysisRun: name, phase: 'Pending' }
  if (run) return { tasks: [], status }
  const { labels, annotations } = seen.experiment.spec.analysisRunMetadata ?? {}
  const id = seen.experiment.metadata.labels?.[INSTANCE_ID]
  const action: Action = {
    verb: 'create',
    object: {
      ...ANALYSIS_RUN,
      metadata: {
        name,
        namespace: seen.namespace,
        ...some('labels', { ...(id === undefined ? {} : { [INSTANCE_ID]: id }), ...labels }),
        ...some('annotations', { ...annotations }),
        ownerReferences: [ownerOf(seen.experiment)],
      },
      spec: built.spec,
    },
    why: `analysis ${analysis.name} begins`,
  }
  return { tasks: [{ of: analysisKey(analysis.name), action, failure }], status }
}

const some = (field: 'labels' | 'annotations', map: Readonly<Record<string, string>>) =>
  Object.keys(map).length > 0 ? { [field]: map } : {}

function specOf(seen: ExperimentSeen, { templateName, clusterScope, args }: ExperimentAnalysis) {
  const { dryRun, measurementRetention } = seen.experiment.spec
  const given = experimentArguments(seen, args)
  if ('problem' in given) return given
  const built: Readonly<{ spec: RunSpec } | { problem: string }> = buildRunSpec(seen, {
    templates: [{ templateName, ...(clusterScope ? { clusterScope } : {}) }],
    args: given.args,
    ...(dryRun ? { dryRun } : {}),
    ...(measurementRetention ? { measurementRetention } : {}),
  })
  return built
}
