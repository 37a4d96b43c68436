// Writes a value as Go's encoder writes its typed form: members in declared order, zero values by rule.
import { numberText, rawText, sortedKeys, stringText } from './json-text.ts'
import { quantityOf } from './quantity.ts'
import { timeText } from './rfc3339.ts'

/** A value that does not convert to its type. */
export class Malformed extends Error {}

/** How one type is written. `write` throws Malformed. */
export type Codec = Readonly<{
  kind: 'string' | 'bool' | 'int32' | 'int64' | 'quantity' | 'intOrString' | 'time' | 'raw' | 'list' | 'map' | 'struct'
  write(value: unknown): string
  /** What an absent value is written as where it must be written. */
  zero: string
  /** The text that `?` leaves out. */
  empty: string
  /** Of lists and maps. */
  item?: Codec
  /** Of structs; filled once all types are known. */
  members?: readonly Member[]
  /** The name of a struct's type. */
  type?: string
}>

export type Member = Readonly<{
  name: string
  /** `"name":` */
  label: string
  codec: Codec
  isPointer: boolean
  isAlways: boolean
}>

const fail = (): never => {
  throw new Malformed('value does not fit its type')
}

/** The value as a 64 bit integer; undefined when it has a fraction or does not fit. */
export function integerOf(value: unknown): bigint | number | undefined {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value
    if (!Number.isInteger(value)) return undefined
    return integerOf(BigInt(value))
  }
  if (typeof value !== 'bigint') return undefined
  return BigInt.asIntN(64, value) === value ? value : undefined
}

const wrap32 = (value: bigint | number): number => Number(BigInt.asIntN(32, BigInt(value)))

/** The text of an int-or-string, undefined when it is neither or the integer is out of 32 bits. */
export function intOrStringText(value: unknown): string | undefined {
  if (typeof value === 'string') return stringText(value)
  const integer = integerOf(value)
  if (integer === undefined || BigInt(integer) !== BigInt(wrap32(integer))) return undefined
  return numberText(integer)
}

const plain = (kind: Codec['kind'], zero: string, write: (value: unknown) => string): Codec => ({
  kind,
  write,
  zero,
  empty: zero,
})

/** An integer member. argo: a whole number beyond 64 bits becomes the least that they hold, as Go converts doubles. */
const memberInteger = (value: unknown): bigint | number =>
  integerOf(value) ?? (Number.isInteger(value) ? -(2n ** 63n) : fail())

const int32 = (value: unknown): string => {
  const integer = memberInteger(value)
  // argo: a 32 bit member wraps silently.
  return String(typeof integer === 'number' && integer === (integer | 0) ? integer : wrap32(integer))
}

const PLAIN: Readonly<Record<string, Codec>> = {
  '': plain('string', '""', value => (typeof value === 'string' ? stringText(value) : fail())),
  bool: plain('bool', 'false', value => (typeof value === 'boolean' ? String(value) : fail())),
  int32: plain('int32', '0', int32),
  int64: plain('int64', '0', value => numberText(memberInteger(value))),
  quantity: plain('quantity', '"0"', value => `"${quantityOf(value) ?? fail()}"`),
  intOrString: plain('intOrString', '0', value => intOrStringText(value) ?? fail()),
  time: plain('time', 'null', value => timeText(value) ?? fail()),
  raw: plain('raw', 'null', rawText),
}

function listOf(item: Codec): Codec {
  const one = (value: unknown) => (value === null || value === undefined ? item.zero : item.write(value))
  const write = (value: unknown) => (Array.isArray(value) ? `[${value.map(one).join()}]` : fail())
  return { kind: 'list', write, zero: 'null', empty: '[]', item }
}

function mapOf(item: Codec): Codec {
  const write = (value: unknown): string => {
    if (!isObject(value)) return fail()
    let text = ''
    for (const key of sortedKeys(value)) {
      const entry = value[key]
      const shown = entry === null || entry === undefined ? item.zero : item.write(entry)
      text += `${text === '' ? '' : ','}${stringText(key)}:${shown}`
    }
    return `{${text}}`
  }
  return { kind: 'map', write, zero: 'null', empty: '{}', item }
}

/** Whether a value is a JSON object. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function structOf(type: string, members: readonly Member[]): Codec {
  const write = (value: unknown): string => {
    if (!isObject(value)) return fail()
    let text = ''
    for (const { name, label, codec, isPointer, isAlways } of members) {
      const field = Object.hasOwn(value, name) ? value[name] : undefined
      const isAbsent = field === undefined || field === null
      if (isAbsent && !isAlways) continue
      const shown = isAbsent ? (isPointer ? 'null' : codec.zero) : codec.write(field)
      if (!isAlways && ((!isPointer && shown === codec.empty) || shown === 'null')) continue
      text += text === '' ? label + shown : `,${label}${shown}`
    }
    return `{${text}}`
  }
  return {
    kind: 'struct',
    write,
    // Late, since members may hold types that are declared further down.
    get zero() {
      return write({})
    },
    empty: '',
    members,
    type,
  }
}

/** Reads the table of go-json-order.ts into codecs by type name. */
export function compileTypes(table: string): ReadonlyMap<string, Codec> {
  const types = new Map<string, Codec>()
  const pending: (() => void)[] = []
  const codecOf = (type: string): Codec => {
    if (type.startsWith('[]')) return listOf(codecOf(type.slice(2)))
    if (type.startsWith('map:')) return mapOf(codecOf(type.slice(4).replace(/^string$/, '')))
    const found = PLAIN[type === 'string' ? '' : type] ?? types.get(type)
    if (!found) throw new Error(`go-json-order: unknown type ${type}`)
    return found
  }
  for (const line of table.replaceAll(/\n +/g, ' ').trim().split('\n')) {
    const [type = '', rest = ''] = line.split(/:(.*)/s)
    const members: Member[] = []
    types.set(type, structOf(type, members))
    pending.push(() => {
      for (const text of rest.trim().split(/\s+/)) members.push(memberOf(text, codecOf))
    })
  }
  for (const fill of pending) fill()
  return types
}

// What follows a type (`@key`, `+`, `=`) is about strategic merge and does not change the JSON.
function memberOf(text: string, codecOf: (type: string) => Codec): Member {
  const [, name = '', mark = '', star = '', type = ''] = /^(\w+)(!!|[!?~])(\*?)([^@+=]*)/.exec(text) ?? []
  return { name, label: `"${name}":`, codec: codecOf(type), isPointer: star !== '', isAlways: mark.startsWith('!') }
}
