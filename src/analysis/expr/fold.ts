// What is decided about a tree before it runs: constants of logic, and whole numbers that stand where floats must.
import type { Node } from './ast.ts'
import type { Names } from './check.ts'
import { fail } from './errors.ts'

const AND = ['&&', 'and']
const OR = ['||', 'or']

/** The tree with the parts of it changed by `change`. */
function mapParts(node: Node, change: (node: Node) => Node): Node {
  const all = (nodes: readonly Node[]) => nodes.map(change)
  switch (node.is) {
    case 'unary':
    case 'chain':
      return { ...node, node: change(node.node) }
    case 'binary':
      return { ...node, left: change(node.left), right: change(node.right) }
    case 'member':
      return { ...node, base: change(node.base), property: change(node.property) }
    case 'slice':
      return { ...node, base: change(node.base), from: node.from && change(node.from), to: node.to && change(node.to) }
    case 'call':
      return { ...node, callee: change(node.callee), args: all(node.args) }
    case 'builtin':
      return { ...node, args: all(node.args) }
    case 'predicate':
      return { ...node, body: change(node.body) }
    case 'let':
      return { ...node, value: change(node.value), body: change(node.body) }
    case 'sequence':
      return { ...node, nodes: all(node.nodes) }
    case 'choice':
      return { ...node, condition: change(node.condition), yes: change(node.yes), no: change(node.no) }
    case 'array':
      return { ...node, items: all(node.items) }
    case 'map':
      return { ...node, pairs: node.pairs.map(([key, value]) => [change(key), change(value)] as const) }
    default:
      return node
  }
}

const isBool = (node: Node, value: boolean): boolean => node.is === 'bool' && node.value === value

/** argo: `x && true` is x, also where x is no boolean; `x && false` never looks at x. */
function foldLogic(node: Node): Node {
  if (node.is !== 'binary') return node
  const { operator, left, right } = node
  if (AND.includes(operator)) {
    if (isBool(left, true)) return right
    if (isBool(right, true)) return left
    if (isBool(left, false) || isBool(right, false)) return { is: 'bool', value: false }
  }
  if (OR.includes(operator)) {
    if (isBool(left, false)) return right
    if (isBool(right, false)) return left
    if (isBool(left, true) || isBool(right, true)) return { is: 'bool', value: true }
  }
  return node
}

/** A whole number that is written down, or what comes of several. */
function constantOf(node: Node): bigint | undefined {
  if (node.is === 'int') return node.value
  if (node.is === 'unary' && (node.operator === '-' || node.operator === '+')) {
    const value = constantOf(node.node)
    return value === undefined || node.operator === '+' ? value : -value
  }
  if (node.is !== 'binary') return undefined
  const [left, right] = [constantOf(node.left), constantOf(node.right)]
  if (left === undefined || right === undefined) return undefined
  if (node.operator === '+') return BigInt.asIntN(64, left + right)
  if (node.operator === '-') return BigInt.asIntN(64, left - right)
  if (node.operator === '*') return BigInt.asIntN(64, left * right)
  if (node.operator === '%') return right === 0n ? fail('integer divide by zero') : left % right
  return undefined
}

/** Whole numbers that are written in an argument become floats where the function wants one. */
function asFloats(node: Node): Node {
  if (node.is === 'int') return { is: 'float', value: Number(node.value) }
  if (node.is === 'unary') return { ...node, node: asFloats(node.node) }
  if (node.is === 'binary' && ['+', '-', '*'].includes(node.operator)) {
    return { ...node, left: asFloats(node.left), right: asFloats(node.right) }
  }
  return node
}

/** The tree as it is run. */
export function fold(tree: Node, names: Names): Node {
  const change = (node: Node): Node => {
    const inner = foldLogic(mapParts(node, change))
    // A remainder that cannot be is an error also where nothing looks at it.
    if (inner.is === 'binary' && inner.operator === '%') constantOf(inner)
    if (inner.is !== 'call' || inner.callee.is !== 'name') return inner
    const needs = names.functions.get(inner.callee.name)?.needs ?? []
    return { ...inner, args: inner.args.map((arg, at) => (needs[at]?.is === 'float' ? asFloats(arg) : arg)) }
  }
  return change(tree)
}
