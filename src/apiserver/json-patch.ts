// JSON Patch (RFC 6902) with the leniences and the refusals of a Kubernetes API server.
import { sameJson } from '../contract.ts'
import { StatusError } from './model.ts'

type Json = unknown
type Tree = Record<string, Json>

const isTree = (value: Json): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One sentence for every operation that cannot be done, the failed `test` included: so says the real server. */
const rejected = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

const undecodable = (what: Json, into: string): StatusError => {
  const word = Array.isArray(what) ? 'array' : what === null ? 'null' : typeof what
  const message = `error decoding patch: json: cannot unmarshal ${word} into Go value of type ${into}`
  return new StatusError(400, 'BadRequest', message)
}

function keysOf(pointer: Json): string[] {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw rejected()
  return pointer
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function indexIn(key: string, last: number): number {
  if (!/^-?\d+$/.test(key)) throw rejected()
  const index = Number(key)
  const real = index < 0 ? index + last + 1 : index
  if (real < 0 || real > last) throw rejected()
  return real
}

const has = (tree: Tree, key: string): boolean => Object.hasOwn(tree, key)

function parentOf(doc: Json, keys: readonly string[]): Json[] | Tree {
  let node = doc
  for (const key of keys.slice(0, -1)) {
    if (Array.isArray(node)) node = node[indexIn(key, node.length - 1)]
    else if (isTree(node) && has(node, key)) node = node[key]
    else throw rejected()
  }
  if (Array.isArray(node) || isTree(node)) return node
  throw rejected()
}

// A missing member reads as null, it is not an error: `test` against null passes, `copy` copies null.
function read(doc: Json, pointer: Json): Json {
  if (pointer === '') return doc
  const keys = keysOf(pointer)
  const parent = parentOf(doc, keys)
  const key = keys.at(-1) ?? ''
  if (Array.isArray(parent)) return parent[indexIn(key, parent.length - 1)]
  return has(parent, key) ? parent[key] : null
}

function put(parent: Tree, key: string, value: Json): void {
  // A plain assignment to `__proto__` would change the object's nature instead of adding a member.
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true })
}

function add(doc: Json, pointer: Json, value: Json): void {
  const keys = keysOf(pointer)
  const parent = parentOf(doc, keys)
  const key = keys.at(-1) ?? ''
  if (!Array.isArray(parent)) put(parent, key, value)
  else if (key === '-') parent.push(value)
  else parent.splice(indexIn(key, parent.length), 0, value)
}

function remove(doc: Json, pointer: Json): void {
  const keys = keysOf(pointer)
  const parent = parentOf(doc, keys)
  const key = keys.at(-1) ?? ''
  if (Array.isArray(parent)) parent.splice(indexIn(key, parent.length - 1), 1)
  else if (has(parent, key)) delete parent[key]
  else throw rejected()
}

// `replace` of a missing member of an object adds it; only in lists must there be something to replace.
function replace(doc: Json, pointer: Json, value: Json): Json {
  if (pointer === '') return value
  const keys = keysOf(pointer)
  const parent = parentOf(doc, keys)
  const key = keys.at(-1) ?? ''
  if (Array.isArray(parent)) parent[indexIn(key, parent.length - 1)] = value
  else put(parent, key, value)
  return doc
}

function apply(doc: Json, step: Tree): Json {
  const value = step['value'] === undefined ? null : structuredClone(step['value'])
  switch (step['op']) {
    case 'add':
      add(doc, step['path'], value)
      return doc
    case 'remove':
      remove(doc, step['path'])
      return doc
    case 'replace':
      return replace(doc, step['path'], value)
    case 'move': {
      const moved = read(doc, step['from'])
      remove(doc, step['from'])
      add(doc, step['path'], moved)
      return doc
    }
    case 'copy':
      add(doc, step['path'], structuredClone(read(doc, step['from'])))
      return doc
    case 'test':
      if (!sameJson(read(doc, step['path']), value)) throw rejected()
      return doc
    default:
      throw rejected()
  }
}

/** The document after the operations; the input is left alone. At most 10,000 operations.
 * Throws StatusError 400 when `ops` is no patch, 413 when it is too long, 422 when an operation cannot be done. */
export function applyJsonPatch(doc: unknown, ops: unknown): unknown {
  if (!Array.isArray(ops)) throw undecodable(ops, '[]handlers.jsonPatchOp')
  if (ops.length > 10_000) {
    const message = `The allowed maximum operations in a JSON patch is 10000, got ${ops.length}`
    throw new StatusError(413, 'RequestEntityTooLarge', message)
  }
  let result: Json = structuredClone(doc)
  for (const step of ops) {
    if (!isTree(step)) throw undecodable(step, 'handlers.jsonPatchOp')
    result = apply(result, step)
  }
  return result
}
