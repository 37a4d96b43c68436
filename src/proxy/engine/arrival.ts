// What a client's connection begins with.
import type { Socket } from 'node:net'
import type { Client } from './client.ts'

/** A connection that was accepted. `port`: the one that it came in on; `clock`: coarse, in milliseconds; `gone` is called
 * once, at the end; `speaksH2` takes over a connection that turns out to speak HTTP/2; `peer`: who is behind it, where the
 * PROXY protocol says so. */
export type Arrival = Readonly<{
  accepted: Socket
  port: number
  isSecure: boolean
  clock: Readonly<{ now: number }>
  gone(client: Client): void
  speaksH2(client: Client, read: Buffer): void
  peer?: string | undefined
}>
