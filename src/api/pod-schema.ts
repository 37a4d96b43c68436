// The structural schema of an embedded Kubernetes type, made from the table of its fields.
import { POD_TYPES } from './pod-fields.ts'

/** A structural OpenAPI v3 schema as CRDs carry it. */
export type Schema = { [key: string]: unknown }

const ANY_TEXT_OR_INTEGER = { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }

// A signed decimal number with a decimal, binary or exponent suffix.
const QUANTITY =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$'

const SCALARS: Readonly<Record<string, Schema>> = {
  '': { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  intOrString: ANY_TEXT_OR_INTEGER,
  quantity: { ...ANY_TEXT_OR_INTEGER, pattern: QUANTITY },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
}

/** The schema of a type of the table, in full depth. Raises an Error when the table does not name it. */
export function podSchema(name: string): Schema {
  const scalar = SCALARS[name]
  if (scalar) return structuredClone(scalar)
  const row = POD_TYPES[name]
  if (row === undefined) throw new Error(`no such Kubernetes type: ${name}`)
  const words = row.trim().split(/\s+/).filter(Boolean)
  const read = words.filter(word => !word.startsWith('@')).map(readField)
  const required = read.filter(field => field.isRequired).map(field => field.name)
  return {
    type: 'object',
    ...(words.includes('@atomic') ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(read.length > 0 ? { properties: Object.fromEntries(read.map(({ name: key, schema }) => [key, schema])) } : {}),
  }
}

/** `name!:type=default` */
function readField(word: string): { name: string; isRequired: boolean; schema: Schema } {
  const [, name = '', mark, type = '', fallback] = /^(\w+)(!?)(?::([^=]*=?))?(?:=(.+))?$/.exec(word) ?? []
  // The `=` of an atomic list belongs to its type; behind any other type it starts the default.
  const isPlain = type.endsWith('=') && !type.endsWith(']=')
  const schema = typeSchema(isPlain ? type.slice(0, -1) : type)
  const text = isPlain ? word.slice(word.indexOf('=') + 1) : fallback
  if (text !== undefined) schema['default'] = JSON.parse(text)
  return { name, isRequired: mark === '!', schema }
}

function typeSchema(type: string): Schema {
  if (type.startsWith('{')) return { type: 'object', additionalProperties: podSchema(type.slice(1, -1)) }
  if (!type.startsWith('[')) return podSchema(type)
  const end = type.lastIndexOf(']')
  const mark = type.slice(end + 1)
  return { type: 'array', items: podSchema(type.slice(1, end)), ...listType(mark) }
}

function listType(mark: string): Schema {
  if (mark === '=') return { 'x-kubernetes-list-type': 'atomic' }
  if (mark === '!') return { 'x-kubernetes-list-type': 'set' }
  if (mark === '') return {}
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': mark.slice(1, -1).split(',') }
}
