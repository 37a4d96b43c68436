// Runs the tree of a condition.
import type { Node } from './ast.ts'
import { callBuiltin } from './builtins.ts'
import { fail } from './errors.ts'
import { asBool, asWhole, contains, fetch, negate, operate, slice } from './operators.ts'
import { type Budget, callPredicate, counted } from './predicates.ts'
import { callMethod } from './time-values.ts'
import { type Fields, func, isFunc, typeName, type Value } from './values.ts'

/** Functions that conditions may call beside the built-in ones. */
export type Functions = ReadonlyMap<string, Readonly<{ name: string; call(args: readonly Value[]): Value }>>

export type Context = Readonly<{
  values: ReadonlyMap<string, Value>
  functions: Functions
  /** Milliseconds since the epoch, for now(). */
  now: number
  budget: Budget
  /** The result is a list of records, whose fields are known: their errors have another text. */
  hasRecords: boolean
}>

/** What `#` and its kin stand for. */
export type Here = Readonly<{ item: Value; index: number; accumulator?: Value }>

export type Scope = Readonly<{ variables: ReadonlyMap<string, Value>; here?: Here }>

/** Unwinds a chain in which something before a `?.` is nil. */
class NothingThere extends Error {}

/** The value of a tree. Throws ExprError. */
export const evaluate = (tree: Node, context: Context): Value => run(tree, { variables: new Map() }, context)

function run(node: Node, scope: Scope, context: Context): Value {
  const value = (inner: Node): Value => run(inner, scope, context)
  switch (node.is) {
    case 'nil':
      return null
    case 'bool':
    case 'int':
    case 'float':
    case 'string':
    case 'bytes':
      return node.value
    case 'name':
      return named(node.name, scope, context)
    case 'pointer':
      return pointed(node.name, scope)
    case 'unary':
      if (node.operator === '!' || node.operator === 'not') return !asBool(value(node.node))
      return negate(node.operator, value(node.node))
    case 'binary':
      return binary(node, scope, context)
    case 'member':
      return member(node, scope, context)
    case 'slice':
      return sliceOf(node, value)
    case 'chain':
      return chain(node.node, value)
    case 'call':
      return call(node, scope, context)
    case 'builtin':
      return builtin(node, scope, context)
    case 'predicate':
      return value(node.body)
    case 'let':
      return run(
        node.body,
        { ...scope, variables: new Map(scope.variables).set(node.name, value(node.value)) },
        context,
      )
    case 'sequence':
      return node.nodes.map(value).at(-1) ?? null
    case 'choice':
      return value(asBool(value(node.condition)) ? node.yes : node.no)
    case 'array':
      context.budget.take(node.items.length)
      return node.items.map(value)
    case 'map':
      context.budget.take(node.pairs.length)
      return mapOf(node.pairs, value)
  }
}

function named(name: string, { variables }: Scope, { values, functions }: Context): Value {
  if (variables.has(name)) return variables.get(name) ?? null
  if (values.has(name)) return values.get(name) ?? null
  const known = functions.get(name)
  // argo: a built-in function that is not called is nothing.
  return known ? func(known.name) : null
}

function pointed(name: string, { here }: Scope): Value {
  if (!here) return fail('cannot use pointer accessor outside predicate')
  if (name === 'index') return BigInt(here.index)
  return name === 'acc' ? (here.accumulator ?? null) : here.item
}

function member(node: Node & { is: 'member' }, scope: Scope, context: Context): Value {
  const value = (inner: Node): Value => run(inner, scope, context)
  const end = endOfFilter(node)
  if (end) {
    const args = (node.base as Node & { is: 'builtin' }).args
    const found = builtin({ is: 'builtin', name: `${end}Index`, args }, scope, context)
    if (found === null) return fail('reflect: slice index out of range')
    return fetch(value(args[0]!), found)
  }
  const base = value(node.base)
  if (base === null && node.isOptional) throw new NothingThere()
  if (base === null && node.isField && context.hasRecords && node.base.is === 'builtin') {
    return fail(`cannot get ${(node.property as Node & { is: 'string' }).value} from <nil>`)
  }
  return fetch(base, value(node.property))
}

/** The end is looked at before the start. */
function sliceOf({ base, from, to }: Node & { is: 'slice' }, value: (node: Node) => Value): Value {
  const [whole, last] = [value(base), to && value(to)]
  return slice(whole, from && value(from), last)
}

/** argo: filter(...)[0] and filter(...)[-1] look no further than the item that is found. */
function endOfFilter({ base, property }: Node & { is: 'member' }): 'find' | 'findLast' | undefined {
  if (base.is !== 'builtin' || base.name !== 'filter') return undefined
  if (property.is === 'int' && property.value === 0n) return 'find'
  const isLast = property.is === 'unary' && property.operator === '-' && property.node.is === 'int'
  return isLast && property.node.value === 1n ? 'findLast' : undefined
}

function chain(node: Node, value: (node: Node) => Value): Value {
  try {
    return value(node)
  } catch (error) {
    if (error instanceof NothingThere) return null
    throw error
  }
}

/** The first of two equal keys wins. */
function mapOf(pairs: readonly (readonly [Node, Node])[], value: (node: Node) => Value): Value {
  const entries: [string, Value][] = []
  for (const [key, item] of pairs) {
    const name = value(key)
    if (typeof name !== 'string') return fail(`interface conversion: interface {} is ${typeName(name)}, not string`)
    const one: [string, Value] = [name, value(item)]
    if (!entries.some(([known]) => known === name)) entries.push(one)
  }
  return Object.fromEntries(entries) as Fields
}

const isTextList = (node: Node): boolean =>
  node.is === 'array' && node.items.length > 0 && node.items.every(item => item.is === 'string')

function binary(node: Node & { is: 'binary' }, scope: Scope, context: Context): Value {
  const value = (inner: Node): Value => run(inner, scope, context)
  const { operator, left, right } = node
  switch (operator) {
    case '&&':
    case 'and':
      return asBool(value(left)) ? asBool(value(right)) : false
    case '||':
    case 'or':
      return asBool(value(left)) ? true : asBool(value(right))
    case '??': {
      const first = value(left)
      return first === null ? value(right) : first
    }
    case 'in':
      return contains(value(left), value(right), isTextList(right))
    case '..':
      return range(asWhole(value(left)), asWhole(value(right)), context.budget)
    default:
      return (
        counted(node, inner => run(inner, scope, context), body(scope, context)) ??
        operate(operator, value(left), value(right))
      )
  }
}

function range(from: bigint, to: bigint, budget: Budget): Value {
  const size = to < from ? 0 : Number(to - from + 1n)
  budget.take(size)
  return BigInt64Array.from({ length: size }, (_, at) => from + BigInt(at))
}

/** Runs the body of a predicate for one item. */
const body =
  (scope: Scope, context: Context) =>
  (node: Node, here: Here): Value =>
    run(node, { ...scope, here }, context)

function builtin(node: Node & { is: 'builtin' }, scope: Scope, context: Context): Value {
  const value = (inner: Node): Value => run(inner, scope, context)
  const predicated = callPredicate(node, { value, body: body(scope, context), budget: context.budget })
  return predicated === undefined ? callBuiltin(node.name, node.args.map(value), context) : predicated
}

function call(node: Node & { is: 'call' }, scope: Scope, context: Context): Value {
  const value = (inner: Node): Value => run(inner, scope, context)
  const { callee } = node
  if (callee.is === 'member') {
    const base = value(callee.base)
    if (base === null && callee.isOptional) throw new NothingThere()
    return callMethod(base, callee.property.is === 'string' ? callee.property.value : '', node.args.map(value))
  }
  const name = callee.is === 'name' ? callee.name : ''
  const known = scope.variables.has(name) ? undefined : context.functions.get(name)
  if (known) return known.call(node.args.map(value))
  const target = value(callee)
  if (target === null) return fail('invalid operation: cannot call nil')
  return fail(`invalid operation: cannot call non-function of type ${isFunc(target) ? target.name : typeName(target)}`)
}
