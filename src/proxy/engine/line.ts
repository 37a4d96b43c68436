// What a request holds of a pod: a connection of its own (upstream.ts), a place on one that several share (lane.ts), or a
// stream of HTTP/2 (h2/h2c-line.ts).
import type { Pool } from './pools.ts'
import type { SentHead } from './sent-head.ts'
import type { Sink } from './sink.ts'

export type Line = {
  readonly pool: Pool
  readonly out: Sink
  readonly isConnected: boolean
  /** May the pod have closed it, or never have come to this request, for no fault of the request? */
  readonly isUsed: boolean
  /** Sends a head that no body follows right now. */
  sendHead(head: SentHead): void
  /** The answer was taken whole: whoever is next may have it. */
  release(now: number): void
  /** Breaks off; nothing more is heard of it. */
  drop(): void
  /** The client does not take more of the answer for now. */
  pause(): void
  resume(): void
}
