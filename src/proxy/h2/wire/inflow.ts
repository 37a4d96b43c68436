// How much the peer may send (RFC 9113 5.2 and 6.9): what was read is told to it when it is worth a frame.
import type { FrameWriter } from './frame-writer.ts'
import type { Stream } from './stream.ts'

export class Inflow {
  private readonly writer: FrameWriter
  /** Octets that may be on their way, of all streams and of one; */
  private readonly most: number
  private readonly mostOfStream: number
  /** what the peer may still send, and what was read that it has not been told of. */
  private window: number
  private credit = 0

  constructor(writer: FrameWriter, most: number, mostOfStream: number) {
    this.writer = writer
    this.most = most
    this.mostOfStream = mostOfStream
    this.window = most
  }

  /** So many octets come; false: more than the peer was allowed. */
  comes(octets: number): boolean {
    this.window -= octets
    return this.window >= 0
  }

  /** So many have been read, or will not be by anybody. */
  done(octets: number): void {
    this.credit += octets
    if (this.credit < this.most / 2) return
    this.writer.windowUpdate(0, this.credit)
    this.window += this.credit
    this.credit = 0
  }

  /** The same for those of a stream that takes more. */
  doneOf(stream: Stream, octets: number): void {
    stream.credit += octets
    if (stream.credit < this.mostOfStream / 2) return
    this.writer.windowUpdate(stream.id, stream.credit)
    stream.receiveWindow += stream.credit
    stream.credit = 0
  }
}
