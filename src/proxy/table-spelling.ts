// Keys of a table that mean nothing: a misspelt `host` for `hosts` would serve every host. Tables that people write are
// held to the schema's own words; those of a cluster are not, as a newer controller may know more of them.
import type * as z from 'zod'
import { routeTable } from './table.ts'

type Def = Readonly<{
  type: string
  shape?: Readonly<Record<string, z.ZodType>>
  element?: z.ZodType
  innerType?: z.ZodType
  valueType?: z.ZodType
}>

/** What is wrong with the keys of a table that was read already, one message a key, with its place. */
export function strangeKeys(raw: unknown): readonly string[] {
  return [...within(raw, routeTable, '')]
}

function* within(value: unknown, schema: z.ZodType, place: string): Generator<string> {
  const { type, shape, element, innerType, valueType } = schema._zod.def as unknown as Def
  if (innerType) yield* within(value, innerType, place)
  else if (type === 'array' && element && Array.isArray(value))
    for (const [i, item] of value.entries()) yield* within(item, element, `${place}${i}.`)
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) {
      const known = shape === undefined ? valueType : Object.hasOwn(shape, key) ? shape[key] : undefined
      if (known) yield* within(item, known, `${place}${key}.`)
      else if (shape) yield `${place}${key}: there is no such key, only ${Object.keys(shape).join(', ')}`
    }
}
