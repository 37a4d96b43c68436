// A pod template as the API server would have it: defaults filled in, unknown members gone.
import type { Tree } from '../../api/rules/tree.ts'
import { type Codec, compileTypes, isObject } from '../go-json.ts'
import { POD_TEMPLATE_TYPES } from '../go-json-order.ts'
import { POD_DEFAULTS } from '../pod-defaults.ts'

const template = compileTypes(POD_TEMPLATE_TYPES).get('PodTemplateSpec')!

/** argo: what the library that it checks with gives no defaults, as its release does not have them switched on. */
const BARE: ReadonlySet<string> = new Set(['ImageVolumeSource'])

/** Members to leave out, by the name of their type. */
type Lost = Readonly<Record<string, readonly string[]>>

/** A copy with the defaults of an API server, without the members that are lost. */
export const withDefaults = (given: Tree, lost: Lost = {}): Tree => completed(template, given, lost) as Tree

/** An entry that is no object where there should be one is read as an empty one. */
const itemOf = ({ item }: Codec, value: unknown): unknown => (item?.kind === 'struct' && !isObject(value) ? {} : value)

function completed(codec: Codec, value: unknown, lost: Lost): unknown {
  if (codec.kind === 'list' && Array.isArray(value))
    return value.map(item => completed(codec.item!, itemOf(codec, item), lost))
  if (codec.kind === 'map' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, completed(codec.item!, item, lost)]))
  }
  if (codec.kind !== 'struct' || !isObject(value)) return value
  const fields: Record<string, unknown> = { ...value }
  for (const name of lost[codec.type ?? ''] ?? []) delete fields[name]
  if (!BARE.has(codec.type ?? '')) POD_DEFAULTS[codec.type ?? '']?.(fields)
  const result: Record<string, unknown> = {}
  for (const { name, codec: inner } of codec.members ?? []) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    // An empty list or map is as good as none.
    if (field === undefined || field === null || (Array.isArray(field) && field.length === 0)) continue
    result[name] = completed(inner, field, lost)
  }
  return result
}
