// What the proxy counts, per route, role and pod template hash: totals for Prometheus, windows for analysis.
import type { CompiledRoute, Dest } from './compile.ts'
import { bucketOf, type Histogram, newHistogram, quantile } from './histogram.ts'

/** Longest window that can be asked for, in seconds. */
export const LONGEST_WINDOW = 300
/** Series of versions that are gone are dropped after this. */
const FORGET_AFTER = 15 * 60_000

type Slot = { second: number; requests: number; errors: number; histogram: Histogram }

/** Counters of one version behind one route. Only `createStats` and its functions write them. */
export type Series = {
  readonly route: string
  readonly role: string
  readonly hash: string
  target: string
  /** Finished requests by status class: 1xx..5xx at 1..5; 0: the client left before an answer. */
  readonly classes: number[]
  /** 5xx answers, and requests to which the version gave no whole answer. */
  errors: number
  /** Of them, those without a whole answer from a pod (connect failed, cut off, too slow, no pod). */
  failures: number
  aborts: number
  retries: number
  mirrored: number
  inFlight: number
  tunnels: number
  seconds: number
  readonly histogram: Histogram
  readonly slots: Slot[]
  touched: number
}

/** One window's numbers; times in milliseconds; rates and quantiles are null where nothing was counted. */
export type Summary = Readonly<{
  requests: number
  errors: number
  requestsPerSecond: number
  errorRate: number | null
  p50: number | null
  p90: number | null
  p99: number | null
  inFlight: number
}>

export type Report = Readonly<{
  route: string | null
  windowSeconds: number
  total: Summary
  byRole: Readonly<Record<string, Summary>>
  byHash: Readonly<Record<string, Summary>>
}>

export type Stats = Readonly<{
  of(route: CompiledRoute, dest: Dest): Series
  begin(series: Series): void
  /** A request ended: `status` 0 when the client left first, after `ms` milliseconds; `failed` when no pod gave a
   * whole answer. `at`: the moment, in milliseconds since the process began, if it is known already. */
  end(series: Series, status: number, ms: number, failed: boolean, at?: number): void
  all(): readonly Series[]
  /** Sums over the last `seconds` (1..300, the current one included); `route` null: all routes. */
  report(route: string | null, seconds: number): Report
  /** Requests that a version finished in the last `seconds` (1..300, the current one included). */
  recent(series: Series, seconds: number): number
  /** Forgets series that are idle and not in use. */
  forget(used: readonly CompiledRoute[]): void
  /** Requests that matched no route, or were refused as malformed. */
  readonly strays: { unrouted: number; refused: number }
}>

/** Counters; `now` in milliseconds. */
export function createStats(now: () => number = Date.now): Stats {
  const series = new Map<string, Series>()
  const origin = performance.timeOrigin
  const keyOf = (route: string, role: string, hash: string) => `${route}\n${role}\n${hash}`
  const labelOf = (dest: Dest) => (dest.role === 'extra' ? dest.key : dest.role)

  function of(route: CompiledRoute, dest: Dest): Series {
    const key = keyOf(route.name, labelOf(dest), dest.hash)
    const known = series.get(key) ?? newSeries(route.name, labelOf(dest), dest.hash, now())
    known.target = dest.target
    series.set(key, known)
    return known
  }

  return {
    of,
    strays: { unrouted: 0, refused: 0 },
    begin(s) {
      s.inFlight++
    },
    end(s, status, ms, failed, at) {
      s.inFlight--
      const time = at === undefined ? now() : origin + at
      s.touched = time
      const group = Math.trunc(status / 100)
      s.classes[group] = (s.classes[group] ?? 0) + 1
      if (status === 0) {
        s.aborts++
        return
      }
      const isError = failed || group === 5
      if (isError) s.errors++
      if (failed) s.failures++
      const bucket = bucketOf(ms)
      s.histogram[bucket]!++
      s.seconds += ms / 1000
      const slot = slotAt(s, Math.floor(time / 1000))
      slot.requests++
      if (isError) slot.errors++
      slot.histogram[bucket]!++
    },
    all: () => [...series.values()],
    report(route, asked) {
      const seconds = Math.min(Math.max(1, Math.ceil(asked)), LONGEST_WINDOW)
      const time = now()
      const chosen = [...series.values()].filter(s => route === null || s.route === route)
      const sum = (of: readonly Series[]) => summary(of, time, seconds)
      const by = (label: (s: Series) => string) =>
        Object.fromEntries(
          [...Map.groupBy(chosen, label)].filter(([key]) => key !== '').map(([key, group]) => [key, sum(group)]),
        )
      return { route, windowSeconds: seconds, total: sum(chosen), byRole: by(s => s.role), byHash: by(s => s.hash) }
    },
    recent(s, seconds) {
      const last = Math.floor(now() / 1000)
      let requests = 0
      for (const slot of s.slots) if (slot && slot.second > last - seconds) requests += slot.requests
      return requests
    },
    forget(used) {
      const live = new Set(used.flatMap(r => r.dests.map(d => keyOf(r.name, labelOf(d), d.hash))))
      for (const [key, s] of series)
        if (!live.has(key) && s.inFlight === 0 && s.tunnels === 0 && now() - s.touched > FORGET_AFTER)
          series.delete(key)
    },
  }
}

const newSeries = (route: string, role: string, hash: string, touched: number): Series => ({
  route,
  role,
  hash,
  target: '',
  classes: [0, 0, 0, 0, 0, 0],
  errors: 0,
  failures: 0,
  aborts: 0,
  retries: 0,
  mirrored: 0,
  inFlight: 0,
  tunnels: 0,
  seconds: 0,
  histogram: newHistogram(),
  slots: [],
  touched,
})

/** The slot of a second; slots are reused round and round. */
function slotAt(s: Series, second: number): Slot {
  const at = second % LONGEST_WINDOW
  const slot = s.slots[at]
  if (!slot) {
    const fresh = { second, requests: 0, errors: 0, histogram: newHistogram() }
    s.slots[at] = fresh
    return fresh
  }
  if (slot.second !== second) {
    slot.second = second
    slot.requests = 0
    slot.errors = 0
    slot.histogram.fill(0)
  }
  return slot
}

function summary(group: readonly Series[], time: number, seconds: number): Summary {
  const last = Math.floor(time / 1000)
  const merged = newHistogram()
  let requests = 0
  let errors = 0
  let inFlight = 0
  for (const s of group) {
    inFlight += s.inFlight
    for (let second = last - seconds + 1; second <= last; second++) {
      const slot = s.slots[second % LONGEST_WINDOW]
      if (slot?.second !== second || slot.requests === 0) continue
      requests += slot.requests
      errors += slot.errors
      for (let i = 0; i < merged.length; i++) merged[i]! += slot.histogram[i]!
    }
  }
  // The current second has only begun.
  const elapsed = seconds - 1 + Math.max(0.001, time / 1000 - last)
  return {
    requests,
    errors,
    requestsPerSecond: requests / elapsed,
    errorRate: requests === 0 ? null : errors / requests,
    p50: quantile(merged, 0.5),
    p90: quantile(merged, 0.9),
    p99: quantile(merged, 0.99),
    inFlight,
  }
}
