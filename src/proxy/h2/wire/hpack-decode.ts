// Heads as they come: HPACK (RFC 7541), one decoder for each connection.
import { DYNAMIC, DynamicTable, ENTRY_SIZE, STATIC_NAMES, STATIC_VALUES, TABLE_SIZE } from './hpack-table.ts'
import { unhuffman } from './huffman.ts'

/** Names and values in turn. */
export type HeaderList = readonly string[]

const never = new WeakMap<HeaderList, ReadonlySet<string>>()

/** Names of fields that nobody on the way may put into a table, by the word of whoever sent them (RFC 7541 6.2.3). */
export const neverIndexed = (list: HeaderList): ReadonlySet<string> | undefined => never.get(list)

/** A block that was read: what it says, what it put into the table, and whether it named anything of it, as it was then. */
type Block = Readonly<{
  list: HeaderList
  added: readonly string[]
  usesTable: boolean
  changes: number
  size: number
}>

/** Of a longer one nothing is kept. */
const MOST_KEPT = 512

/** Where the reading is; of one decoder at a time. */
let at = 0
let isWrong = false
let scratch = Buffer.allocUnsafeSlow(16 * 1024)

export class HpackDecoder {
  private readonly table = new DynamicTable()
  /** Octets of all fields, as SETTINGS_MAX_HEADER_LIST_SIZE counts them. */
  private readonly most: number
  /** The last block, if it would mean the same once more. */
  private last: Block | undefined
  private readonly lastOctets = Buffer.allocUnsafe(MOST_KEPT)

  constructor(most: number) {
    this.most = most
  }

  /** Reads a whole block, [from, to). The list is the same one again when the block means the same as the one before.
   * Undefined: it is no HPACK, and nothing that follows on the connection can be read. Null: it is longer than lists may be,
   * and the next one can be read. */
  decode(buf: Buffer, from: number, to: number): HeaderList | undefined | null {
    const again = this.again(buf, from, to)
    if (again !== undefined) return again
    const list: string[] = []
    const added: string[] = []
    let usesTable = false
    let size = 0
    let isFirst = true
    at = from
    isWrong = false
    while (at < to) {
      const octet = buf[at]!
      if ((octet & 0xe0) === 0x20) {
        // Only in front of the first field (RFC 7541 4.2).
        const most = readNumber(buf, to, 0x1f)
        if (!isFirst || isWrong || most > TABLE_SIZE) return undefined
        this.table.resize(most)
        continue
      }
      isFirst = false
      const isIndexed = octet >= 0x80
      const isAdded = !isIndexed && octet >= 0x40
      const number = readNumber(buf, to, isIndexed ? 0x7f : isAdded ? 0x3f : 0x0f)
      const name = number === 0 && !isIndexed ? readText(buf, to) : this.nameOf(number)
      const value = isIndexed ? this.valueOf(number) : readText(buf, to)
      if (isWrong || name === undefined || value === undefined) return undefined
      if (isAdded) {
        this.table.add(name, value)
        added.push(name, value)
      }
      usesTable ||= number >= DYNAMIC
      if ((octet & 0xf0) === 0x10) never.set(list, new Set(never.get(list)).add(name))
      size += name.length + value.length + ENTRY_SIZE
      if (size <= this.most) list.push(name, value)
    }
    if (size > this.most) return null
    this.keep(buf, from, to, { list, added, usesTable, changes: this.table.changes, size: to - from })
    return list
  }

  private keep(buf: Buffer, from: number, to: number, block: Block): void {
    const { size, usesTable, added } = block
    const isLasting = (buf[from]! & 0xe0) !== 0x20 && !(usesTable && added.length > 0)
    this.last = isLasting && size <= MOST_KEPT ? block : undefined
    if (this.last) buf.copy(this.lastOctets, 0, from, to)
  }

  /** The list of the block before, if this is the same and means the same. Some servers put the same fields into the table
   * each time. */
  private again(buf: Buffer, from: number, to: number): HeaderList | undefined {
    const { last, table } = this
    if (last === undefined || to - from !== last.size || (last.usesTable && last.changes !== table.changes))
      return undefined
    if (buf.compare(this.lastOctets, 0, last.size, from, to) !== 0) return undefined
    for (let i = 0; i < last.added.length; i += 2) table.add(last.added[i]!, last.added[i + 1]!)
    return last.list
  }

  private nameOf(number: number): string | undefined {
    if (number < DYNAMIC) return number === 0 ? undefined : STATIC_NAMES[number]
    const { names, length } = this.table
    return number - DYNAMIC < length ? names[names.length - 1 - (number - DYNAMIC)] : undefined
  }

  private valueOf(number: number): string | undefined {
    if (number < DYNAMIC) return number === 0 ? undefined : STATIC_VALUES[number]
    const { values, length } = this.table
    return number - DYNAMIC < length ? values[values.length - 1 - (number - DYNAMIC)] : undefined
  }
}

/** A number whose first octet has the bits of `mask` for it (RFC 7541 5.1). Beyond 2^28 no number means anything here. */
function readNumber(buf: Buffer, to: number, mask: number): number {
  let value = buf[at++]! & mask
  if (value < mask) return value
  for (let shift = 0; shift <= 21; shift += 7) {
    if (at >= to) break
    const octet = buf[at++]!
    value += (octet & 0x7f) << shift
    if (octet < 0x80) return value
  }
  isWrong = true
  return 0
}

/** A text (RFC 7541 5.2), an octet for each character. */
function readText(buf: Buffer, to: number): string | undefined {
  if (isWrong || at >= to) return undefined
  const isCoded = buf[at]! >= 0x80
  const size = readNumber(buf, to, 0x7f)
  if (isWrong || at + size > to) return undefined
  const from = at
  at += size
  if (!isCoded) return buf.toString('latin1', from, at)
  // The shortest code has five bits.
  if (size * 2 > scratch.length) scratch = Buffer.allocUnsafeSlow(size * 2)
  const end = unhuffman(buf, from, at, scratch, 0)
  return end < 0 ? undefined : scratch.toString('latin1', 0, end)
}
