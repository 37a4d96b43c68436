// What is wrong with the metrics of a run, in the words of the reference.
import type { AnalysisRunSpec, Metric } from '../api/analysis.ts'
import { metricDuration } from '../api/duration.ts'
import { limitOf } from './phases.ts'

type Rule = Readonly<{ metricName: string }>

function metricProblem(metric: Metric, index: number): string | undefined {
  const count = limitOf(metric.count, 0)
  const failureLimit = limitOf(metric.failureLimit, 0)
  const successLimit = limitOf(metric.consecutiveSuccessLimit, 0)
  const at = `metrics[${index}]: `
  if (count > 0 && count < failureLimit) return `${at}count must be >= failureLimit`
  if (count > 0 && count < limitOf(metric.inconclusiveLimit, 0)) return `${at}count must be >= inconclusiveLimit`
  if (count > 0 && count < successLimit) return `${at}count must be >= consecutiveSuccessLimit`
  if (count > 1 && !metric.interval) return `${at}interval must be specified when count > 1`
  const interval = metricDuration(index, 'interval', metric.interval)
  if (interval.error !== undefined) return interval.error
  const delay = metricDuration(index, 'initialDelay', metric.initialDelay)
  if (delay.error !== undefined) return delay.error
  if (failureLimit < 0 && successLimit === 0) {
    return `${at}failureLimit and consecutiveSuccessLimit cannot both be disabled`
  }
  if (limitOf(metric.inconclusiveLimit, 0) < 0) return `${at}inconclusiveLimit must be >= 0`
  if (limitOf(metric.consecutiveErrorLimit, 0) < 0) return `${at}consecutiveErrorLimit must be >= 0`
  if (successLimit < 0) return `${at}consecutiveSuccessLimit must be >= 0`
  const providers = Object.values(metric.provider).filter(config => config !== undefined && config !== null)
  if (providers.length === 0) return `${at}no provider specified`
  return providers.length > 1 ? `${at}multiple providers specified` : undefined
}

/** Whether a rule's pattern is found in a name; an invalid pattern is found in none. */
export function isNamed(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name)
  } catch {
    return false
  }
}

function ruleProblem(
  field: string,
  rules: readonly Rule[] | undefined,
  metrics: readonly Metric[],
): string | undefined {
  const index = (rules ?? []).findIndex(rule => !metrics.some(metric => isNamed(rule.metricName, metric.name)))
  return index < 0 ? undefined : `${field}[${index}]: Rule didn't match any metric name(s)`
}

/** The first rule that names no metric. */
export const rulesProblem = (spec: Pick<AnalysisRunSpec, 'metrics' | 'dryRun' | 'measurementRetention'>) =>
  ruleProblem('dryRun', spec.dryRun, spec.metrics) ??
  ruleProblem('measurementRetention', spec.measurementRetention, spec.metrics)

/** The first problem of a run's metrics and rules; undefined: none. */
export function specProblem({ metrics, dryRun, measurementRetention }: AnalysisRunSpec): string | undefined {
  if (metrics.length === 0) return 'no metrics specified'
  const names = new Set<string>()
  for (const [index, metric] of metrics.entries()) {
    // argo: the quote is not closed.
    if (names.has(metric.name)) return `metrics[${index}]: duplicate name '${metric.name}`
    names.add(metric.name)
    const problem = metricProblem(metric, index)
    if (problem !== undefined) return problem
  }
  return rulesProblem({ metrics, dryRun, measurementRetention })
}
