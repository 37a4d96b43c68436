// How an experiment stands, from how its templates and analyses stand (argo-behaviour 6).
import { isCompleted, isWorse } from '../analysis/phases.ts'
import type { ExperimentCondition, ExperimentStatus } from '../api/experiment.ts'
import type { Millis } from '../contract.ts'
import { type Conditions, dropCondition, findCondition, setCondition } from '../rollout/conditions.ts'
import { timestamp } from '../rollout/part.ts'
import { analysisStatusOf, areRequiredSuccessful, hasRunItsTime, templateStatusOf } from './facts.ts'
import type { ExperimentSeen } from './observe.ts'

type Verdict = Readonly<{ phase: string; message: string }>

/** From best to worst. */
const TEMPLATE_ORDER = ['Successful', 'Running', 'Progressing', 'Error', 'Failed']

/** The experiment's phase for the worst status of a template; the others are called alike. */
const PHASES: Readonly<Record<string, string>> = { Progressing: 'Pending' }

/** The status with phase, message and availableAt; `next` has the templates and analyses of this pass. */
export function withPhase(seen: ExperimentSeen, next: ExperimentStatus, now: Millis): ExperimentStatus {
  const { phase = '' } = next
  if (phase === '') return { ...next, phase: 'Pending' }
  if (isCompleted(phase)) return next
  const templates = judgeTemplates(seen, next)
  const verdict = judge(seen, next, templates)
  const { message: _old, ...rest } = next
  const begins = templates.phase === 'Running' && next.availableAt === undefined
  return {
    ...rest,
    phase: verdict.phase,
    ...(verdict.message ? { message: verdict.message } : {}),
    ...(begins ? { availableAt: timestamp(now) } : {}),
  }
}

function judge(seen: ExperimentSeen, next: ExperimentStatus, templates: Verdict): Verdict {
  const { spec } = seen.experiment
  const analyses = judgeAnalyses(seen, next)
  const hasRequired = (spec.analyses ?? []).some(one => one.requiredForCompletion)
  if (isCompleted(templates.phase)) {
    const isTheirs = templates.phase === 'Successful' && (isCompleted(analyses.phase) || hasRequired)
    return isTheirs ? analyses : templates
  }
  if (isCompleted(analyses.phase) && analyses.phase !== 'Successful') return analyses
  return areRequiredSuccessful({ spec, status: next }) ? analyses : templates
}

/** The worst template decides; the first of equals is quoted. */
function judgeTemplates({ experiment }: ExperimentSeen, next: ExperimentStatus): Verdict {
  let worst: Verdict = { phase: 'Successful', message: '' }
  for (const { name } of experiment.spec.templates) {
    const { status = 'Progressing', message = '' } = templateStatusOf(next, name) ?? {}
    if (TEMPLATE_ORDER.indexOf(status) > TEMPLATE_ORDER.indexOf(worst.phase)) worst = { phase: status, message }
  }
  return { ...worst, phase: PHASES[worst.phase] ?? worst.phase }
}

/** The worst analysis decides; once all required ones are Successful, those that still run do not count.
 * argo: there one that still runs keeps the experiment for ever. */
function judgeAnalyses({ experiment }: ExperimentSeen, next: ExperimentStatus): Verdict {
  let worst: Verdict = { phase: 'Successful', message: '' }
  for (const { name } of experiment.spec.analyses ?? []) {
    const { phase = '', message = '' } = analysisStatusOf(next, name) ?? {}
    if (isWorse(worst.phase, phase)) worst = { phase, message }
  }
  if (
    areRequiredSuccessful({ spec: experiment.spec, status: next }) &&
    !(isCompleted(worst.phase) && worst.phase !== 'Successful')
  ) {
    return { phase: 'Successful', message: 'Required AnalysisRuns completed' }
  }
  return worst.phase === 'Pending' ? { ...worst, phase: 'Running' } : worst
}

/** The condition Progressing after this pass. InvalidSpec goes: an invalid spec does not come this far. */
export function withConditions(seen: ExperimentSeen, next: ExperimentStatus, now: Millis): ExperimentStatus {
  const conditions = progressing(seen, next, dropCondition(next.conditions ?? [], 'InvalidSpec'), now)
  return conditions.length > 0 ? { ...next, conditions: [...conditions] } : next
}

function progressing(seen: ExperimentSeen, next: ExperimentStatus, list: Conditions, now: Millis): Conditions {
  const { experiment, status } = seen
  const name = JSON.stringify(experiment.metadata.name)
  if (next.phase === 'Successful') {
    const message = `Experiment ${name} has successfully ran and completed.`
    return setCondition(list, { type: 'Progressing', status: 'False', reason: 'ExperimentCompleted', message }, now)
  }
  if (hasMoved(status, next)) return renewed(list, `Experiment ${name} is progressing.`, now)
  const standing = { spec: experiment.spec, status }
  if (status.availableAt === undefined || hasRunItsTime(standing, now)) return list
  const message = `Experiment ${name} is running.`
  return setCondition(list, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message }, now)
}

/** Progress renews the time of the last update even when nothing else of the condition changes. */
function renewed(list: Conditions, message: string, now: Millis): Conditions {
  const current = findCondition(list, 'Progressing')
  const since = current?.status === 'True' ? current.lastTransitionTime : timestamp(now)
  const condition: ExperimentCondition = {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message,
    lastUpdateTime: timestamp(now),
    lastTransitionTime: since,
  }
  return [...dropCondition(list, 'Progressing'), condition]
}

const COUNTS = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'] as const

const hasMoved = (before: ExperimentStatus, next: ExperimentStatus): boolean =>
  (next.templateStatuses ?? []).some(one => {
    const old = templateStatusOf(before, one.name)
    return !old || COUNTS.some(count => old[count] !== one[count])
  })
