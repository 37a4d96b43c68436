// The stored objects and the log of changes: one version counter for all kinds, frozen objects, past states by undoing.
import type { KubeObject } from '../contract.ts'
import { freezeJson } from './json-value.ts'
import type { KindDef } from './model.ts'

export type Change = Readonly<{
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** After a delete: the last state, with the version of the delete. */
  object: KubeObject
  previous?: KubeObject
  version: number
}>

type Resource = Pick<KindDef, 'group' | 'plural'>

export type Store = Readonly<{
  /** The version of the newest change. */
  version(): number
  get(resource: Resource, namespace: string, name: string): KubeObject | undefined
  /** Sorted by `namespace/name`; all namespaces when none is given. The same array until something changes. */
  list(resource: Resource, namespace?: string): readonly KubeObject[]
  /** The list as it was at a version; undefined when the log does not reach back that far. */
  listAt(resource: Resource, version: number, namespace?: string): readonly KubeObject[] | undefined
  /** Changes after a version, oldest first; undefined when the log does not reach back that far. */
  since(resource: Resource, version: number): readonly Change[] | undefined
  /** The oldest version that `since` still answers for. */
  oldest(resource: Resource): number
  /** Stores an object, takes the next version, tells the listeners. The object must be ours: it gets frozen. */
  put(resource: Resource, object: KubeObject): KubeObject
  delete(resource: Resource, object: KubeObject): KubeObject
  /** Called after each commit, in the order of versions, also when a listener writes. */
  onChange(listener: (change: Change, resource: Resource) => void): () => void
}>

type Shelf = {
  readonly resource: Resource
  readonly objects: Map<string, KubeObject>
  log: Change[]
  /** Changes up to this version have left the log. */
  dropped: number
  keys: string[] | undefined
  readonly lists: Map<string, readonly KubeObject[]>
}

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`
const keyOfObject = (object: KubeObject): string => keyOf(object.metadata.namespace, object.metadata.name)
const byKey = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** An empty store; `history` is the number of changes kept for each kind. */
export const createStore = (history: number): Store => {
  const shelves = new Map<string, Shelf>()
  const listeners = new Set<(change: Change, resource: Resource) => void>()
  const pending: [Change, Resource][] = []
  let delivering = false
  let version = 0

  const shelfOf = (resource: Resource): Shelf => {
    const name = `${resource.group}/${resource.plural}`
    let shelf = shelves.get(name)
    if (shelf) return shelf
    shelf = { resource, objects: new Map(), log: [], dropped: 0, keys: undefined, lists: new Map() }
    shelves.set(name, shelf)
    return shelf
  }

  // A listener may write: its change waits until every listener has seen the present one.
  const deliver = (): void => {
    if (delivering) return
    delivering = true
    try {
      for (let next = pending.shift(); next; next = pending.shift())
        for (const listener of [...listeners]) listener(...next)
    } finally {
      delivering = false
    }
  }

  const record = (shelf: Shelf, change: Change): void => {
    shelf.lists.clear()
    shelf.log.push(change)
    // Dropped in halves, so that a full log does not shift at every write.
    if (shelf.log.length > history * 2) {
      const gone = shelf.log.splice(0, shelf.log.length - history)
      shelf.dropped = gone.at(-1)?.version ?? shelf.dropped
    }
    pending.push([change, shelf.resource])
    deliver()
  }

  const since = (resource: Resource, from: number): readonly Change[] | undefined => {
    const { log, dropped } = shelfOf(resource)
    if (from < dropped) return undefined
    let low = 0
    for (let high = log.length; low < high; ) {
      const middle = (low + high) >>> 1
      if (log[middle]!.version <= from) low = middle + 1
      else high = middle
    }
    return log.slice(low)
  }

  const list = (resource: Resource, namespace?: string): readonly KubeObject[] => {
    const shelf = shelfOf(resource)
    const known = shelf.lists.get(namespace ?? '')
    if (known) return known
    shelf.keys ??= [...shelf.objects.keys()].sort(byKey)
    const prefix = namespace === undefined ? '' : `${namespace}/`
    const keys = namespace === undefined ? shelf.keys : shelf.keys.filter(key => key.startsWith(prefix))
    const objects = Object.freeze(keys.map(key => shelf.objects.get(key)!))
    shelf.lists.set(namespace ?? '', objects)
    return objects
  }

  const stamped = (object: KubeObject): KubeObject => {
    version += 1
    return freezeJson({ ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } })
  }

  return {
    version: () => version,
    get: (resource, namespace, name) => shelfOf(resource).objects.get(keyOf(namespace, name)),
    list,
    listAt(resource, at, namespace) {
      const changes = since(resource, at)
      if (!changes) return undefined
      if (changes.length === 0) return list(resource, namespace)
      const past = new Map(list(resource).map(object => [keyOfObject(object), object]))
      for (const { object, previous } of changes.toReversed()) {
        if (previous) past.set(keyOfObject(object), previous)
        else past.delete(keyOfObject(object))
      }
      const prefix = namespace === undefined ? '' : `${namespace}/`
      const keys = [...past.keys()].filter(key => key.startsWith(prefix)).sort(byKey)
      return keys.map(key => past.get(key)!)
    },
    since,
    oldest: resource => shelfOf(resource).dropped,
    put(resource, object) {
      const shelf = shelfOf(resource)
      const key = keyOfObject(object)
      const previous = shelf.objects.get(key)
      const stored = stamped(object)
      shelf.objects.set(key, stored)
      if (!previous) shelf.keys = undefined
      record(shelf, {
        type: previous ? 'MODIFIED' : 'ADDED',
        object: stored,
        ...(previous ? { previous } : {}),
        version,
      })
      return stored
    },
    delete(resource, object) {
      const shelf = shelfOf(resource)
      const key = keyOfObject(object)
      const previous = shelf.objects.get(key)
      const last = stamped(object)
      shelf.objects.delete(key)
      shelf.keys = undefined
      record(shelf, { type: 'DELETED', object: last, ...(previous ? { previous } : {}), version })
      return last
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
