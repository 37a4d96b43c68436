// One node of a structural schema: how to read its parts, and what kind of value stands before us.

/** A structural OpenAPI v3 schema as a CRD carries it. */
export type Schema = Readonly<Record<string, unknown>>
export type Json = Readonly<Record<string, unknown>>

/** Is this a JSON object? */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema below a member such as `items`; undefined when there is none. */
export const below = (schema: Schema, key: string): Schema | undefined => {
  const part = schema[key]
  return isObject(part) ? part : undefined
}

/** The schema of a field of an object, by name or, in a map, for all names. */
export function fieldSchema(schema: Schema, name: string): Schema | undefined {
  const properties = below(schema, 'properties')
  if (properties && Object.hasOwn(properties, name)) return properties[name] as Schema
  return below(schema, 'additionalProperties')
}

export const listType = (schema: Schema): unknown => schema['x-kubernetes-list-type']

/** The names of the fields that are the key of a list's elements. */
export const keysOf = (schema: Schema): readonly string[] =>
  (schema['x-kubernetes-list-map-keys'] as readonly string[] | undefined) ?? []

export const isFreeForm = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true

/** `spec` and `name` make `spec.name`; a name alone at the root. */
export const child = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

const INT64 = 2 ** 63

/** The JSON type of a value; numbers without a fraction that fit 64 bits are integers. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value !== 'number') return typeof value
  return Number.isInteger(value) && Math.abs(value) < INT64 ? 'integer' : 'number'
}
