// A further attempt at a request: on which endpoints, and whether the route's budget allows it. Shared by both protocols.
import { pickVersion } from './choose.ts'
import type { CompiledRoute, Dest } from './compile.ts'
import type { Core } from './core.ts'
import type { Endpoint } from './endpoints.ts'
import { BUDGET_SECONDS, type Rescue, spend } from './retry.ts'
import type { Series } from './stats.ts'

/** A version of a route, and who counts it. */
export type Choice = Readonly<{ route: CompiledRoute; dest: Dest; series: Series }>

/** The endpoints that the version has by now; the table may have moved on since the choice. */
export function endpointsNow(core: Core, route: CompiledRoute, dest: Dest): readonly Endpoint[] {
  const now = routeNow(core, route)
  return (now && sameIn(now, dest))?.endpoints ?? dest.endpoints
}

/** The route of that name in the table that is in force. */
const routeNow = (core: Core, { name }: CompiledRoute): CompiledRoute | undefined =>
  core.snapshot().routes.find(route => route.name === name)

const sameIn = (route: CompiledRoute, { key }: Dest): Dest | undefined => route.dests.find(dest => dest.key === key)

/** The version for a request that waited for its body since it was given to `dest`, where the table has taken all weight
 * from that one meanwhile, as after an abort; it is counted for that version then. Undefined: the choice stands. */
export function chooseAgain(core: Core, route: CompiledRoute, dest: Dest): Choice | undefined {
  const now = routeNow(core, route)
  // What has no weight to lose was chosen by a rule.
  if (now === undefined || now === route || dest.weight === 0) return undefined
  if ((sameIn(now, dest)?.weight ?? 0) > 0) return undefined
  const other = pickVersion(now)
  other.series ??= core.stats.of(now, other)
  core.stats.move(dest.series!, other.series)
  return { route: now, dest: other, series: other.series }
}

/** May a safe request that a pod may have seen go to another one? Takes it from the budget if so. `done`: how often it did
 * already. */
export function mayGoOn(
  core: Core,
  route: CompiledRoute,
  endpoints: readonly Endpoint[],
  tried: ReadonlySet<string>,
  done: number,
): boolean {
  const { attempts, budget, budgetPercent } = route.retry
  if (done >= attempts || endpoints.every(e => tried.has(e.key))) return false
  let requests = 0
  for (const dest of route.dests) if (dest.series) requests += core.stats.recent(dest.series, BUDGET_SECONDS)
  return spend(budget, budgetPercent, requests, performance.now())
}

/** Where a request goes that the canary failed; undefined: nowhere. */
export const rescueFor = (route: CompiledRoute, dest: Dest): Rescue | undefined =>
  dest.role === 'canary' ? route.rescue : undefined
