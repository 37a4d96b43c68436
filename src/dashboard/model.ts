// What the page shows, from one cache that all its readers share: which rollouts there are, and which have changed.
import type { KindRef, KubeObject } from '../contract.ts'
import type { Clock, Log, Transport } from '../ports.ts'
import { compact } from '../view/compact.ts'
import { rolloutInfo } from '../view/rollout-view.ts'
import type { RolloutShape, World } from '../view/shape.ts'

const ROLLOUT: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const EXPERIMENT: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' }
const ANALYSIS_RUN: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }
const REPLICA_SET: KindRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
const POD: KindRef = { apiVersion: 'v1', kind: 'Pod' }
const KINDS = [ROLLOUT, REPLICA_SET, POD, EXPERIMENT, ANALYSIS_RUN]

/** Changes are gathered this long before they are told: milliseconds. */
const GATHER = 100

/** RolloutInfo as JSON, members that say nothing left out. */
export type Info = Readonly<Record<string, unknown>>
export type Change = Readonly<{ type: 'Updated' | 'Deleted'; namespace: string; name: string; info: Info }>

export type Model = Readonly<{
  /** Namespaces that have rollouts, sorted. */
  namespaces(): readonly string[]
  /** Rollouts of a namespace ('' = all), sorted by name. */
  list(namespace: string): readonly Info[]
  get(namespace: string, name: string): Info | undefined
  /** Hears of every rollout whose picture changes; the answer unsubscribes. */
  onChange(listener: (change: Change) => void): () => void
  stop(): Promise<void>
}>

export type ModelOptions = Readonly<{ transport: Transport; clock: Clock; log: Log; namespace?: string }>

/** Follows the cluster, or one namespace of it. Resolves when all has been read once. */
export async function createModel(options: ModelOptions): Promise<Model> {
  const { transport, clock, log, namespace } = options
  const { createCache } = await import('../kube/cache.ts')
  const cache = createCache({ transport, clock, random: Math.random, log })
  const scope = namespace === undefined ? {} : { namespace }
  for (const kind of KINDS) cache.watch(kind, scope)
  await cache.synced()

  const owned = <T>(kind: KindRef, uid: string | undefined) =>
    (uid ? cache.ownedBy(kind, uid) : []) as unknown as readonly T[]

  /** Only what belongs to this rollout, by the cache's index: views must not search thousands of pods. */
  const worldOf = (rollout: KubeObject): World => {
    const { uid } = rollout.metadata
    const experiments = owned<World['experiments'][number]>(EXPERIMENT, uid)
    const owners = [uid, ...experiments.map(({ metadata }) => metadata.uid)]
    const replicaSets = owners.flatMap(owner => owned<World['replicaSets'][number]>(REPLICA_SET, owner))
    return {
      experiments,
      replicaSets,
      analysisRuns: owners.flatMap(owner => owned<World['analysisRuns'][number]>(ANALYSIS_RUN, owner)),
      pods: replicaSets.flatMap(({ metadata }) => owned<World['pods'][number]>(POD, metadata.uid)),
    }
  }
  const infoOf = (rollout: KubeObject): Info =>
    compact(rolloutInfo(rollout as unknown as RolloutShape, worldOf(rollout))) as Info

  /** The rollout that an object belongs to, however far down it stands. */
  const rolloutOf = (object: KubeObject): KubeObject | undefined => {
    if (object.kind === 'Rollout') return object
    const owner = object.metadata.ownerReferences?.find(one => one.controller === true)
    const kind = KINDS.find(one => one.kind === owner?.kind)
    if (!owner || !kind) return undefined
    const above = cache.get({ ...kind, name: owner.name, namespace: object.metadata.namespace ?? '' })
    return above && rolloutOf(above)
  }

  const listeners = new Set<(change: Change) => void>()
  const told = new Map<string, string>()
  const due = new Map<string, KubeObject>()
  let cancel: (() => void) | undefined
  const tell = () => {
    cancel = undefined
    for (const [key, seen] of due) {
      const { namespace: place = '', name } = seen.metadata
      const rollout = cache.get({ ...ROLLOUT, namespace: place, name })
      const info = rollout ? infoOf(rollout) : { objectMeta: { namespace: place, name } }
      const text = rollout ? JSON.stringify(info) : ''
      if (told.get(key) === text) continue
      told.set(key, text)
      for (const listener of listeners) {
        listener({ type: rollout ? 'Updated' : 'Deleted', namespace: place, name, info })
      }
    }
    due.clear()
  }
  cache.onChange(({ object }) => {
    const rollout = rolloutOf(object)
    if (!rollout) return
    due.set(`${rollout.metadata.namespace}/${rollout.metadata.name}`, rollout)
    cancel ??= clock.at(clock.now() + GATHER, tell)
  })

  return {
    namespaces: () => [...new Set(cache.list(ROLLOUT, '').map(({ metadata }) => metadata.namespace ?? ''))].toSorted(),
    list: place => cache.list(ROLLOUT, place).toSorted(byName).map(infoOf),
    get(place, name) {
      const rollout = cache.get({ ...ROLLOUT, namespace: place, name })
      return rollout && infoOf(rollout)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async stop() {
      cancel?.()
      await cache.stop()
    },
  }
}

const byName = (a: KubeObject, b: KubeObject): number =>
  `${a.metadata.namespace}/${a.metadata.name}` < `${b.metadata.namespace}/${b.metadata.name}` ? -1 : 1
