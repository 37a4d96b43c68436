// A condition of a metric: an expression over the measured result that must be true or false.
import type { Millis } from '../../contract.ts'
import { check, type FunctionType, type Names } from './check.ts'
import { ExprError, fail } from './errors.ts'
import { type Context, evaluate, type Functions } from './evaluate.ts'
import { fold } from './fold.ts'
import { needFloat64, needInt64, truncated } from './go-number.ts'
import { asNumber } from './operators.ts'
import { parse } from './parse.ts'
import { newBudget } from './predicates.ts'
import {
  ANY,
  ANY_LIST,
  arrayOf,
  BOOL,
  FLOAT,
  FLOATS,
  INT,
  INT64,
  INTS,
  MAP,
  NIL,
  STRING,
  type Type,
  UNKNOWN,
} from './static-type.ts'
import { isList, isStruct, itemsOf, printed, type Struct, typeName, type Value } from './values.ts'

export type Condition = Readonly<{ value: boolean; error?: undefined }> | Readonly<{ error: string; value?: undefined }>

/** What names mean in a kind of expression: their types, and their values. */
type Environment = Readonly<{ names: Names; values: ReadonlyMap<string, Value>; functions: Functions }>

type Definition = FunctionType & Readonly<{ call(args: readonly Value[]): Value }>

function asInt(value: Value): Value {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return truncated(value)
  return typeof value === 'string' ? needInt64(value) : unsupported('asInt', value)
}

function asFloat(value: Value): Value {
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value)
  return typeof value === 'string' ? needFloat64(value) : unsupported('asFloat', value)
}

const unsupported = (name: string, value: Value): never =>
  fail(`${name}() not supported on ${typeName(value)} ${printed(value)}`)

const isInfinite = (value: number): boolean => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY

/** argo: isNil and default look at the measured result, whatever they are given. */
const definitions = (result: Value): Readonly<Record<string, Definition>> => ({
  asInt: { needs: [UNKNOWN], result: INT64, name: 'func(interface {}) int64', call: ([value = null]) => asInt(value) },
  asFloat: {
    needs: [UNKNOWN],
    result: FLOAT,
    name: 'func(interface {}) float64',
    call: ([value = null]) => asFloat(value),
  },
  isNaN: {
    needs: [FLOAT],
    result: BOOL,
    name: 'func(float64) bool',
    call: ([value = null]) => Number.isNaN(asNumber(value)),
  },
  isInf: {
    needs: [FLOAT],
    result: BOOL,
    name: 'func(float64) bool',
    call: ([value = null]) => isInfinite(asNumber(value)),
  },
  isNil: { needs: [UNKNOWN], result: BOOL, name: 'func(interface {}) bool', call: () => result === null },
  default: {
    needs: [UNKNOWN, UNKNOWN],
    result: ANY,
    name: 'func(interface {}, interface {}) interface {}',
    call: ([, otherwise = null]) => (result === null ? otherwise : result),
  },
})

/** The type of a measured result. */
export function typeOfValue(value: Value): Type {
  if (value === null) return NIL
  if (typeof value === 'boolean') return BOOL
  if (typeof value === 'bigint') return INT
  if (typeof value === 'number') return FLOAT
  if (typeof value === 'string') return STRING
  if (value instanceof Float64Array) return FLOATS
  if (value instanceof BigInt64Array) return INTS
  if (isStruct(value)) return structType(value)
  if (!isList(value)) return MAP
  const [first] = itemsOf(value)
  return first !== undefined && isStruct(first) ? arrayOf(structType(first), `[]${first.type}`) : ANY_LIST
}

const structType = ({ type, fields }: Struct): Type => ({
  is: 'struct',
  name: type,
  fields: new Map(Object.entries(fields).map(([key, value]) => [key, typeOfValue(value)])),
})

/** The names of a condition on `result`. */
export function conditionEnvironment(result: Value): Environment {
  return environment(new Map([['result', result]]), Object.entries(definitions(result)))
}

/** The names of the start and the end of a range query. */
export const timeEnvironment = (): Environment =>
  environment(
    new Map(),
    Object.entries(definitions(null)).filter(([name]) => name === 'isNaN' || name === 'isInf'),
  )

function environment(
  values: ReadonlyMap<string, Value>,
  known: readonly (readonly [string, Definition])[],
): Environment {
  const types = new Map([...values].map(([name, value]) => [name, typeOfValue(value)] as const))
  const functions = new Map(known)
  return { names: { values: types, functions }, values, functions }
}

/** The value of an expression, with the type that was known of it. Throws ExprError. */
export function evaluateText(
  text: string,
  { names, values, functions }: Environment,
  now: Millis,
): Readonly<{ value: Value; type: Type }> {
  const tree = parse(text)
  const type = check(tree, names)
  const hasRecords = [...names.values.values()].some(known => known.item?.is === 'struct')
  const context: Context = { values, functions, now, budget: newBudget(), hasRecords }
  return { value: evaluate(fold(tree, names), context), type }
}

/** Evaluates a condition on a measured result; `now` in milliseconds, for now(). An error is a value, not a throw. */
export function evaluateCondition(text: string, result: unknown, now: Millis): Condition {
  try {
    const { value, type } = evaluateText(text, conditionEnvironment((result ?? null) as Value), now)
    if (typeof value === 'boolean') return { value }
    return { error: `expected bool, but got ${type === INT64 ? type.name : typeName(value)}` }
  } catch (error) {
    if (error instanceof ExprError) return { error: error.message }
    // Too deep for the stack is too big to be meant.
    if (error instanceof RangeError) return { error: 'memory budget exceeded' }
    throw error
  }
}
