// What the engine gets from the rest of the proxy. Table, choice, counters and draining do not know how bytes are moved.
import type { AccessLog } from './access-log.ts'
import type { Snapshot } from './compile.ts'
import type { Pools } from './engine/pools.ts'
import type { Marks } from './marks.ts'
import type { Stats } from './stats.ts'

/** Whom to believe: a peer for which this is true may name those before it in X-Forwarded-*. */
export type Trusts = (peer: string) => boolean

/** Limits: in milliseconds, or numbers; 0 is none where it says so. */
export type Limits = Readonly<{
  /** For a TCP connection to a pod. */
  connect: number
  /** From the last byte of the request to the head of the answer. */
  answer: number
  /** For a whole request head, from the connection or from its first byte on. */
  head: number
  /** Between two requests on a connection. */
  idle: number
  /** Without a byte of a body that a client is sending. */
  body: number
  /** Without a piece of an answer being taken by the client. */
  send: number
  /** Without a piece of an answer that a pod is sending; 0: for ever. */
  silence: number
  /** Without a byte either way on a WebSocket; 0: for ever. */
  tunnel: number
  /** Requests in flight, beyond which there is a quick 503; 0: none. */
  inFlight: number
  /** Connections of clients, beyond which new ones are closed at once; 0: none. */
  connections: number
  /** Octets of a request's body, beyond which there is a 413; 0: none. */
  bodyOctets: number
  /** Octets: a body of so many at most is waited for before a pod is asked, where its length is known; 0: none. */
  gathered: number
}>

export const LIMITS: Limits = {
  connect: 3000,
  answer: 60_000,
  head: 15_000,
  idle: 65_000,
  body: 60_000,
  send: 60_000,
  silence: 600_000,
  tunnel: 0,
  inFlight: 0,
  connections: 0,
  bodyOctets: 0,
  gathered: 64 * 1024,
}

export type Core = Readonly<{
  /** The table in force now; a request keeps the one that it began with. */
  snapshot(): Snapshot
  pools: Pools
  stats: Stats
  trusts: Trusts
  limits: Limits
  draining(): boolean
  /** Connections that carry WebSockets, and those in TCP mode. */
  tunnels: Set<{ destroy(): void }>
  access: AccessLog | undefined
  /** What is added to requests and answers; undefined: nothing but X-Forwarded-*. */
  marks: Marks | undefined
  /** Requests in flight in this thread. */
  load: { inFlight: number }
}>
