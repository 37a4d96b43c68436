// The head of a pod's answer before, octet for octet: it need not be read again. Pods that are asked for one thing again and
// again answer alike but for the date, which changes once a second. Whatever differs in one octet is read.
import { answer, readAnswer } from './answer-head.ts'
import { sharedBuffer } from './reads.ts'
import { wordsOf } from './words.ts'

/** Longer heads are read. */
const MOST = 1024
const MOST_CUTS = 8
/** So many answers at most go by unnoted, where heads were noted in vain. */
const LONGEST_REST = 1024

/** Belongs to one pod. Holds what `readAnswer` made of a head that was no answer to a HEAD; places count from its begin. */
export class AnswerMemo {
  private readonly noted = new Uint8Array(MOST)
  private readonly words = new Int32Array(this.noted.buffer)
  /** Length of the head; 0: none is noted. */
  private octets = 0
  private last = 0
  /** Answers to let go by before one is noted again, and how many that were the last time. */
  private rest = 0
  private rested = 0
  private readonly cuts = new Int32Array(2 * MOST_CUTS)
  private cutCount = 0
  private fieldsFrom = 0
  private minor = 1
  private status = 0
  private framing = 0
  private length = 0
  private keepAlive = true
  private idleSeconds = 0

  /** Reads the head that begins at `from`, unless it is the one before; what it says is as for `readAnswer`. */
  read(buf: Buffer, from: number, to: number, toHead: boolean): number {
    if (toHead) return readAnswer(buf, from, to, true)
    if (this.recall(buf, from, to)) return 1
    const verdict = readAnswer(buf, from, to, false)
    if (verdict === 1 && answer.status >= 200) this.note(buf)
    return verdict
  }

  /** Does the head that was noted begin at `from`? Then `answer` says what is in it. */
  private recall(buf: Buffer, from: number, to: number): boolean {
    const { octets } = this
    if (octets === 0 || to - from < octets || buf !== sharedBuffer() || !this.isSame(buf, from)) return false
    this.rested = 0
    answer.begin = from
    answer.end = from + octets
    answer.fieldsFrom = from + this.fieldsFrom
    answer.minor = this.minor
    answer.status = this.status
    answer.framing = this.framing
    answer.length = this.length
    answer.keepAlive = this.keepAlive
    answer.idleSeconds = this.idleSeconds
    answer.isWebSocket = false
    answer.codingFrom = 0
    answer.codingTo = 0
    const { cuts } = answer
    const { cutCount } = this
    for (let i = 0; i < cutCount; i++) {
      cuts.from[i] = from + this.cuts[2 * i]!
      cuts.to[i] = from + this.cuts[2 * i + 1]!
    }
    cuts.count = cutCount
    return true
  }

  private isSame(buf: Buffer, from: number): boolean {
    const { noted, octets } = this
    // The first of several in one read begins where words do.
    const whole = (from & 3) === 0 ? octets >> 2 : 0
    if (whole > 0 && !this.areSame(wordsOf(buf), from >> 2, whole)) return false
    for (let i = whole * 4; i < octets; i++) if (noted[i] !== buf[from + i]) return false
    return true
  }

  private areSame(read: Int32Array, first: number, count: number): boolean {
    const { words } = this
    // In blocks: heads that differ mostly do so early, in the status, the date or the length.
    for (let i = 0; i < count; ) {
      const end = Math.min(count, i + 16)
      let differs = 0
      for (; i < end; i++) differs |= words[i]! ^ read[first + i]!
      if (differs !== 0) return false
    }
    return true
  }

  /** Notes what is in `answer`, read from the buffer, if the head before was of its size. */
  private note(buf: Buffer): void {
    const { begin, end, cuts } = answer
    if (this.rest > 0) {
      this.rest--
      return
    }
    const size = end - begin
    if (size !== this.last) {
      this.last = size
      return
    }
    if (size > MOST || cuts.count > MOST_CUTS || buf !== sharedBuffer()) return
    if (answer.isWebSocket || answer.codingTo > 0) return
    this.rest = this.rested
    this.rested = Math.min(LONGEST_REST, 2 * this.rested + 1)
    buf.copy(this.noted, 0, begin, end)
    for (let i = 0; i < cuts.count; i++) {
      this.cuts[2 * i] = cuts.from[i]! - begin
      this.cuts[2 * i + 1] = cuts.to[i]! - begin
    }
    this.cutCount = cuts.count
    this.fieldsFrom = answer.fieldsFrom - begin
    this.minor = answer.minor
    this.status = answer.status
    this.framing = answer.framing
    this.length = answer.length
    this.keepAlive = answer.keepAlive
    this.idleSeconds = answer.idleSeconds
    this.octets = size
  }
}
