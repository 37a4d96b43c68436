// What an engine gets from the rest of the proxy. Table, choice, counters and draining do not know which engine runs.
import type { Log } from '../ports.ts'
import type { Snapshot } from './compile.ts'
import type { Trusts } from './headers.ts'
import type { Pools } from './pool.ts'
import type { Stats } from './stats.ts'

/** Limits of one exchange, in milliseconds. */
export type Limits = Readonly<{
  /** For a TCP connection to a pod. */
  connect: number
  /** From the last byte of the request to the head of the answer. */
  answer: number
}>

export type Core = Readonly<{
  /** The table in force now; a request keeps the one that it began with. */
  snapshot(): Snapshot
  pools: Pools
  stats: Stats
  trusts: Trusts
  limits: Limits
  draining(): boolean
  /** Sockets that carry upgraded connections. */
  tunnels: Set<{ destroy(): void }>
  /** Milliseconds since the epoch. */
  now(): number
  log: Log
}>
