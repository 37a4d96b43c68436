// What Go's decoder makes of a value that does not fit its type: the controller goes on with that.
import { type Codec, integerOf, intOrStringText, isObject, type Member } from './go-json.ts'
import { sortedKeys } from './json-text.ts'
import { quantityOf } from './quantity.ts'
import { timeText } from './rfc3339.ts'

/** `isStopped`: something unreadable ended the reading; all that comes later in sorted key order is lost. `path` is where
 * that was, put together on the way out. */
type Reading = { isStopped: boolean; path: string; found?: unknown; wanted?: string }

/** What ended a reading early. */
export type Stop = Readonly<{ path: string; value: unknown; wanted: string }>

const ZERO: Readonly<Record<string, unknown>> = { string: '', bool: false, int32: 0, int64: 0 }

/** Reads `value` as the type of `codec`. The answer always converts strictly; undefined is null or no list. */
export function readTolerant(codec: Codec, value: unknown): Readonly<{ value: unknown; stop?: Stop }> {
  const reading: Reading = { isStopped: false, path: '' }
  const result = read(codec, value, reading)
  if (!reading.isStopped) return { value: result }
  return { value: result, stop: { path: reading.path, value: reading.found, wanted: reading.wanted ?? '' } }
}

function read(codec: Codec, value: unknown, reading: Reading): unknown {
  switch (codec.kind) {
    case 'string':
      return typeof value === 'string' ? value : ''
    case 'bool':
      return value === true
    case 'int32':
    case 'int64':
      return readInteger(value, codec.kind === 'int32' ? 32 : 64)
    case 'quantity':
      return stopUnless(value, 'a quantity', quantityOf(value) !== undefined, '0', reading)
    case 'intOrString':
      return stopUnless(value, 'a number or a text', intOrStringText(value) !== undefined, 0, reading)
    case 'time':
      return stopUnless(value, 'a time', timeText(value) !== undefined, null, reading)
    case 'raw':
      return value
    case 'list':
      return Array.isArray(value) ? readList(codec.item!, value, reading) : undefined
    case 'map':
      return isObject(value) ? readMap(codec.item!, value, reading) : undefined
    case 'struct':
      return isObject(value) ? readStruct(codec.members!, value, reading) : {}
  }
}

function stopUnless(value: unknown, wanted: string, fits: boolean, zero: unknown, reading: Reading): unknown {
  if (value === null || value === undefined) return zero
  if (fits) return value
  Object.assign(reading, { isStopped: true, found: value, wanted })
  return zero
}

/** Has the reading ended within the member `at`? */
function isOver(reading: Reading, at: string): boolean {
  if (reading.isStopped) reading.path = `${at}${reading.path}`
  return reading.isStopped
}

function readInteger(value: unknown, bits: 32 | 64): unknown {
  const integer = integerOf(value)
  if (integer === undefined) return 0
  return BigInt.asIntN(bits, BigInt(integer)) === BigInt(integer) ? integer : 0
}

function readList(item: Codec, values: readonly unknown[], reading: Reading): unknown[] {
  const list: unknown[] = []
  for (const [index, value] of values.entries()) {
    // The element that stops the reading is part of the list, as far as it came.
    list.push(value === null ? (ZERO[item.kind] ?? null) : read(item, value, reading))
    if (isOver(reading, `[${index}]`)) break
  }
  return list
}

function readMap(item: Codec, values: Readonly<Record<string, unknown>>, reading: Reading): unknown {
  const entries: [string, unknown][] = []
  for (const key of sortedKeys(values)) {
    const entry = read(item, values[key], reading)
    if (isOver(reading, `[${key}]`)) break
    entries.push([key, entry])
  }
  return Object.fromEntries(entries)
}

function readStruct(members: readonly Member[], values: Readonly<Record<string, unknown>>, reading: Reading): unknown {
  const fields: Record<string, unknown> = {}
  for (const key of sortedKeys(values)) {
    const member = members.find(m => m.name === key) ?? members.find(m => m.name.toLowerCase() === key.toLowerCase())
    if (!member) continue
    const value = values[key]
    const isNull = value === null || value === undefined
    if (isNull && (member.isPointer || member.codec.kind === 'list' || member.codec.kind === 'map')) {
      delete fields[member.name]
      continue
    }
    if (isNull) continue
    fields[member.name] = read(member.codec, value, reading)
    if (isOver(reading, `.${member.name}`)) break
  }
  return fields
}
