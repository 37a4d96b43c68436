// Heads as they go: HPACK (RFC 7541), one encoder for each connection. Fields that come again and again are put into the
// table and named by number from then on; those that differ each time, or are secret, are not.
import { type Headers, NEVER_INDEXED } from '../fields.ts'
import { DYNAMIC, DynamicTable, ENTRY_SIZE, STATIC_NAMES, STATIC_VALUES, TABLE_SIZE } from './hpack-table.ts'

/** They are another each time: an entry would only throw out others. */
const EACH_TIME = new Set([
  ...[':path', 'age', 'content-length', 'content-range', 'etag', 'expires', 'if-modified-since', 'if-none-match'],
  ...['last-modified', 'location', 'range', 'referer', 'retry-after', 'traceparent', 'tracestate', 'x-request-id'],
  ...['grpc-message', 'grpc-timeout', 'x-forwarded-for', 'forwarded', 'server-timing'],
])
/** Nobody may find out by trying whether a guess at them is right (RFC 7541 7.1). */
const SECRET = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie'])
/** A longer value is not worth its place. */
const MOST_INDEXED = 512

/** What is known of a name: its number in the static table, or 0, entries of
 * both by value, and how it goes. */
type Known = {
  readonly number: number
  readonly fixed: ReadonlyMap<string, number>
  readonly values: Map<string, number>
  readonly how: number
}

/** How a field goes (RFC 7541 6.2): added to the table, not added, or never to be added by anybody. */
const ADDED = 0x40
const PLAIN = 0x00
const NEVER = 0x10

const STATIC_BY_NAME = new Map<string, { number: number; values: Map<string, number> }>()
for (let number = 1; number < DYNAMIC; number++) {
  const name = STATIC_NAMES[number]!
  let known = STATIC_BY_NAME.get(name)
  if (!known) {
    known = { number, values: new Map() }
    STATIC_BY_NAME.set(name, known)
  }
  if (STATIC_VALUES[number] !== '') known.values.set(STATIC_VALUES[number]!, number)
}
const NO_VALUES: ReadonlyMap<string, number> = new Map()

/** Names whose entries are remembered; more are not worth it. */
const MOST_NAMES = 256

let out = Buffer.allocUnsafeSlow(8 * 1024)
let at = 0

export class HpackEncoder {
  private readonly table = new DynamicTable()
  private readonly names = new Map<string, Known>()
  /** Sizes of the table that the peer has to hear of with the next head: the least in between, and the last (RFC 7541 4.2). */
  private least: number | undefined
  private size = TABLE_SIZE
  private lastHeaders: Headers | undefined
  private lastBlock: Buffer | undefined
  private lastChanges = -1

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  allow(size: number): void {
    const most = Math.min(size, TABLE_SIZE)
    if (most === this.size && this.least === undefined) return
    this.least = Math.min(this.least ?? most, most)
    this.size = most
    this.table.resize(most)
  }

  /** The block of a head, pseudo-fields first; good until the next call. The same object again costs nothing, so it must
   * not have changed; the path of a request, which changes each time, is no part of it. */
  encode(headers: Headers, path?: string): Buffer {
    const { changes } = this.table
    const isTold = this.least === undefined
    at = 0
    if (!isTold) this.tellSize()
    if (path !== undefined) this.write(':path', path)
    const from = at
    if (headers === this.lastHeaders && this.lastChanges === changes) {
      const block = this.lastBlock!
      room(block.length)
      return out.subarray(0, at + block.copy(out, at))
    }
    const never = headers[NEVER_INDEXED]
    for (const name in headers) {
      const value = headers[name]!
      const isSecret = never?.has(name) === true
      if (typeof value === 'string') this.write(name, value, isSecret)
      else if (typeof value === 'number') this.write(name, `${value}`)
      else for (const one of value) this.write(name, one, isSecret)
    }
    this.lastHeaders = undefined
    // What was added now is a number the next time.
    if (changes === this.table.changes) this.keep(headers, out.subarray(from, at))
    return out.subarray(0, at)
  }

  private tellSize(): void {
    if (this.least !== this.size) writeNumber(0x20, 0x1f, this.least!)
    writeNumber(0x20, 0x1f, this.size)
    this.least = undefined
  }

  private keep(headers: Headers, block: Buffer): void {
    this.lastHeaders = headers
    this.lastBlock = Buffer.from(block)
    this.lastChanges = this.table.changes
  }

  private write(name: string, value: string, isSecret = false): void {
    const known = this.names.get(name) ?? this.learn(name)
    const fixed = known.fixed.get(value)
    if (fixed !== undefined) {
      room(1)
      out[at++] = 0x80 | fixed
      return
    }
    const nth = known.values.get(value)
    const number = nth === undefined || isSecret ? -1 : this.table.numberOf(nth)
    if (number > 0) {
      room(6)
      writeNumber(0x80, 0x7f, number)
      return
    }
    if (nth !== undefined && !isSecret) known.values.delete(value)
    const { length } = value
    const isAdded = known.how === ADDED && !isSecret && length <= MOST_INDEXED && this.table.takes(name.length + length)
    const how = isAdded ? ADDED : isSecret || known.how === NEVER ? NEVER : PLAIN
    room(18 + name.length + length)
    writeNumber(how, isAdded ? 0x3f : 0x0f, known.number)
    if (known.number === 0) writeText(name)
    writeText(value)
    if (isAdded) this.add(known, name, value)
  }

  private add(known: Known, name: string, value: string): void {
    // Values that were thrown out are forgotten when there are many.
    if (known.values.size > 2 * (TABLE_SIZE / ENTRY_SIZE)) known.values.clear()
    known.values.set(value, this.table.added)
    this.table.add(name, value)
  }

  private learn(name: string): Known {
    const how = SECRET.has(name) ? NEVER : EACH_TIME.has(name) ? PLAIN : ADDED
    const { number, values: fixed } = STATIC_BY_NAME.get(name) ?? { number: 0, values: NO_VALUES }
    const known = { number, fixed, values: new Map<string, number>(), how }
    if (this.names.size >= MOST_NAMES) this.names.clear()
    this.names.set(name, known)
    return known
  }
}

function room(size: number): void {
  if (at + size <= out.length) return
  const more = Buffer.allocUnsafeSlow(2 * (out.length + size))
  out.copy(more, 0, 0, at)
  out = more
}

function writeNumber(bits: number, mask: number, value: number): void {
  if (value < mask) {
    out[at++] = bits | value
    return
  }
  out[at++] = bits | mask
  let rest = value - mask
  for (; rest >= 128; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80
  out[at++] = rest
}

function writeText(text: string): void {
  writeNumber(0, 0x7f, text.length)
  at += out.write(text, at, 'latin1')
}
