// Connections to endpoints: one pool each, the connection used last taken first; closed when no table names the endpoint.
import type { Dial } from '../dial.ts'
import type { Endpoint } from '../endpoints.ts'
import { AnswerMemo } from './answer-memo.ts'
import type { Seat } from './lane.ts'
import { Lanes } from './lanes.ts'
import type { Home } from './own-lines.ts'
import { LOCAL_HEADER } from './proxy-header.ts'
import { type Asker, Upstream } from './upstream.ts'

/** Idle connections are dropped before the five seconds after which Node servers, the most hasty ones, drop them. */
const IDLE_MS = 4000
/** A pod that says how long it keeps idle connections is left this much earlier. */
const MARGIN_MS = 1000
/** After a failure other endpoints come first for so long, doubled with each further one. */
const AVOID_MS = 1000
const LONGEST_AVOID_MS = 60_000
/** A new endpoint beside old ones gets its full share only after this: its caches are cold. */
const SLOW_START_MS = 5000
const MOST_IDLE = 1024
/** What is learnt of a pod's patience is forgotten slowly: doubled within some nine seconds of sweeps. */
const FORGETTING = 1.02
/** A pod that closes connections so early may do so at any moment. */
const ERRATIC_MS = 50
/** What is idle for less is not worth a new connection for the next request, which may be sent again. */
const LEAST_IDLE_MS = 250

/** An endpoint's connections and load. */
export class Pool implements Home {
  readonly endpoint: Endpoint
  readonly host: string
  readonly port: number
  /** Of connections that speak for no client, such as those of copies. */
  readonly header: Buffer | undefined
  readonly idle: Upstream[] = []
  inFlight = 0
  /** Failures since the last whole answer: refused or lost connections, attempts that took too long. */
  failures = 0
  /** Milliseconds since the process began until which other endpoints are preferred, after a failure. */
  private avoidUntil = 0
  /** When it came; 0: it has its full share. */
  private youngSince: number
  /** The shortest time, in milliseconds, after which the pod was seen to close an idle connection. */
  private patience = Number.POSITIVE_INFINITY
  /** The part of a request that a young one is owed. */
  private owed = 0
  /** The HTTP/2 session of a pod that speaks h2c (h2/to-h2c.ts). */
  session: { close(): void } | undefined
  readonly answers = new AnswerMemo()
  /** Connections that requests share, where the version asks for it. */
  private lanes: Lanes | undefined
  isRetired = false

  constructor(endpoint: Endpoint, at: { host: string; port: number }, now: number) {
    this.youngSince = Math.max(1, now)
    this.endpoint = endpoint
    this.header = endpoint.proxyProtocol === undefined ? undefined : LOCAL_HEADER
    this.host = at.host
    this.port = at.port
  }

  /** An idle connection, or a new one that is still to be made. `fresh`: never a used one. A request that may not be sent
   * twice gets one that the pod will not close at this very moment, as far as is known. */
  take(fresh: boolean, mayRepeat: boolean): Upstream {
    const isUsable = !fresh && (mayRepeat || this.isSettled())
    return (isUsable ? this.idle.pop() : undefined) ?? new Upstream(this)
  }

  /** Will the connection that is next stay open, by what is known of the pod? */
  private isSettled(): boolean {
    const next = this.idle.at(-1)
    const { patience } = this
    return next !== undefined && patience > ERRATIC_MS && performance.now() - next.idleSince < patience / 2
  }

  /** The pod closed a connection that had been idle for so many milliseconds, without having said so before. */
  closedIdle(ms: number): void {
    this.patience = Math.min(this.patience, Math.max(1, ms))
  }

  /** A place on a connection that is shared; undefined: the request should have its own. `now` in milliseconds. */
  seat(asker: Asker, now: number): Seat | undefined {
    this.lanes ??= new Lanes(this)
    return this.lanes.seat(asker, now)
  }

  /** Until when a connection may be idle, that is idle now. */
  expiryOf({ idleSeconds }: Upstream, now: number): number {
    const said = idleSeconds * 1000
    const most = Math.min(IDLE_MS, Math.max(LEAST_IDLE_MS, 0.7 * this.patience))
    return now + (said > 0 ? Math.max(0, Math.min(most, said - MARGIN_MS)) : most)
  }

  /** Takes back a connection that can serve again. */
  giveBack(upstream: Upstream, now: number): void {
    if (this.isRetired || this.idle.length >= MOST_IDLE) {
      upstream.drop()
      return
    }
    upstream.expires = this.expiryOf(upstream, now)
    upstream.idleSince = now
    this.idle.push(upstream)
  }

  /** A connection ended while idle. */
  forget(upstream: Upstream): void {
    const at = this.idle.indexOf(upstream)
    if (at >= 0) this.idle.splice(at, 1)
  }

  /** Drops connections that were idle too long. */
  sweep(now: number): void {
    this.patience *= FORGETTING
    for (const upstream of this.idle.filter(u => u.expires <= now)) upstream.drop()
    this.lanes?.sweep(now)
  }

  /** After a failure other endpoints come first, the longer the more there were in a row. */
  avoid(now: number): void {
    this.avoidUntil = now + Math.min(LONGEST_AVOID_MS, AVOID_MS * 2 ** Math.min(16, this.failures))
    this.failures++
  }

  /** Is it anything but an endpoint like all others? */
  get isSpecial(): boolean {
    return this.youngSince !== 0 || this.failures !== 0
  }

  /** Should another one get the request? One that failed gets one at a time until it has answered again. */
  isAvoided(now: number): boolean {
    return this.failures !== 0 && (now < this.avoidUntil || this.inFlight > 0)
  }

  /** Is it too young for this request? It is owed more of them the older it gets. */
  isTooYoung(now: number): boolean {
    if (this.youngSince === 0) return false
    const age = (now - this.youngSince) / SLOW_START_MS
    if (age >= 1) {
      this.youngSince = 0
      return false
    }
    this.owed += Math.max(0.1, age)
    if (this.owed < 1) return true
    this.owed -= 1
    return false
  }

  /** Idle connections end now, busy ones after their answer. */
  retire(): void {
    this.isRetired = true
    for (const upstream of [...this.idle]) upstream.drop()
    this.lanes?.retire()
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

/** Which of two endpoints gets a request for another reason than its load; undefined: neither. */
function better(first: Pool, second: Pool, now: number): Pool | undefined {
  const [one, other] = [first.isAvoided(now), second.isAvoided(now)]
  if (one !== other) return one ? second : first
  const isYoung = first.isTooYoung(now)
  if (isYoung === second.isTooYoung(now)) return undefined
  return isYoung ? second : first
}

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
    const pool = new Pool(endpoint, dial(endpoint.host, endpoint.port), now())
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
      if (first.isSpecial || second.isSpecial) {
        const special = better(first, second, now())
        if (special) return special
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
