// Frames as they go: gathered while a turn of the event loop lasts, and sent in one write at its end.
import { isFull, type Outlet, takePooled } from '../../engine/outlet.ts'
import { atTurnEnd } from '../../engine/turn.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEAD,
  GOAWAY,
  HEADERS,
  MOST_PAYLOAD,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'

/** What one write takes at most: an answer of 64 KB with the heads of its frames, and some more. */
const SIZE = 80 * 1024

export class FrameWriter {
  private readonly out: Outlet
  private octets: Buffer | undefined
  private size = 0
  /** Heads and pieces of bodies so far. */
  given = 0

  constructor(out: Outlet) {
    this.out = out
  }

  /** Takes the peer so little that nothing more should be put behind what waits? */
  get isFull(): boolean {
    return isFull(this.out)
  }

  /** Octets as they are. */
  raw(octets: Buffer): void {
    const at = this.room(octets.length)
    octets.copy(this.octets!, at)
  }

  settings(pairs: readonly (readonly [id: number, value: number])[]): void {
    let at = this.frame(SETTINGS, 0, 0, 6 * pairs.length)
    for (const [id, value] of pairs) {
      this.octets!.writeUInt16BE(id, at)
      this.octets!.writeUInt32BE(value, at + 2)
      at += 6
    }
  }

  settingsAck(): void {
    this.frame(SETTINGS, ACK, 0, 0)
  }

  /** `from`: where the eight octets are that came. */
  pingAck(buf: Buffer, from: number): void {
    const at = this.frame(PING, ACK, 0, 8)
    buf.copy(this.octets!, at, from, from + 8)
  }

  windowUpdate(stream: number, by: number): void {
    this.number(this.frame(WINDOW_UPDATE, 0, stream, 4), by)
  }

  reset(stream: number, code: number): void {
    this.number(this.frame(RST_STREAM, 0, stream, 4), code)
  }

  goaway(lastStream: number, code: number): void {
    const at = this.frame(GOAWAY, 0, 0, 8)
    this.number(at, lastStream)
    this.number(at + 4, code)
  }

  /** A head; what does not fit into one frame goes on in others (RFC 9113 6.10). */
  head(stream: number, block: Buffer, isEnd: boolean): void {
    this.given++
    let type = HEADERS
    let flags = isEnd ? END_STREAM : 0
    for (let from = 0; ; from += MOST_PAYLOAD) {
      const to = Math.min(block.length, from + MOST_PAYLOAD)
      const isLast = to === block.length
      const at = this.frame(type, isLast ? flags | END_HEADERS : flags, stream, to - from)
      block.copy(this.octets!, at, from, to)
      if (isLast) return
      type = CONTINUATION
      flags = 0
    }
  }

  /** [from, to) of a buffer, which is not needed any more on return. */
  data(stream: number, buf: Buffer, from: number, to: number, isEnd: boolean): void {
    this.given++
    const at = this.frame(DATA, isEnd ? END_STREAM : 0, stream, to - from)
    if (to > from) buf.copy(this.octets!, at, from, to)
  }

  /** Writes what was gathered. */
  flush(): void {
    const { octets, size } = this
    if (octets === undefined || size === 0) return
    this.size = 0
    this.octets = undefined
    this.out.writePooled(octets, size)
  }

  /** Room for so many octets; where they begin. */
  private room(size: number): number {
    if (this.size + size > SIZE) this.flush()
    this.octets ??= takePooled()
    if (this.size === 0) atTurnEnd(this)
    const at = this.size
    this.size += size
    return at
  }

  /** The head of a frame; where its payload begins. */
  private frame(type: number, flags: number, stream: number, length: number): number {
    const at = this.room(FRAME_HEAD + length)
    const octets = this.octets!
    octets[at] = length >> 16
    octets[at + 1] = length >> 8
    octets[at + 2] = length
    octets[at + 3] = type
    octets[at + 4] = flags
    this.number(at + 5, stream)
    return at + FRAME_HEAD
  }

  private number(at: number, value: number): void {
    const octets = this.octets!
    octets[at] = value >>> 24
    octets[at + 1] = value >>> 16
    octets[at + 2] = value >>> 8
    octets[at + 3] = value
  }
}
