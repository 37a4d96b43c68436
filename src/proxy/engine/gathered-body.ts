// Small bodies are gathered before a pod is asked: a client that sends slowly keeps no connection to a pod waiting, and no
// worker of a server that has few of them. All of a thread together have a bound: beyond it bodies go on as they come.

/** Octets of all bodies that are gathered. */
const MOST_OCTETS = 32 * 1024 * 1024
/** What one begins with. */
const LEAST = 512

let octets = 0

/** Is there room for one more? */
export const hasRoom = (): boolean => octets < MOST_OCTETS

/** One of them, of a length in octets that is known. */
export class GatheredBody {
  private readonly length: number
  private room: Buffer | undefined
  private size = 0

  constructor(length: number) {
    this.length = length
  }

  /** Takes [from, to) of a buffer; false: there is no room for more after it. */
  add(buf: Buffer, from: number, to: number): boolean {
    const size = this.size + to - from
    if (this.room === undefined || size > this.room.length) this.grow(Math.max(LEAST, 2 * size))
    buf.copy(this.room!, this.size, from, to)
    this.size = size
    return hasRoom()
  }

  /** What came so far; it does not count any more. */
  take(): Buffer {
    const all = this.room?.subarray(0, this.size) ?? Buffer.alloc(0)
    this.free()
    return all
  }

  /** Nobody wants it any more. */
  free(): void {
    octets -= this.room?.length ?? 0
    this.room = undefined
    this.size = 0
  }

  private grow(wanted: number): void {
    const room = Buffer.allocUnsafeSlow(Math.min(this.length, wanted))
    octets += room.length - (this.room?.length ?? 0)
    this.room?.copy(room, 0, 0, this.size)
    this.room = room
  }
}
