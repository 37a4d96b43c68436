// Defaults, dropping of unknown fields, dropping of nulls: what a CRD's schema makes of an object before it is judged.
import { below, child, fieldSchema, isFreeForm, isObject, type Json, type Schema } from './schema-node.ts'

/**
 * A new object with defaults and without unknown fields and nulls, and the paths of the unknown fields, sorted.
 * Defaults go into parents that exist; a null becomes the default, or goes where there is none. Nothing below free-form
 * fields changes, and nothing in the metadata.
 */
export function pruneAndDefault<T extends Json>(schema: Schema, object: T): { object: T; pruned: string[] } {
  const pruned: string[] = []
  const result = shapeObject(schema, object, '', true, pruned) as T
  return { object: result, pruned: pruned.sort() }
}

function shape(schema: Schema, value: unknown, path: string, pruned: string[]): unknown {
  if (Array.isArray(value)) {
    const items = below(schema, 'items')
    return value.map((element, index) => shapeElement(items, element, `${path}[${index}]`, isFreeForm(schema), pruned))
  }
  if (!isObject(value)) return value
  return shapeObject(schema, value, path, schema['x-kubernetes-embedded-resource'] === true, pruned)
}

// A null element stays, to be refused later, unless its schema has a default.
function shapeElement(
  items: Schema | undefined,
  value: unknown,
  path: string,
  keep: boolean,
  pruned: string[],
): unknown {
  if (!items && keep) return value
  if (value === null && items && hasDefault(items) && !items['nullable']) return structuredClone(items['default'])
  return shape(items ?? {}, value, path, pruned)
}

function shapeObject(schema: Schema, value: Json, path: string, isResource: boolean, pruned: string[]): Json {
  const entries: [string, unknown][] = []
  for (const [name, member] of Object.entries(value)) {
    const at = child(path, name)
    const known = fieldSchema(schema, name)
    if (isResource && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) entries.push([name, member])
    else if (known) keepKnown(known, name, member, at)
    else if (isFreeForm(schema)) entries.push([name, member])
    else if (schema['additionalProperties'] === true) entries.push([name, shape({}, member, at, pruned)])
    else pruned.push(at)
  }
  for (const [name, known] of Object.entries(below(schema, 'properties') ?? {})) {
    if (!Object.hasOwn(value, name) && hasDefault(known as Schema)) keepKnown(known as Schema, name, undefined, '')
  }
  // fromEntries makes members of all names, `__proto__` too.
  return Object.fromEntries(entries)

  function keepKnown(known: Schema, name: string, member: unknown, at: string): void {
    const isMissing = member === undefined || (member === null && known['nullable'] !== true)
    if (!isMissing) entries.push([name, shape(known, member, at, pruned)])
    else if (hasDefault(known)) entries.push([name, shape(known, structuredClone(known['default']), at, pruned)])
  }
}

const hasDefault = (schema: Schema): boolean => schema['default'] !== undefined && schema['default'] !== null
