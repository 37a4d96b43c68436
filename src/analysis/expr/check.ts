// Checks a condition against the type of the measured result before it runs: the reference refuses what cannot fit,
// also behind a guard.
import type { Node } from './ast.ts'
import { BUILTINS } from './builtin-names.ts'
import { builtinName, checkBuiltin } from './check-builtin.ts'
import { binaryType } from './check-operator.ts'
import { fail } from './errors.ts'
import {
  ANY,
  ANY_LIST,
  arrayOf,
  BOOL,
  BYTES,
  either,
  FLOAT,
  INT,
  isNumber,
  isUnknown,
  MAP,
  NIL,
  STRING,
  type Type,
  UNKNOWN,
} from './static-type.ts'
import { METHODS } from './time-methods.ts'

/** A function that conditions may call. `needs` are its parameters, `rest` of any type. */
export type FunctionType = Readonly<{ needs: readonly Type[]; result: Type; name: string }>

/** What names stand for. */
export type Names = Readonly<{ values: ReadonlyMap<string, Type>; functions: ReadonlyMap<string, FunctionType> }>

/** Types of variables, and of the items that predicates look at, innermost last. */
type Scope = Readonly<{ variables: ReadonlyMap<string, Type>; items: readonly Item[] }>
/** `pointers`: what `#index` and `#acc` are, where they are known. */
type Item = Readonly<{ item: Type; pointers: Readonly<Record<string, Type>> }>

/** The type of a tree. Throws ExprError. */
export function check(tree: Node, names: Names): Type {
  return typeOf(tree, { variables: new Map(), items: [] }, names)
}

function typeOf(node: Node, scope: Scope, names: Names): Type {
  const type = (inner: Node, within = scope): Type => typeOf(inner, within, names)
  switch (node.is) {
    case 'nil':
      return NIL
    case 'bool':
      return BOOL
    case 'int':
      return INT
    case 'float':
      return FLOAT
    case 'string':
      return STRING
    case 'bytes':
      return BYTES
    case 'name':
      return nameType(node.name, scope, names)
    case 'pointer':
      return pointerType(node.name, scope)
    case 'unary':
      return unaryType(node.operator, type(node.node))
    case 'binary':
      return binaryType(node.operator, type(node.left), type(node.right), node.right)
    case 'member':
      return memberType(type(node.base), type(node.property), node.property, 'field')
    case 'slice':
      return sliceType(node, type)
    case 'chain':
      return type(node.node)
    case 'call':
      return callType(node, scope, names)
    case 'builtin':
      return checkBuiltin(node.name, node.args, {
        type,
        predicate: (body, item, pointers) => type(body, { ...scope, items: [...scope.items, { item, pointers }] }),
      })
    case 'predicate':
      return type(node.body)
    case 'let':
      return letType(node, scope, names)
    case 'sequence':
      return node.nodes.map(one => type(one)).at(-1) ?? NIL
    case 'choice': {
      const condition = type(node.condition)
      if (condition.is !== 'bool' && !isUnknown(condition)) {
        fail(`non-bool expression (type ${condition.name}) used as condition`)
      }
      return either(type(node.yes), type(node.no))
    }
    case 'array': {
      const items = node.items.map(item => type(item))
      // argo: the last item stands for all; nil and what is unknown are of one kind.
      const kinds = new Set(items.map(item => (item === ANY ? 'any' : item.is === 'nil' ? 'unknown' : item.is)))
      return kinds.size > 1 ? ANY_LIST : arrayOf(items.at(-1) ?? UNKNOWN)
    }
    case 'map':
      for (const [key, value] of node.pairs) {
        type(key)
        type(value)
      }
      return MAP
  }
}

function nameType(name: string, { variables }: Scope, names: Names): Type {
  const variable = variables.get(name)
  if (variable) return variable
  const value = names.values.get(name)
  if (value) return value
  const known = names.functions.get(name)
  if (known) return { is: 'func', name: known.name }
  return BUILTINS.has(name) ? { is: 'func', name: builtinName(name) } : fail(`unknown name ${name}`)
}

function pointerType(name: string, { items }: Scope): Type {
  const here = items.at(-1) ?? fail('cannot use pointer accessor outside predicate')
  if (name === '') return here.item
  return Object.hasOwn(here.pointers, name) ? here.pointers[name]! : fail(`unknown pointer #${name}`)
}

function unaryType(operator: string, type: Type): Type {
  if (operator === '!' || operator === 'not') {
    if (type.is === 'bool' || isUnknown(type)) return BOOL
  } else if (isNumber(type)) return type
  else if (isUnknown(type)) return UNKNOWN
  return fail(`invalid operation: ${operator} (mismatched type ${type.name})`)
}

function letType(node: Node & { is: 'let' }, scope: Scope, names: Names): Type {
  const { name } = node
  if (names.values.has(name) || names.functions.has(name)) fail(`cannot redeclare ${name}`)
  if (BUILTINS.has(name)) fail(`cannot redeclare builtin ${name}`)
  if (scope.variables.has(name)) fail(`cannot redeclare variable ${name}`)
  const value = typeOf(node.value, scope, names)
  return typeOf(node.body, { ...scope, variables: new Map(scope.variables).set(name, value) }, names)
}

/** `what`: a method is called on it, or it is read. */
function memberType(base: Type, property: Type, node: Node, what: 'field' | 'method'): Type {
  const field = node.is === 'string' ? node.value : undefined
  if (isUnknown(base)) return UNKNOWN
  if (base.is === 'nil' && field !== undefined) return fail(`type nil has no field ${field}`)
  switch (base.is) {
    case 'map':
      if (property.is === 'string' || isUnknown(property) || base.isOpen) return base.item ?? UNKNOWN
      return fail(`cannot use ${property.name} to get an element from ${base.name}`)
    case 'array':
      if (property.is === 'int' || isUnknown(property)) return base.item ?? UNKNOWN
      return fail(`array elements can only be selected using an integer (got ${property.name})`)
    case 'struct': {
      const known = field === undefined ? undefined : base.fields?.get(field)
      if (known) return known
      break
    }
    case 'time':
    case 'duration':
      if (field !== undefined && METHODS[base.is].has(field)) return { is: 'func', name: 'func' }
  }
  if (field === undefined) return fail(`type ${base.name}[${property.name}] is undefined`)
  return fail(`type ${base.name} has no ${what} ${field}`)
}

function sliceType(node: Node & { is: 'slice' }, type: (node: Node) => Type): Type {
  const base = type(node.base)
  if (isUnknown(base)) return UNKNOWN
  if (!['array', 'string'].includes(base.is)) fail(`cannot slice ${base.name}`)
  for (const end of [node.from, node.to]) {
    const index = end && type(end)
    if (index && index.is !== 'int' && !isUnknown(index)) fail(`non-integer slice index ${index.name}`)
  }
  return base
}

function callType(node: Node & { is: 'call' }, scope: Scope, names: Names): Type {
  const { callee, args } = node
  if (callee.is === 'member') {
    const base = typeOf(callee.base, scope, names)
    const method = callee.property.is === 'string' ? callee.property.value : ''
    const known = base.is === 'time' || base.is === 'duration' ? METHODS[base.is].get(method)?.result : undefined
    const type = known ?? memberType(base, STRING, callee.property, 'method')
    if (isUnknown(type) && !known) return UNKNOWN
    if (!known) return fail(`${type.name} is not callable`)
    for (const arg of args) typeOf(arg, scope, names)
    return known
  }
  const name = callee.is === 'name' ? callee.name : ''
  const known = scope.variables.has(name) ? undefined : names.functions.get(name)
  if (!known) {
    const type = typeOf(callee, scope, names)
    if (type.is === 'nil') fail(`${name} is nil; cannot call nil as function`)
    return isUnknown(type) ? UNKNOWN : fail(`${type.name} is not callable`)
  }
  if (args.length !== known.needs.length) {
    for (const arg of args) typeOf(arg, scope, names)
    fail(`${args.length < known.needs.length ? 'not enough' : 'too many'} arguments to call ${name}`)
  }
  for (const [at, arg] of args.entries()) {
    const needed = known.needs[at]!
    const given = typeOf(arg, scope, names)
    if (isUnknown(needed) || isUnknown(given)) continue
    if (given.is === 'nil') fail(`cannot use nil as argument (type ${needed.name}) to call ${name}`)
    // Whole numbers that are written down become floats; see fold.ts.
    const fits = given.is === needed.is || (needed.is === 'float' && given.is === 'int')
    if (!fits) fail(`cannot use ${given.name} as argument (type ${needed.name}) to call ${name} `)
  }
  return known.result
}
