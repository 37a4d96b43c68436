// What one proxy says about itself: the generation it serves, from where, and how each version fares. JSON, stable names.
import type { Snapshot } from './compile.ts'
import type { Blown } from './fuse.ts'
import type { Fault } from './source.ts'
import { keyOf, type Stats } from './stats.ts'
import type { Strays } from './strays.ts'

export type DestStatus = Readonly<{
  role: string
  weight: number
  hash: string
  target: string
  endpoints: readonly string[]
  problem?: string
  inFlight: number
  tunnels: number
  requests: number
  /** Its part of the requests that the route's versions finished in the last minute, 0 to 1: where users stay on their
   * versions it need not be near the weight. Null when there were none. */
  share: number | null
  errors: number
  aborts: number
  retries: number
  /** Of the errors, those that users did not see: stable answered instead. */
  rescued: number
}>

/** Seconds that `share` looks back. */
const SHARE_SECONDS = 60

export type Status = Readonly<{
  ready: boolean
  draining: boolean
  /** Generation of the table in force. */
  generation: number
  /** In a cluster: generation of each ConfigMap in force, by namespace/name. */
  applied: Readonly<Record<string, number>>
  source: string
  /** In a cluster: the namespace whose ConfigMaps it follows, '' for all. */
  follows?: string
  /** Tables that could not be used; their last good ones are in force. */
  problems: readonly string[]
  /** In a cluster: those of the problems that whoever wrote a ConfigMap should hear of. */
  faults: readonly Fault[]
  /** Fuses that blew: routes whose canary lost its weight here, since when (ms since the epoch) and why. */
  fuses: readonly Blown[]
  uptimeSeconds: number
  unrouted: number
  refused: number
  /** Requests answered 503 as too many were in flight, and connections closed at once as there were too many. */
  shed: number
  turnedAway: number
  routes: readonly Readonly<{ name: string; total: number; dests: readonly DestStatus[] }>[]
  /** Versions that are in no route any more but were a while ago, or still have requests. */
  former: readonly Readonly<{
    route: string
    role: string
    hash: string
    inFlight: number
    tunnels: number
    requests: number
  }>[]
}>

/** The parts that do not come from table or counters. */
export type About = Omit<Status, 'generation' | keyof Strays | 'routes' | 'former'>

/** Puts the status together. */
export function statusOf(snapshot: Snapshot, stats: Stats, about: About): Status {
  const current = new Set<string>()
  const routes = snapshot.routes.map(route => {
    const serieses = route.dests.map(dest => stats.of(route, dest))
    const recent = serieses.map(series => stats.recent(series, SHARE_SECONDS))
    const recently = sum(recent)
    const dests = route.dests.map((dest, i) => {
      const series = serieses[i]!
      current.add(keyOf(series.route, series.role, series.hash))
      const { inFlight, tunnels, errors, aborts, retries, rescued } = series
      return {
        role: dest.role,
        weight: dest.weight,
        hash: dest.hash,
        target: dest.target,
        endpoints: dest.endpoints.map(e => e.key),
        ...(dest.problem === undefined ? {} : { problem: dest.problem }),
        inFlight,
        tunnels,
        requests: sum(series.classes),
        share: recently === 0 ? null : recent[i]! / recently,
        errors,
        aborts,
        retries,
        rescued,
      }
    })
    return { name: route.name, total: route.total, dests }
  })
  const former = stats
    .all()
    .filter(s => !current.has(keyOf(s.route, s.role, s.hash)))
    .map(({ route, role, hash, inFlight, tunnels, classes }) => ({
      route,
      role,
      hash,
      inFlight,
      tunnels,
      requests: sum(classes),
    }))
  const { unrouted, refused, shed, turnedAway } = stats.strays
  return { ...about, generation: snapshot.generation, unrouted, refused, shed, turnedAway, routes, former }
}

/** By index: an iterator would be most of what a status costs where there were many versions. */
function sum(numbers: ArrayLike<number>): number {
  let all = 0
  for (let i = 0; i < numbers.length; i++) all += numbers[i]!
  return all
}
