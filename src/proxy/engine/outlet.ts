// Writing to one side of an exchange: without copying where that is safe, and knowing exactly what is still unsent.
//
// Octets go through the socket's `_write`, below the stream's own queue. It is the same documented method that the
// stream calls; called here it saves the queue's bookkeeping (about 4 % of a small request), and it tells at once
// whether the kernel took everything: then the callback has run on return. Node keeps the octets of a write that is
// still under way alive by itself.
import type { Socket } from 'node:net'
import { giveAway, readSmall, sharedBuffer } from './reads.ts'
import { type Sink, StuckClock } from './sink.ts'

/** More than this is copied at once, until a client has shown that it takes such pieces whole. */
const MOST_DIRECT = 32 * 1024
const SHOWN = 2
/** Unsent octets from which on the other side is not read any more. */
const HIGH_WATER = 64 * 1024
/** Octets held for all slow readers together from which on reads are small and nobody is read ahead of its reader. */
const SCARCE = 64 * 1024 * 1024
/** Beyond this the readers that are stuck longest are cut (front.ts). */
export const MOST_HELD = 192 * 1024 * 1024
/** Buffers for copies; one is taken for each write that is long or meets a slow reader. */
const COPY_SIZE = 136 * 1024
const MOST_SPARE = 16
const spare: Buffer[] = []

/** A buffer for octets that are gathered until `writePooled`. */
export const takePooled = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(COPY_SIZE)

function giveSpare(buf: Buffer): void {
  if (spare.length < MOST_SPARE) spare.push(buf)
}

/** Giving the buffer away costs one call per connection: readers that force it often are answered with copies. */
const MOST_GIVEN = 20
let given = 0
/** Octets that are kept for writes under way, of all connections of this thread. */
let held = 0
let givenSince = 0

type Write = (data: Buffer, encoding: 'buffer', done: (error?: Error | null) => void) => void

/** The writing half of a connection. */
export class Outlet implements Sink {
  readonly socket: Socket
  /** Octets that the kernel has not taken yet. */
  unsent = 0
  /** Nothing may be written any more: whoever ends or destroys the socket says so here. */
  isClosed = false
  private readonly onSent: () => void
  /** Did a direct write once stay behind? Then everything is copied, so that it happens once per connection. */
  private slow = false
  private readonly isTls: boolean
  /** Long pieces that were taken whole. */
  private whole = 0
  private readonly stuck = new StuckClock()
  private isWriting = false
  private isDone = false
  /** Sizes of the writes under way, what they keep, and the pooled buffers among that. */
  private readonly sizes: number[] = []
  private readonly keeps: number[] = []
  private readonly lent: (Buffer | undefined)[] = []

  /** `onSent` is called when octets that stayed behind have left, and none is left. `isTls`: the socket never takes
   * anything at once, so nothing is lent to it. */
  constructor(socket: Socket, onSent: () => void, isTls = false) {
    this.socket = socket
    this.isTls = isTls
    this.slow = isTls
    this.onSent = onSent
  }

  /** Writes [from, to) of a buffer. Of the shared buffer nothing is needed any more on return; any other must stay
   * untouched until it is sent. */
  write(buf: Buffer, from: number, to: number): void {
    if (to <= from) return
    if (buf !== sharedBuffer()) this.put(buf.subarray(from, to), undefined)
    else if (this.mayLend(to - from)) {
      // All of the shared buffer stays with a write that stays behind.
      if (this.put(viewOf(buf, from, to), undefined, buf.length)) return
      this.slow = true
      giveAway()
      countGiven()
    } else this.writeCopy(buf, from, to)
  }

  /** Writes a whole buffer that nobody will change before it is sent. */
  writeWhole(view: Buffer): void {
    this.put(view, undefined)
  }

  /** Writes the first `size` octets of a pooled buffer, and gives it back to the pool. */
  writePooled(buf: Buffer, size: number): void {
    // Few octets that stay behind are not to keep so many.
    if (size <= COPY_SIZE / 4 && (this.isTls || this.unsent > 0))
      this.put(Buffer.from(buf.subarray(0, size)), undefined)
    else if (!this.put(buf.subarray(0, size), buf, buf.length)) return
    giveSpare(buf)
  }

  /** For how many milliseconds nothing was taken of what is unsent. `now` at each tick of the clock. */
  stuckFor(now: number): number {
    return this.stuck.look(this.unsent, now)
  }

  private mayLend(size: number): boolean {
    if (this.slow || this.unsent > 0 || (given > MOST_GIVEN && isResting())) return false
    return size <= MOST_DIRECT || this.whole >= SHOWN
  }

  private writeCopy(buf: Buffer, from: number, to: number): void {
    const size = to - from
    // A slow reader's small pieces get buffers of their size: pooled ones would hold far more than they carry.
    if (size <= COPY_SIZE / 4 || size > COPY_SIZE) {
      // Node's own pool lends slices of 64 KB, and a slow reader's slice keeps all of them.
      const copy = this.isTls && this.unsent === 0 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
      buf.copy(copy, 0, from, to)
      this.put(copy, undefined)
      return
    }
    const copy = takePooled()
    buf.copy(copy, 0, from, to)
    if (!this.put(copy.subarray(0, size), copy, copy.length)) return
    this.whole++
    giveSpare(copy)
  }

  /** `kept`: octets of memory that the write keeps while it is under way. True: the kernel has taken it whole. */
  private put(view: Buffer, pooled: Buffer | undefined, kept: number = view.length): boolean {
    const { socket } = this
    if (this.isClosed) return true
    this.isWriting = true
    this.isDone = false
    // TLS takes one write at a time, and Node aborts the process at a second: there the stream's queue is needed.
    if (this.isTls) socket.write(view, this.done)
    else (socket as unknown as { _write: Write })._write(view, 'buffer', this.done)
    this.isWriting = false
    if (this.isDone) return true
    this.unsent += view.length
    // Of what TLS has not sent yet OpenSSL keeps the encrypted octets beside the plain ones.
    const memory = this.isTls ? 2 * kept : kept
    hold(memory)
    this.sizes.push(view.length)
    this.keeps.push(memory)
    this.lent.push(pooled)
    return false
  }

  private readonly done = (error?: Error | null): void => {
    if (error) {
      this.isClosed = true
      this.socket.destroy()
    }
    if (this.isWriting) {
      this.isDone = true
      return
    }
    const size = this.sizes.shift() ?? 0
    const pooled = this.lent.shift()
    this.unsent -= size
    hold(-(this.keeps.shift() ?? 0))
    if (pooled) giveSpare(pooled)
    if (this.unsent === 0 && !this.isClosed) this.onSent()
  }
}

const views: (Buffer | undefined)[] = new Array(8).fill(undefined)
let viewed: Buffer | undefined

/** [from, to) of the shared buffer. Answers of a pod are often of one size, and a view costs more than to look for it. */
function viewOf(buf: Buffer, from: number, to: number): Buffer {
  if (buf !== viewed) {
    viewed = buf
    views.fill(undefined)
  }
  const place = (from + to) & 7
  const known = views[place]
  if (known !== undefined && known.byteOffset === from && known.length === to - from) return known
  const view = buf.subarray(from, to)
  views[place] = view
  return view
}

/** Must the side that is read wait for this one? */
export const isFull = (out: Sink): boolean => out.unsent > (isScarce() ? 0 : HIGH_WATER)

/** Is so much held for slow readers that each may have little? */
export const isScarce = (): boolean => held > SCARCE

/** Octets held for slow readers. */
export const heldNow = (): number => held

/** So many octets more (or less) are held for a slow reader: much of that makes reads small. */
export function hold(size: number): void {
  held += size
  if (held > SCARCE) readSmall(true)
  else if (held < SCARCE / 2) readSmall(false)
}

function countGiven(): void {
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
