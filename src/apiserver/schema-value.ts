// Values against a structural schema: types, numbers, texts, lists, required fields. The words are the real server's.
import { sameJson } from '../contract.ts'
import type { Cause } from './model.ts'
import { below, child, fieldSchema, isObject, type Json, keysOf, listType, type Schema, typeOf } from './schema-node.ts'
import { textCauses } from './schema-text.ts'

/** Stands for "there is no old value to compare with". */
export const NOTHING_OLD: unique symbol = Symbol('nothing old')

/**
 * What is wrong with a value. A part that equals the same part of `old` is not looked at: an update need not mend what
 * it does not touch.
 */
export function valueCauses(schema: Schema, value: unknown, old: unknown, path = ''): Cause[] {
  if (old !== NOTHING_OLD && sameJson(value, old) && isComparable(schema, value)) return []
  const causes = typeCauses(schema, value, path)
  if (value === null) return causes
  causes.push(...enumCauses(schema, value, path), ...combinedCauses(schema, value, path))
  if (typeof value === 'number') causes.push(...numberCauses(schema, value, path))
  if (typeof value === 'string') causes.push(...textCauses(schema, value, path))
  if (Array.isArray(value)) causes.push(...arrayCauses(schema, value, old, path))
  if (isObject(value)) causes.push(...objectCauses(schema, value, old, path))
  return causes
}

const invalid = (field: string, value: unknown, text: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${text}`,
})

/** The real server puts some mistakes at no field. */
const invalidSomewhere = (text: string): Cause => invalid('<nil>', '', text)

const wrongType = (path: string, wanted: string, found: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  field: path,
  message: `Invalid value: ${JSON.stringify(found)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`,
})

const FORMAT_OF: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' }

function typeCauses(schema: Schema, value: unknown, path: string): Cause[] {
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true
  const types = isIntOrString ? ['integer', 'string'] : schema['type'] === undefined ? [] : [String(schema['type'])]
  const found = typeOf(value)
  const fits = types.includes(found) || (found === 'integer' && types.includes('number'))
  if (types.length === 0 || fits || (found === 'null' && schema['nullable'] === true)) return []
  const format = schema['format']
  if (typeof format !== 'string' || found === 'null') return [wrongType(path, types.join(','), found)]
  const isNumeric = types.includes('integer') || types.includes('number')
  // source: the real server names the formats here, and lets a list pass where a formatted text is wanted.
  if (found !== 'string' && found !== 'array') return [wrongType(path, format, FORMAT_OF[found] ?? '')]
  return isNumeric ? [wrongType(path, types.join(','), found)] : []
}

function enumCauses(schema: Schema, value: unknown, path: string): Cause[] {
  const allowed = schema['enum'] as readonly unknown[] | undefined
  if (!allowed || allowed.some(one => sameJson(one, value))) return []
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map(one => JSON.stringify(one)).join(', ')}`
  return [{ reason: 'FieldValueNotSupported', field: path, message }]
}

function combinedCauses(schema: Schema, value: unknown, path: string): Cause[] {
  const { allOf = [], anyOf, oneOf, not } = schema as { [key: string]: readonly Schema[] | undefined }
  const judge = (one: Schema): Cause[] => valueCauses(one, value, NOTHING_OLD, path)
  const causes = allOf.flatMap(judge)
  if (anyOf && !anyOf.some(one => judge(one).length === 0)) {
    causes.push(invalidSomewhere(`"${path}" must validate at least one schema (anyOf)`), ...judge(anyOf[0] ?? {}))
  }
  const matches = oneOf?.filter(one => judge(one).length === 0).length ?? 1
  if (matches !== 1) {
    const found = matches === 0 ? 'Found none valid' : `Found ${matches} valid alternatives`
    causes.push(invalidSomewhere(`"${path}" must validate one and only one schema (oneOf). ${found}`))
  }
  if (isObject(not) && judge(not).length === 0) {
    causes.push(invalidSomewhere(`"${path}" must not validate the schema (not)`))
  }
  return causes
}

const RANGE: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 }

function numberCauses(schema: Schema, value: number, path: string): Cause[] {
  const causes: Cause[] = []
  const format = schema['format'] as string | undefined
  const limit = RANGE[format ?? 'int64'] ?? 2 ** 63
  if (schema['type'] === 'integer' && (!Number.isInteger(value) || value < -limit || value >= limit)) {
    const kind = format === undefined ? '(default format)' : `with format ${format}`
    causes.push(invalidSomewhere(`Checked value must be of type integer ${kind} in ${path}`))
  }
  const { minimum, maximum, multipleOf } = schema as { [key: string]: number | undefined }
  const isTooSmall = minimum !== undefined && (schema['exclusiveMinimum'] ? value <= minimum : value < minimum)
  const isTooLarge = maximum !== undefined && (schema['exclusiveMaximum'] ? value >= maximum : value > maximum)
  const orEqual = (exclusive: unknown): string => (exclusive ? '' : ' or equal to')
  if (isTooSmall) {
    const bound = `greater than${orEqual(schema['exclusiveMinimum'])} ${minimum}`
    causes.push(invalid(path, value, `${path} in body should be ${bound}`))
  }
  if (isTooLarge) {
    const bound = `less than${orEqual(schema['exclusiveMaximum'])} ${maximum}`
    causes.push(invalid(path, value, `${path} in body should be ${bound}`))
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    causes.push(invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`))
  }
  return causes
}

const tooMany = (field: string, count: number, limit: number): Cause => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${count}: must have at most ${limit} items`,
})

function arrayCauses(schema: Schema, value: readonly unknown[], old: unknown, path: string): Cause[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema as { minItems?: number; maxItems?: number }
  const causes: Cause[] = []
  if (value.length > maxItems) causes.push(tooMany(path, value.length, maxItems))
  if (value.length < minItems) {
    causes.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`))
  }
  const items = below(schema, 'items')
  if (!items) return causes
  const before = Array.isArray(old) && listType(schema) === 'map' ? old : []
  for (const [index, element] of value.entries()) {
    causes.push(...valueCauses(items, element, sameKey(schema, before, element), `${path}[${index}]`))
  }
  return causes
}

const hasKey = (schema: Schema, element: unknown): element is Json =>
  isObject(element) && keysOf(schema).every(key => element[key] !== undefined && typeof element[key] !== 'object')

// source: the real server finds the old element of a keyed list by its key, so an element without a proper one is new
// to it, and so is all that holds such an element. Other lists, and atomic objects, are compared as a whole.
function isComparable(schema: Schema, value: unknown): boolean {
  if (Array.isArray(value) && listType(schema) === 'map') {
    const items = below(schema, 'items') ?? {}
    return value.every(element => hasKey(schema, element) && isComparable(items, element))
  }
  if (!isObject(value) || schema['x-kubernetes-map-type'] === 'atomic') return true
  return Object.entries(value).every(([name, member]) => {
    const known = fieldSchema(schema, name)
    return !known || isComparable(known, member)
  })
}

/** The element of the old list with the same key; lists without keys have no elements to compare with. */
export function sameKey(schema: Schema, before: readonly unknown[], element: unknown): unknown {
  if (!hasKey(schema, element)) return NOTHING_OLD
  const found = before.find(one => isObject(one) && keysOf(schema).every(key => sameJson(one[key], element[key])))
  return found ?? NOTHING_OLD
}

function objectCauses(schema: Schema, value: Json, old: unknown, path: string): Cause[] {
  const causes: Cause[] = []
  for (const name of (schema['required'] as readonly string[] | undefined) ?? []) {
    if (Object.hasOwn(value, name)) continue
    causes.push({ reason: 'FieldValueRequired', field: child(path, name), message: 'Required value' })
  }
  const count = Object.keys(value).length
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema as { [key: string]: number }
  if (count > maxProperties) causes.push(tooMany(path, count, maxProperties))
  if (count < minProperties) {
    causes.push(invalid(path, count, `${path} in body should have at least ${minProperties} properties`))
  }
  for (const [name, member] of Object.entries(value)) {
    const known = fieldSchema(schema, name)
    if (known) causes.push(...valueCauses(known, member, oldMember(schema, old, name), child(path, name)))
  }
  return causes
}

/** The same member of the old object; objects that are replaced as a whole have no members to compare with. */
export function oldMember(schema: Schema, old: unknown, name: string): unknown {
  if (!isObject(old) || schema['x-kubernetes-map-type'] === 'atomic' || !Object.hasOwn(old, name)) return NOTHING_OLD
  return old[name]
}
