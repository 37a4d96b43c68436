// Whether a live pod template is what a manifest asks for: finds the ReplicaSet of a template whose hash differs.
import { sameJson } from '../contract.ts'
import { type Codec, compileTypes, integerOf, isObject } from './go-json.ts'
import { POD_TEMPLATE_TYPES } from './go-json-order.ts'
import { POD_DEFAULTS } from './pod-defaults.ts'
import { thousandths } from './quantity.ts'
import { timeText } from './rfc3339.ts'

const HASH_LABEL = 'rollouts-pod-template-hash'
/** Annotation of a ReplicaSet: the labels and annotations that were added to its template, as JSON. */
const EPHEMERAL = 'rollout.argoproj.io/ephemeral-metadata'

type Fields = Readonly<Record<string, unknown>>

const template = compileTypes(POD_TEMPLATE_TYPES).get('PodTemplateSpec')!
const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

/** A value in the form in which equal values are the same JSON: defaults filled in, zero members left out, quantities
 * by size, unknown members dropped; empty lists and maps count as absent. */
function normal(codec: Codec, value: unknown): unknown {
  switch (codec.kind) {
    case 'quantity':
      return thousandths(value) ?? value
    case 'time':
      return timeText(value) ?? value
    case 'int32':
    case 'int64':
      return String(integerOf(value) ?? value)
    case 'list':
      return Array.isArray(value) ? value.map(item => normal(codec.item!, item ?? undefined)) : value
    case 'map':
      return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, item]) => [key, normal(codec.item!, item)]))
    case 'struct':
      return normalStruct(codec, fieldsOf(value))
    default:
      return value ?? codec.zero
  }
}

const isEmpty = (value: unknown): boolean =>
  (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0)

function normalStruct(codec: Codec, value: Fields): unknown {
  const fields: Record<string, unknown> = { ...value }
  POD_DEFAULTS[codec.type ?? '']?.(fields)
  const result: Record<string, unknown> = {}
  for (const { name, codec: inner, isPointer } of codec.members ?? []) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined || field === null) continue
    const shown = normal(inner, field)
    const isZero =
      inner.kind === 'list' || inner.kind === 'map' || inner.kind === 'struct' ? isEmpty(shown) : isNothing(shown)
    if (isPointer || !isZero) result[name] = shown
  }
  return result
}

const isNothing = (shown: unknown): boolean => shown === '' || shown === false || shown === '0' || shown === 'null'

const without = (fields: unknown, keys: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fieldsOf(fields)).filter(([key]) => !keys.includes(key)))

const isInjected = (term: unknown): boolean => {
  const { matchExpressions } = fieldsOf(fieldsOf(term)['labelSelector'])
  return Array.isArray(matchExpressions) && fieldsOf(matchExpressions[0])['key'] === HASH_LABEL
}

/** The affinity without the rule that keeps the new pods away from the stable ones. */
function withoutInjected(affinity: unknown): unknown {
  if (!isObject(affinity) || !isObject(affinity['podAntiAffinity'])) return affinity
  const rules = affinity['podAntiAffinity']
  const [required, preferred] = [
    rules['requiredDuringSchedulingIgnoredDuringExecution'],
    rules['preferredDuringSchedulingIgnoredDuringExecution'],
  ]
  const hard = Array.isArray(required) ? required.filter(term => !isInjected(term)) : []
  const soft = Array.isArray(preferred) ? preferred.filter(term => !isInjected(fieldsOf(term)['podAffinityTerm'])) : []
  const kept = {
    ...(hard.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: hard }),
    ...(soft.length === 0 ? {} : { preferredDuringSchedulingIgnoredDuringExecution: soft }),
  }
  const { podAntiAffinity: _, ...others } = affinity
  if (Object.keys(kept).length > 0) return { ...others, podAntiAffinity: kept }
  return Object.keys(others).length > 0 ? others : undefined
}

function ephemeral(annotations: Fields | null | undefined): Readonly<{ labels: string[]; annotations: string[] }> {
  const text = annotations?.[EPHEMERAL]
  try {
    const added = fieldsOf(typeof text === 'string' ? JSON.parse(text) : undefined)
    return { labels: Object.keys(fieldsOf(added['labels'])), annotations: Object.keys(fieldsOf(added['annotations'])) }
  } catch {
    // Somebody has broken the annotation: then nothing is known to be injected.
    return { labels: [], annotations: [] }
  }
}

/** The template of a live ReplicaSet (`annotations`: the set's own) less what the controller put into it: the hash label,
 * metadata, anti-affinity. Labels and annotations that `own`, a template as a user writes it, has too are the user's. */
export function withoutAdditions(live: unknown, annotations?: Fields | null, own?: unknown): Fields {
  const added = ephemeral(annotations)
  const { metadata, spec } = fieldsOf(live)
  const [found, users] = [fieldsOf(metadata), fieldsOf(fieldsOf(own)['metadata'])]
  const less = (field: 'labels' | 'annotations', keys: readonly string[]) =>
    field in found ? { [field]: without(found[field], keys) } : {}
  const foreign = (field: 'labels' | 'annotations') => added[field].filter(key => !(key in fieldsOf(users[field])))
  const { affinity, ...others } = fieldsOf(spec)
  const rules = withoutInjected(affinity)
  return {
    ...fieldsOf(live),
    metadata: {
      ...found,
      ...less('labels', [HASH_LABEL, ...foreign('labels')]),
      ...less('annotations', foreign('annotations')),
    },
    spec: { ...others, ...(rules === undefined ? {} : { affinity: rules }) },
  }
}

/** Whether the template of a live ReplicaSet (`annotations`: the set's own) is the desired one: less what was put into
 * it, and with an API server's defaults. Equal in meaning, not in text. */
export function samePodTemplate(live: unknown, desired: unknown, annotations?: Fields | null): boolean {
  const [found, wanted] = [withoutAdditions(live, annotations), fieldsOf(desired)]
  const wantedMeta = fieldsOf(wanted['metadata'])
  const { serviceAccount: _a, ...foundSpec } = fieldsOf(found['spec'])
  const { serviceAccount: _b, ...wantedSpec } = fieldsOf(wanted['spec'])
  const left = { metadata: found['metadata'], spec: foundSpec }
  const right = { metadata: { ...wantedMeta, labels: without(wantedMeta['labels'], [HASH_LABEL]) }, spec: wantedSpec }
  return sameJson(normal(template, left), normal(template, right))
}
