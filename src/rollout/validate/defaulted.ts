// A pod template as the API server would have it: defaults filled in, unknown members gone.
import type { Tree } from '../../api/rules/tree.ts'
import { type Codec, compileTypes, isObject } from '../go-json.ts'
import { POD_TEMPLATE_TYPES } from '../go-json-order.ts'
import { POD_DEFAULTS } from '../pod-defaults.ts'

const template = compileTypes(POD_TEMPLATE_TYPES).get('PodTemplateSpec')!

/** A copy with the defaults of an API server. */
export const withDefaults = (given: Tree): Tree => completed(template, given) as Tree

/** An entry that is no object where there should be one is read as an empty one. */
const itemOf = ({ item }: Codec, value: unknown): unknown => (item?.kind === 'struct' && !isObject(value) ? {} : value)

function completed(codec: Codec, value: unknown): unknown {
  if (codec.kind === 'list' && Array.isArray(value))
    return value.map(item => completed(codec.item!, itemOf(codec, item)))
  if (codec.kind === 'map' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, completed(codec.item!, item)]))
  }
  if (codec.kind !== 'struct' || !isObject(value)) return value
  const fields: Record<string, unknown> = { ...value }
  POD_DEFAULTS[codec.type ?? '']?.(fields)
  const result: Record<string, unknown> = {}
  for (const { name, codec: inner } of codec.members ?? []) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    // An empty list or map is as good as none.
    if (field === undefined || field === null || (Array.isArray(field) && field.length === 0)) continue
    result[name] = completed(inner, field)
  }
  return result
}
