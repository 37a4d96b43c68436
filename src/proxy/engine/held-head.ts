// The head of an answer whose body is still on its way. Many servers send the two one after the other (nginx with sendfile
// does): passed on one by one they cost the client's side two packets and two wake-ups. So a head that comes alone waits a
// millisecond for its body, and goes in front of it; never longer, and never when the body has no length: that may be a
// stream, whose head says something by itself.
import type { Outlet } from './outlet.ts'

const EMPTY = Buffer.alloc(0)
const LONGEST_MS = 1

/** Belongs to one client; used again for each of its answers. */
export class HeldHead {
  private readonly out: Outlet
  private octets = EMPTY

  constructor(out: Outlet) {
    this.out = out
  }

  get isEmpty(): boolean {
    return this.octets.length === 0
  }

  /** Keeps [from, to) of the buffer until the body comes, or `LONGEST_MS` at most. */
  hold(buf: Buffer, from: number, to: number): void {
    this.octets = Buffer.from(buf.subarray(from, to))
    if (waiting.length === 0) setTimeout(sendAll, LONGEST_MS)
    waiting.push(this)
  }

  /** Puts it in front of the body that begins at `from`, where there is room; the new beginning. */
  putBefore(buf: Buffer, from: number): number {
    const { octets } = this
    if (octets.length > from) {
      this.send()
      return from
    }
    this.octets = EMPTY
    return from - octets.copy(buf, from - octets.length)
  }

  /** The body is not here yet: the head goes alone. */
  send(): void {
    const { octets } = this
    this.octets = EMPTY
    this.out.write(octets, 0, octets.length)
  }

  /** The answer was broken off. */
  forget(): void {
    this.octets = EMPTY
  }
}

/** One clock for all: those that were held last wait less. Heads that found their body meanwhile are empty. */
const waiting: HeldHead[] = []

function sendAll(): void {
  for (const head of waiting.splice(0)) if (!head.isEmpty) head.send()
}
