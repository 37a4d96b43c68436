// Table of the way from measurements to the phases of metrics and runs.

import { rulesProblem } from '../../src/analysis/check-spec.ts'
import { timestamp } from '../../src/analysis/phases.ts'
import { concludeAnalysis, dueTasks, planAnalysis, type Taken, type Task } from '../../src/analysis/plan.ts'
import type { AnalysisRun, AnalysisRunStatus, Measurement } from '../../src/api/analysis.ts'
import type { EventNote } from '../../src/contract.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Answer = Readonly<{
  phase?: string
  message?: string
  value?: string
  resumeAfter?: number
  providerError?: string
}>
type Step = Readonly<{ at: number; terminate?: boolean }>

const START = Date.parse('2024-05-01T12:00:00Z')
const COMPLETED = ['Successful', 'Failed', 'Error', 'Inconclusive']

const runOf = (row: Row, status: unknown, terminate = false): AnalysisRun =>
  ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AnalysisRun',
    metadata: { name: 'run', namespace: 'n' },
    spec: { ...(row['spec'] as object), ...(terminate ? { terminate } : {}) },
    ...(status === undefined ? {} : { status }),
  }) as AnalysisRun

const eventText = ({ type, reason, message }: EventNote) => `${type} ${reason}: ${message}`
const withoutZeros = (value: object) => Object.fromEntries(Object.entries(value).filter(([, n]) => n !== 0 && n !== ''))
const seconds = (at: number | undefined, now: number) => (at === undefined ? null : (at - now) / 1000)

/** One look at a given status; nothing is measured. */
function look(row: Row) {
  const now = Date.parse(String(row['now']))
  const run = runOf(row, row['status'])
  const problem = rulesProblem(run.spec)
  if (problem !== undefined) return { error: problem }
  const tasks = dueTasks(run, run.spec.metrics, now)
  const { status, events, recheckAt } = concludeAnalysis(run, [], now)
  return {
    measure: tasks.map(({ metric, verb }) => ({ metric, ...(verb === 'run' ? {} : { resume: true }) })),
    phase: status.phase,
    message: status.message ?? '',
    next: seconds(recheckAt, now),
    ...(run.status?.startedAt ? {} : { startedAt: status.startedAt }),
    runSummary: status.runSummary,
    dryRunSummary: status.dryRunSummary,
    metricResults: (status.metricResults ?? []).map(({ name, phase, message }) =>
      message ? { name, phase, message } : { name, phase },
    ),
    // The event of the run itself belongs to the whole cycle.
    events: events.filter(event => event.reason.startsWith('Metric')).map(eventText),
  }
}

function answerTo(row: Row, task: Task, answers: Map<string, Answer[]>, now: number): Measurement {
  const startedAt = task.unfinished?.startedAt ?? timestamp(now)
  const given = answers.get(task.metric)!
  let answer: Answer
  if (task.verb === 'terminate') {
    const end = (row['onTerminate'] as Record<string, Answer> | undefined)?.[task.metric] ?? { phase: 'Successful' }
    const isQuiet = end.phase === 'Successful' || end.phase === 'Inconclusive'
    answer = isQuiet ? { ...end, message: 'Metric Terminated' } : end
  } else answer = given.length > 1 ? given.shift()! : given[0]!
  const { providerError, resumeAfter, ...fields } = answer
  const phase = providerError === undefined ? (fields.phase ?? 'Error') : 'Error'
  const message = providerError ?? fields.message
  return {
    phase,
    startedAt,
    ...(message === undefined ? {} : { message }),
    ...(fields.value === undefined ? {} : { value: fields.value }),
    ...(COMPLETED.includes(phase) ? { finishedAt: timestamp(now) } : {}),
    ...(resumeAfter === undefined ? {} : { resumeAt: timestamp(now + resumeAfter * 1000) }),
  }
}

const hasProviderError = (row: Row, task: Task) =>
  (row['answers'] as Record<string, readonly Answer[]>)[task.metric]?.some(answer => answer.providerError !== undefined)

/** A scripted run through the whole cycle. */
function play(row: Row) {
  const answers = new Map(
    Object.entries(row['answers'] as Record<string, Answer[]>).map(([name, list]) => [name, [...list]]),
  )
  let status: AnalysisRunStatus | undefined
  let terminate = false
  return (row['steps'] as readonly Step[]).map(step => {
    const now = START + step.at * 1000
    terminate ||= step.terminate === true
    const run = runOf(row, status, terminate)
    const plan = planAnalysis(run, now)
    let calls: string[] = []
    let events: readonly EventNote[] = []
    let next: number | undefined
    if (plan.is === 'refused') {
      status = plan.status
      events = plan.events
    } else if (plan.is === 'measuring') {
      const taken: Taken[] = plan.tasks.map(task => ({ task, measurement: answerTo(row, task, answers, now) }))
      calls = plan.tasks.filter(task => !hasProviderError(row, task)).map(task => `${task.verb} ${task.metric}`)
      const conclusion = concludeAnalysis(run, taken, now)
      status = conclusion.status
      events = conclusion.events
      // The queue takes no time that has passed.
      next = conclusion.recheckAt === undefined ? undefined : Math.max(conclusion.recheckAt, now)
    }
    // Which of several metrics was measured first is chance, so the table has them by name.
    const metricResults = (status?.metricResults ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return entryOf({ ...status!, metricResults }, calls, events, seconds(next, now))
  })
}

function entryOf(
  status: AnalysisRunStatus,
  calls: readonly string[],
  events: readonly EventNote[],
  next: number | null,
) {
  const dry = status.dryRunSummary ?? {}
  return {
    calls,
    phase: status.phase,
    message: status.message ?? '',
    next,
    events: events.map(eventText),
    runSummary: status.runSummary ?? {},
    ...(Object.keys(dry).length > 0 ? { dryRunSummary: dry } : {}),
    ...(status.completedAt ? { completedAt: (Date.parse(status.completedAt) - START) / 1000 } : {}),
    metricResults: (status.metricResults ?? []).map(({ measurements = [], ...rest }) => ({
      ...withoutZeros(rest),
      measurements: measurements.length,
      last: lastOf(measurements.at(-1)!),
    })),
  }
}

function lastOf({ phase, message, finishedAt }: Measurement) {
  return {
    phase,
    ...(message ? { message } : {}),
    ...(finishedAt ? { finishedAt: (Date.parse(finishedAt) - START) / 1000 } : {}),
  }
}

export const assess: Table = {
  name: 'assess',
  answer: row => (row['kind'] === 'status' ? look(row) : play(row)),
}
