// Lists that are sets or maps: no element, or no key of one, may occur twice.
import type { Cause } from './model.ts'
import { below, child, fieldSchema, isObject, keysOf, listType, type Schema } from './schema-node.ts'

/** The duplicates in all lists of an object; empty: none. */
export function listCauses(schema: Schema, value: unknown, path = ''): Cause[] {
  if (Array.isArray(value)) {
    const items = below(schema, 'items')
    const inside = items ? value.flatMap((element, index) => listCauses(items, element, `${path}[${index}]`)) : []
    return [...ownCauses(schema, value, path), ...inside]
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const known = fieldSchema(schema, name)
    return known ? listCauses(known, member, child(path, name)) : []
  })
}

function ownCauses(schema: Schema, list: readonly unknown[], path: string): Cause[] {
  if (listType(schema) === 'set') return duplicates(list, path)
  if (listType(schema) !== 'map') return []
  const stranger = list.findIndex(element => element !== null && !isObject(element))
  if (stranger < 0)
    return duplicates(
      list.map(element => keyOf(schema, element)),
      path,
    )
  const message = `Invalid value: ${JSON.stringify(list[stranger])}: must be an object for an array of list-type map`
  return [{ reason: 'FieldValueInvalid', field: `${path}[${stranger}]`, message }]
}

// A null element has an empty key, as an element without key fields.
const keyOf = (schema: Schema, element: unknown): unknown => {
  if (!isObject(element)) return {}
  const entries = keysOf(schema).map((key): [string, unknown] => [key, element[key]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)))
}

// Each value is told once, at its second place.
function duplicates(values: readonly unknown[], path: string): Cause[] {
  const seen = new Map<string, number>()
  return values.flatMap((value, index): Cause[] => {
    const text = canonical(value)
    const times = (seen.get(text) ?? 0) + 1
    seen.set(text, times)
    if (times !== 2) return []
    return [{ reason: 'FieldValueDuplicate', field: `${path}[${index}]`, message: `Duplicate value: ${text}` }]
  })
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
