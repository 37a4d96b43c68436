// The request before, octet for octet. Clients that poll, and connections of other proxies' health checks, send the same
// head again and again: it need not be read and composed anew. Whatever differs in one octet is.
import { sharedBuffer } from './reads.ts'
import { wordsOf } from './words.ts'

/** Longer heads are read. */
const MOST = 2048
/** So many heads are noted in vain before nothing more is noted on a connection. */
const MOST_MISSES = 16

/** Belongs to one connection. */
export class Memo {
  private noted = new Int32Array(0)
  private readonly tail = new Uint8Array(4)
  private octets = 0
  private last = 0
  private misses = 0

  /** Is [from, to) of the buffer the head that was noted? If not it is forgotten: another request comes in between. */
  matches(buf: Buffer, from: number, to: number): boolean {
    const { octets } = this
    if (octets === 0) return false
    if (to - from === octets && buf === sharedBuffer() && this.isSame(wordsOf(buf), buf, from)) {
      this.misses = 0
      return true
    }
    this.octets = 0
    return false
  }

  private isSame(words: Int32Array, buf: Buffer, from: number): boolean {
    const { noted, tail, octets } = this
    const first = from >> 2
    const whole = noted.length & ~3
    // Four at a time, and no branch before all are compared: twice as fast for a head of usual length.
    let differs = 0
    for (let i = 0; i < whole; i += 4) {
      const at = first + i
      differs |= (noted[i]! ^ words[at]!) | (noted[i + 1]! ^ words[at + 1]!)
      differs |= (noted[i + 2]! ^ words[at + 2]!) | (noted[i + 3]! ^ words[at + 3]!)
    }
    for (let i = whole; i < noted.length; i++) differs |= noted[i]! ^ words[first + i]!
    if (differs !== 0) return false
    // What is left behind the last whole word.
    for (let i = noted.length * 4; i < octets; i++) if (tail[i & 3] !== buf[from + i]) return false
    return true
  }

  /** Notes a head that is all of [from, to), if there was one of this size before. */
  note(buf: Buffer, from: number, to: number): void {
    const size = to - from
    if (size !== this.last) {
      this.last = size
      return
    }
    if (size > MOST || this.misses >= MOST_MISSES || from % 4 !== 0 || buf !== sharedBuffer()) return
    this.misses++
    const words = wordsOf(buf)
    const count = size >> 2
    if (this.noted.length !== count) this.noted = new Int32Array(count)
    for (let i = 0; i < count; i++) this.noted[i] = words[(from >> 2) + i]!
    for (let i = count * 4; i < size; i++) this.tail[i & 3] = buf[from + i]!
    this.octets = size
  }
}
