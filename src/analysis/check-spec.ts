// What is wrong with the metrics of a run, in the words of the reference.
import type { AnalysisRunSpec, Metric } from '../api/analysis.ts'
import { metricDuration } from '../api/duration.ts'
import { compileRegExp } from './expr/go-regexp.ts'
import { limitOf } from './phases.ts'

type Rule = Readonly<{ metricName: string }>

/** The first fault of a metric, in the reference's order. */
function metricFault(metric: Metric, index: number): string | undefined {
  const { interval, initialDelay } = metric
  const at = (fault: string | undefined) => (fault === undefined ? undefined : `metrics[${index}]: ${fault}`)
  return (
    at(limitFault(metric) ?? countFault(metric)) ??
    metricDuration(index, 'interval', interval).error ??
    metricDuration(index, 'initialDelay', initialDelay).error ??
    at(providerFault(metric))
  )
}

function limitFault(metric: Metric): string | undefined {
  const failures = limitOf(metric.failureLimit, 0)
  const successes = limitOf(metric.consecutiveSuccessLimit, 0)
  if (successes < 0) return 'consecutiveSuccessLimit must be >= 0'
  if (failures < -1) return 'failureLimit must be >= 0, or -1 to be disabled'
  if (successes === 0 && failures === -1) return 'failureLimit and consecutiveSuccessLimit cannot both be disabled'
  if (limitOf(metric.inconclusiveLimit, 0) < 0) return 'inconclusiveLimit must be >= 0'
  return limitOf(metric.consecutiveErrorLimit, 0) < 0 ? 'consecutiveErrorLimit must be >= 0' : undefined
}

function countFault(metric: Metric): string | undefined {
  const failures = limitOf(metric.failureLimit, 0)
  const successes = limitOf(metric.consecutiveSuccessLimit, 0)
  const count = limitOf(metric.count, 0)
  if (count > 0 && failures >= 0 && count < failures + successes) {
    return `count (${count}) must be >= failureLimit + consecutiveSuccessLimit (${failures} + ${successes}) if both >= 0`
  }
  if (count > 0 && failures < 0 && count < successes) return 'count must be >= consecutiveSuccessLimit'
  if (count > 0 && count < limitOf(metric.inconclusiveLimit, 0)) return 'count must be >= inconclusiveLimit'
  return count > 1 && !metric.interval ? 'interval must be specified when count > 1' : undefined
}

/** A plugin is a provider for each of its entries. */
function providerFault({ provider }: Metric): string | undefined {
  const { plugin, ...others } = provider as Readonly<Record<string, unknown>>
  const named = Object.values(others).filter(config => config !== undefined && config !== null)
  const count = named.length + Object.keys(plugin ?? {}).length
  if (count === 0) return 'no provider specified'
  return count > 1 ? 'multiple providers specified' : undefined
}

/** Whether a rule's pattern is found in a name; an invalid pattern is found in none. */
export function isNamed(pattern: string, name: string): boolean {
  try {
    return compileRegExp(pattern).test(name)
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
    if (names.has(metric.name)) return `metrics[${index}]: duplicate name '${metric.name}'`
    names.add(metric.name)
    const fault = metricFault(metric, index)
    if (fault !== undefined) return fault
  }
  return rulesProblem({ metrics, dryRun, measurementRetention })
}
