// Strategic merge patch: a merge patch that knows by which member the items of a list are told apart.
// source: patch strategies and merge keys of the Kubernetes API types; directives as its documentation defines them.
import { sameJson } from '../contract.ts'
import { type Field, type FieldType, fieldsOf, type Shape } from './field-table.ts'
import { StatusError } from './model.ts'

type Tree = Record<string, unknown>

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

const deleteFrom = '$deleteFromPrimitiveList/'
const setOrder = '$setElementOrder/'

const bad = (message: string): StatusError => new StatusError(400, 'BadRequest', message)
const unfit = (message: string): StatusError => new StatusError(500, 'InternalError', message)

/** A value as the real server's messages show it: `map[a:1 b:[x y]]`. */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`
  if (value === null || value === undefined) return '<nil>'
  if (!isTree(value)) return String(value)
  const members = Object.keys(value).sort()
  return `map[${members.map(key => `${key}:${text(value[key])}`).join(' ')}]`
}

const typeOf = (shape: Shape | undefined): FieldType | undefined => {
  if (shape?.is === 'object') return fieldsOf(shape.of)
  return shape?.is === 'list' || shape?.is === 'map' ? typeOf(shape.of) : undefined
}

/** The value of a patch where nothing stands yet: without directives, and without the nulls that would delete. */
function fresh(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => !(isTree(item) && '$patch' in item)).map(item => fresh(item))
  if (!isTree(value)) return value
  if ('$patch' in value) return undefined
  const result: Tree = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === null || key.startsWith('$')) continue
    const made = fresh(item)
    if (made !== undefined) result[key] = made
  }
  return result
}

const keyIn = (item: unknown, key: string): unknown => {
  if (key === '') return item
  if (!isTree(item)) throw bad(`expected a map[string]interface {}, but received a ${typeof item}`)
  if (!(key in item)) throw unfit(`map: ${text(item)} does not contain declared merge key: ${key}`)
  return item[key]
}

const indexBy = (list: readonly unknown[], item: unknown, key: string): number => {
  const wanted = keyIn(item, key)
  return list.findIndex(other => (key === '' ? other : (other as Tree)[key]) === wanted)
}

/** Sorts by the position in `order`; items that `order` does not have keep their places after those before them. */
function sorted(list: readonly unknown[], order: readonly unknown[], key: string): unknown[] {
  return list
    .map(item => ({ item, place: indexBy(order, item, key) }))
    .sort((a, b) => (a.place < 0 || b.place < 0 ? 0 : a.place - b.place))
    .map(({ item }) => item)
}

/** Merged items in the patch's order; those that the patch does not name stay where they were among them. */
function ordered(merged: unknown[], order: readonly unknown[], live: readonly unknown[], key: string): unknown[] {
  const named = sorted(
    merged.filter(item => indexBy(order, item, key) >= 0),
    order,
    key,
  )
  const others = merged.filter(item => indexBy(order, item, key) < 0)
  const result: unknown[] = []
  while (named.length > 0 || others.length > 0) {
    const before = others.length > 0 ? indexBy(live, others[0], key) : -1
    const after = named.length > 0 ? indexBy(live, named[0], key) : -1
    const takeOther = named.length === 0 || (before >= 0 && after >= 0 && before < after)
    result.push(takeOther && others.length > 0 ? others.shift() : named.shift())
  }
  return result
}

function mergeItems(live: readonly unknown[], patch: readonly unknown[], key: string, type?: FieldType): unknown[] {
  let result = [...live]
  let isReplaced = false
  const plain: unknown[] = []
  for (const item of patch) {
    const directive = isTree(item) ? item['$patch'] : undefined
    if (directive === undefined) plain.push(item)
    else if (directive === 'delete') {
      const gone = keyIn(item, key)
      result = result.filter(other => (other as Tree)[key] !== gone)
    } else if (directive === 'replace') isReplaced = true
    else if (directive === 'merge') throw unfit('merging lists cannot yet be specified in the patch')
    else throw unfit(`unknown patch type: ${directive} in map: ${text(item)}`)
  }
  if (isReplaced) return plain.map(fresh)
  for (const item of plain) {
    const at = indexBy(result, item, key)
    if (at < 0) result.push(fresh(item))
    else result[at] = mergeObject(result[at] as Tree, item as Tree, type)
  }
  return result
}

const unique = (list: readonly unknown[]): unknown[] => [...new Set(list)]

function checkOrder(patch: readonly unknown[], order: readonly unknown[], key: string): void {
  if (order.length === 0) return
  let at = 0
  for (const item of patch) {
    if (isTree(item) && '$patch' in item) continue
    while (at < order.length && keyIn(order[at], key) !== keyIn(item, key)) at++
    if (at++ >= order.length)
      throw unfit(`The order in patch list:\n${text(patch)}\n doesn't match $setElementOrder list:\n${text(order)}\n`)
  }
}

function mergeList(live: readonly unknown[], patch: readonly unknown[], field: Field, order?: readonly unknown[]) {
  const key = field.mergeKey ?? ''
  const named = order ?? patch.filter(item => !(isTree(item) && '$patch' in item))
  if (order) checkOrder(patch, order, key)
  const type = typeOf(field.shape)
  const merged = key === '' ? unique([...live, ...patch]) : mergeItems(live, patch, key, type)
  // Additions take the places that deletions left: so counts the real server, and so places its items.
  const places = order ? [...merged, ...live.slice(merged.length)].slice(0, live.length) : live
  return ordered(merged, named, places, key)
}

function retain(live: Tree, patch: Tree): Tree {
  const keys = patch['$retainKeys']
  if (keys === undefined) return { ...live }
  const isKnown =
    Array.isArray(keys) && Object.keys(patch).every(k => k.startsWith('$') || patch[k] === null || keys.includes(k))
  if (!isKnown) throw bad('invalid patch format of retainKeys')
  return Object.fromEntries(Object.entries(live).filter(([key]) => (keys as unknown[]).includes(key)))
}

const isMerged = (field: Field | undefined): field is Field => field?.mergeKey !== undefined

function mergeValue(live: unknown, patch: unknown, field: Field | undefined): unknown {
  if (isTree(live) && isTree(patch) && !field?.replaced) return mergeObject(live, patch, typeOf(field?.shape))
  if (Array.isArray(live) && Array.isArray(patch) && isMerged(field)) return mergeList(live, patch, field)
  if (Array.isArray(patch) && isMerged(field)) return mergeList([], patch, field)
  return fresh(patch)
}

function mergeOrders(result: Tree, patch: Tree, type: FieldType | undefined): Set<string> {
  const done = new Set<string>()
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(setOrder)) continue
    const key = directive.slice(setOrder.length)
    const field = type?.fields.get(key)
    if (!Array.isArray(order)) throw bad('invalid patch format of setElementOrder list')
    const live = result[key]
    const change = patch[key]
    done.add(key)
    const removed = patch[`${deleteFrom}${key}`]
    const base = Array.isArray(live) ? live.filter(item => !(Array.isArray(removed) && removed.includes(item))) : []
    if (change === null || (!Array.isArray(live) && !Array.isArray(change))) {
      if (change === null) delete result[key]
      continue
    }
    // A list without a merge key is replaced: its order is the patch's own.
    if (isMerged(field)) result[key] = mergeList(base, Array.isArray(change) ? change : [], field, order)
    else if (change !== undefined) result[key] = fresh(change)
  }
  return done
}

function mergeObject(live: Tree, patch: Tree, type: FieldType | undefined): Tree {
  const directive = patch['$patch']
  if (directive === 'replace') {
    const { $patch: _, ...rest } = patch
    return fresh(rest) as Tree
  }
  if (directive === 'delete') return {}
  if (directive !== undefined) throw unfit(`unknown patch type: ${directive} in map: ${text(patch)}`)
  const result = retain(live, patch)
  const done = mergeOrders(result, patch, type)
  for (const [key, value] of Object.entries(patch)) {
    if (done.has(key) || key === '$retainKeys' || key.startsWith(setOrder)) continue
    if (key.startsWith(deleteFrom)) {
      const name = key.slice(deleteFrom.length)
      const list = result[name]
      if (done.has(name) || !Array.isArray(list) || !Array.isArray(value)) continue
      result[name] = list.filter(item => !value.some(gone => sameJson(gone, item)))
      continue
    }
    if (value === null) {
      delete result[key]
      continue
    }
    const merged = mergeValue(result[key], value, type?.fields.get(key))
    if (merged === undefined) delete result[key]
    else result[key] = merged
  }
  return result
}

/** A built-in object after a strategic merge patch; neither input is changed. `kind` names the type whose merge keys
 * count. Throws StatusError 400 on a patch that is no object or a malformed directive, 500 where the real server does. */
export function strategicMerge(kind: string, live: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) throw bad('json: cannot unmarshal array into Go value of type map[string]interface {}')
  if (!isTree(patch)) throw bad('invalid JSON patch')
  return structuredClone(mergeObject(isTree(live) ? live : {}, patch, fieldsOf(kind)))
}
