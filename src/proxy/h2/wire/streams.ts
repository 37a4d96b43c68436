// The streams of a connection: those that there are, and how the last ones ended, as what still comes for one that was given
// up here is on its way since before, while anything else that comes is the peer's fault (RFC 9113 5.1).
import { LAST_STREAM } from './frames.ts'
import type { Stream } from './stream.ts'

/** Streams that are remembered when they are over. */
const PLACES = 512
const BY_US = 1
const OTHERWISE = 2

export class Streams {
  private readonly all = new Map<number, Stream>()
  /** The last one that was begun, by whichever side begins them. */
  last: number
  private readonly overIds = new Int32Array(PLACES)
  private readonly overHow = new Uint8Array(PLACES)
  /** Whose owners have not been told yet. */
  private untold: Stream[] = []
  private readonly told: () => void

  /** `told` is called when owners have been told that their streams are over. */
  constructor(isServer: boolean, told: () => void) {
    this.last = isServer ? 0 : -1
    this.told = told
  }

  get size(): number {
    return this.all.size
  }

  get(id: number): Stream | undefined {
    return this.all.get(id)
  }

  values(): Iterable<Stream> {
    return this.all.values()
  }

  add(stream: Stream): Stream {
    this.all.set(stream.id, stream)
    return stream
  }

  /** The number for one more; undefined: there is none. */
  next(): number | undefined {
    return this.last + 2 > LAST_STREAM ? undefined : this.last + 2
  }

  /** Was it never begun? */
  isIdle(id: number): boolean {
    return id % 2 === 0 || id > this.last
  }

  /** It was reset by this side. */
  gaveUp(id: number): void {
    this.remember(id, BY_US)
  }

  /** Nothing more is said on it. */
  over(stream: Stream): void {
    this.all.delete(stream.id)
    if (!this.isOver(stream.id)) this.remember(stream.id, OTHERWISE)
  }

  /** Its listener is told that it is over, a moment later and never in the middle of a call. */
  tellOver(stream: Stream): void {
    if (this.untold.push(stream) === 1) queueMicrotask(() => this.tell())
  }

  private tell(): void {
    const streams = this.untold
    this.untold = []
    for (const stream of streams) stream.listener?.closed()
    this.told()
  }

  private remember(id: number, how: number): void {
    const place = (id >> 1) % PLACES
    this.overIds[place] = id
    this.overHow[place] = how
  }

  /** Is it remembered? */
  isOver(id: number): boolean {
    return this.overIds[(id >> 1) % PLACES] === id
  }

  /** Was it this side that ended it? */
  isGivenUp(id: number): boolean {
    return this.isOver(id) && this.overHow[(id >> 1) % PLACES] === BY_US
  }
}
