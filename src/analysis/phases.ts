// The phases of runs, metrics and measurements, and what the limits of a metric amount to.
import type { AnalysisRun, Measurement, Metric, MetricResult } from '../api/analysis.ts'
import { parseGoDuration } from '../api/duration.ts'
import type { Millis } from '../contract.ts'

export type Phase = 'Pending' | 'Running' | 'Successful' | 'Failed' | 'Error' | 'Inconclusive'

/** From best to worst. */
const ORDER = ['Successful', 'Running', 'Pending', 'Inconclusive', 'Error', 'Failed']
const COMPLETED = ['Successful', 'Failed', 'Error', 'Inconclusive']

/** After an Error measurement, and where a metric has no interval. */
export const RETRY: Millis = 10_000

/** Whether a phase is final. */
export const isCompleted = (phase: string | undefined): boolean => COMPLETED.includes(phase ?? '')

/** Whether `other` is worse than `phase`. */
export const isWorse = (phase: string, other: string): boolean => ORDER.indexOf(other) > ORDER.indexOf(phase)

const LARGEST = 2n ** 63n - 1n

/** An int-or-string as a whole number of 64 bits. argo: text that is no decimal integer is 0, one that is too large the
 * largest of them. */
function wholeOf(value: number | string): bigint {
  if (typeof value === 'number') return BigInt(Math.trunc(value))
  if (!/^[+-]?\d+$/.test(value)) return 0n
  const whole = BigInt(value.replace(/^\+/, ''))
  return whole > LARGEST ? LARGEST : whole < -LARGEST ? -LARGEST - 1n : whole
}

/** An int-or-string limit as a number; `otherwise` when it is not set. */
export const limitOf = (value: number | string | null | undefined, otherwise: number): number =>
  value === undefined || value === null ? otherwise : Number(wholeOf(value))

/** A limit that is held against a counter. argo: its lowest 32 bits. */
export const limit32 = (value: number | string | null | undefined, otherwise: number): number =>
  value === undefined || value === null ? otherwise : Number(BigInt.asIntN(32, wholeOf(value)))

/** How many measurements a metric takes, undefined: it has no end. */
export function effectiveCount(metric: Metric): number | undefined {
  if (limitOf(metric.count, 0) !== 0) return limit32(metric.count, 0)
  return metric.interval ? undefined : 1
}

/** Milliseconds of a duration text, undefined when it is absent or cannot be read. */
export const durationOf = (text: string | undefined): Millis | undefined =>
  text === undefined || text === '' ? undefined : parseGoDuration(text).ms

/** The recorded result of a metric. */
export const resultOf = (run: AnalysisRun, metric: string): MetricResult | undefined =>
  run.status?.metricResults?.find(result => result.name === metric)

/** The newest measurement of a metric. */
export const lastMeasurement = (result: MetricResult | undefined): Measurement | undefined =>
  result?.measurements?.at(-1)

/** Whether a run is to end: by request, or since a metric that counts is over and not good. */
export const isTerminating = (run: AnalysisRun): boolean =>
  run.spec.terminate === true ||
  (run.status?.metricResults ?? []).some(
    ({ phase, dryRun }) => dryRun !== true && ['Failed', 'Error', 'Inconclusive'].includes(phase),
  )

/** An instant as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
export const timestamp = (at: Millis): string => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
