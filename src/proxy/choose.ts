// Which version gets a request: the way it came in, then what it says, then whom it comes from, then the weights.
import type { Asked } from './asked.ts'
import type { CompiledRoute, Dest, Entry, Snapshot } from './compile.ts'
import { pathOf } from './match.ts'
import { pick } from './pick.ts'

/** The way into a route that fits a request; undefined when there is none. */
export function findWay(snapshot: Snapshot, port: number, asked: Asked): Entry | undefined {
  return snapshot.sole ?? snapshot.find(port, asked.host(), pathOf(asked.target()))
}

/** The version for a request that came in this way. Only a choice by weight moves the route's sequence. */
export function choose(entry: Entry, asked: Asked): Dest {
  return spill(entry.route, destOf(entry, asked))
}

/** The version for a connection in TCP mode, which says nothing about itself. */
export const pickVersion = (route: CompiledRoute): Dest =>
  spill(route, route.dests[pick(route.lags, route.dests, route.total)]!)

function destOf({ route, toPreview }: Entry, asked: Asked): Dest {
  const forced = toPreview ? 'preview' : route.forced?.(asked)
  if (forced === 'other') {
    const other = route.dests.find(d => d.role === 'stable') ?? route.dests.find(d => d.role !== 'canary')
    if (other) return other
  } else if (forced) {
    const named = route.dests.find(d => d.role === forced)
    if (named) return named
  }
  const kept = route.session?.held(asked) ?? route.bucket?.(asked)
  if (kept !== undefined) return kept
  return route.dests[pick(route.lags, route.dests, route.total)]!
}

/** A version without pods: with spill its share goes to stable, as ingress-nginx does; else it answers 503. */
function spill(route: CompiledRoute, dest: Dest): Dest {
  if (!route.spill || dest.endpoints.length > 0 || dest.role !== 'canary') return dest
  return route.dests.find(d => d.role === 'stable') ?? dest
}
