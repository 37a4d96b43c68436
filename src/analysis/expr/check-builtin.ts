// The types that built-in functions take and give.
import type { Node } from './ast.ts'
import { fail } from './errors.ts'
import {
  ANY_LIST,
  arrayOf,
  BOOL,
  DURATION,
  FLOAT,
  INT,
  isNumber,
  isUnknown,
  MAP,
  STRING,
  STRINGS,
  TIME,
  type Type,
  UNKNOWN,
} from './static-type.ts'

export type Checker = Readonly<{
  type(node: Node): Type
  /** The type of a predicate's body for items of this type. */
  predicate(node: Node, item: Type, accumulator?: Type): Type
}>

const goName = (type: Type): string => (type.is === 'nil' ? '%!s(<nil>)' : type.name)

const CONDITIONS = ['all', 'none', 'any', 'one', 'filter', 'count', 'find', 'findIndex', 'findLast', 'findLastIndex']

/** The type of a call of a built-in function. Throws ExprError. */
export function checkBuiltin(name: string, args: readonly Node[], checker: Checker): Type {
  const predicated = checkPredicate(name, args, checker)
  if (predicated) return predicated
  return plainType(
    name,
    args.map(arg => checker.type(arg)),
  )
}

function checkPredicate(name: string, args: readonly Node[], checker: Checker): Type | undefined {
  const isKnown = CONDITIONS.includes(name) || ['map', 'sum', 'groupBy', 'sortBy', 'reduce'].includes(name)
  if (!isKnown) return undefined
  const list = checker.type(args[0]!)
  if (list.is !== 'array' && !isUnknown(list)) fail(`builtin ${name} takes only array (got ${list.name})`)
  const item = list.item ?? UNKNOWN
  const [, predicate, extra] = args
  if (!predicate) return name === 'count' ? INT : isUnknown(list) ? UNKNOWN : item
  if (name === 'reduce') {
    if (extra) checker.type(extra)
    checker.predicate(predicate, item, UNKNOWN)
    return UNKNOWN
  }
  const gives = checker.predicate(predicate, item)
  if (CONDITIONS.includes(name) && gives.is !== 'bool' && !isUnknown(gives)) {
    fail(`predicate should return boolean (got ${gives.name})`)
  }
  if (extra) checker.type(extra)
  return predicatedType(name, list, item, gives)
}

function predicatedType(name: string, list: Type, item: Type, gives: Type): Type {
  switch (name) {
    case 'filter':
      return arrayOf(item)
    case 'map':
      return arrayOf(gives)
    case 'sortBy':
      return isUnknown(list) ? ANY_LIST : list
    case 'count':
    case 'findIndex':
    case 'findLastIndex':
      return name === 'count' ? INT : UNKNOWN
    case 'find':
    case 'findLast':
      // Nothing may be found, so a number is not known to be one; a record keeps its fields.
      return item.is === 'struct' ? item : UNKNOWN
    case 'sum':
      return gives
    case 'groupBy':
      return { is: 'unknown', name: 'map[interface {}][]interface {}' }
    default:
      return BOOL
  }
}

/** Fixed parameters: what each may be, and what the function gives. */
const SIGNATURES: Readonly<Record<string, readonly [needs: readonly Type[], result: Type, least?: number]>> = {
  trim: [[STRING, STRING], STRING, 1],
  trimPrefix: [[STRING, STRING], STRING, 1],
  trimSuffix: [[STRING, STRING], STRING, 1],
  upper: [[STRING], STRING],
  lower: [[STRING], STRING],
  split: [[STRING, STRING, INT], STRINGS, 2],
  splitAfter: [[STRING, STRING, INT], STRINGS, 2],
  replace: [[STRING, STRING, STRING, INT], STRING, 3],
  repeat: [[STRING, INT], STRING],
  indexOf: [[STRING, STRING], INT],
  lastIndexOf: [[STRING, STRING], INT],
  hasPrefix: [[STRING, STRING], BOOL],
  hasSuffix: [[STRING, STRING], BOOL],
  fromJSON: [[STRING], UNKNOWN],
  toJSON: [[UNKNOWN], STRING],
  toBase64: [[STRING], STRING],
  fromBase64: [[STRING], STRING],
  duration: [[STRING], DURATION],
  timezone: [[STRING], UNKNOWN],
  type: [[UNKNOWN], STRING],
  string: [[UNKNOWN], STRING],
  keys: [[UNKNOWN], ANY_LIST],
  values: [[UNKNOWN], ANY_LIST],
  toPairs: [[UNKNOWN], ANY_LIST],
  fromPairs: [[UNKNOWN], MAP],
  reverse: [[ANY_LIST], ANY_LIST],
  uniq: [[ANY_LIST], ANY_LIST],
  bitand: [[INT, INT], INT],
  bitor: [[INT, INT], INT],
  bitxor: [[INT, INT], INT],
  bitnand: [[INT, INT], INT],
  bitnot: [[INT], INT],
  bitshl: [[INT, INT], INT],
  bitshr: [[INT, INT], INT],
  bitushr: [[INT, INT], INT],
}

function needCount(given: number, wanted: number): void {
  if (given !== wanted) fail(`invalid number of arguments (expected ${wanted}, got ${given})`)
}

function signed(name: string, args: readonly Type[]): Type | undefined {
  const signature = Object.hasOwn(SIGNATURES, name) ? SIGNATURES[name] : undefined
  if (!signature) return undefined
  const [needs, result, least = needs.length] = signature
  if (args.length < least) fail(`not enough arguments to call ${name}`)
  if (args.length > needs.length) fail(`too many arguments to call ${name}`)
  for (const [at, given] of args.entries()) {
    const needed = needs[at]!
    if (isUnknown(needed) || isUnknown(given) || given.is === needed.is) continue
    if (given.is === 'nil') fail(`cannot use nil as argument (type ${needed.name}) to call ${name}`)
    fail(`cannot use ${given.name} as argument (type ${needed.name}) to call ${name} `)
  }
  return result
}

function plainType(name: string, args: readonly Type[]): Type {
  const known = signed(name, args)
  if (known) return known
  const first = args[0]
  const invalid = (): never => fail(`invalid argument for ${name} (type ${goName(first ?? UNKNOWN)})`)
  switch (name) {
    case 'len':
      needCount(args.length, 1)
      return ['array', 'map', 'string', 'unknown'].includes(first!.is) ? INT : invalid()
    case 'abs':
    case 'ceil':
    case 'floor':
    case 'round':
      needCount(args.length, 1)
      if (!isNumber(first!) && !isUnknown(first!)) invalid()
      return name === 'abs' ? first! : FLOAT
    case 'int':
    case 'float':
      needCount(args.length, 1)
      if (!isNumber(first!) && !isUnknown(first!) && first!.is !== 'string') invalid()
      return name === 'int' ? INT : FLOAT
    case 'now':
    case 'date':
      return TIME
    case 'max':
    case 'min':
    case 'mean':
    case 'median':
      return numbersType(name, args)
    case 'sort':
      if (first && first.is !== 'array' && !isUnknown(first)) {
        fail(`cannot use ${goName(first)} as argument (type []int) to call ${name} `)
      }
      return ANY_LIST
    default:
      return listType(name, args)
  }
}

function numbersType(name: string, args: readonly Type[]): Type {
  if (args.length === 0) fail(`not enough arguments to call ${name}`)
  for (const type of args) {
    if (!isNumber(type) && !isUnknown(type) && type.is !== 'array')
      fail(`invalid argument for ${name} (type ${goName(type)})`)
  }
  if (name === 'mean' || name === 'median') return FLOAT
  const [first] = args
  return args.length > 1 && args.every(type => type.is === first!.is && isNumber(type)) ? first! : UNKNOWN
}

function listType(name: string, args: readonly Type[]): Type {
  const first = args[0] ?? fail(`not enough arguments to call ${name}`)
  const isList = first.is === 'array' || isUnknown(first)
  switch (name) {
    case 'first':
    case 'last':
      if (!isList) fail(`cannot get ${name} element from ${goName(first)}`)
      return UNKNOWN
    case 'take': {
      if (!isList) fail(`cannot take from ${goName(first)}`)
      const amount = args[1] ?? fail('not enough arguments to call take')
      if (amount.is !== 'int' && !isUnknown(amount)) fail(`cannot take ${amount.name} elements`)
      return first.is === 'array' ? first : ANY_LIST
    }
    case 'get': {
      const key = args[1] ?? fail('not enough arguments to call get')
      if (first.is === 'map' && key.is !== 'string' && !isUnknown(key)) {
        fail(`cannot use ${key.name} to get an element from ${first.name}`)
      }
      if (first.is === 'array' && key.is !== 'int' && !isUnknown(key)) {
        fail(`non-integer slice index ${key.name}`)
      }
      if (!isList && first.is !== 'map' && first.is !== 'string')
        fail(`type ${goName(first)} does not support indexing`)
      return UNKNOWN
    }
    case 'concat':
      for (const type of args) if (type.is !== 'array' && !isUnknown(type)) fail(`cannot concat ${goName(type)}`)
      return ANY_LIST
    case 'flatten':
      if (!isList) fail(`cannot flatten ${goName(first)}`)
      return ANY_LIST
    case 'join':
      if (!isList) fail(`cannot use ${goName(first)} as argument (type []string) to call join `)
      return STRING
    default:
      return UNKNOWN
  }
}
