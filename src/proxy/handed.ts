// What a proxy that is being replaced has counted, for the one that follows it: requests that it still has, so that pods stay
// for them, and totals, so that they go on. Differences are added as they come: the successor's counts are those of both.
import type { SeriesName } from './series.ts'
import { keyOf, type Series, type Stats } from './stats.ts'

/** One line on the way. `series` holds those that changed; `applied` is the generation of each part that is in force there. */
export type Handed = Readonly<{
  applied: Readonly<Record<string, number>>
  series: readonly (SeriesName & Counts)[]
}>

/** `inFlight` and `tunnels` are of now, `counts` are sums. */
type Counts = Readonly<{ inFlight: number; tunnels: number; counts: readonly number[] }>

/** Tells what has changed since the last time; undefined: nothing. */
export function createTeller(stats: Pick<Stats, 'all'>, applied: () => Handed['applied']): () => Handed | undefined {
  const told = new Map<string, string>()
  let before: string | undefined
  return () => {
    const series = stats.all().flatMap(one => {
      const { route, role, hash, inFlight, tunnels } = one
      const counts = [...one.counts()]
      const text = [inFlight, tunnels, ...counts].join(' ')
      const key = keyOf(route, role, hash)
      if (told.get(key) === text) return []
      told.set(key, text)
      return [{ route, role, hash, inFlight, tunnels, counts }]
    })
    const now = applied()
    const isSame = JSON.stringify(now) === before
    before = JSON.stringify(now)
    return series.length === 0 && isSame ? undefined : { applied: now, series }
  }
}

export type Heir = Readonly<{
  take(handed: Handed): void
  /** The other process is gone, and with it what it still had. */
  end(): void
}>

/** Adds what is told to the counts of `stats`. */
export function createHeir(stats: Pick<Stats, 'inherit'>): Heir {
  const last = new Map<string, Readonly<{ series: Series; told: Counts }>>()
  return {
    take(handed) {
      for (const told of handed.series) {
        const key = keyOf(told.route, told.role, told.hash)
        // Asked for each time: one that was idle may have been forgotten meanwhile.
        const series = stats.inherit(told)
        const before = last.get(key)?.told
        series.inFlight += told.inFlight - (before?.inFlight ?? 0)
        series.tunnels += told.tunnels - (before?.tunnels ?? 0)
        // A version that counts other things has other numbers: its sums are lost, what it still has is not.
        if (told.counts.length === [...series.counts()].length)
          series.addCounts(told.counts.map((count, i) => count - (before?.counts[i] ?? 0)))
        last.set(key, { series, told })
      }
    },
    end() {
      for (const { series, told } of last.values()) {
        series.inFlight -= told.inFlight
        series.tunnels -= told.tunnels
      }
      last.clear()
    },
  }
}

/** Generations that two processes both have in force; parts that one of them does not know are left out. */
export const lowest = (own: Handed['applied'], other: Handed['applied']): Handed['applied'] =>
  Object.fromEntries(
    Object.entries(own).flatMap(([part, generation]) => {
      const there = other[part]
      return there === undefined ? [] : [[part, Math.min(generation, there)]]
    }),
  )
