// What proxies count for a version in a window of time, and how several proxies' counts become one.
import * as z from 'zod'

/** As `/stats` of a proxy gives it. Rates and percentiles (milliseconds) are null where nothing was counted; `latency` are
 * pairs of milliseconds and number of requests, ascending. */
export const summary = z.looseObject({
  requests: z.number(),
  errors: z.number(),
  requestsPerSecond: z.number(),
  errorRate: z.number().nullable(),
  p50: z.number().nullable(),
  p90: z.number().nullable(),
  p99: z.number().nullable(),
  inFlight: z.number(),
  latency: z.array(z.tuple([z.number(), z.number()])).optional(),
})
export type Summary = z.infer<typeof summary>

/** Exact: percentiles come from the latencies of all, not from each one's percentiles. Of nobody: zeros. */
export function addSummaries(all: readonly Summary[]): Summary {
  const sum = (of: (one: Summary) => number) => all.reduce((total, one) => total + of(one), 0)
  const requests = sum(one => one.requests)
  const errors = sum(one => one.errors)
  const latency = addLatencies(all.map(one => one.latency ?? []))
  return {
    requests,
    errors,
    requestsPerSecond: sum(one => one.requestsPerSecond),
    errorRate: requests === 0 ? null : errors / requests,
    p50: quantile(latency, 0.5),
    p90: quantile(latency, 0.9),
    p99: quantile(latency, 0.99),
    inFlight: sum(one => one.inFlight),
  }
}

type Latency = readonly (readonly [ms: number, count: number])[]

function addLatencies(all: readonly Latency[]): Latency {
  const counts = new Map<number, number>()
  for (const [ms, count] of all.flat()) counts.set(ms, (counts.get(ms) ?? 0) + count)
  return [...counts].toSorted(([a], [b]) => a - b)
}

/** The quantile (0..1) in milliseconds; null when there is nothing. */
function quantile(latency: Latency, q: number): number | null {
  const all = latency.reduce((sum, [, count]) => sum + count, 0)
  let left = Math.max(1, Math.ceil(q * all))
  for (const [ms, count] of latency) {
    left -= count
    if (left <= 0) return ms
  }
  return null
}
