// Heads of requests for one connection, gathered while a turn of the event loop lasts and sent in one write at its end.
import type { Outlet } from './outlet.ts'
import { atTurnEnd } from './turn.ts'

/** Octets; a head that is longer goes on a connection of its own. */
export const MOST_BATCHED = 16 * 1024

/** Of one connection. `sent` is called when what was gathered has been written. */
export class Batch {
  private readonly out: Outlet
  private readonly sent: () => void
  private octets: Buffer | undefined
  private size = 0

  constructor(out: Outlet, sent: () => void) {
    this.out = out
    this.sent = sent
  }

  /** Takes [0, size) of a buffer, which is at most `MOST_BATCHED` long. */
  add(head: Buffer, size: number): void {
    if (this.size + size > MOST_BATCHED) this.flush()
    this.octets ??= Buffer.allocUnsafeSlow(MOST_BATCHED)
    if (this.size === 0) atTurnEnd(this)
    this.size += head.copy(this.octets, this.size, 0, size)
  }

  /** Writes what is there. */
  flush(): void {
    const { octets, size, out } = this
    if (octets === undefined || size === 0) return
    this.size = 0
    out.write(octets, 0, size)
    // A write that is still under way needs its octets.
    if (out.unsent > 0) this.octets = undefined
    this.sent()
  }
}
