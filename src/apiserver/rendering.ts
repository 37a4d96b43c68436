// Objects and lists as JSON texts, in the form that was asked for. The text of a stored object is made once.
import type { KubeObject } from '../contract.ts'
import type { Form } from './accept.ts'
import type { KindDef } from './model.ts'
import { apiVersionOf } from './model.ts'
import { toTable } from './tables.ts'

const texts = new WeakMap<KubeObject, string>()
const itemTexts = new WeakMap<KubeObject, string>()

// Both break lines in JavaScript's own eyes only; clients that evaluate JSON as script would stumble.
const escaped = (text: string): string => text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')

/** JSON on one line. */
export const lineOf = (value: unknown): string => escaped(JSON.stringify(value))

const cached = (cache: WeakMap<KubeObject, string>, object: KubeObject, value: () => unknown): string => {
  const known = cache.get(object)
  if (known !== undefined) return known
  const text = lineOf(value())
  // What is not frozen may still change.
  if (Object.isFrozen(object)) cache.set(object, text)
  return text
}

const textOf = (object: KubeObject): string => cached(texts, object, () => object)

// Items of built-in lists carry no kind and apiVersion of their own.
const itemText = (def: KindDef, object: KubeObject): string =>
  def.builtIn
    ? cached(itemTexts, object, () => ({ ...object, kind: undefined, apiVersion: undefined }))
    : textOf(object)

const metadataOf = (form: Form, { metadata }: KubeObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: form.apiVersion,
  metadata,
})

export type ListMeta = Readonly<{ resourceVersion: string; continue?: string; remainingItemCount?: number }>

/** How a table is wanted: which part of each object its rows carry. */
export type TableOptions = Readonly<{ includeObject: 'None' | 'Metadata' | 'Object' }>

/** One object in a form. */
export const renderObject = (
  def: KindDef,
  object: KubeObject,
  form: Form,
  now: number,
  options: TableOptions,
): string => {
  if (form.as === 'object') return textOf(object)
  if (form.as === 'metadata') return lineOf(metadataOf(form, object))
  const { resourceVersion = '' } = object.metadata
  return lineOf(tableOf(def, [object], form, now, { resourceVersion }, options))
}

/** A list in a form. */
export const renderList = (
  def: KindDef,
  objects: readonly KubeObject[],
  form: Form,
  now: number,
  metadata: ListMeta,
  options: TableOptions,
): string => {
  if (form.as === 'table') return lineOf(tableOf(def, objects, form, now, metadata, options))
  const partial = form.as === 'metadata'
  const head = partial
    ? { kind: 'PartialObjectMetadataList', apiVersion: form.apiVersion, metadata }
    : { kind: def.listKind, apiVersion: apiVersionOf(def), metadata }
  const items = partial
    ? objects.map(object => lineOf(metadataOf(form, object)))
    : objects.map(object => itemText(def, object))
  return `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}`
}

const tableOf = (
  def: KindDef,
  objects: readonly KubeObject[],
  form: Form,
  now: number,
  metadata: ListMeta,
  { includeObject }: TableOptions,
): unknown => {
  const table = toTable(def, objects, now, { includeObject })
  const rows = (table['rows'] as object[]).map(row => ({ ...row, ...('object' in row ? {} : { object: null }) }))
  return { ...table, rows, apiVersion: form.apiVersion, metadata }
}

/** The object of a bookmark: nothing but a version. */
export const renderBookmark = (def: KindDef, version: number, form: Form, initial: boolean): string => {
  const metadata = {
    resourceVersion: `${version}`,
    creationTimestamp: null,
    ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  }
  if (form.as === 'metadata') return lineOf({ kind: 'PartialObjectMetadata', apiVersion: form.apiVersion, metadata })
  if (form.as === 'object') return lineOf({ kind: def.kind, apiVersion: apiVersionOf(def), metadata })
  const row = { kind: 'PartialObjectMetadata', apiVersion: form.apiVersion, metadata }
  const rows = [{ cells: def.columns.map(() => null), object: row }]
  return lineOf({ kind: 'Table', apiVersion: form.apiVersion, metadata, columnDefinitions: null, rows })
}
