// A local fuse: takes the weight from a canary that fails badly, at once and without asking anybody, also while the API
// server or the controller is away. It holds as long as that version is the canary and is meant to have weight.
import type { RouteTable } from './table.ts'

type Route = RouteTable['routes'][number]
export type FuseSpec = NonNullable<Route['fuse']>

/** What a version did in the window. */
export type Tally = Readonly<{ requests: number; errors: number }>

/** A fuse that blew: when (milliseconds since the epoch), and why. */
export type Blown = Readonly<{ route: string; since: number; why: string }>

/** Should it blow? Never when stable fails half as badly: then it is not the canary. The reason, or undefined. */
export function judgeFuse(spec: FuseSpec, canary: Tally, stable: Tally): string | undefined {
  if (canary.requests < spec.minRequests) return undefined
  const rate = canary.errors / canary.requests
  if (rate * 100 < spec.errorRatePercent) return undefined
  const usual = stable.requests === 0 ? 0 : stable.errors / stable.requests
  if (usual * 2 >= rate) return undefined
  const percent = (n: number) => `${Math.round(n * 1000) / 10} %`
  return (
    `${canary.errors} of ${canary.requests} requests to the canary failed within ${spec.windowSeconds} s (${percent(rate)}, ` +
    `stable ${percent(usual)})`
  )
}

/** The route without weight on its canary: stable gets it. Header rules still lead to the canary, so it can be looked at. */
export function withoutCanary(route: Route): Route {
  const canary = route.dests.find(d => d.role === 'canary')
  if (!canary) return route
  const dests = route.dests.map(dest => {
    if (dest.role === 'canary') return { ...dest, weight: 0 }
    return dest.role === 'stable' ? { ...dest, weight: dest.weight + canary.weight } : dest
  })
  return { ...route, dests }
}

export type Fuses = Readonly<{
  /** A table came: a fuse is whole again where the canary is another version or has no weight. `now` in milliseconds. */
  begin(table: RouteTable, now: number): void
  /** The table with the blown fuses applied. */
  applied(): RouteTable
  /** Looks at the counters; true when one more blew. `tally` counts what ended since a moment. */
  look(tally: (route: string, role: string, since: number) => Tally, now: number): boolean
  blown(): readonly Blown[]
}>

/** Fuses of one thread: each judges by what it has seen itself. */
export function createFuses(): Fuses {
  let table: RouteTable = { generation: 0, routes: [] }
  const known = new Map<string, { version: string; since: number; blown?: Blown }>()
  return {
    begin(next, now) {
      table = next
      const names = new Set(next.routes.map(r => r.name))
      for (const name of known.keys()) if (!names.has(name)) known.delete(name)
      for (const route of next.routes) {
        const canary = route.dests.find(d => d.role === 'canary')
        const version = canary && canary.weight > 0 ? JSON.stringify([canary.hash, canary.upstream]) : ''
        if (known.get(route.name)?.version !== version) known.set(route.name, { version, since: now })
      }
    },
    applied: () => ({
      ...table,
      routes: table.routes.map(route => (known.get(route.name)?.blown ? withoutCanary(route) : route)),
    }),
    look(tally, now) {
      let isNew = false
      for (const route of table.routes) {
        const memory = known.get(route.name)
        if (!route.fuse || !memory || memory.blown || memory.version === '') continue
        // What failed before this version had weight says nothing about it.
        const since = Math.max(memory.since, now - route.fuse.windowSeconds * 1000)
        const why = judgeFuse(route.fuse, tally(route.name, 'canary', since), tally(route.name, 'stable', since))
        if (why === undefined) continue
        memory.blown = { route: route.name, since: now, why }
        isNew = true
      }
      return isNew
    },
    blown: () => [...known.values()].flatMap(memory => memory.blown ?? []),
  }
}
