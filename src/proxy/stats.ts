// What the proxy counts, per route, role and pod template hash: totals for Prometheus, windows for analysis.
import type { CompiledRoute, Dest } from './compile.ts'
import { BUCKETS, bucketOf, newHistogram, pairsOf, quantile } from './histogram.ts'
import { LONGEST_WINDOW, Series, type SeriesName, SLOT, SLOT_SIZE } from './series.ts'
import { countStrays, type Strays } from './strays.ts'

export { LONGEST_WINDOW, Series } from './series.ts'

/** Series of versions that are gone are dropped after this. */
const FORGET_AFTER = 15 * 60_000
/** Seconds; a rate over less says nothing. */
const LEAST_OBSERVED = 1

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
  /** Where asked for: how many requests took how long, as pairs of milliseconds (the middle of a bucket) and number,
   * ascending; several proxies' are put together by adding numbers. */
  latency?: readonly (readonly [ms: number, count: number])[]
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
  /** A series to which another process's counts are added. */
  inherit(name: SeriesName): Series
  begin(series: Series): void
  /** A request under way goes to another version than the one that it was counted for. */
  move(from: Series, to: Series): void
  /** A request ended: `status` 0 when the client left first, after `ms` milliseconds; `failed` when no pod gave a
   * whole answer. `at`: the moment, in milliseconds since the process began, if it is known already. */
  end(series: Series, status: number, ms: number, failed: boolean, at?: number): void
  all(): readonly Series[]
  /** Sums over the last `seconds` (1..300, the current one included); `route` null: all routes. */
  report(route: string | null, seconds: number, isWhole?: boolean): Report
  /** Requests that a version finished in the last `seconds` (1..300, the current one included). */
  recent(series: Series, seconds: number): number
  /** A table came into force: its versions are observed from now on, and series that are idle and not in it are forgotten. */
  keep(used: readonly CompiledRoute[]): void
  /** What no version got. */
  readonly strays: Strays
}>

export const keyOf = (route: string, role: string, hash: string): string => `${route}\n${role}\n${hash}`
const labelOf = (dest: Dest): string => (dest.role === 'extra' ? dest.key : dest.role)

/** Under which name a version behind a route is counted. */
export const nameOf = (route: CompiledRoute, dest: Dest) => ({
  route: route.name,
  role: labelOf(dest),
  hash: dest.hash,
})

/** Counters; `now` in milliseconds. `onNew` hears of each series that is begun, `strays` may be shared. */
export function createStats(
  now: () => number = Date.now,
  onNew: (series: Series) => void = () => {},
  strays: Strays = countStrays(),
): Stats {
  const series = new Map<string, Series>()
  const origin = performance.timeOrigin
  /** Since when each version in use is observed. */
  const observed = new Map<string, number>()

  const of = (route: CompiledRoute, dest: Dest): Series => named(nameOf(route, dest), dest.target)

  function named(name: SeriesName, target: string): Series {
    const key = keyOf(name.route, name.role, name.hash)
    const known = series.get(key)
    if (known) {
      if (target !== '') known.target = target
      return known
    }
    const fresh = new Series(name)
    fresh.target = target
    fresh.touched = now()
    fresh.began = observed.get(key) ?? now()
    series.set(key, fresh)
    onNew(fresh)
    return fresh
  }

  return {
    of,
    strays,
    inherit(name) {
      const heir = named(name, '')
      heir.touched = now()
      return heir
    },
    begin(s) {
      s.inFlight++
    },
    move(from, to) {
      from.inFlight--
      to.inFlight++
    },
    end(s, status, ms, failed, at) {
      s.inFlight--
      const time = at === undefined ? now() : origin + at
      s.touched = time
      const group = Math.trunc(status / 100)
      s.classes[group]!++
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
      s.slots[slot + SLOT.requests]!++
      if (isError) s.slots[slot + SLOT.errors]!++
      s.slots[slot + SLOT.histogram + bucket]!++
    },
    all: () => [...series.values()],
    report: (route, seconds, isWhole) => reportOf([...series.values()], route, seconds, now(), isWhole),
    recent: (s, seconds) => recentOf([s], seconds, now()),
    keep(used) {
      const live = new Set(
        used.flatMap(route =>
          route.dests.map(dest => {
            const { route: name, role, hash } = nameOf(route, dest)
            return keyOf(name, role, hash)
          }),
        ),
      )
      for (const [key, s] of series)
        if (!live.has(key) && s.inFlight === 0 && s.tunnels === 0 && now() - s.touched > FORGET_AFTER)
          series.delete(key)
      for (const key of live) if (!observed.has(key)) observed.set(key, now())
      for (const key of observed.keys()) if (!live.has(key) && !series.has(key)) observed.delete(key)
    },
  }
}

/** Sums over the last `asked` seconds (1..300, the current one included); `route` null: all routes. `isWhole`: with the
 * latencies, not only their percentiles. */
export function reportOf(
  all: readonly Series[],
  route: string | null,
  asked: number,
  time: number,
  isWhole = false,
): Report {
  const seconds = Math.min(Math.max(1, Math.ceil(asked)), LONGEST_WINDOW)
  const chosen = all.filter(s => route === null || s.route === route)
  const sum = (of: readonly Series[]) => summary(of, time, seconds, isWhole)
  const by = (label: (s: Series) => string) =>
    Object.fromEntries(
      [...Map.groupBy(chosen, label)].filter(([key]) => key !== '').map(([key, group]) => [key, sum(group)]),
    )
  return { route, windowSeconds: seconds, total: sum(chosen), byRole: by(s => s.role), byHash: by(s => s.hash) }
}

/** Requests that ended in the last `seconds`. */
export function recentOf(all: readonly Series[], seconds: number, time: number): number {
  const last = Math.floor(time / 1000)
  let requests = 0
  for (const { slots } of all)
    for (let at = 0; at < slots.length; at += SLOT_SIZE)
      if (slots[at + SLOT.second]! > last - seconds) requests += slots[at + SLOT.requests]!
  return requests
}

/** Requests and errors that ended since a moment, in milliseconds since the epoch. */
export function talliedSince({ slots }: Series, since: number): Readonly<{ requests: number; errors: number }> {
  const first = Math.floor(since / 1000)
  let requests = 0
  let errors = 0
  for (let at = 0; at < slots.length; at += SLOT_SIZE) {
    if (slots[at + SLOT.second]! < first) continue
    requests += slots[at + SLOT.requests]!
    errors += slots[at + SLOT.errors]!
  }
  return { requests, errors }
}

/** Where the slot of a second begins; slots are used round and round. */
function slotAt({ slots }: Series, second: number): number {
  const at = (second % LONGEST_WINDOW) * SLOT_SIZE
  if (slots[at + SLOT.second] !== second) {
    slots.fill(0, at, at + SLOT_SIZE)
    slots[at + SLOT.second] = second
  }
  return at
}

function summary(group: readonly Series[], time: number, seconds: number, isWhole: boolean): Summary {
  const last = Math.floor(time / 1000)
  const merged = newHistogram()
  let requests = 0
  let errors = 0
  let inFlight = 0
  for (const s of group) {
    inFlight += s.inFlight
    for (let second = last - seconds + 1; second <= last; second++) {
      const at = (second % LONGEST_WINDOW) * SLOT_SIZE
      if (s.slots[at + SLOT.second] !== second || s.slots[at + SLOT.requests] === 0) continue
      requests += s.slots[at + SLOT.requests]!
      errors += s.slots[at + SLOT.errors]!
      for (let i = 0; i < BUCKETS; i++) merged[i]! += s.slots[at + SLOT.histogram + i]!
    }
  }
  // The current second has only begun, and nobody looked before the first of them was there.
  const inWindow = seconds - 1 + Math.max(0.001, time / 1000 - last)
  const began = group.reduce((first, s) => Math.min(first, s.began), time)
  const elapsed = Math.min(inWindow, Math.max(LEAST_OBSERVED, (time - began) / 1000))
  return {
    requests,
    errors,
    requestsPerSecond: requests / elapsed,
    errorRate: requests === 0 ? null : errors / requests,
    p50: quantile(merged, 0.5),
    p90: quantile(merged, 0.9),
    p99: quantile(merged, 0.99),
    inFlight,
    ...(isWhole ? { latency: pairsOf(merged) } : {}),
  }
}
