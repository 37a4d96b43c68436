// All that is watched, as one lookup of frozen objects: kinds are added as somebody needs them.
import type { KindRef, KubeObject } from '../contract.ts'
import type { Clock, Log, Lookup, Random, Transport } from '../ports.ts'
import { type Change, keyOf } from './change.ts'
import { createDiscovery } from './discovery.ts'
import { type Reflector, type ReflectorHealth, type Selection, startReflector } from './reflector.ts'
import { createStore, type Store } from './store.ts'
import { compareVersions } from './versions.ts'

export type CacheOptions = Readonly<{ transport: Transport; clock: Clock; random: Random; log: Log }>

export type WatchOptions = Selection & Readonly<{ transform?: (object: KubeObject) => KubeObject }>

export type ChangeListener = (change: Change) => void

export type Cache = Lookup &
  Readonly<{
    /** Starts following a kind (in one namespace, or by a selector). Again with the same scope: counted, not
     * repeated; the first transform stays. */
    watch(kind: KindRef, options?: WatchOptions): void
    /** Takes one `watch` back; after the last its objects are forgotten without a word to the listeners. */
    unwatch(kind: KindRef, options?: Selection): void
    isWatched(kind: KindRef): boolean
    /** Hears every change, after the lookup shows it; what is there already comes first, as ADDED. The answer
     * unsubscribes. Listeners are called synchronously and should only note keys; what they throw is logged. */
    onChange(listener: ChangeListener): () => void
    /** Resolves when everything watched (or everything of a kind) has been listed once; never rejects. */
    synced(kind?: KindRef): Promise<void>
    isSynced(kind?: KindRef): boolean
    /** Lists everything anew; for a consistency check that found a difference. */
    relist(): void
    health(): readonly ReflectorHealth[]
    stop(): Promise<void>
  }>

type Source = { reflector: Reflector; users: number }
type Kind = Readonly<{ store: Store; sources: Map<string, Source> }>

const textOf = (kind: KindRef): string => `${kind.apiVersion} ${kind.kind}`
const scopeOf = ({ namespace = '', labelSelector = '', fieldSelector = '' }: Selection): string =>
  JSON.stringify([namespace, labelSelector, fieldSelector])

/** Makes an empty cache. Its lookups raise an Error for kinds that nobody watches: answering "absent" would be a lie
 * that a reconcile acts on. */
export function createCache({ transport, clock, random, log }: CacheOptions): Cache {
  const kinds = new Map<string, Kind>()
  const listeners = new Set<ChangeListener>()
  const waiting = new Set<() => void>()
  const resolve = createDiscovery(transport)
  const traits = { streaming: true }
  const ending: Promise<void>[] = []

  const tell = (listener: ChangeListener, change: Change) => {
    try {
      listener(change)
    } catch (error) {
      log.error({ kind: change.object.kind, error }, 'a cache listener failed')
    }
  }

  /** One change of one source. Scopes may overlap: an object stays until the last source loses it. */
  const take = ({ store, sources }: Kind, change: Change) => {
    const { object } = change
    const { namespace, name, uid, resourceVersion } = object.metadata
    const old = store.get(namespace, name)
    const isSame = old?.metadata.uid === uid
    if (change.type === 'DELETED') {
      const holds = ({ reflector }: Source) => reflector.objects.get(keyOf(object))?.metadata.uid === uid
      if (!old || !isSame || [...sources.values()].some(holds)) return
      store.remove(object)
      for (const listener of listeners) tell(listener, change)
      return
    }
    if (old && isSame && sources.size > 1 && compareVersions(resourceVersion, old.metadata.resourceVersion) <= 0) return
    if (old && !isSame) {
      store.remove(old)
      for (const listener of listeners) tell(listener, { type: 'DELETED', object: old })
    }
    store.put(object)
    const told: Change = old && isSame ? { type: 'MODIFIED', object, previous: old } : { type: 'ADDED', object }
    for (const listener of listeners) tell(listener, told)
  }

  const sourcesOf = (kind?: KindRef): readonly Source[] =>
    [...(kind ? [kinds.get(textOf(kind))] : kinds.values())].flatMap(one => [...(one?.sources.values() ?? [])])

  const isSynced = (kind?: KindRef): boolean => sourcesOf(kind).every(({ reflector }) => reflector.isSynced())

  const storeOf = (kind: KindRef): Store => {
    const known = kinds.get(textOf(kind))
    if (!known) throw new Error(`nobody watches ${textOf(kind)}`)
    return known.store
  }

  return {
    get: ref => storeOf(ref).get(ref.namespace, ref.name),
    list: (kind, namespace) => storeOf(kind).list(namespace),
    ownedBy: (kind, uid) => storeOf(kind).ownedBy(uid),
    isWatched: kind => kinds.has(textOf(kind)),
    isSynced,

    watch(kind, options = {}) {
      const known = kinds.get(textOf(kind)) ?? { store: createStore(), sources: new Map<string, Source>() }
      kinds.set(textOf(kind), known)
      const source = known.sources.get(scopeOf(options))
      if (source) {
        source.users += 1
        return
      }
      const sink = (change: Change) => take(known, change)
      const onSynced = () => {
        for (const check of [...waiting]) check()
      }
      const { apiVersion, kind: name } = kind
      const about = { kind: { apiVersion, kind: name }, transport, clock, random, log, sink, resolve, traits, onSynced }
      known.sources.set(scopeOf(options), { reflector: startReflector({ ...options, ...about }), users: 1 })
    },

    unwatch(kind, options = {}) {
      const known = kinds.get(textOf(kind))
      const source = known?.sources.get(scopeOf(options))
      if (!known || !source) return
      source.users -= 1
      if (source.users > 0) return
      known.sources.delete(scopeOf(options))
      ending.push(source.reflector.stop())
      if (known.sources.size === 0) {
        kinds.delete(textOf(kind))
        return
      }
      const left = [...known.sources.values()]
      for (const [key, object] of source.reflector.objects)
        if (!left.some(({ reflector }) => reflector.objects.has(key))) known.store.remove(object)
    },

    onChange(listener) {
      listeners.add(listener)
      for (const { store } of kinds.values())
        for (const object of store.list('')) tell(listener, { type: 'ADDED', object })
      return () => {
        listeners.delete(listener)
      }
    },

    synced: kind =>
      new Promise(done => {
        const check = () => {
          if (!isSynced(kind)) return
          waiting.delete(check)
          done()
        }
        waiting.add(check)
        check()
      }),

    relist() {
      for (const { reflector } of sourcesOf()) reflector.relist()
    },

    health: () => sourcesOf().map(({ reflector }) => reflector.health()),

    async stop() {
      await Promise.all([...ending, ...sourcesOf().map(({ reflector }) => reflector.stop())])
    },
  }
}
