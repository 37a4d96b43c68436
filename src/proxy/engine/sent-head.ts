// The head of a request as it goes to the pod, kept for another attempt.
import { type Caller, composeRequest, roomFor } from './compose.ts'
import { head } from './request-head.ts'
import type { Sink } from './sink.ts'

const FIRST = 1024

/** Belongs to one client; used again for each of its requests. */
export class SentHead {
  private octets = Buffer.allocUnsafe(FIRST)
  /** 0: there is none any more. */
  size = 0
  private view: Buffer = Buffer.alloc(0)
  /** Is a write of it still under way? */
  private isLent = false

  /** Composes the head that was just read from `buf`. `target` replaces the request target; `more` are further lines. */
  compose(buf: Buffer, caller: Caller, target: string | undefined, more: Buffer | undefined): void {
    const room = roomFor(head, caller)
    if (room > this.octets.length) this.octets = Buffer.allocUnsafe(room)
    this.size = composeRequest(buf, head, caller, this.octets, target, more)
  }

  /** The octets; [0, size) of them are the head. */
  get whole(): Buffer {
    return this.octets
  }

  /** Sends it alone. */
  send(out: Sink): void {
    out.writeWhole(this.asView())
    if (out.unsent > 0) this.isLent = true
  }

  /** Sends it with what of the body is there, [from, to) of the buffer, in one write if there is room before it. */
  sendWith(out: Sink, buf: Buffer, from: number, to: number): void {
    const { octets, size } = this
    if (to === from) out.writeWhole(this.asView())
    else if (from >= size) {
      octets.copy(buf, from - size, 0, size)
      out.write(buf, from - size, to)
      return
    } else {
      out.write(octets, 0, size)
      out.write(buf, from, to)
    }
    // A write that is still under way needs its octets; another attempt may read them, nobody may write them.
    if (out.unsent > 0) this.isLent = true
  }

  /** In a view; requests of one client are often of one size. */
  private asView(): Buffer {
    const { octets, size, view } = this
    if (view.length === size && view.buffer === octets.buffer && view.byteOffset === octets.byteOffset) return view
    this.view = octets.subarray(0, size)
    return this.view
  }

  /** The request is over. */
  done(): void {
    if (!this.isLent && this.octets.length <= 4 * FIRST) return
    this.isLent = false
    this.octets = Buffer.allocUnsafe(FIRST)
    this.size = 0
  }
}
