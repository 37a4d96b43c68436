// What operators do to values once a condition runs.
import { fail } from './errors.ts'
import { utf8 } from './escapes.ts'
import { goPower, truncated } from './go-number.ts'
import { compileRegExp } from './go-regexp.ts'
import {
  compareText,
  instant,
  isFields,
  isInstant,
  isList,
  isMap,
  isSpan,
  isStruct,
  itemAt,
  type List,
  printed,
  sortedKeys,
  span,
  typeName,
  type Value,
} from './values.ts'

type Numeric = bigint | number

const isNumeric = (value: Value): value is Numeric => typeof value === 'bigint' || typeof value === 'number'
const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

/** Equality: 1 == 1.0, also inside of lists; objects are equal only down to their types. */
export function equal(a: Value, b: Value): boolean {
  if (isNumeric(a) && isNumeric(b)) {
    return typeof a === typeof b ? a === b : Number(a) === Number(b)
  }
  if (isList(a) && isList(b)) {
    const isTyped = !Array.isArray(a) && !Array.isArray(b)
    if (isTyped && typeName(a) !== typeName(b)) return false
    return sameItems(a, b, equal)
  }
  return deepEqual(a, b)
}

function sameItems(a: List, b: List, same: (x: Value, y: Value) => boolean): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(itemAt(a, i), itemAt(b, i))) return false
  return true
}

function deepEqual(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (isInstant(a) || isSpan(a)) return typeName(a) === typeName(b) && a.ns === (b as typeof a).ns
  if (isList(a)) return isList(b) && typeName(a) === typeName(b) && sameItems(a, b, deepEqual)
  if (isStruct(a)) return isStruct(b) && deepEqual(a.fields, b.fields)
  if (!isFields(a) || !isFields(b)) return false
  const keys = sortedKeys(a)
  return keys.length === sortedKeys(b).length && keys.every(key => Object.hasOwn(b, key) && deepEqual(a[key]!, b[key]!))
}

const invalid = (a: Value, operator: string, b: Value): never =>
  fail(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`)

/** The order of two values: below, at, above zero; NaN where neither is true. Throws ExprError. */
function order(a: Value, operator: string, b: Value): number {
  if (isNumeric(a) && isNumeric(b)) {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN
    return Number(a) - Number(b)
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  const isTimed = (isInstant(a) && isInstant(b)) || (isSpan(a) && isSpan(b))
  if (isTimed) {
    const [left, right] = [(a as { ns: bigint }).ns, (b as { ns: bigint }).ns]
    return left < right ? -1 : left > right ? 1 : 0
  }
  return invalid(a, operator, b)
}

/** a < b, and so on. Throws ExprError for values that have no order. */
export function compare(a: Value, operator: string, b: Value): boolean {
  const sign = order(a, operator, b)
  switch (operator) {
    case '<':
      return sign < 0
    case '<=':
      return sign <= 0
    case '>':
      return sign > 0
    default:
      return sign >= 0
  }
}

/** a + b. */
export function add(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return wrap(a + b)
  if (isNumeric(a) && isNumeric(b)) return Number(a) + Number(b)
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (isSpan(a) && isSpan(b)) return span(a.ns + b.ns)
  if (isInstant(a) && isSpan(b)) return instant(a.ns + b.ns, a.offset)
  if (isSpan(a) && isInstant(b)) return instant(a.ns + b.ns, b.offset)
  return invalid(a, '+', b)
}

function subtract(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return wrap(a - b)
  if (isNumeric(a) && isNumeric(b)) return Number(a) - Number(b)
  if ((isSpan(a) && isSpan(b)) || (isInstant(a) && isInstant(b))) return span(a.ns - (b as { ns: bigint }).ns)
  if (isInstant(a) && isSpan(b)) return instant(a.ns - b.ns, a.offset)
  return invalid(a, '-', b)
}

function multiply(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return wrap(a * b)
  if (isNumeric(a) && isNumeric(b)) return Number(a) * Number(b)
  if (isSpan(a) && isNumeric(b)) return scaled(a.ns, b)
  if (isNumeric(a) && isSpan(b)) return scaled(b.ns, a)
  if (isSpan(a) && isSpan(b)) return span(wrap(a.ns * b.ns))
  return invalid(a, '*', b)
}

const scaled = (ns: bigint, by: Numeric): Value =>
  span(typeof by === 'bigint' ? wrap(ns * by) : truncated(Number(ns) * by))

function remainder(a: Value, b: Value): Value {
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return invalid(a, '%', b)
  return b === 0n ? fail('runtime error: integer divide by zero') : a % b
}

const conversion = (value: Value, wanted: string): never =>
  fail(`interface conversion: interface {} is ${value === null ? 'nil' : typeName(value)}, not ${wanted}`)

/** The value as true or false. Throws ExprError for all else. */
export const asBool = (value: Value): boolean => (typeof value === 'boolean' ? value : conversion(value, 'bool'))

/** The value as a text. Throws ExprError for all else. */
export const asText = (value: Value, wanted = 'string'): string =>
  typeof value === 'string' ? value : conversion(value, wanted)

/** The value as a float. Throws ExprError for all else. */
export const asNumber = (value: Value): number => (typeof value === 'number' ? value : conversion(value, 'float64'))

/** The value as a whole number; floats are cut. Throws ExprError for all else. */
export function asWhole(value: Value): bigint {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' ? truncated(value) : fail(`invalid operation: int(${typeName(value)})`)
}

const asFloat = (value: Value): number =>
  isNumeric(value) ? Number(value) : fail(`invalid operation: float(${typeName(value)})`)

function textual(a: Value, b: Value, test: (text: string, part: string) => boolean): boolean {
  // argo: nothing contains nothing, quietly.
  return a !== null && b !== null && test(asText(a), asText(b))
}

function matches(a: Value, b: Value): boolean {
  if (a === null || b === null) return false
  const pattern = compileRegExp(asText(b))
  return pattern.test(asText(a, '[]uint8'))
}

/** Whether `list in container`. `isTextSet`: the container is a list of texts that is written down. */
export function contains(needle: Value, container: Value, isTextSet: boolean): boolean {
  if (isList(container)) {
    if (isTextSet && typeof needle !== 'string') {
      // argo: such a list is a set of texts, where nothing is the empty text.
      if (needle === null) return (container as readonly Value[]).includes('')
      fail(`reflect.Value.MapIndex: value of type ${typeName(needle)} is not assignable to type string`)
    }
    for (let i = 0; i < container.length; i++) if (equal(itemAt(container, i), needle)) return true
    return false
  }
  if (container === null) return false
  if (isMap(container)) return container.has(needle)
  if (isInstant(container)) return false
  if (isStruct(container)) return Object.hasOwn(container.fields, asText(needle))
  if (!isFields(container)) return fail(`operator "in" not defined on ${typeName(container)}`)
  if (needle === null) return Object.hasOwn(container, '')
  if (typeof needle === 'string') return Object.hasOwn(container, needle)
  return fail(`reflect.Value.MapIndex: value of type ${typeName(needle)} is not assignable to type string`)
}

/** Operators that take both values; the others decide themselves whether to look at the second. */
export function operate(operator: string, a: Value, b: Value): Value {
  switch (operator) {
    case '==':
      return equal(a, b)
    case '!=':
      return !equal(a, b)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(a, operator, b)
    case '+':
      return add(a, b)
    case '-':
      return subtract(a, b)
    case '*':
      return multiply(a, b)
    case '/':
      return isNumeric(a) && isNumeric(b) ? Number(a) / Number(b) : invalid(a, '/', b)
    case '**':
    case '^':
      return goPower(asFloat(a), asFloat(b))
    case '%':
      return remainder(a, b)
    case 'contains':
      return textual(a, b, (text, part) => text.includes(part))
    case 'startsWith':
      return textual(a, b, (text, part) => text.startsWith(part))
    case 'endsWith':
      return textual(a, b, (text, part) => text.endsWith(part))
    case 'matches':
      return matches(a, b)
    default:
      return fail(`unknown operator ${operator}`)
  }
}

/** -a and +a. */
export function negate(operator: string, value: Value): Value {
  if (operator === '+') return value
  if (!isNumeric(value)) return fail(`invalid operation: ${operator} ${typeName(value)}`)
  return typeof value === 'bigint' ? wrap(-value) : -value
}

/** base[key] and base.key. Throws ExprError where there is none. */
export function fetch(base: Value, key: Value): Value {
  if (base === null) return fail(`cannot fetch ${printed(key)} from <nil>`)
  if (isList(base) || typeof base === 'string') {
    const list = typeof base === 'string' ? utf8(base) : base
    const at = Number(asWholeKey(key))
    const index = at < 0 ? list.length + at : at
    if (index < 0 || index >= list.length) return fail(`index out of range: ${index} (array length is ${list.length})`)
    return itemAt(list, index)
  }
  if (isMap(base)) return base.get(key) ?? null
  if (isStruct(base)) return base.fields[asText(key)] ?? fail(`cannot fetch ${printed(key)} from ${base.type}`)
  if (!isFields(base)) return fail(`cannot fetch ${printed(key)} from ${typeName(base)}`)
  if (key === null) return null
  if (typeof key !== 'string') {
    return fail(`reflect.Value.MapIndex: value of type ${typeName(key)} is not assignable to type string`)
  }
  return Object.hasOwn(base, key) ? (base[key] ?? null) : null
}

const asWholeKey = (key: Value): bigint =>
  typeof key === 'bigint' || typeof key === 'number' ? asWhole(key) : fail(`invalid operation: int(${typeName(key)})`)

/** base[from:to]: negative ends count from the end, all is cut to the size. */
export function slice(base: Value, from: Value | undefined, to: Value | undefined): Value {
  if (typeof base !== 'string' && !isList(base)) {
    // argo: without an end the length is wanted first; else it is the start that is named.
    const hasLength = to !== undefined || isMap(base) || isFields(base)
    return fail(hasLength ? `cannot slice ${printed(from ?? 0n)}` : `invalid argument for len (type ${typeName(base)})`)
  }
  const list = typeof base === 'string' ? utf8(base) : base
  const end = (value: Value | undefined, otherwise: number): number => {
    if (value === undefined) return otherwise
    const at = Number(asWhole(value))
    return Math.min(Math.max(at < 0 ? list.length + at : at, 0), list.length)
  }
  const [start, stop] = [end(from, 0), end(to, list.length)]
  const part = list.slice(Math.min(start, stop), stop)
  return typeof base === 'string' ? new TextDecoder().decode(part as Uint8Array) : part
}
