// The values of conditions and what Go calls them: whole numbers are bigints of 64 bits, floats are numbers.
import { goFloat } from './go-number.ts'

const KIND = Symbol('kind')

/** A point in time: nanoseconds since the epoch, shown at `offset` minutes from UTC. */
export type Instant = Readonly<{ [KIND]: 'time'; ns: bigint; offset: number }>
export type Span = Readonly<{ [KIND]: 'duration'; ns: bigint }>
/** A value with fixed fields, such as a CloudWatch result. */
export type Struct = Readonly<{ [KIND]: 'struct'; type: string; fields: Readonly<Record<string, Value>> }>
export type Func = Readonly<{ [KIND]: 'func'; name: string }>
export type Fields = { readonly [key: string]: Value; readonly [KIND]?: undefined }

/** Float64Array and BigInt64Array are Go's []float64 and []int, arrays are []interface {}, Maps have keys of any type. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly Value[]
  | Float64Array
  | BigInt64Array
  | Uint8Array
  | ReadonlyMap<Value, Value>
  | Instant
  | Span
  | Struct
  | Func
  | Fields

export type List = readonly Value[] | Float64Array | BigInt64Array | Uint8Array

export const instant = (ns: bigint, offset = 0): Instant => ({ [KIND]: 'time', ns, offset })
export const span = (ns: bigint): Span => ({ [KIND]: 'duration', ns })
export const struct = (type: string, fields: Readonly<Record<string, Value>>): Struct => ({
  [KIND]: 'struct',
  type,
  fields,
})
export const func = (name: string): Func => ({ [KIND]: 'func', name })

type Tagged = Instant | Span | Struct | Func

/** What a tagged value is; undefined for all others. */
export const tagOf = (value: Value): Tagged[typeof KIND] | undefined =>
  typeof value === 'object' && value !== null ? (value as Partial<Tagged>)[KIND] : undefined

export const isInstant = (value: Value): value is Instant => tagOf(value) === 'time'
export const isSpan = (value: Value): value is Span => tagOf(value) === 'duration'
export const isStruct = (value: Value): value is Struct => tagOf(value) === 'struct'
export const isFunc = (value: Value): value is Func => tagOf(value) === 'func'
export const isList = (value: Value): value is List => Array.isArray(value) || ArrayBuffer.isView(value)
export const isMap = (value: Value): value is ReadonlyMap<Value, Value> => value instanceof Map
export const isFields = (value: Value): value is Fields =>
  typeof value === 'object' && value !== null && tagOf(value) === undefined && !isList(value) && !isMap(value)

/** An item of a list as a value of its own: bytes are integers. */
export function itemAt(list: List, at: number): Value {
  const item = (list as readonly Value[])[at] ?? null
  return list instanceof Uint8Array ? BigInt(item as number) : item
}

/** All items of a list. */
export const itemsOf = (list: List): readonly Value[] =>
  Array.isArray(list) ? list : Array.from({ length: list.length }, (_, at) => itemAt(list, at))

/** Names of lists that Go holds in a way of their own. */
const NAMES = new WeakMap<object, string>()

/** The list, under the name that Go has for it. */
export const named = (name: string, list: readonly Value[]): readonly Value[] => {
  NAMES.set(list, name)
  return list
}

/** Lists by keys of any type, as groupBy gives them. */
export class Groups extends Map<Value, Value> {}

/** What Go's %T says. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'float64'
    case 'string':
      return 'string'
  }
  if (isList(value)) return listName(value)
  if (isMap(value)) return value instanceof Groups ? 'map[interface {}][]interface {}' : 'map[interface {}]interface {}'
  if (isInstant(value)) return 'time.Time'
  if (isSpan(value)) return 'time.Duration'
  if (isStruct(value)) return value.type
  return isFunc(value) ? value.name : 'map[string]interface {}'
}

function listName(list: List): string {
  if (list instanceof Float64Array) return '[]float64'
  if (list instanceof BigInt64Array) return '[]int'
  if (list instanceof Uint8Array) return '[]uint8'
  return NAMES.get(list) ?? '[]interface {}'
}

/** The kind of a value as Go's reflection calls it; `nothing`: what it says of nil. */
export function kindOf(value: Value, nothing = 'invalid'): string {
  if (value === null || value === undefined) return nothing
  if (typeof value !== 'object') return typeName(value)
  if (isList(value)) return 'slice'
  if (isSpan(value)) return 'int64'
  if (isInstant(value) || isStruct(value)) return 'struct'
  return isFunc(value) ? 'func' : 'map'
}

/** What the function type() says. */
export function kindName(value: Value): string {
  if (value === null) return 'nil'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float'
  if (typeof value === 'string') return 'string'
  if (isList(value)) return 'array'
  if (isFunc(value)) return 'func'
  if (isInstant(value) || isSpan(value)) return typeName(value)
  return isStruct(value) ? 'struct' : 'map'
}

const byCodePoint = (a: string, b: string): number => (a === b ? 0 : compareText(a, b))

/** Order of texts by their bytes. */
export function compareText(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
  }
  return left.length - right.length
}

/** The keys of an object in the order of their bytes. */
export const sortedKeys = (fields: Fields): readonly string[] => Object.keys(fields).sort(byCodePoint)

/** What Go's %v prints. */
export function printed(value: Value): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return goFloat(value)
  if (typeof value !== 'object') return String(value)
  if (isList(value)) return `[${itemsOf(value).map(printed).join(' ')}]`
  if (isSpan(value)) return spanText(value.ns)
  if (isInstant(value)) return instantText(value)
  if (isStruct(value)) return `{${Object.values(value.fields).map(printed).join(' ')}}`
  if (isFunc(value)) return value.name
  const pairs = isMap(value)
    ? [...value].map(([key, item]) => [printed(key), item] as const).sort(([a], [b]) => byCodePoint(a, b))
    : sortedKeys(value as Fields).map(key => [key, (value as Fields)[key]!] as const)
  return `map[${pairs.map(([key, item]) => `${key}:${printed(item)}`).join(' ')}]`
}

const SECOND = 1_000_000_000n

/** A length of time as Go prints it: 1h30m0s. */
export function spanText(ns: bigint): string {
  if (ns === 0n) return '0s'
  const sign = ns < 0n ? '-' : ''
  const size = ns < 0n ? -ns : ns
  if (size < SECOND) {
    const [unit, factor] = size < 1000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1000n] : ['ms', 1_000_000n]
    return `${sign}${decimal(size, factor as bigint)}${unit}`
  }
  const [hours, minutes] = [size / (3600n * SECOND), (size / (60n * SECOND)) % 60n]
  const text = `${decimal(size % (60n * SECOND), SECOND)}s`
  if (hours > 0n) return `${sign}${hours}h${minutes}m${text}`
  return minutes > 0n ? `${sign}${minutes}m${text}` : sign + text
}

function decimal(value: bigint, factor: bigint): string {
  const fraction = (value % factor)
    .toString()
    .padStart(String(factor).length - 1, '0')
    .replace(/0+$/, '')
  return fraction === '' || factor === 1n ? String(value / factor) : `${value / factor}.${fraction}`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** A time in RFC 3339. */
export function rfc3339({ ns, offset }: Instant): string {
  const ms = ns / 1_000_000n - (ns % 1_000_000n < 0n ? 1n : 0n)
  const local = new Date(Number(ms) + offset * 60_000)
  const fraction = String(((ns % SECOND) + SECOND) % SECOND)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const text = local.toISOString().replace(/\.\d+Z$/, '')
  const size = Math.abs(offset)
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
  return `${text}${fraction === '' ? '' : `.${fraction}`}${zone}`
}

const instantText = (time: Instant): string => `${rfc3339(time).replace('T', ' ').replace('Z', '')} +0000 UTC`
