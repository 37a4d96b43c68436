// The Table form of lists, which kubectl get prints: computed columns for built-in kinds, JSONPath for custom ones.
import type { KubeObject } from '../contract.ts'
import { ageText } from './age.ts'
import { ageColumn, nameColumn } from './columns.ts'
import { jsonPath } from './json-path.ts'
import type { Column, KindDef } from './model.ts'

export { shortHumanDuration } from './age.ts'

export type IncludeObject = 'Metadata' | 'Object' | 'None'

export type TableOptions = Readonly<{
  includeObject: IncludeObject
  list?: Readonly<{ resourceVersion: string; continue?: string; remainingItemCount?: number }>
}>

type Cell = string | number | boolean | null
type Reader = (object: KubeObject, now: number) => Cell

const asText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

function cellOf(value: unknown, type: Column['type'], now: number): Cell {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageText(value, now) : '<unknown>'
    default:
      return asText(value)
  }
}

/** What a column says of an object. A path that cannot be read says nothing. */
function readerOf(column: Column): Reader {
  const { value, jsonPath: path, type } = column
  if (value) return value
  try {
    const find = jsonPath(path ?? '')
    return (object, now) => cellOf(find(object)[0], type, now)
  } catch {
    return () => null
  }
}

const columnsOf = (def: KindDef): readonly Column[] => {
  if (def.builtIn) return def.columns.length > 0 ? def.columns : [nameColumn, ageColumn]
  // The name stands first whatever the definition says; a definition without columns shows the age.
  return [nameColumn, ...(def.columns.length > 0 ? def.columns : [ageColumn])]
}

const readers = new WeakMap<KindDef, readonly Reader[]>()

function readersOf(def: KindDef): readonly Reader[] {
  const known = readers.get(def)
  if (known) return known
  const made = columnsOf(def).map(readerOf)
  readers.set(def, made)
  return made
}

const partial = (object: KubeObject): unknown => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
})

const ends: Readonly<Record<string, string>> = {
  Succeeded: 'The pod has completed successfully.',
  Failed: 'The pod failed.',
}

function completed(def: KindDef, object: KubeObject): unknown {
  const phase = (object['status'] as { phase?: string } | undefined)?.phase ?? ''
  const message = def.builtIn && def.kind === 'Pod' ? ends[phase] : undefined
  return message === undefined ? {} : { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] }
}

/** The meta.k8s.io/v1 Table of some objects of a kind; `now` in milliseconds, for ages. Columns for -o wide are
 * always there, marked by priority 1: the client hides them. */
export function toTable(
  def: KindDef,
  objects: readonly KubeObject[],
  now: number,
  { includeObject, list }: TableOptions,
): Record<string, unknown> {
  const cells = readersOf(def)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { ...(list ?? { resourceVersion: objects[0]?.metadata.resourceVersion ?? '' }) },
    columnDefinitions: columnsOf(def).map(({ name, type, format = '', description = '', priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map(object => ({
      cells: cells.map(read => read(object, now)),
      ...(completed(def, object) as Record<string, unknown>),
      ...(includeObject === 'None' ? {} : { object: includeObject === 'Object' ? object : partial(object) }),
    })),
  }
}
