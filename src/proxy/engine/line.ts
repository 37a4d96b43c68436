// What a request holds of a pod: a connection of its own (upstream.ts), or a place on one that several share (lane.ts).
import type { Outlet } from './outlet.ts'
import type { Pool } from './pools.ts'
import type { SentHead } from './sent-head.ts'

export type Line = {
  readonly pool: Pool
  readonly out: Outlet
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
