// Writing to one side of an exchange without copying where that is safe, and knowing what is still unsent.
import type { Socket } from 'node:net'
import { giveAway, sharedBuffer } from './reads.ts'

/** More than this is copied at once: the kernel would probably not take it whole. */
const MOST_DIRECT = 32 * 1024
/** Unsent octets from which on the other side is not read any more. */
export const HIGH_WATER = 64 * 1024
/** Buffers for copies; one is taken for each write that is long or meets a slow reader. */
const COPY_SIZE = 136 * 1024
const MOST_SPARE = 32
const NOTHING = Buffer.alloc(0)
const spare: Buffer[] = []

/** Giving the buffer away costs one call per connection: readers that force it often are answered with copies. */
const MOST_GIVEN = 20
let given = 0
let givenSince = 0

/** The writing half of a connection. */
export class Outlet {
  readonly socket: Socket
  private readonly onSent: () => void
  /** Did a direct write once stay behind? Then everything is copied, so that it happens once per connection. */
  private slow = false
  private watching = false
  /** Unsent octets are being waited for. */
  private lent: Buffer[] = []

  /** `onSent` is called when octets that stayed behind have left, and none is left. */
  constructor(socket: Socket, onSent: () => void) {
    this.socket = socket
    this.onSent = onSent
  }

  get unsent(): number {
    return this.socket.writableLength
  }

  /** Writes [from, to) of a buffer. Of the shared buffer nothing is needed any more on return; any other must stay
   * untouched until it is sent. */
  write(buf: Buffer, from: number, to: number): void {
    const { socket } = this
    if (to <= from || socket.destroyed) return
    if (buf !== sharedBuffer()) {
      socket.write(buf.subarray(from, to))
      if (socket.writableLength > 0) this.watch()
      return
    }
    if (this.slow || to - from > MOST_DIRECT || socket.writableLength > 0 || (given > MOST_GIVEN && isResting())) {
      this.writeCopy(buf, from, to)
      return
    }
    socket.write(buf.subarray(from, to))
    if (socket.writableLength === 0) return
    this.slow = true
    this.watch()
    giveAway()
    count()
  }

  private writeCopy(buf: Buffer, from: number, to: number): void {
    const { socket } = this
    const size = to - from
    // A slow reader's small pieces get buffers of their size: pooled ones would hold far more than they carry.
    const isPooled = size > COPY_SIZE / 4
    const copy = isPooled ? (spare.pop() ?? Buffer.allocUnsafeSlow(COPY_SIZE)) : Buffer.allocUnsafeSlow(size)
    buf.copy(copy, 0, from, to)
    socket.write(copy.subarray(0, size))
    if (socket.writableLength === 0) {
      if (isPooled && spare.length < MOST_SPARE) spare.push(copy)
      return
    }
    if (isPooled) this.lent.push(copy)
    this.watch()
  }

  /** An empty write behind the others tells when they are out; the stream's own event waits for a mark instead. */
  private watch(): void {
    if (this.watching) return
    this.watching = true
    this.socket.write(NOTHING, this.sent)
  }

  private readonly sent = (error?: Error | null): void => {
    this.watching = false
    if (error || this.socket.destroyed) return
    if (this.socket.writableLength > 0) {
      this.watch()
      return
    }
    for (const buffer of this.lent) if (spare.length < MOST_SPARE) spare.push(buffer)
    this.lent = []
    this.onSent()
  }
}

function count(): void {
  const now = performance.now()
  if (now - givenSince > 1000) {
    givenSince = now
    given = 0
  }
  given++
}

/** Direct writes rest for the remainder of a second in which too many stayed behind. */
function isResting(): boolean {
  if (performance.now() - givenSince < 1000) return true
  given = 0
  return false
}
