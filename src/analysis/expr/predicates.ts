// The built-in functions that look at a list item by item.
import type { Node } from './ast.ts'
import { fail } from './errors.ts'
import { utf8 } from './escapes.ts'
import type { Here } from './evaluate.ts'
import { add, asBool, compare, equal } from './operators.ts'
import { Groups, isFields, isList, isMap, itemAt, kindOf, type List, type Value } from './values.ts'

/** Counts what a run makes; too much of it ends the run. */
export type Budget = Readonly<{ take(count: number): void }>

const MAX_ITEMS = 1_000_000

/** A budget for one run. */
export function newBudget(): Budget {
  let used = 0
  return {
    take(count) {
      used += count
      if (used >= MAX_ITEMS) fail('memory budget exceeded')
    },
  }
}

type Runner = Readonly<{
  value(node: Node): Value
  body(node: Node, here: Here): Value
  budget: Budget
}>

const NAMES = [
  ...['all', 'none', 'any', 'one', 'filter', 'map', 'count', 'sum', 'find', 'findIndex', 'findLast', 'findLastIndex'],
  ...['groupBy', 'sortBy', 'reduce'],
]

/** What is gone through: a list, the bytes of a text, an object without entries. */
function needList(value: Value): List {
  if (isList(value)) return value
  if (typeof value === 'string') return utf8(value)
  const size = isMap(value) ? value.size : isFields(value) ? Object.keys(value).length : undefined
  if (size === 0) return []
  const call = size === undefined ? 'Len' : 'Index'
  return fail(`reflect: call of reflect.Value.${call} on ${kindOf(value, 'zero')} Value`)
}

/** The value of a call of such a function; undefined for other functions. */
export function callPredicate(node: Node & { is: 'builtin' }, runner: Runner): Value | undefined {
  if (!NAMES.includes(node.name)) return undefined
  const [listNode, predicate, extra] = node.args
  if (node.name === 'sum') return sum(listNode!, predicate, runner)
  const list = needList(runner.value(listNode!))
  const { length } = list
  const bodyNode = predicate?.is === 'predicate' ? predicate.body : undefined
  const at = (index: number): Value => {
    const item = itemAt(list, index)
    return bodyNode ? runner.body(bodyNode, { item, index }) : item
  }
  const holds = (index: number): boolean => asBool(at(index))
  const indexes = Array.from({ length }, (_, index) => index)
  switch (node.name) {
    case 'all':
      return indexes.every(holds)
    case 'none':
      return !indexes.some(holds)
    case 'any':
      return indexes.some(holds)
    case 'one':
      return indexes.filter(holds).length === 1
    case 'filter': {
      const found = indexes.filter(holds).map(index => itemAt(list, index))
      runner.budget.take(found.length)
      return found
    }
    case 'map':
      runner.budget.take(length)
      return indexes.map(at)
    case 'count':
      return BigInt(indexes.filter(holds).length)
    case 'find':
    case 'findIndex':
      return found(list, indexes.find(holds), node.name === 'find')
    case 'findLast':
    case 'findLastIndex':
      return found(list, indexes.reverse().find(holds), node.name === 'findLast')
    case 'groupBy':
      return groupBy(list, indexes, at)
    case 'sortBy':
      return sortBy(list, indexes, at, extra ? runner.value(extra) : 'asc')
    default:
      return reduce(list, bodyNode!, extra, runner)
  }
}

function found(list: List, index: number | undefined, isItem: boolean): Value {
  if (index === undefined) return null
  return isItem ? itemAt(list, index) : BigInt(index)
}

/** argo: a list that is written down is added from the right, a range by formula. */
function sum(listNode: Node, predicate: Node | undefined, runner: Runner): Value {
  if (!predicate && listNode.is === 'array' && listNode.items.length > 1) {
    const items = listNode.items.map(runner.value)
    return items.slice(0, -1).reduceRight((total, item) => add(item, total), items.at(-1)!)
  }
  if (!predicate && listNode.is === 'binary' && listNode.operator === '..') {
    const [from, to] = [runner.value(listNode.left), runner.value(listNode.right)]
    if (typeof from === 'bigint' && typeof to === 'bigint') {
      return from > to ? 0n : BigInt.asIntN(64, ((from + to) * (to - from + 1n)) / 2n)
    }
  }
  const list = needList(runner.value(listNode))
  const bodyNode = predicate?.is === 'predicate' ? predicate.body : undefined
  let total: Value = 0n
  for (let index = 0; index < list.length; index++) {
    const item = itemAt(list, index)
    total = add(bodyNode ? runner.body(bodyNode, { item, index }) : item, total)
  }
  return total
}

function groupBy(list: List, indexes: readonly number[], at: (index: number) => Value): Value {
  const groups = new Groups()
  for (const index of indexes) {
    const key = at(index)
    const group = (groups.get(key) ?? []) as readonly Value[]
    groups.set(key, [...group, itemAt(list, index)])
  }
  return groups
}

function sortBy(list: List, indexes: readonly number[], at: (index: number) => Value, direction: Value): Value {
  if (direction !== 'asc' && direction !== 'desc') fail('unknown order, use asc or desc')
  const keyed = indexes.map(index => ({ item: itemAt(list, index), key: at(index) }))
  const sign = direction === 'asc' ? 1 : -1
  keyed.sort((a, b) => (equal(a.key, b.key) ? 0 : compare(a.key, '<', b.key) ? -sign : sign))
  return keyed.map(({ item }) => item)
}

function reduce(list: List, bodyNode: Node, extra: Node | undefined, runner: Runner): Value {
  if (list.length === 0 && !extra) return fail('reduce of empty array with no initial value')
  let accumulator = extra ? runner.value(extra) : itemAt(list, 0)
  for (let index = extra ? 0 : 1; index < list.length; index++) {
    accumulator = runner.body(bodyNode, { item: itemAt(list, index), index, accumulator })
  }
  return accumulator
}

type Binary = Node & { is: 'binary' }

/** count(list, p) or len(filter(list, p)) on the left of a whole number. */
function countOf(node: Node): (Node & { is: 'builtin' }) | undefined {
  if (node.is !== 'builtin') return undefined
  if (node.name === 'count' && node.args.length === 2) return node
  const [inner] = node.args
  return node.name === 'len' && inner?.is === 'builtin' && inner.name === 'filter' ? inner : undefined
}

/** argo: such a comparison stops counting once the answer is known; undefined for others. */
export function counted(node: Binary, value: (node: Node) => Value, body: Runner['body']): boolean | undefined {
  const { operator, left, right } = node
  const counting = countOf(left)
  if (!counting || right.is !== 'int' || !['>', '>=', '<='].includes(operator)) return undefined
  const limit = Number(right.value) + (operator === '>=' ? 0 : 1)
  const list = needList(value(counting.args[0]!))
  const predicate = counting.args[1]
  if (predicate?.is !== 'predicate') return undefined
  let count = 0
  for (let index = 0; index < list.length && count < limit; index++) {
    if (asBool(body(predicate.body, { item: itemAt(list, index), index }))) count++
  }
  return operator === '<=' ? count < limit : count >= limit
}
