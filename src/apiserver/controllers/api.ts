// What the built-in controllers need of an API server, and an index of its objects that follows every event.
import type { KindRef, KubeObject, Ref } from '../../contract.ts'
import type { Clock, Random } from '../../ports.ts'

export type ObjectEvent = Readonly<{
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: KubeObject
  previous?: KubeObject
}>

type KindName = Readonly<{ group: string; version: string; kind: string }>

/** The part of the embedded server that controllers use. Reads are current, events come before a write returns. */
export type Api = Readonly<{
  kinds(): readonly KindName[]
  create(object: KubeObject): KubeObject
  get(kind: KindRef, namespace: string | undefined, name: string): KubeObject | undefined
  list(kind: KindRef, namespace?: string): readonly KubeObject[]
  update(object: KubeObject, options?: Readonly<{ subresource?: 'status' }>): KubeObject
  patch(
    ref: Ref,
    type: 'merge' | 'json' | 'strategic',
    patch: unknown,
    options?: Readonly<{ subresource?: 'status' | 'scale' }>,
  ): KubeObject
  remove(
    ref: Ref,
    options?: Readonly<{
      gracePeriodSeconds?: number
      propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
      preconditions?: Readonly<{ uid?: string; resourceVersion?: string }>
    }>,
  ): KubeObject | undefined
  onEvent(listener: (event: ObjectEvent) => void): () => void
}>

/** What every controller is started with. */
export type Ports = Readonly<{ api: Api; index: Index; clock: Clock; random: Random }>

/** Objects by uid, by who owns them, and the Pods of a namespace; current at every moment. */
export type Index = Readonly<{
  byUid(uid: string): KubeObject | undefined
  /** Objects with an owner reference to this uid, in order of name. */
  dependents(uid: string): readonly KubeObject[]
  all(): Iterable<KubeObject>
  pods(namespace: string): Iterable<KubeObject>
  /** Pods of a namespace without a controlling owner. */
  orphanPods(namespace: string): Iterable<KubeObject>
  /** Called after the index has taken the event in. */
  onEvent(listener: (event: ObjectEvent) => void): () => void
  stop(): void
}>

const put = (map: Map<string, Map<string, KubeObject>>, key: string, uid: string, object: KubeObject): void => {
  const bucket = map.get(key)
  if (bucket) bucket.set(uid, object)
  else map.set(key, new Map([[uid, object]]))
}

const take = (map: Map<string, Map<string, KubeObject>>, key: string, uid: string): void => {
  const bucket = map.get(key)
  bucket?.delete(uid)
  if (bucket?.size === 0) map.delete(key)
}

const uidOf = (object: KubeObject): string => object.metadata.uid ?? ''

/** Starts an index of everything the server holds. */
export function createIndex(api: Api): Index {
  const uids = new Map<string, KubeObject>()
  const owned = new Map<string, Map<string, KubeObject>>()
  const pods = new Map<string, Map<string, KubeObject>>()
  const orphans = new Map<string, Map<string, KubeObject>>()
  const listeners = new Set<(event: ObjectEvent) => void>()

  const drop = (object: KubeObject) => {
    const uid = uidOf(object)
    for (const owner of object.metadata.ownerReferences ?? []) take(owned, owner.uid, uid)
    if (object.kind !== 'Pod') return
    take(pods, object.metadata.namespace ?? '', uid)
    take(orphans, object.metadata.namespace ?? '', uid)
  }
  const keep = (object: KubeObject) => {
    const uid = uidOf(object)
    const before = uids.get(uid)
    if (before) drop(before)
    uids.set(uid, object)
    for (const owner of object.metadata.ownerReferences ?? []) put(owned, owner.uid, uid, object)
    if (object.kind !== 'Pod') return
    put(pods, object.metadata.namespace ?? '', uid, object)
    if (!object.metadata.ownerReferences?.some(owner => owner.controller))
      put(orphans, object.metadata.namespace ?? '', uid, object)
  }

  const stop = api.onEvent(event => {
    if (event.type === 'DELETED') {
      const last = uids.get(uidOf(event.object))
      if (last) drop(last)
      uids.delete(uidOf(event.object))
    } else keep(event.object)
    for (const listener of [...listeners]) listener(event)
  })
  for (const { group, version, kind } of api.kinds()) {
    const apiVersion = group === '' ? version : `${group}/${version}`
    for (const object of api.list({ apiVersion, kind })) keep(object)
  }

  const byName = (a: KubeObject, b: KubeObject) =>
    a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0
  return {
    byUid: uid => uids.get(uid),
    dependents: uid => [...(owned.get(uid)?.values() ?? [])].sort(byName),
    all: () => uids.values(),
    pods: namespace => pods.get(namespace)?.values() ?? [],
    orphanPods: namespace => orphans.get(namespace)?.values() ?? [],
    onEvent(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop,
  }
}
