// Connections to endpoints: one pool each, the connection used last taken first; closed when no table names the endpoint.
import type { Dial } from '../dial.ts'
import type { Endpoint } from '../endpoints.ts'
import { Upstream } from './upstream.ts'

/** Idle connections are dropped before the five seconds after which Node servers, the most hasty ones, drop them. */
const IDLE_MS = 4000
/** A pod that says how long it keeps idle connections is left this much earlier. */
const MARGIN_MS = 1000
const AVOID_MS = 1000
const MOST_IDLE = 256

/** An endpoint's connections and load. */
export class Pool {
  readonly endpoint: Endpoint
  readonly host: string
  readonly port: number
  readonly idle: Upstream[] = []
  inFlight = 0
  /** Milliseconds since the process began until which other endpoints are preferred, after a failed connect. */
  avoidUntil = 0
  /** The HTTP/2 session of a pod that speaks h2c (h2/to-h2c.ts). */
  session: { close(): void } | undefined
  isRetired = false

  constructor(endpoint: Endpoint, at: { host: string; port: number }) {
    this.endpoint = endpoint
    this.host = at.host
    this.port = at.port
  }

  /** An idle connection, or a new one that is still to be made. `fresh`: never a used one. */
  take(fresh: boolean): Upstream {
    return (fresh ? undefined : this.idle.pop()) ?? new Upstream(this)
  }

  /** Takes back a connection that can serve again. */
  giveBack(upstream: Upstream, now: number): void {
    if (this.isRetired || this.idle.length >= MOST_IDLE) {
      upstream.drop()
      return
    }
    const said = upstream.idleSeconds * 1000
    upstream.expires = now + (said > 0 ? Math.max(0, Math.min(IDLE_MS, said - MARGIN_MS)) : IDLE_MS)
    this.idle.push(upstream)
  }

  /** A connection ended while idle. */
  forget(upstream: Upstream): void {
    const at = this.idle.indexOf(upstream)
    if (at >= 0) this.idle.splice(at, 1)
  }

  /** Drops connections that were idle too long. */
  sweep(now: number): void {
    for (const upstream of this.idle.filter(u => u.expires <= now)) upstream.drop()
  }

  /** After a connect that failed, other endpoints come first for a second. */
  avoid(now: number): void {
    this.avoidUntil = now + AVOID_MS
  }

  /** Idle connections end now, busy ones after their answer. */
  retire(): void {
    this.isRetired = true
    for (const upstream of [...this.idle]) upstream.drop()
    this.session?.close()
  }
}

export type Pools = Readonly<{
  /** The pool to use among `endpoints`: the less busy of two, none of `tried`, failing ones last. */
  choose(endpoints: readonly Endpoint[], tried: ReadonlySet<string> | undefined): Pool | undefined
  /** Closes the pools of endpoints that are not named any more. */
  keepOnly(endpoints: ReadonlyMap<string, Endpoint>): void
  sweep(now: number): void
  close(): void
}>

/** Connection pools. `now` in milliseconds. */
export function createPools(dial: Dial, now: () => number = () => performance.now()): Pools {
  const pools = new Map<string, Pool>()
  let turn = 0

  function poolOf(endpoint: Endpoint): Pool {
    const noted = endpoint.pool as Pool | undefined
    if (noted && !noted.isRetired) return noted
    const known = pools.get(endpoint.key)
    if (known) {
      endpoint.pool = known
      return known
    }
    const pool = new Pool(endpoint, dial(endpoint.host, endpoint.port))
    pools.set(endpoint.key, pool)
    endpoint.pool = pool
    return pool
  }

  return {
    choose(endpoints, tried) {
      const left = tried === undefined ? endpoints : endpoints.filter(e => !tried.has(e.key))
      if (left.length === 0) return undefined
      if (left.length === 1) return poolOf(left[0]!)
      turn = (turn + 1) % 0x4000_0000
      const first = poolOf(left[turn % left.length]!)
      const second = poolOf(left[(turn + 1 + (turn % (left.length - 1))) % left.length]!)
      if (first.avoidUntil > 0 || second.avoidUntil > 0) {
        const time = now()
        if (first.avoidUntil > time !== second.avoidUntil > time) return first.avoidUntil > time ? second : first
      }
      return second.inFlight < first.inFlight ? second : first
    },
    keepOnly(endpoints) {
      for (const [key, pool] of pools) {
        if (endpoints.has(key)) continue
        pools.delete(key)
        pool.retire()
      }
    },
    sweep(time) {
      for (const pool of pools.values()) pool.sweep(time)
    },
    close() {
      for (const pool of pools.values()) pool.retire()
      pools.clear()
    },
  }
}
