// Who may send how much on a connection (RFC 9113 5.2): what waits goes out a piece of each stream in turn.
import type { FrameWriter } from './frame-writer.ts'
import { FIRST_WINDOW, LARGEST_WINDOW, MOST_PAYLOAD } from './frames.ts'
import type { Stream } from './stream.ts'

export class Outflow {
  private readonly writer: FrameWriter
  /** Octets that may still be sent on all streams together, */
  private window = FIRST_WINDOW
  /** and on one that begins. */
  streamWindow = FIRST_WINDOW
  private readonly waiting = new Set<Stream>()
  private isPumping = false

  constructor(writer: FrameWriter) {
    this.writer = writer
  }

  /** Sends of [from, to) what may be sent; where the rest begins. `isEnd`: the stream's side ends with it. */
  send(stream: Stream, buf: Buffer, from: number, to: number, isEnd: boolean): number {
    const { writer } = this
    if (from === to) {
      if (isEnd) writer.data(stream.id, buf, from, to, true)
      return to
    }
    let at = from
    while (at < to && !writer.isFull) {
      const size = Math.min(to - at, MOST_PAYLOAD, this.window, stream.sendWindow)
      if (size <= 0) break
      writer.data(stream.id, buf, at, at + size, isEnd && at + size === to)
      this.window -= size
      stream.sendWindow -= size
      at += size
    }
    return at
  }

  /** A stream has octets that wait. */
  wait(stream: Stream): void {
    if (stream.queued > 0) this.waiting.add(stream)
  }

  /** A stream is over. */
  forget(stream: Stream): void {
    this.waiting.delete(stream)
  }

  /** More may be sent on all together; false: more than there can be. */
  widen(by: number): boolean {
    this.window += by
    return this.window <= LARGEST_WINDOW
  }

  /** More may be sent on one; false: more than there can be. */
  widenStream(stream: Stream, by: number): boolean {
    stream.sendWindow += by
    this.wait(stream)
    return stream.sendWindow <= LARGEST_WINDOW
  }

  /** What may be sent on each stream from the beginning has changed, for those that there are too (RFC 9113 6.9.2); false:
   * one has more than there can be. */
  setStreamWindow(window: number, streams: Iterable<Stream>): boolean {
    const by = window - this.streamWindow
    this.streamWindow = window
    let isFine = true
    for (const stream of streams) isFine = this.widenStream(stream, by) && isFine
    return isFine
  }

  /** Sends what waits and may go. */
  pump(): void {
    if (this.isPumping || this.waiting.size === 0) return
    this.isPumping = true
    const drained: Stream[] = []
    for (let moved = true; moved; ) {
      moved = false
      for (const stream of this.waiting) {
        if (this.window <= 0 || this.writer.isFull) break
        if (stream.pump()) moved = true
        else if (stream.queued === 0 || stream.sendWindow <= 0) this.waiting.delete(stream)
        if (stream.queued === 0) drained.push(stream)
      }
    }
    this.isPumping = false
    for (const stream of drained) stream.tellDrained()
  }
}
