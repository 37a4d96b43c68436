// Taking over from the reference controller: a recorded moment is put into a world as it stood, and goes on from there.
import type { KubeObject } from '../contract.ts'
import { NODE } from './kubelet.ts'
import { looseCrd } from './loose-crd.ts'
import type { Snapshot, Step, Story } from './story.ts'
import type { World } from './world.ts'

/** The moments of a story that something follows: its named snapshots. */
export const momentsOf = (story: Story): readonly string[] =>
  story.script.flatMap(step => (step.snapshot === undefined ? [] : [step.snapshot]))

/** What the script still does after a snapshot. */
export const restOf = (story: Story, moment: string): readonly Step[] =>
  story.script.slice(story.script.findIndex(step => step.snapshot === moment) + 1)

/** Puts the objects of a snapshot into a world, with their uids, times and statuses, as if they had grown there. The
 * world's clock should stand at the snapshot's time. */
export function plant({ server }: World, namespace: string, { objects }: Pick<Snapshot, 'objects'>): void {
  server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const { kinds, store } = server.core
  for (const object of objects) {
    if (!kinds.tryFind(object)) server.create(looseCrd(object))
    const whole = structuredClone(object.kind === 'Pod' ? started(object, objects) : object)
    if (!whole) continue
    const kind = kinds.find(object)
    kind.defaults?.(whole)
    store.put(kind, whole)
  }
}

/** Recorded Pods are trimmed: what they lack is in the template of their ReplicaSet; a Pod without one is left out. */
function started(pod: KubeObject, objects: readonly KubeObject[]): KubeObject | undefined {
  const owner = pod.metadata.ownerReferences?.find(reference => reference.controller)
  const set = objects.find(object => object.metadata.uid === owner?.uid)
  const { template } = (set?.['spec'] ?? {}) as { template?: { spec?: object } }
  if (!template) return undefined
  const status = { ...(pod['status'] as object), startTime: pod.metadata.creationTimestamp }
  return { ...pod, spec: { ...template.spec, nodeName: NODE }, status }
}
