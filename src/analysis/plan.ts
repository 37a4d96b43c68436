// What an AnalysisRun needs now, and what it is once that has been measured. Pure: the measuring lies between the two.
import type {
  AnalysisArgument,
  AnalysisRun,
  AnalysisRunStatus,
  Measurement,
  Metric,
  MetricResult,
} from '../api/analysis.ts'
import { runTtl } from '../api/duration.ts'
import type { EventNote, Millis } from '../contract.ts'
import { ArgumentError, resolveMetric, STAND_IN, withSecrets } from './args.ts'
import { isNamed, specProblem } from './check-spec.ts'
import { completionEvent, judgeRun } from './judge.ts'
import {
  durationOf,
  effectiveCount,
  isCompleted,
  isTerminating,
  lastMeasurement,
  RETRY,
  resultOf,
  timestamp,
} from './phases.ts'

/** One measurement to take, to go on with, or to end. */
export type Task = Readonly<{ metric: string; verb: 'run' | 'resume' | 'terminate'; unfinished?: Measurement }>

export type AnalysisPlan =
  /** The run is over and has been kept long enough. */
  | Readonly<{ is: 'expired'; why: string }>
  /** The run is over; `recheckAt`: when it expires. */
  | Readonly<{ is: 'over'; recheckAt?: Millis }>
  /** The run cannot go on: its spec or its arguments are wrong. */
  | Readonly<{ is: 'refused'; status: AnalysisRunStatus; events: readonly EventNote[] }>
  | Readonly<{ is: 'measuring'; tasks: readonly Task[] }>

/** A measurement of one task. */
export type Taken = Readonly<{ task: Task; measurement: Measurement; metadata?: Readonly<Record<string, string>> }>

export type Conclusion = Readonly<{
  status: AnalysisRunStatus
  events: readonly EventNote[]
  recheckAt?: Millis
}>

/** Measurements that are kept per metric. */
const KEPT = 10

const timeOf = (text: string | undefined): Millis | undefined => (text ? Date.parse(text) : undefined)

const NONE: ReadonlySet<string> = new Set()

/** What a run needs at `now`. `over`: metrics whose measuring object is known to be over, before it is time to look. */
export function planAnalysis(run: AnalysisRun, now: Millis, over = NONE): AnalysisPlan {
  if (isCompleted(run.status?.phase)) return expiry(run, now)
  const metrics = checkedMetrics(run)
  if ('refused' in metrics) return { is: 'refused', ...refuse(run, metrics.refused) }
  return { is: 'measuring', tasks: dueTasks(run, metrics.metrics, now, over) }
}

function expiry(run: AnalysisRun, now: Millis): AnalysisPlan {
  const seconds = runTtl(run.spec.ttlStrategy, run.status?.phase ?? '')
  const completed = timeOf(run.status?.completedAt)
  if (seconds === undefined || completed === undefined) return { is: 'over' }
  // argo: more than the value must have passed, counted in whole seconds.
  const recheckAt = completed + (seconds + 1) * 1000
  return now >= recheckAt ? { is: 'expired', why: `kept for ${seconds} s after its end` } : { is: 'over', recheckAt }
}

/** The metrics with arguments put in, a stand-in for every secret; or why there are none. */
function checkedMetrics(run: AnalysisRun): Readonly<{ metrics: readonly Metric[] }> | Readonly<{ refused: string }> {
  try {
    const metrics = resolveAll(
      run,
      withSecrets(run.spec.args, () => STAND_IN),
    )
    const problem = specProblem({ ...run.spec, metrics: [...metrics] })
    return problem === undefined ? { metrics } : { refused: `Analysis spec invalid: ${problem}` }
  } catch (error) {
    if (error instanceof ArgumentError) return { refused: argumentMessage(error) }
    throw error
  }
}

const argumentMessage = (error: Error): string => `Unable to resolve metric arguments: ${error.message}`

/** The metrics of a run with these arguments put in. Throws ArgumentError. */
export const resolveAll = (run: AnalysisRun, args: readonly AnalysisArgument[]): readonly Metric[] =>
  run.spec.metrics.map(metric => resolveMetric(metric, args))

/** The end of a run that cannot go on. argo: without a time of completion. */
export function refuse(
  run: AnalysisRun,
  message: string,
): Readonly<{ status: AnalysisRunStatus; events: EventNote[] }> {
  const status = { ...run.status, phase: 'Error', message }
  return { status, events: [completionEvent('AnalysisRun', 'Error', 'Analysis Completed. Result: Error')] }
}

/** The end of a run whose arguments cannot be had. */
export const refuseArguments = (run: AnalysisRun, error: Error) => refuse(run, argumentMessage(error))

/** The measurements that are due at `now`. */
export const dueTasks = (run: AnalysisRun, metrics: readonly Metric[], now: Millis, over = NONE): readonly Task[] =>
  metrics.flatMap(metric => taskFor(run, metric, now, over) ?? [])

function taskFor(run: AnalysisRun, metric: Metric, now: Millis, over: ReadonlySet<string>): Task | undefined {
  const result = resultOf(run, metric.name)
  if (isCompleted(result?.phase)) return undefined
  const last = lastMeasurement(result)
  const terminating = isTerminating(run)
  if (last && !last.finishedAt) {
    if (terminating) return { metric: metric.name, verb: 'terminate', unfinished: last }
    const resumeAt = timeOf(last.resumeAt)
    const isEarly = resumeAt !== undefined && resumeAt > now && !over.has(metric.name)
    return isEarly ? undefined : { metric: metric.name, verb: 'resume', unfinished: last }
  }
  if (terminating) return undefined
  return isDue(run, metric, result, last, now) ? { metric: metric.name, verb: 'run' } : undefined
}

function isDue(
  run: AnalysisRun,
  metric: Metric,
  result: MetricResult | undefined,
  last: Measurement | undefined,
  now: Millis,
): boolean {
  if (!last) {
    if (!metric.initialDelay) return true
    const delay = durationOf(metric.initialDelay)
    if (delay === undefined) return false
    const started = timeOf(run.status?.startedAt)
    return started !== undefined && started + delay <= now
  }
  const count = effectiveCount(metric)
  if (count !== undefined && (result?.count ?? 0) >= count) return false
  const interval = last.phase === 'Error' || !metric.interval ? RETRY : durationOf(metric.interval)
  return interval !== undefined && (timeOf(last.finishedAt) ?? 0) + interval < now
}

/** The run after its measurements: counters, phases, messages, summaries, and when to look again. */
export function concludeAnalysis(run: AnalysisRun, taken: readonly Taken[], now: Millis): Conclusion {
  const metrics = resolveAll(
    run,
    withSecrets(run.spec.args, () => STAND_IN),
  )
  const dryRun = new Set(
    metrics.map(metric => metric.name).filter(name => run.spec.dryRun?.some(rule => isNamed(rule.metricName, name))),
  )
  const counted = taken.reduce((status, one) => record(status, one, dryRun), startedStatus(run, now))
  const verdict = judgeRun({ ...run, status: counted }, metrics, dryRun)
  const { phase, message, events } = verdict
  const isNew = phase !== run.status?.phase
  const isOver = isNew && isCompleted(phase)
  const status: AnalysisRunStatus = {
    ...counted,
    phase,
    // argo: the message changes only with the phase.
    ...(isNew ? said(message) : said(run.status?.message ?? '')),
    ...(isOver ? { completedAt: timestamp(now) } : {}),
    metricResults: verdict.metricResults.map(result => trimmed(run, result)),
    runSummary: verdict.runSummary,
    dryRunSummary: verdict.dryRunSummary,
  }
  const end = isOver ? [completionEvent('AnalysisRun', phase, `Analysis Completed. Result: ${phase}`)] : []
  const recheckAt = nextLook({ ...run, status }, metrics, now)
  return { status, events: [...events, ...end], ...(recheckAt === undefined ? {} : { recheckAt }) }
}

const said = (message: string) => (message === '' ? { message: undefined } : { message })

const startedStatus = (run: AnalysisRun, now: Millis): AnalysisRunStatus => ({
  phase: '',
  ...run.status,
  startedAt: run.status?.startedAt ?? timestamp(now),
})

const add = (value: number | undefined): number => (value ?? 0) + 1

/** Puts one measurement into the results. */
function record(status: AnalysisRunStatus, { task, measurement, metadata }: Taken, dryRun: ReadonlySet<string>) {
  const results = [...(status.metricResults ?? [])]
  const at = results.findIndex(result => result.name === task.metric)
  const old: MetricResult = results[at] ?? {
    name: task.metric,
    phase: 'Running',
    ...(dryRun.has(task.metric) ? { dryRun: true } : {}),
    ...(metadata && Object.keys(metadata).length > 0 ? { metadata } : {}),
  }
  const before = old.measurements ?? []
  const measurements = task.unfinished ? [...before.slice(0, -1), measurement] : [...before, measurement]
  const next = { ...count(old, measurement.phase), measurements }
  if (at < 0) results.push(next)
  else results[at] = next
  return { ...status, metricResults: results }
}

function count(result: MetricResult, phase: string): MetricResult {
  const { consecutiveError: _e, consecutiveSuccess: _s, ...rest } = result
  switch (phase) {
    case 'Successful': {
      const consecutiveSuccess = add(result.consecutiveSuccess)
      return { ...rest, count: add(result.count), successful: add(result.successful), consecutiveSuccess }
    }
    case 'Failed':
      return { ...rest, count: add(result.count), failed: add(result.failed) }
    case 'Inconclusive':
      return { ...rest, count: add(result.count), inconclusive: add(result.inconclusive) }
    case 'Error':
      return { ...rest, error: add(result.error), consecutiveError: add(result.consecutiveError) }
    default:
      return result
  }
}

function trimmed(run: AnalysisRun, result: MetricResult): MetricResult {
  // argo: the last rule for a metric holds, also where it asks for nothing.
  const rule = run.spec.measurementRetention?.findLast(one => isNamed(one.metricName, result.name))
  const limit = rule && rule.limit > 0 ? rule.limit : KEPT
  const measurements = result.measurements ?? []
  return measurements.length > limit ? { ...result, measurements: measurements.slice(-limit) } : result
}

/** When the earliest measurement is due, undefined when nothing is to be waited for. */
function nextLook(run: AnalysisRun, metrics: readonly Metric[], now: Millis): Millis | undefined {
  const times = metrics.flatMap(metric => {
    const result = resultOf(run, metric.name)
    if (isCompleted(result?.phase)) return []
    const last = lastMeasurement(result)
    if (!last) {
      const delay = durationOf(metric.initialDelay)
      return delay === undefined ? [] : [(timeOf(run.status?.startedAt) ?? now) + delay]
    }
    if (!last.finishedAt) return timeOf(last.resumeAt) ?? []
    const limit = effectiveCount(metric)
    if (limit !== undefined && (result?.count ?? 0) >= limit) return []
    const interval = last.phase === 'Error' ? RETRY : durationOf(metric.interval)
    return interval === undefined ? [] : [(timeOf(last.finishedAt) ?? now) + interval]
  })
  return times.length === 0 ? undefined : Math.min(...times)
}
