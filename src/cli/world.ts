// Reads what a view needs: once, or again and again as it changes.

import type { KubeObject } from '../contract.ts'
import type { Clock, Log } from '../ports.ts'
import { type RolloutInfo, rolloutInfo } from '../view/rollout-view.ts'
import type { RolloutShape, World } from '../view/shape.ts'
import type { Cluster, KindName } from './command.ts'
import { isNotFound, KINDS } from './connect.ts'

const PARTS = ['ReplicaSet', 'Pod', 'Experiment', 'AnalysisRun'] as const satisfies readonly KindName[]

type Lists = Readonly<Record<(typeof PARTS)[number], readonly KubeObject[]>>

/** The objects as views read them: JSON of these kinds has these shapes. */
const worldOf = (lists: Lists): World => ({
  replicaSets: lists.ReplicaSet as unknown as World['replicaSets'],
  pods: lists.Pod as unknown as World['pods'],
  experiments: lists.Experiment as unknown as World['experiments'],
  analysisRuns: lists.AnalysisRun as unknown as World['analysisRuns'],
})

/** All that a view of this namespace may need, read now. */
export async function readWorld(cluster: Cluster): Promise<World> {
  const [ReplicaSet, Pod, Experiment, AnalysisRun] = await Promise.all(PARTS.map(kind => cluster.list(kind)))
  return worldOf({ ReplicaSet, Pod, Experiment, AnalysisRun } as Lists)
}

/** The error of `get` and `status`. argo: they name the kind in the singular, the other verbs in the plural */
export const missing = (kind: 'rollout' | 'experiment', name: string): Error =>
  new Error(`${kind}.argoproj.io "${name}" not found`)

/** A rollout with all that belongs to it, read now. */
export async function readRollout(cluster: Cluster, name: string): Promise<RolloutInfo> {
  try {
    const [rollout, world] = await Promise.all([cluster.get('Rollout', name), readWorld(cluster)])
    return rolloutInfo(rollout as unknown as RolloutShape, world)
  } catch (error) {
    if (isNotFound(error)) throw missing('rollout', name)
    throw error
  }
}

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Objects that follow the cluster; lost connections are resumed. `changed` is called after every change. */
export type Following = Readonly<{
  rollout(name: string): KubeObject | undefined
  rollouts(): readonly KubeObject[]
  world(): World
  stop(): Promise<void>
}>

export type FollowOptions = Readonly<{ everywhere?: boolean; listOnly?: boolean; clock: Clock; changed(): void }>

/** Follows the namespace (`everywhere`: all); with `listOnly` rollouts alone. Resolves when all has been read once. */
export async function follow(cluster: Cluster, options: FollowOptions): Promise<Following> {
  const { everywhere = false, listOnly = false, clock, changed } = options
  const { createCache } = await import('../kube/cache.ts')
  const namespace = everywhere ? '' : cluster.namespace
  const cache = createCache({ transport: cluster.transport, clock, random: Math.random, log: SILENT })
  const installed = listOnly ? [] : await installedParts(cluster)
  const scope = everywhere ? {} : { namespace }
  for (const kind of ['Rollout', ...installed] as const) cache.watch(KINDS[kind], scope)
  await cache.synced()
  cache.onChange(changed)
  const all = (kind: KindName) => (cache.isWatched(KINDS[kind]) ? cache.list(KINDS[kind], namespace) : [])
  return {
    rollout: name => cache.get({ ...KINDS.Rollout, namespace, name }),
    rollouts: () => all('Rollout'),
    world: () =>
      worldOf({
        ReplicaSet: all('ReplicaSet'),
        Pod: all('Pod'),
        Experiment: all('Experiment'),
        AnalysisRun: all('AnalysisRun'),
      }),
    stop: () => cache.stop(),
  }
}

/** The kinds that this cluster serves: a watch of another would wait for ever. */
async function installedParts(cluster: Cluster): Promise<readonly KindName[]> {
  const isServed = async (kind: KindName): Promise<boolean> => {
    try {
      await cluster.kube.list(KINDS[kind], { namespace: cluster.namespace, limit: 1 })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
  const served = await Promise.all(PARTS.map(isServed))
  return PARTS.filter((_, i) => served[i])
}
