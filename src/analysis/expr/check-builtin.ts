// The types that built-in functions take and give.
import type { Node } from './ast.ts'
import { fail } from './errors.ts'
import {
  ANY,
  ANY_LIST,
  arrayOf,
  BOOL,
  BUILTIN,
  DURATION,
  FLOAT,
  FLOATS,
  GROUPS,
  INT,
  INTS,
  isAssignable,
  isNumber,
  isUnknown,
  OPEN_MAP,
  STRING,
  STRINGS,
  TIME,
  type Type,
  UNKNOWN,
} from './static-type.ts'

export type Checker = Readonly<{
  type(node: Node): Type
  /** The type of a predicate's body for items of this type. */
  predicate(node: Node, item: Type, pointers: Readonly<Record<string, Type>>): Type
}>

const CONDITIONS = ['all', 'none', 'any', 'one', 'filter', 'count', 'find', 'findIndex', 'findLast', 'findLastIndex']

/** The type of a call of a built-in function. Throws ExprError. */
export function checkBuiltin(name: string, args: readonly Node[], checker: Checker): Type {
  const known = checkPredicate(name, args, checker) ?? signed(name, args, checker)
  if (known) return known
  if (name === 'get') needCount(args.length, 2)
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
  if (!predicate) return name === 'count' ? INT : item
  const gives = checker.predicate(predicate, item, pointersOf(name))
  if (extra) checker.type(extra)
  if (gives.is === 'nil') fail(`predicate should has ${name === 'reduce' ? 'two' : 'one'} input and one output param`)
  if (CONDITIONS.includes(name) && gives.is !== 'bool' && !isUnknown(gives)) {
    fail(`predicate should return boolean (got ${gives.name})`)
  }
  return predicatedType(name, list, item, gives)
}

/** What stands beside `#`. */
function pointersOf(name: string): Readonly<Record<string, Type>> {
  if (name === 'reduce') return { index: INT, acc: UNKNOWN }
  return name === 'map' ? { index: INT } : {}
}

function predicatedType(name: string, list: Type, item: Type, gives: Type): Type {
  switch (name) {
    case 'filter':
      return isUnknown(list) ? ANY_LIST : arrayOf(item)
    case 'map':
      return arrayOf(gives)
    case 'sortBy':
      return list
    case 'count':
    case 'findIndex':
    case 'findLastIndex':
      return INT
    case 'find':
    case 'findLast':
      return item
    case 'sum':
    case 'reduce':
      return gives
    case 'groupBy':
      return GROUPS
    default:
      return BOOL
  }
}

type Signature = Readonly<{ forms: readonly (readonly Type[])[]; result: Type }>

const one = (needs: readonly Type[], result: Type): Signature => ({ forms: [needs], result })

/** A list of each type that sort takes, alone and with a direction. */
const SORTED = [ANY_LIST, INTS, FLOATS, STRINGS]
const SORTED_ALONE = [ANY_LIST, FLOATS, STRINGS, INTS]

/** Functions with fixed parameters, in one or more forms; errors are about the last form. */
const SIGNATURES: Readonly<Record<string, Signature>> = {
  trim: { forms: [[STRING], [STRING, STRING]], result: STRING },
  trimPrefix: { forms: [[STRING, STRING], [STRING]], result: STRING },
  trimSuffix: { forms: [[STRING, STRING], [STRING]], result: STRING },
  upper: one([STRING], STRING),
  lower: one([STRING], STRING),
  split: {
    forms: [
      [STRING, STRING],
      [STRING, STRING, INT],
    ],
    result: STRINGS,
  },
  splitAfter: {
    forms: [
      [STRING, STRING],
      [STRING, STRING, INT],
    ],
    result: STRINGS,
  },
  replace: {
    forms: [
      [STRING, STRING, STRING, INT],
      [STRING, STRING, STRING],
    ],
    result: STRING,
  },
  repeat: one([STRING, INT], STRING),
  join: { forms: [[STRINGS, STRING], [ANY_LIST, STRING], [ANY_LIST], [STRINGS, STRING], [STRINGS]], result: STRING },
  sort: { forms: [...SORTED.map(list => [list, STRING]), ...SORTED_ALONE.map(list => [list])], result: ANY_LIST },
  indexOf: one([STRING, STRING], INT),
  lastIndexOf: one([STRING, STRING], INT),
  hasPrefix: one([STRING, STRING], BOOL),
  hasSuffix: one([STRING, STRING], BOOL),
  fromJSON: one([STRING], ANY),
  toJSON: one([ANY], STRING),
  toBase64: one([STRING], STRING),
  fromBase64: one([STRING], STRING),
  duration: one([STRING], DURATION),
  timezone: one([STRING], UNKNOWN),
  type: one([ANY], STRING),
  string: one([ANY], STRING),
  bitand: one([INT, INT], INT),
  bitor: one([INT, INT], INT),
  bitxor: one([INT, INT], INT),
  bitnand: one([INT, INT], INT),
  bitnot: one([INT], INT),
  bitshl: one([INT, INT], INT),
  bitshr: one([INT, INT], INT),
  bitushr: one([INT, INT], INT),
}

function signed(name: string, args: readonly Node[], { type }: Checker): Type | undefined {
  const signature = Object.hasOwn(SIGNATURES, name) ? SIGNATURES[name] : undefined
  if (!signature) return undefined
  let fault: string | undefined
  for (const needs of signature.forms) {
    fault = formFault(name, args, needs, type)
    if (fault === undefined) return signature.result
  }
  return fail(fault!)
}

/** Arguments are looked at one by one, and all of them where their number is wrong. */
function formFault(name: string, args: readonly Node[], needs: readonly Type[], type: Checker['type']) {
  if (args.length !== needs.length) {
    for (const arg of args) type(arg)
    return `${args.length < needs.length ? 'not enough' : 'too many'} arguments to call ${name}`
  }
  for (const [at, arg] of args.entries()) {
    const [needed, given] = [needs[at]!, type(arg)]
    if (isUnknown(needed) || isUnknown(given) || (needed.is === 'int' && given.is === 'int')) continue
    if (given.is === 'nil') return `cannot use nil as argument (type ${needed.name}) to call ${name}`
    if (!isAssignable(given, needed)) {
      return `cannot use ${given.name} as argument (type ${needed.name}) to call ${name} `
    }
  }
  return undefined
}

/** What Go calls a built-in function that is not called. */
export function builtinName(name: string): string {
  const any = ANY.name
  const list = ANY_LIST.name
  const each = (gives: string, result: string, more = '') => `func(${list}, func(${any}) ${gives}${more}) ${result}`
  if (['all', 'none', 'any', 'one'].includes(name)) return each('bool', 'bool')
  if (name === 'filter') return each('bool', list)
  if (name === 'map') return each(any, list)
  if (name === 'find' || name === 'findLast') return each('bool', any)
  if (['findIndex', 'findLastIndex', 'count', 'sum'].includes(name)) return each('bool', 'int')
  if (name === 'groupBy') return each(any, GROUPS.name)
  if (name === 'sortBy') return each('bool', list, ', string')
  if (name === 'reduce') return `func(${list}, func(${any}, ${any}) ${any}, ${any}) ${any}`
  if (name === 'duration') return 'func(string) (time.Duration, error)'
  if (name === 'timezone') return 'func(string) (*time.Location, error)'
  const signature = Object.hasOwn(SIGNATURES, name) ? SIGNATURES[name] : undefined
  if (!signature) return BUILTIN.name
  return `func(${signature.forms[0]!.map(type => type.name).join(', ')}) ${signature.result.name}`
}

const goName = (type: Type): string => (type.is === 'nil' ? '%!s(<nil>)' : type.name)

function needCount(given: number, wanted: number): void {
  if (given !== wanted) fail(`invalid number of arguments (expected ${wanted}, got ${given})`)
}

function plainType(name: string, args: readonly Type[]): Type {
  switch (name) {
    case 'now':
      needCount(args.length, 0)
      return TIME
    case 'date':
      if (args.length < 1) fail('invalid number of arguments (expected at least 1, got 0)')
      if (args.length > 3) fail(`invalid number of arguments (expected at most 3, got ${args.length})`)
      return TIME
    case 'max':
    case 'min':
    case 'mean':
    case 'median':
      return numbersType(name, args)
    case 'get':
      return getType(args)
    case 'take':
      return takeType(args)
    case 'concat':
      if (args.length === 0) fail('invalid number of arguments (expected at least 1, got 0)')
      for (const type of args) if (type.is !== 'array' && !isUnknown(type)) fail(`cannot concat ${goName(type)}`)
      return ANY_LIST
    default:
      needCount(args.length, 1)
      return singleType(name, args[0]!)
  }
}

/** Functions of one argument. */
function singleType(name: string, type: Type): Type {
  const fits = (...kinds: Type['is'][]): boolean => isUnknown(type) || kinds.includes(type.is)
  const need = (isFit: boolean, words: string): void => {
    if (!isFit) fail(words.replace('TYPE', () => goName(type)))
  }
  switch (name) {
    case 'len':
      need(fits('array', 'map', 'string'), 'invalid argument for len (type TYPE)')
      return INT
    case 'abs':
    case 'ceil':
    case 'floor':
    case 'round':
      need(fits('int', 'float'), `invalid argument for ${name} (type TYPE)`)
      return name === 'abs' ? (isUnknown(type) ? ANY : type) : FLOAT
    case 'int':
    case 'float':
      need(fits('int', 'float', 'string', 'duration'), `invalid argument for ${name} (type TYPE)`)
      return name === 'int' ? INT : FLOAT
    case 'first':
    case 'last':
      need(fits('array'), `cannot get ${name} element from TYPE`)
      return elementOf(type)
    case 'keys':
    case 'values':
      need(fits('map'), `cannot get ${name} from TYPE`)
      return ANY_LIST
    case 'toPairs':
      need(fits('map'), 'cannot transform TYPE to pairs')
      return ANY_LIST
    case 'fromPairs':
      need(fits('array'), 'cannot transform TYPE from pairs')
      return OPEN_MAP
    case 'reverse':
    case 'uniq':
    case 'flatten':
      need(fits('array'), `cannot ${name} TYPE`)
      return ANY_LIST
    default:
      return UNKNOWN
  }
}

/** What Go knows of an item: nothing, where the list is a []interface {}. */
const elementOf = (list: Type): Type => (list.is === 'array' && list.name !== ANY_LIST.name ? (list.item ?? ANY) : ANY)

/** A list among the arguments, or something unknown, makes the rest of no matter. */
function numbersType(name: string, args: readonly Type[]): Type {
  if (args.length === 0) fail(`not enough arguments to call ${name}`)
  for (const type of args) {
    if (isUnknown(type) || type.is === 'array') return ANY
    if (!isNumber(type) && type.is !== 'duration') fail(`invalid argument for ${name} (type ${goName(type)})`)
  }
  return args[0]!
}

function getType(args: readonly Type[]): Type {
  needCount(args.length, 2)
  const [base, key] = args as [Type, Type]
  if (isUnknown(base)) return UNKNOWN
  if (base.is === 'array') {
    if (key.is !== 'int' && !isUnknown(key)) fail(`non-integer slice index ${key.name}`)
    return base.item ?? UNKNOWN
  }
  if (base.is !== 'map') return fail(`type ${base.name} does not support indexing`)
  if (key.is !== 'string' && !isUnknown(key) && !base.isOpen) {
    fail(`cannot use ${key.name} to get an element from ${base.name}`)
  }
  return base.item ?? UNKNOWN
}

function takeType(args: readonly Type[]): Type {
  needCount(args.length, 2)
  const [list, amount] = args as [Type, Type]
  if (list.is !== 'array' && !isUnknown(list)) fail(`cannot take from ${goName(list)}`)
  if (amount.is !== 'int' && !isUnknown(amount)) fail(`cannot take ${goName(amount)} elements`)
  if (isUnknown(list)) return ANY
  return list.name === ANY_LIST.name ? ANY_LIST : list
}
