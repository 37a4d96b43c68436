// A chunked body on its way through: followed octet by octet where it is framing, skipped where it is data. The octets
// themselves pass as they are; only chunk extensions are dropped, and for an HTTP/1.0 client all framing is.
import { BAD, FIRST, follow, isWhole } from './chunk-extension.ts'
import { END, field, LINE, MORE, nextField } from './fields.ts'
import { HEX, isName, lower, resembles, spellsFraming } from './octets.ts'

// Where in the body we are.
const SIZE_FIRST = 0
const SIZE = 1
const EXTENSION = 2
const SIZE_LF = 3
const DATA = 4
const DATA_CR = 5
const DATA_LF = 6
const TRAILER = 7
const DONE = 8
const MOST_DIGITS = 12
/** Who counts in 32 bits would take a larger one for a smaller one; nobody sends them. */
const MOST_CHUNK = 2 ** 31 - 1
const MOST_EXTENSION = 1024
const MOST_TRAILER = 8 * 1024

/** Fields that would change framing, routing, rights, what the body is or who asked if somebody merged a trailer into the head
 * (RFC 9110 6.5.1). */
export const NO_TRAILERS: readonly string[] = [
  ...['te', 'host', 'cookie', 'expect', 'trailer', 'upgrade', 'forwarded', 'connection', 'keep-alive', 'max-forwards'],
  ...['authorization', 'content-length', 'transfer-encoding', 'proxy-authorization'],
  ...['range', 'content-type', 'content-range', 'content-encoding'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
]
const FORBIDDEN = NO_TRAILERS.map(lower)

export class Chunks {
  private state = DONE
  /** Octets of data left in this chunk, or its size so far. */
  private left = 0
  private digits = 0
  private extension = 0
  private extensionState = FIRST
  /** The piece of the trailer that came so far; kept until it is whole, as it must be read before it may pass. */
  private trailer: Buffer | undefined
  /** Give out the data only. */
  private bare = false
  /** After `follow`: what may pass on, [from, to) of the buffer. */
  from = 0
  to = 0
  /** After `follow`: behind the last octet that was read; more may follow it when the body is done. */
  next = 0
  /** A trailer that came in pieces, to pass on behind [from, to). */
  kept: Buffer | undefined
  /** Once a bare body is done: the trailer that was taken off it, with the empty line; undefined: it has no field. */
  taken: Buffer | undefined

  /** Begins a body. */
  begin(bare: boolean): void {
    this.state = SIZE_FIRST
    this.left = 0
    this.digits = 0
    this.extension = 0
    this.trailer = undefined
    this.taken = undefined
    this.bare = bare
  }

  get done(): boolean {
    return this.state === DONE
  }

  /** Reads [from, to), closing gaps in place. False: the body is malformed and nothing of it may pass any more. */
  follow(buf: Buffer, from: number, to: number): boolean {
    this.from = from
    this.kept = undefined
    /** What passes is gathered before `write`; it stays equal to `i` while nothing is dropped. */
    let write = from
    let i = from
    while (i < to && this.state !== DONE) {
      if (this.state === DATA) {
        const size = Math.min(this.left, to - i)
        if (write !== i) buf.copyWithin(write, i, i + size)
        write += size
        i += size
        this.left -= size
        if (this.left === 0) this.state = DATA_CR
        continue
      }
      if (this.state === TRAILER) {
        const size = this.readTrailer(buf, i, to)
        if (size < 0) return false
        // A trailer that is whole in this buffer passes as it is; one in pieces is held back and passes as `kept`.
        if (!this.bare && this.done && this.kept === undefined) {
          if (write !== i) buf.copyWithin(write, i, i + size)
          write += size
        }
        i += size
        continue
      }
      const c = buf[i]!
      let drop = this.bare
      switch (this.state) {
        case SIZE_FIRST:
        case SIZE: {
          const digit = HEX[c]!
          if (digit !== 255) {
            this.left = this.left * 16 + digit
            if (++this.digits > MOST_DIGITS || this.left > MOST_CHUNK) return false
            this.state = SIZE
          } else if (this.state === SIZE_FIRST) return false
          else if (c === 13) this.state = SIZE_LF
          else if (c === 59) {
            this.state = EXTENSION
            this.extensionState = FIRST
            this.extension++
            drop = true
          } else return false
          break
        }
        case EXTENSION:
          if (c === 13) {
            if (!isWhole(this.extensionState)) return false
            this.state = SIZE_LF
          } else {
            this.extensionState = follow(this.extensionState, c)
            if (this.extensionState === BAD || ++this.extension > MOST_EXTENSION) return false
            drop = true
          }
          break
        case SIZE_LF:
          if (c !== 10) return false
          this.state = this.left === 0 ? TRAILER : DATA
          this.digits = 0
          this.extension = 0
          break
        case DATA_CR:
          if (c !== 13) return false
          this.state = DATA_LF
          break
        case DATA_LF:
          if (c !== 10) return false
          this.state = SIZE_FIRST
          break
      }
      if (!drop) {
        if (write !== i) buf[write] = c
        write++
      }
      i++
    }
    this.to = write
    this.next = i
    return true
  }

  /** Reads the trailer section; the octets that it took, or -1. */
  private readTrailer(buf: Buffer, at: number, to: number): number {
    const before = this.trailer?.length ?? 0
    const whole = this.trailer ? Buffer.concat([this.trailer, buf.subarray(at, to)]) : buf
    const first = this.trailer ? 0 : at
    const end = this.trailer ? whole.length : to
    let i = first
    for (;;) {
      const kind = nextField(whole, i, end)
      if (kind === MORE) {
        if (end - first > MOST_TRAILER) return -1
        this.trailer = this.trailer ? whole : Buffer.from(buf.subarray(at, to))
        return to - at
      }
      if (kind === END) break
      if (kind !== LINE || isForbidden(whole, i)) return -1
      i = field.next
    }
    if (field.next - first > MOST_TRAILER) return -1
    this.state = DONE
    if (before > 0 && !this.bare) this.kept = whole.subarray(0, field.next)
    if (this.bare && i > first) this.taken = Buffer.from(whole.subarray(first, field.next))
    this.trailer = undefined
    return field.next - first - before
  }
}

function isForbidden(buf: Buffer, at: number): boolean {
  const size = field.nameTo - at
  if (spellsFraming(buf, at, size)) return true
  return FORBIDDEN.some(name => name.length === size && (isName(buf, at, name) || resembles(buf, at, name)))
}
