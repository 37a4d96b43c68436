// The built-in functions on numbers and lists; the others are beside.
import { fail } from './errors.ts'
import { utf8 } from './escapes.ts'
import type { Context } from './evaluate.ts'
import { parseFloat64, parseInt64, truncated } from './go-number.ts'
import { asText, asWhole, compare, equal, fetch } from './operators.ts'
import { TEXT_FUNCTIONS } from './text-functions.ts'
import { dateOf, durationOf } from './time-values.ts'
import {
  instant,
  isFields,
  isList,
  isMap,
  isStruct,
  itemAt,
  itemsOf,
  kindName,
  kindOf,
  type List,
  named,
  printed,
  typeName,
  type Value,
} from './values.ts'

type Call = (args: readonly Value[], context: Context) => Value

const isNumeric = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number'
const goName = (value: Value): string => (value === null ? '<nil>' : typeName(value))
const invalid = (name: string, value: Value): never => fail(`invalid argument for ${name} (type ${goName(value)})`)

/** Away from zero at the half, unlike Math.round. */
const roundAway = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

const rounding =
  (name: string, round: (value: number) => number): Call =>
  ([value = null]) => {
    if (typeof value === 'bigint') return Number(value)
    if (typeof value !== 'number') return invalid(name, value)
    const result = round(value)
    return result === 0 && (value < 0 || Object.is(value, -0)) ? -0 : result
  }

/** All numbers of nested lists. */
function numbers(name: string, args: readonly Value[]): readonly (bigint | number)[] {
  return args.flatMap(arg => {
    if (isNumeric(arg)) return [arg]
    return isList(arg) ? numbers(name, itemsOf(arg)) : invalid(name, arg)
  })
}

const extreme =
  (name: string, operator: '<' | '>'): Call =>
  args => {
    // argo: a single value that is no number is its own extreme.
    const [only = null] = args
    if (args.length === 1 && !isNumeric(only) && !isList(only)) return only
    const [first, ...rest] = numbers(name, args)
    if (first === undefined) return null
    return rest.reduce((best: Value, value) => (compare(value, operator, best) ? value : best), first)
  }

function median(args: readonly Value[]): Value {
  const sorted = numbers('median', args)
    .map(Number)
    .sort((a, b) => a - b)
  if (sorted.length === 0) return 0
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

function mean(args: readonly Value[]): Value {
  const all = numbers('mean', args).map(Number)
  return all.length === 0 ? 0 : all.reduce((sum, value) => sum + value, 0) / all.length
}

function toInt([value = null]: readonly Value[]): Value {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return truncated(value)
  if (value === null) return fail('reflect: call of reflect.Value.Type on zero Value')
  if (typeof value !== 'string') return fail(`invalid operation: int(${goName(value)})`)
  const parsed = parseInt64(value)
  return typeof parsed === 'bigint' ? parsed : fail(`invalid operation: int(${value})`)
}

function toFloat([value = null]: readonly Value[]): Value {
  if (isNumeric(value)) return Number(value)
  if (typeof value !== 'string') return fail(`invalid operation: float(${goName(value)})`)
  const parsed = parseFloat64(value)
  return typeof parsed === 'number' ? parsed : fail(`invalid operation: float(${value})`)
}

function length([value = null]: readonly Value[]): Value {
  if (typeof value === 'string') return BigInt(Array.from(value).length)
  if (isList(value)) return BigInt(value.length)
  if (isMap(value)) return BigInt(value.size)
  return isFields(value) ? BigInt(Object.keys(value).length) : invalid('len', value)
}

const needList = (name: string, value: Value): List => (isList(value) ? value : fail(`cannot ${name} ${kindOf(value)}`))

/** Nothing where there is nothing, or where nothing can be. */
function get([base = null, key = null]: readonly Value[]): Value {
  if (isList(base) || typeof base === 'string') {
    const size = typeof base === 'string' ? utf8(base).length : base.length
    const at = Number(isNumeric(key) ? asWhole(key) : fail(`invalid operation: int(${goName(key)})`))
    return at >= size || at < -size ? null : fetch(base, key)
  }
  return isFields(base) || isMap(base) || isStruct(base) ? fetch(base, key) : null
}

/** argo: whatever goes wrong here is nothing. */
function end(base: Value, at: bigint): Value {
  return isList(base) || typeof base === 'string' ? get([base, at]) : isMap(base) ? (base.get(at) ?? null) : null
}

function flatten(list: List): readonly Value[] {
  return itemsOf(list).flatMap(item => (isList(item) ? flatten(item) : [item]))
}

const SORTABLE = ['[]interface {}', '[]int', '[]float64', '[]string']

function sort([value = null, direction = 'asc']: readonly Value[]): Value {
  if (direction !== 'asc' && direction !== 'desc') {
    return fail(`invalid order ${asText(direction)}, expected asc or desc`)
  }
  // argo: what is no list of numbers, texts or anything gives an empty list.
  if (!isList(value) || !SORTABLE.includes(typeName(value))) return []
  const sign = direction === 'desc' ? -1 : 1
  const order = (a: Value, b: Value) => (compare(a, '<', b) ? -sign : compare(b, '<', a) ? sign : 0)
  return [...itemsOf(value)].sort(order)
}

const entriesOf = (wish: string, value: Value): readonly (readonly [Value, Value])[] => {
  if (isMap(value)) return [...value]
  return isFields(value) ? Object.entries(value) : fail(`cannot ${wish.replace('KIND', kindOf(value))}`)
}

function fromPairs([value = null]: readonly Value[]): Value {
  if (!isList(value)) return fail(`cannot transform ${printed(value)} from pairs`)
  const pairs = itemsOf(value).map(pair => {
    if (!isList(pair)) return fail(`invalid pair ${printed(pair)}`)
    if (pair.length !== 2) return fail(`invalid pair length ${printed(pair)}`)
    return [itemAt(pair, 0), itemAt(pair, 1)] as const
  })
  return new Map(pairs)
}

const whole = (name: string, value: Value): bigint =>
  typeof value === 'bigint' ? value : fail(`cannot use ${goName(value)} as argument (type int) to call ${name}`)

const bits =
  (name: string, work: (a: bigint, b: bigint) => bigint): Call =>
  ([a = null, b = 0n]) =>
    BigInt.asIntN(64, work(whole(name, a), whole(name, b)))

const shift =
  (name: string, work: (value: bigint, by: bigint) => bigint): Call =>
  ([value = null, by = null]) => {
    const count = whole(name, by)
    if (count < 0n) return fail(`invalid operation: negative shift count ${count} (type int)`)
    return BigInt.asIntN(64, work(whole(name, value), count > 64n ? 64n : count))
  }

const FUNCTIONS: Readonly<Record<string, Call>> = {
  ...TEXT_FUNCTIONS,
  len: length,
  type: ([value = null]) => kindName(value),
  string: ([value = null]) => printed(value),
  int: toInt,
  float: toFloat,
  abs: ([value = null]) => {
    if (typeof value === 'bigint') return BigInt.asIntN(64, value < 0n ? -value : value)
    return typeof value === 'number' ? Math.abs(value) : invalid('abs', value)
  },
  ceil: rounding('ceil', Math.ceil),
  floor: rounding('floor', Math.floor),
  round: rounding('round', roundAway),
  max: extreme('max', '>'),
  min: extreme('min', '<'),
  mean,
  median,
  first: ([value = null]) => end(value, 0n),
  last: ([value = null]) => end(value, -1n),
  get,
  take: ([value = null, count = null]) => {
    const amount = Number(asWhole(count))
    if (amount < 0) return fail(`cannot take ${amount} elements`)
    return itemsOf(needList('take from', value)).slice(0, amount)
  },
  keys: ([value = null]) => entriesOf('get keys from KIND', value).map(([key]) => key),
  values: ([value = null]) => entriesOf('get values from KIND', value).map(([, item]) => item),
  toPairs: ([value = null]) => {
    const pairs = entriesOf('transform KIND to pairs', value)
    return named(
      '[][2]interface {}',
      pairs.map(([key, item]) => named('[2]interface {}', [key, item])),
    )
  },
  fromPairs,
  reverse: ([value = null]) => [...itemsOf(needList('reverse', value))].reverse(),
  uniq: ([value = null]) => {
    const seen: Value[] = []
    for (const item of itemsOf(needList('uniq', value))) if (!seen.some(other => equal(other, item))) seen.push(item)
    return seen
  },
  concat: args => args.flatMap(arg => itemsOf(needList('concat', arg))),
  flatten: ([value = null]) => flatten(needList('flatten', value)),
  sort,
  bitand: bits('bitand', (a, b) => a & b),
  bitor: bits('bitor', (a, b) => a | b),
  bitxor: bits('bitxor', (a, b) => a ^ b),
  bitnand: bits('bitnand', (a, b) => a & ~b),
  bitnot: bits('bitnot', a => ~a),
  bitshl: shift('bitshl', (value, by) => value << by),
  bitshr: shift('bitshr', (value, by) => value >> by),
  bitushr: shift('bitushr', (value, by) => BigInt.asUintN(64, value) >> by),
  now: (_args, { now }) => instant(BigInt(Math.round(now)) * 1_000_000n),
  duration: ([text = null]) => durationOf(text),
  date: args => dateOf(args),
}

/** Calls a built-in function on values. Throws ExprError. */
export function callBuiltin(name: string, args: readonly Value[], context: Context): Value {
  const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  const result = call?.(args, context) ?? null
  if (!call) return fail(`unknown name ${name}`)
  if (name === 'repeat' && typeof result === 'string') context.budget.take(result.length)
  return result
}
