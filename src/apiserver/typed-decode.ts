// Built-in objects as the server understands them: unknown fields dropped, values of the wrong type refused,
// zero values left out or written as the field tables say, quantities in canonical form.

import { canonicalQuantity, parseQuantity } from '../api/rules/quantity.ts'
import { type Field, type FieldType, fieldsOf, type Shape } from './field-table.ts'
import { StatusError } from './model.ts'

type Tree = Record<string, unknown>
type Reading = { kind: string; version: string; unknown: string[] }
/** Where a value stands: its path, and the type that has it as a member. */
type Place = Readonly<{ path: string; within: string }>

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse(reading: Reading, why: string): never {
  const { kind, version } = reading
  const message = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`
  throw new StatusError(400, 'BadRequest', message)
}

function mismatch(value: unknown, type: string, place: Place, reading: Reading): never {
  const word = Array.isArray(value)
    ? 'array'
    : isTree(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value
  const what = typeof value === 'number' && /^int\d/.test(type) ? `number ${value}` : word
  const path = place.path.replaceAll(/\[\d+\]/g, '')
  return refuse(reading, `json: cannot unmarshal ${what} into Go struct field ${place.within}.${path} of type ${type}`)
}

const goName = (shape: Shape, version: string): string => {
  if (shape.is === 'leaf') return shape.of
  if (shape.is === 'object') return `${version}.${shape.of}`
  return `${shape.is === 'list' ? '[]' : 'map[string]'}${goName(shape.of, version)}`
}

const timeForm = '2006-01-02T15:04:05Z07:00'
const microForm = '2006-01-02T15:04:05.000000Z07:00'

/** Times come out in UTC; those of leases and events must carry exactly six digits behind the second. */
function readTime(text: string, reading: Reading, micro: boolean): string {
  const parts = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d((?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/.exec(text)
  const millis = Date.parse(text)
  const why = `parsing time ${JSON.stringify(text)} as ${JSON.stringify(micro ? microForm : timeForm)}`
  if (!parts || Number.isNaN(millis)) return refuse(reading, `${why}: cannot parse ${JSON.stringify(text)} as "2006"`)
  const [, fraction = '', zone = ''] = parts
  const seconds = new Date(millis).toISOString().slice(0, 19)
  if (!micro) return `${seconds}Z`
  if (fraction.length === 7) return `${seconds}${fraction}Z`
  return refuse(reading, `${why}: cannot parse ${JSON.stringify(fraction + zone)} as ".000000"`)
}

function readQuantity(value: unknown, reading: Reading): string {
  const quantity = typeof value === 'string' || typeof value === 'number' ? parseQuantity(String(value)) : undefined
  if (quantity) return canonicalQuantity(quantity)
  const form = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
  return refuse(reading, `quantities must match the regular expression '${form}'`)
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const limits: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 }

function readLeaf(value: unknown, type: string, place: Place, reading: Reading): unknown {
  switch (type) {
    case 'raw':
      return value
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, 'string', place, reading)
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch(value, 'bool', place, reading)
    case 'int32':
    case 'int64': {
      const limit = limits[type] ?? 0
      const fits = typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit
      return fits ? value : mismatch(value, type, place, reading)
    }
    case 'intOrString':
      if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return value
      return mismatch(value, 'int32', place, reading)
    case 'bytes':
      if (typeof value !== 'string') return mismatch(value, '[]uint8', place, reading)
      if (base64.test(value)) return value
      return refuse(reading, `illegal base64 data at input byte ${Math.max(0, value.search(/[^A-Za-z0-9+/]/))}`)
    case 'quantity':
      return readQuantity(value, reading)
    default:
      return typeof value === 'string'
        ? readTime(value, reading, type === 'microTime')
        : mismatch(value, 'string', place, reading)
  }
}

function readShape(value: unknown, shape: Shape, place: Place, reading: Reading): unknown {
  if (shape.is === 'leaf') return readLeaf(value, shape.of, place, reading)
  const package_ = reading.version
  if (shape.is === 'object') {
    const type = fieldsOf(shape.of)
    if (!type) throw new Error(`no field table for ${shape.of}`)
    if (!isTree(value)) return mismatch(value, goName(shape, package_), place, reading)
    return readObject(value, type, place.path, reading)
  }
  const { within, path } = place
  const item = (of: unknown, at: string) =>
    of === null || of === undefined ? zeroOf(shape.of) : readShape(of, shape.of, { within, path: at }, reading)
  if (shape.is === 'list') {
    if (!Array.isArray(value)) return mismatch(value, goName(shape, package_), place, reading)
    return value.map((of, i) => item(of, `${path}[${i}]`))
  }
  if (!isTree(value)) return mismatch(value, goName(shape, package_), place, reading)
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, item(of, path)]))
}

const leafZeros: Readonly<Record<string, unknown>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  quantity: '0',
  intOrString: 0,
}

function zeroOf(shape: Shape): unknown {
  if (shape.is === 'leaf') return leafZeros[shape.of] ?? null
  const type = shape.is === 'object' ? fieldsOf(shape.of) : undefined
  if (!type) return null
  return Object.fromEntries(type.always.map(f => [f.name, f.pointer ? null : zeroOf(f.shape)]))
}

/** Whether a value is left out; an object with no member left counts only as the content of a map or list field. */
function isZero(value: unknown, field: Field): boolean {
  if (field.pointer) return false
  if (Array.isArray(value)) return value.length === 0
  if (isTree(value)) return field.shape.is === 'map' && Object.keys(value).length === 0
  return value === '' || value === 0 || value === false
}

function readObject(value: Tree, type: FieldType, path: string, reading: Reading): Tree {
  const result: Tree = {}
  for (const [key, item] of Object.entries(value)) {
    const here = path === '' ? key : `${path}.${key}`
    const field = type.fields.get(key)
    if (!field) {
      if (path === '' && (key === 'apiVersion' || key === 'kind')) result[key] = item
      else reading.unknown.push(here)
      continue
    }
    if (item === null || item === undefined) continue
    const read = readShape(item, field.shape, { path: here, within: type.name }, reading)
    if (!isZero(read, field)) result[key] = read
  }
  for (const field of type.always)
    if (!Object.hasOwn(result, field.name)) result[field.name] = field.pointer ? null : zeroOf(field.shape)
  return result
}

/** A built-in object as the server keeps it, and the dotted paths of the fields that it does not know.
 * `kind` names a type of the field tables. Throws StatusError 400 when a value has the wrong type. */
export function decodeTyped(
  kind: string,
  version: string,
  object: Readonly<Tree>,
): Readonly<{ value: Tree; unknown: readonly string[] }> {
  const type = fieldsOf(kind)
  if (!type) throw new Error(`no field table for ${kind}`)
  const reading: Reading = { kind, version, unknown: [] }
  return { value: readObject(object, type, '', reading), unknown: reading.unknown }
}
