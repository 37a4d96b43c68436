// What an experiment needs now, and what it is once that has been done. Pure: the writes lie between the two.
import { isCompleted } from '../analysis/phases.ts'
import type { ExperimentAnalysisStatus, ExperimentStatus, ExperimentTemplateStatus } from '../api/experiment.ts'
import type { EventNote, Millis } from '../contract.ts'
import { findCondition, setCondition } from '../rollout/conditions.ts'
import { normal, warning } from '../rollout/part.ts'
import { hasDeadline, specReplicas, untilDeadline } from '../rollout/sets.ts'
import { planAnalysis } from './analysis.ts'
import { analysisStatusOf, desiredReplicas, endOf, isTerminating, progressDeadline, templateStatusOf } from './facts.ts'
import { lookForTemplates } from './late-templates.ts'
import type { ExperimentSeen } from './observe.ts'
import { withConditions, withPhase } from './phase.ts'
import { analysisKey, EXPERIMENT_KEY, type Task, templateKey } from './task.ts'
import { planTemplate } from './template.ts'
import { experimentProblem } from './verify.ts'

export type ExperimentPlan =
  /** The spec is wrong: the status says so, and nothing is done. */
  | Readonly<{ is: 'refused'; status: ExperimentStatus; why: string }>
  | Readonly<{
      is: 'working'
      tasks: readonly Task[]
      templates: readonly ExperimentTemplateStatus[]
      analyses: readonly ExperimentAnalysisStatus[]
    }>

/** What became of a template, an analysis or the experiment, as an Event. */
export type Note = Readonly<{
  /** See keysOf in task.ts. */
  of: string
  event: EventNote
  /** Told to the rollout whose step this is. */
  forRollout?: EventNote
}>

export type Conclusion = Readonly<{ status: ExperimentStatus; notes: readonly Note[]; recheckAt?: Millis }>

/** Writes that the API server refused for good: whose, and the message. */
export type Refused = ReadonlyMap<string, string>

export function planExperiment(seen: ExperimentSeen, now: Millis): ExperimentPlan {
  const { spec } = seen.experiment
  const problem = experimentProblem(seen.experiment)
  if (problem !== undefined) return { is: 'refused', status: invalid(seen, problem, now), why: problem }
  const templates = spec.templates.map(template => planTemplate(seen, template, now))
  const awaitsTemplates = lookForTemplates(seen, now) !== undefined
  const analyses = (spec.analyses ?? []).map(analysis => planAnalysis(seen, analysis, awaitsTemplates))
  return {
    is: 'working',
    tasks: [...templates, ...analyses].flatMap(({ tasks }) => tasks),
    templates: templates.map(({ status }) => status),
    analyses: analyses.map(({ status }) => status),
  }
}

/** The message of the condition is renewed when the problem is another. */
function invalid({ status }: ExperimentSeen, message: string, now: Millis): ExperimentStatus {
  const old = status.conditions ?? []
  const others =
    findCondition(old, 'InvalidSpec')?.message === message ? old : old.filter(c => c.type !== 'InvalidSpec')
  const fields = { type: 'InvalidSpec', status: 'True', reason: 'InvalidSpec', message } as const
  return { ...status, conditions: [...setCondition(others, fields, now)] }
}

/** The experiment after its writes: phases, conditions, events, and when to look again. */
export function concludeExperiment(
  seen: ExperimentSeen,
  plan: Extract<ExperimentPlan, { is: 'working' }>,
  refused: Refused,
  now: Millis,
): Conclusion {
  const templateStatuses = plan.templates.map(one => {
    const message = refused.get(templateKey(one.name))
    return message === undefined ? one : { ...one, status: 'Error', message }
  })
  const analysisRuns = plan.analyses.map(one => {
    const message = refused.get(analysisKey(one.name))
    return message === undefined ? one : { ...one, analysisRun: knownRun(seen, one.name), phase: 'Error', message }
  })
  const parts = { ...seen.status, templateStatuses, ...(analysisRuns.length > 0 ? { analysisRuns } : {}) }
  const status = withConditions(seen, withPhase(seen, parts, now), now)
  const recheckAt = nextLook(seen, status, now)
  return {
    status,
    notes: [
      ...templateStatuses.flatMap(one => templateNote(seen, one)),
      ...analysisRuns.flatMap(run => analysisNote(seen, run)),
      ...phaseNote(seen, status),
    ],
    ...(recheckAt === undefined ? {} : { recheckAt }),
  }
}

const knownRun = ({ status }: ExperimentSeen, analysis: string): string =>
  analysisStatusOf(status, analysis)?.analysisRun ?? ''

const isBad = (phase: string): boolean => isCompleted(phase) && phase !== 'Successful'

function told(reason: string, text: string, phase: string, message: string | undefined): EventNote {
  const whole = message ? `${text}: ${message}` : text
  return isBad(phase) ? warning(reason, whole) : normal(reason, whole)
}

function templateNote(seen: ExperimentSeen, { name, status = '', message }: ExperimentTemplateStatus): Note[] {
  const before = templateStatusOf(seen.status, name)?.status ?? ''
  if (before === status) return []
  const text = `Template '${name}' transitioned from ${before} -> ${status}`
  return [{ of: templateKey(name), event: told(`Template${status}`, text, status, message) }]
}

function analysisNote(seen: ExperimentSeen, { name, phase, message }: ExperimentAnalysisStatus): Note[] {
  const before = analysisStatusOf(seen.status, name)?.phase ?? ''
  if (before === phase || phase === '') return []
  const text = `AnalysisRun '${name}' transitioned from ${before} -> ${phase}`
  const event = told(`AnalysisRun${phase}`, text, phase, message)
  // argo: to the rollout it is a warning, whatever it says.
  return [{ of: analysisKey(name), event, forRollout: { ...event, type: 'Warning' } }]
}

function phaseNote(seen: ExperimentSeen, { phase = '' }: ExperimentStatus): Note[] {
  const before = seen.status.phase ?? ''
  if (before === phase) return []
  const text = `Experiment transitioned from ${before} -> ${phase}`
  return [{ of: EXPERIMENT_KEY, event: told(`Experiment${phase}`, text, phase, undefined) }]
}

/** The soonest of: the end of the duration, the progress deadline of a template, the scale-down of a set, another look for
 * what may still come. */
function nextLook(seen: ExperimentSeen, status: ExperimentStatus, now: Millis): Millis | undefined {
  const { spec } = seen.experiment
  const standing = { spec, status }
  const end = isTerminating(standing) ? undefined : endOf(standing)
  const late = lookForTemplates(seen, now)
  const times = [
    ...(late === undefined ? [] : [late]),
    // Both are over strictly after their time.
    ...(end !== undefined && end >= now ? [end + 1] : []),
    ...spec.templates.flatMap(template => {
      const one = templateStatusOf(status, template.name)
      const rs = seen.sets.get(template.name)
      const wanted = desiredReplicas(standing, template)
      if (wanted === 0 && rs && specReplicas(rs) > 0 && hasDeadline(rs)) {
        const left = untilDeadline(rs, now)
        return left === undefined ? [] : [now + left]
      }
      const isWaiting = one?.status === 'Progressing' && one.lastTransitionTime !== undefined
      return isWaiting ? [Date.parse(one.lastTransitionTime ?? '') + progressDeadline(spec) * 1000 + 1] : []
    }),
  ]
  return times.length > 0 ? Math.min(...times) : undefined
}
