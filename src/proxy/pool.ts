// Connections to endpoints: one keep-alive pool each, closed when the table no longer names the endpoint.
import { Agent } from 'node:http'
import type { Dial } from './dial.ts'
import type { Endpoint } from './endpoints.ts'

/** An endpoint's connections and load. */
export type Pool = {
  readonly endpoint: Endpoint
  readonly host: string
  readonly port: number
  readonly agent: Agent
  inFlight: number
  /** Milliseconds since the epoch until which other endpoints are preferred, after a failed connect. */
  avoidUntil: number
}

export type Pools = Readonly<{
  /** The pool to use among `endpoints`: the less busy of two, none of `tried`, failing ones last. */
  choose(endpoints: readonly Endpoint[], tried: ReadonlySet<string>): Pool | undefined
  /** Closes the pools of endpoints that are not named any more: idle connections now, busy ones after their answer. */
  keepOnly(endpoints: ReadonlyMap<string, Endpoint>): void
  inFlight(): number
  close(): void
}>

/** Idle connections are dropped before the five seconds after which Node servers, the most hasty ones, drop them. */
const IDLE_MS = 4000
const AVOID_MS = 1000

/** Connection pools. `now` in milliseconds. */
export function createPools(dial: Dial, now: () => number = Date.now): Pools {
  const pools = new Map<string, Pool>()
  let turn = 0

  function poolOf(endpoint: Endpoint): Pool {
    const known = pools.get(endpoint.key)
    if (known) return known
    const agent = new Agent({
      keepAlive: true,
      maxFreeSockets: 256,
      scheduling: 'lifo',
      timeout: IDLE_MS,
    })
    const pool = { endpoint, ...dial(endpoint.host, endpoint.port), agent, inFlight: 0, avoidUntil: 0 }
    pools.set(endpoint.key, pool)
    return pool
  }

  return {
    choose(endpoints, tried) {
      const left = tried.size === 0 ? endpoints : endpoints.filter(e => !tried.has(e.key))
      if (left.length === 0) return undefined
      if (left.length === 1) return poolOf(left[0]!)
      turn = (turn + 1) % 0x4000_0000
      const first = poolOf(left[turn % left.length]!)
      const second = poolOf(left[(turn + 1 + (turn % (left.length - 1))) % left.length]!)
      const time = now()
      if (first.avoidUntil > time !== second.avoidUntil > time) return first.avoidUntil > time ? second : first
      return second.inFlight < first.inFlight ? second : first
    },
    keepOnly(endpoints) {
      for (const [key, pool] of pools) {
        if (endpoints.has(key)) continue
        pools.delete(key)
        retire(pool.agent)
      }
    },
    inFlight: () => [...pools.values()].reduce((sum, p) => sum + p.inFlight, 0),
    close() {
      for (const pool of pools.values()) pool.agent.destroy()
      pools.clear()
    },
  }
}

/** After a connect that failed, other endpoints come first for a second. */
export function avoid(pool: Pool, now: number): void {
  pool.avoidUntil = now + AVOID_MS
}

function retire(agent: Agent): void {
  agent.keepSocketAlive = () => false
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy()
}
