// From measurements to the phase of a metric, and from metrics to the phase of a run. Pure.
import type { AnalysisRun, Metric, MetricResult, RunSummary } from '../api/analysis.ts'
import type { EventNote } from '../contract.ts'
import {
  effectiveCount,
  isCompleted,
  isTerminating,
  isWorse,
  lastMeasurement,
  limit32,
  limitOf,
  type Phase,
} from './phases.ts'

/** Errors in a row that a metric stands; one more and it is an Error. */
const ERROR_LIMIT = 4

type Breach = Readonly<{ phase: Phase; reason: string }>

/** The limit that a metric is over. argo: of several the last one counts, errors last. */
function breachOf(metric: Metric, result: MetricResult): Breach | undefined {
  const { failed = 0, inconclusive = 0, consecutiveError = 0 } = result
  const failures = limit32(metric.failureLimit, 0)
  const doubts = limit32(metric.inconclusiveLimit, 0)
  const errors = limit32(metric.consecutiveErrorLimit, ERROR_LIMIT)
  if (consecutiveError > errors) {
    return { phase: 'Error', reason: `consecutiveErrors (${consecutiveError}) > consecutiveErrorLimit (${errors})` }
  }
  if (inconclusive > doubts) {
    return { phase: 'Inconclusive', reason: `inconclusive (${inconclusive}) > inconclusiveLimit (${doubts})` }
  }
  if (failures < 0 || failed <= failures) return undefined
  return { phase: 'Failed', reason: `failed (${failed}) > failureLimit (${failures})` }
}

/** The phase of one metric after its newest measurement. */
export function judgeMetric(metric: Metric, result: MetricResult, terminating: boolean): Phase {
  if (isCompleted(result.phase)) return result.phase as Phase
  const last = lastMeasurement(result)
  if (!last) return terminating ? 'Successful' : 'Pending'
  if (!isCompleted(last.phase)) return 'Running'
  const breach = breachOf(metric, result)
  if (breach) return breach.phase
  const successes = limitOf(metric.consecutiveSuccessLimit, 0)
  if (successes > 0 && (result.consecutiveSuccess ?? 0) >= limit32(metric.consecutiveSuccessLimit, 0))
    return 'Successful'
  const count = effectiveCount(metric)
  if (count !== undefined && (result.count ?? 0) >= count) {
    if (successes <= 0) return 'Successful'
    // Not enough successes in a row: doubtful where failures were counted too, else a failure.
    return limitOf(metric.failureLimit, 0) >= 0 ? 'Inconclusive' : 'Failed'
  }
  return terminating ? 'Successful' : 'Running'
}

export type Verdict = Readonly<{
  phase: Phase
  message: string
  metricResults: readonly MetricResult[]
  runSummary: RunSummary
  dryRunSummary: RunSummary
  events: readonly EventNote[]
}>

/** The event of a metric or a run that is over. */
export const completionEvent = (prefix: string, phase: string, message: string): EventNote => ({
  type: phase === 'Failed' || phase === 'Error' ? 'Warning' : 'Normal',
  reason: `${prefix}${phase}`,
  message,
})

const COUNTER = { Successful: 'successful', Failed: 'failed', Error: 'error', Inconclusive: 'inconclusive' } as const

type Tally = { count: number; successful: number; failed: number; inconclusive: number; error: number }

const newTally = (): Tally => ({ count: 0, successful: 0, failed: 0, inconclusive: 0, error: 0 })

/** A summary without its zeros, as the API stores it. */
const shown = (tally: Tally): RunSummary =>
  Object.fromEntries(Object.entries(tally).filter(([, value]) => value > 0)) as RunSummary

/** The phase of a run from the results of its metrics. `dryRun`: names of the metrics that do not count. */
export function judgeRun(run: AnalysisRun, metrics: readonly Metric[], dryRun: ReadonlySet<string>): Verdict {
  const terminating = isTerminating(run)
  const results = new Map((run.status?.metricResults ?? []).map(result => [result.name, result]))
  const [counted, dry] = [newTally(), newTally()]
  const events: EventNote[] = []
  let worst: Phase | undefined
  let message = run.spec.terminate ? 'Run Terminated' : ''
  let isOver = true

  for (const metric of metrics) {
    const isDry = dryRun.has(metric.name)
    const tally = isDry ? dry : counted
    tally.count++
    const old = results.get(metric.name)
    if (!old) {
      isOver &&= terminating
      continue
    }
    const phase = judgeMetric(metric, old, terminating)
    let result = old
    if (phase !== old.phase) {
      const said = lastMeasurement(old)
      result = { ...old, phase, ...(said ? { message: said.message ?? '' } : {}) }
      if (isCompleted(phase)) {
        events.push(completionEvent('Metric', phase, `Metric '${metric.name}' Completed. Result: ${phase}`))
      }
    }
    if (!isCompleted(phase)) isOver = false
    else {
      const breach = breachOf(metric, result)
      tally[COUNTER[(breach?.phase ?? 'Successful') as keyof typeof COUNTER]]++
      if (isDry) {
        worst ??= 'Successful'
        if (breach) result = { ...result, message: `Metric assessed ${phase} due to ${breach.reason}` }
      } else if (worst === undefined || isWorse(worst, phase)) {
        worst = phase
        if (breach) message = because(metric, phase, breach, result)
      }
    }
    results.set(metric.name, withoutEmptyMessage(result))
  }

  const summaries = { runSummary: shown(counted), dryRunSummary: shown(dry) }
  const metricResults = [...results.values()]
  const isEnd = terminating || isOver
  const phase = isEnd ? (worst ?? 'Successful') : 'Running'
  return { phase, message: isEnd ? message : '', metricResults, ...summaries, events }
}

function because(metric: Metric, phase: Phase, breach: Breach, result: MetricResult): string {
  const reason = `Metric "${metric.name}" assessed ${phase} due to ${breach.reason}`
  return result.message ? `${reason}: "Error Message: ${result.message}"` : reason
}

function withoutEmptyMessage(result: MetricResult): MetricResult {
  if (result.message !== '') return result
  const { message: _none, ...rest } = result
  return rest
}
