// Which version gets a request: the way it came in, then headers and cookies, then the weights.
import type { IncomingHttpHeaders } from 'node:http'
import type { CompiledRoute, Dest, Entry, Snapshot } from './compile.ts'
import { pathOf, stripPrefix } from './match.ts'
import { pick } from './pick.ts'

/** A request's destination; `target` is the request target that the pod sees. */
export type Choice = Readonly<{ route: CompiledRoute; dest: Dest; target: string }>

/** Chooses. Undefined: no route for this host and path. Only a choice by weight moves the route's sequence. */
export function choose(
  snapshot: Snapshot,
  port: number,
  host: string,
  target: string,
  headers: IncomingHttpHeaders,
): Choice | undefined {
  const entry = snapshot.find(port, host, pathOf(target))
  if (!entry) return undefined
  const { route } = entry
  const dest = spill(route, destOf(entry, headers))
  return { route, dest, target: entry.strip ? stripPrefix(target, entry.prefix) : target }
}

function destOf({ route, toPreview }: Entry, headers: IncomingHttpHeaders): Dest {
  const forced = toPreview ? 'preview' : route.forced(headers)
  if (forced === 'other') {
    const other = route.dests.find(d => d.role === 'stable') ?? route.dests.find(d => d.role !== 'canary')
    if (other) return other
  } else if (forced) {
    const named = route.dests.find(d => d.role === forced)
    if (named) return named
  }
  return route.dests[pick(route.lags, route.dests, route.total)]!
}

/** A version without pods: with spill its share goes to stable, as ingress-nginx does; else it answers 503. */
function spill(route: CompiledRoute, dest: Dest): Dest {
  if (!route.spill || dest.endpoints.length > 0 || dest.role !== 'canary') return dest
  return route.dests.find(d => d.role === 'stable') ?? dest
}
