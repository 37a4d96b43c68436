// A fresh namespace of a real cluster as the stage of a story, on the wall clock.
import { setTimeout as pause } from 'node:timers/promises'
import { type KindRef, type KubeObject, refOf } from '../contract.ts'
import { createCache } from '../kube/cache.ts'
import { createKube } from '../kube/kube.ts'
import type { Clock, Log, Random, Transport } from '../ports.ts'
import { looseCrd } from './loose-crd.ts'
import { STORY_KINDS, type Stage } from './stage.ts'

export type ClusterOptions = Readonly<{ transport: Transport; clock: Clock; random: Random; log: Log }>

export type ClusterStage = Stage & Readonly<{ close(): Promise<void> }>

const GLANCE = 50
const ROLLOUT: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const MESH = 'networking.istio.io/v1alpha3'

/** Makes the namespace and watches what stories tell of; `close` deletes it. */
export async function clusterStage(
  options: ClusterOptions,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<ClusterStage> {
  const { transport, clock, log } = options
  const kube = createKube(transport, { clock, log })
  const cache = createCache(options)
  const why = 'the stage of a story'
  const isNeeded = ({ apiVersion, kind }: KindRef) => apiVersion !== MESH || objects.some(o => o.kind === kind)
  const kinds = STORY_KINDS.filter(isNeeded)
  for (const kind of kinds.filter(({ apiVersion }) => apiVersion === MESH)) await serve(kind)
  await kube.perform({
    verb: 'create',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    why,
  })
  for (const kind of kinds) cache.watch(kind, { namespace })
  await cache.synced()

  /** Serves a mesh's kind; who was faster has done it already. */
  async function serve(kind: KindRef): Promise<void> {
    await kube.perform({ verb: 'create', object: looseCrd(kind), why }).catch(() => undefined)
    for (let tries = 0; tries < 100; tries++) {
      const isServed = await kube.list(kind, { limit: 1 }).then(
        () => true,
        () => false,
      )
      if (isServed) return
      await pause(GLANCE)
    }
    throw new Error(`${kind.kind} is not served`)
  }

  return {
    namespace,
    now: () => clock.now(),
    sleep: time => pause(time),
    async until(met, most) {
      const end = clock.now() + most
      while (!met()) {
        if (clock.now() >= end) return false
        await pause(GLANCE)
      }
      return true
    },
    perform: action =>
      kube.perform(
        action.verb === 'create'
          ? { ...action, object: { ...action.object, metadata: { ...action.object.metadata, namespace } } }
          : action,
      ),
    get: (kind, name) => (cache.isWatched(kind) ? cache.get({ ...kind, namespace, name }) : undefined),
    list: kind => (cache.isWatched(kind) ? cache.list(kind, namespace) : []),
    watch: seen => cache.onChange(seen),
    async close() {
      // The Rollouts first, so that nobody works in a namespace that takes nothing more.
      const rollouts = cache.list(ROLLOUT, namespace).map(refOf)
      for (const ref of rollouts) await kube.perform({ verb: 'delete', ref, why }).catch(() => undefined)
      for (let tries = 0; tries < 100 && cache.list(ROLLOUT, namespace).length > 0; tries++) await pause(GLANCE)
      await cache.stop()
      await kube.perform({ verb: 'delete', ref: { apiVersion: 'v1', kind: 'Namespace', name: namespace }, why })
    },
  }
}
