// The objects of one kind with the indexes that reconciles ask for: by namespace, by controlling owner.
import type { KubeObject } from '../contract.ts'
import { controllerUid, keyOf, objectKey } from './change.ts'

type Shelf = Map<string, Map<string, KubeObject>>

function shelve(shelf: Shelf, label: string, key: string, object: KubeObject | undefined) {
  const row = shelf.get(label) ?? new Map<string, KubeObject>()
  if (object) row.set(key, object)
  else row.delete(key)
  if (row.size > 0) shelf.set(label, row)
  else shelf.delete(label)
}

/** Indexed objects of one kind. Not safe against edits of the objects: store frozen ones. */
export type Store = Readonly<{
  get(namespace: string | undefined, name: string): KubeObject | undefined
  /** '' means all namespaces. */
  list(namespace: string): readonly KubeObject[]
  /** '' means those that nobody controls. */
  ownedBy(uid: string): readonly KubeObject[]
  put(object: KubeObject): void
  remove(object: KubeObject): void
  size(): number
}>

export function createStore(): Store {
  const all = new Map<string, KubeObject>()
  const namespaces: Shelf = new Map()
  const owners: Shelf = new Map()

  const remove = (object: KubeObject) => {
    const key = keyOf(object)
    const old = all.get(key)
    if (!old) return
    all.delete(key)
    shelve(namespaces, old.metadata.namespace ?? '', key, undefined)
    shelve(owners, controllerUid(old), key, undefined)
  }

  return {
    get: (namespace, name) => all.get(objectKey(namespace, name)),
    list: namespace => [...((namespace === '' ? all : namespaces.get(namespace))?.values() ?? [])],
    ownedBy: uid => [...(owners.get(uid)?.values() ?? [])],
    put(object) {
      const key = keyOf(object)
      const old = all.get(key)
      if (old && controllerUid(old) !== controllerUid(object)) shelve(owners, controllerUid(old), key, undefined)
      all.set(key, object)
      shelve(namespaces, object.metadata.namespace ?? '', key, object)
      shelve(owners, controllerUid(object), key, object)
    },
    remove,
    size: () => all.size,
  }
}
