// From an incoming object to a draft: a copy without unknown fields, with defaults; and the rules of its kind.
import type { KubeObject } from '../contract.ts'
import type { Draft, WriteOptions } from './core.ts'
import { cloneJson, dropPath } from './json-value.ts'
import type { Cause, KindDef } from './model.ts'
import { apiVersionOf } from './model.ts'
import { metaCauses, tidyMeta } from './object-meta.ts'
import { badRequest, invalid } from './refusals.ts'
import { pruneAndDefault, scaleCauses, validateSchema } from './schema.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A mutable draft of an object for a kind. Raises 400 when it is of another kind, or has unknown fields and the
 * validation is strict. `forget` may remove parts before defaults are set.
 */
export const decode = (
  def: KindDef,
  input: unknown,
  options: WriteOptions,
  forget: (draft: Draft) => void = () => {},
): Draft => {
  if (!isObject(input)) throw badRequest(`couldn't get version/kind; json parse error: the body is not an object`)
  const draft = cloneJson(input) as Draft
  draft.apiVersion ||= apiVersionOf(def)
  draft.kind ||= def.kind
  checkKind(def, draft)
  if (!isObject(draft.metadata)) draft.metadata = {}
  const unknown = tidyMeta(draft)
  forget(draft)
  const done = def.builtIn ? builtIn(def, draft, unknown) : custom(def, draft, unknown)
  report(def, unknown, options)
  return done
}

const checkKind = (def: KindDef, draft: Draft): void => {
  const expected = apiVersionOf(def)
  if (draft.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${draft.apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (draft.kind === def.kind) return
  if (!def.builtIn) {
    const message = `Invalid value: ${JSON.stringify(draft.kind)}: must be ${def.kind}`
    const name = isObject(draft.metadata) ? `${draft.metadata['name'] ?? ''}` : ''
    throw invalid({ group: def.group, kind: draft.kind }, name, [
      { reason: 'FieldValueInvalid', field: 'kind', message },
    ])
  }
  const internal = `${def.group === '' ? 'core' : def.group.split('.')[0]}.${def.kind}`
  throw badRequest(
    `${draft.kind} in version "${def.version}" cannot be handled as a ${def.kind}: ` +
      `converting (${def.version}.${draft.kind}) to (${internal}): unknown conversion`,
  )
}

const builtIn = (def: KindDef, draft: Draft, unknown: string[]): Draft => {
  const paths = def.unknownFields?.(draft as unknown as KubeObject) ?? []
  unknown.push(...paths)
  for (const path of paths) dropPath(draft, path)
  def.defaults?.(draft)
  return draft
}

const custom = (def: KindDef, draft: Draft, unknown: string[]): Draft => {
  if (!def.schema) return draft
  const { object, pruned } = pruneAndDefault(def.schema, draft as unknown as KubeObject)
  unknown.push(...pruned)
  return object as unknown as Draft
}

const report = (def: KindDef, unknown: readonly string[], options: WriteOptions): void => {
  const mode = options.fieldValidation ?? 'Warn'
  const { duplicates = [] } = options
  if (unknown.length + duplicates.length === 0 || mode === 'Ignore') return
  const texts = [
    ...duplicates.map(path => `duplicate field "${path}"`),
    ...unknown.map(path => `unknown field "${path}"`),
  ]
  if (mode === 'Warn') {
    for (const text of texts) options.warn?.(text)
    return
  }
  const strict = `strict decoding error: ${texts.join(', ')}`
  throw badRequest(`${def.kind} in version "${def.version}" cannot be handled as a ${def.kind}: ${strict}`)
}

/** What is wrong with an object; `old` on updates. Empty: nothing. */
export const causesOf = (def: KindDef, object: KubeObject, old?: KubeObject): readonly Cause[] => [
  ...metaCauses(def, object, old),
  ...(def.validate?.(object, old) ?? []),
  ...(def.builtIn || !def.schema ? [] : validateSchema(def.schema, object, old)),
  ...(def.builtIn ? [] : scaleCauses(def.scale, object)),
]
