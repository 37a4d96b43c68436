// ReplicaSet: as many Pods as its spec says, adopted, created or deleted, and the counts in its status.
import { type KubeObject, refOf, sameJson } from '../../contract.ts'
import { labelSelectorOf } from '../selectors.ts'
import type { Ports } from './api.ts'
import { controlLoop, forgiving, keyOf, splitKey } from './loop.ts'
import {
  availableAt,
  type Condition,
  controllerOf,
  controllerRef,
  isActive,
  isReady,
  type Pod,
  REPLICA_SET,
  type ReplicaSet,
  type ReplicaSetStatus,
  timestamp,
} from './objects.ts'
import { rankForDeletion } from './pod-ranking.ts'

/** At most so many Pods are created or deleted in one go. */
const BURST = 500

type Trouble = Readonly<{ reason: 'FailedCreate' | 'FailedDelete'; error: Error }>

/** Starts the controller; the answer stops it. */
export function startReplicaSets(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, key => sync(ports, key), failed)
  const add = (object: KubeObject) => loop.add(keyOf(object.metadata.namespace, object.metadata.name))

  const wake = (pod: KubeObject) => {
    const owner = controllerOf(pod.metadata)
    if (owner) {
      if (owner.kind === 'ReplicaSet') loop.add(keyOf(pod.metadata.namespace, owner.name))
      return
    }
    for (const set of api.list(REPLICA_SET, pod.metadata.namespace) as readonly ReplicaSet[])
      if (labelSelectorOf(set.spec.selector)(pod.metadata.labels)) add(set)
  }
  const stop = index.onEvent(({ type, object, previous }) => {
    if (object.kind === 'ReplicaSet' && object.apiVersion === 'apps/v1') return add(object)
    if (object.kind !== 'Pod') return
    const before = previous && controllerOf(previous.metadata)
    if (before && before.uid !== controllerOf(object.metadata)?.uid && before.kind === 'ReplicaSet')
      loop.add(keyOf(object.metadata.namespace, before.name))
    if (type !== 'DELETED' || controllerOf(object.metadata)) wake(object)
  })
  for (const set of api.list(REPLICA_SET)) add(set)
  return () => {
    stop()
    loop.stop()
  }
}

function sync(ports: Ports, key: string): number | undefined {
  const { namespace, name } = splitKey(key)
  const set = ports.api.get(REPLICA_SET, namespace, name) as ReplicaSet | undefined
  if (!set) return undefined
  const claimed = claim(ports, set)
  const active = claimed.filter(isActive)
  const terminating = claimed.filter(
    pod => pod.metadata.deletionTimestamp !== undefined && !['Succeeded', 'Failed'].includes(pod.status?.phase ?? ''),
  )
  const trouble = set.metadata.deletionTimestamp === undefined ? resize(ports, set, active) : undefined
  writeStatus(ports, set, active, terminating.length, trouble)
  if (trouble) throw trouble.error
  return nextAvailability(active, set.spec.minReadySeconds ?? 0, ports.clock.now())
}

/** Own Pods that match, after adopting matching strays and letting go of those that match no more. */
function claim({ api, index }: Ports, set: ReplicaSet): readonly Pod[] {
  const matches = labelSelectorOf(set.spec.selector)
  const mine: Pod[] = []
  for (const pod of index.dependents(set.metadata.uid ?? '')) {
    if (pod.kind !== 'Pod' || controllerOf(pod.metadata)?.uid !== set.metadata.uid) continue
    if (matches(pod.metadata.labels)) mine.push(pod as Pod)
    else if (set.metadata.deletionTimestamp === undefined) release(api, pod, set)
  }
  if (set.metadata.deletionTimestamp !== undefined) return mine
  for (const pod of [...index.orphanPods(set.metadata.namespace ?? '')] as Pod[]) {
    if (!matches(pod.metadata.labels) || !isActive(pod)) continue
    const ownerReferences = [...(pod.metadata.ownerReferences ?? []), controllerRef(set)]
    const patch = { metadata: { uid: pod.metadata.uid, ownerReferences } }
    const adopted = forgiving([404, 409], () => api.patch(refOf(pod), 'merge', patch))
    if (adopted) mine.push(adopted as Pod)
  }
  return mine
}

function release(api: Ports['api'], pod: KubeObject, set: ReplicaSet): void {
  const ownerReferences = (pod.metadata.ownerReferences ?? []).filter(owner => owner.uid !== set.metadata.uid)
  forgiving([404, 409, 422], () =>
    api.patch(refOf(pod), 'merge', { metadata: { uid: pod.metadata.uid, ownerReferences } }),
  )
}

function resize(ports: Ports, set: ReplicaSet, active: readonly Pod[]): Trouble | undefined {
  const { api, index, clock } = ports
  const wanted = set.spec.replicas ?? 1
  if (active.length < wanted) {
    try {
      for (let i = 0; i < Math.min(BURST, wanted - active.length); i++) api.create(newPod(set))
    } catch (error) {
      return { reason: 'FailedCreate', error: error as Error }
    }
    return undefined
  }
  if (active.length === wanted) return undefined
  const owner = controllerOf(set.metadata)?.uid
  const siblings = owner === undefined ? [set] : index.dependents(owner).filter(o => o.kind === 'ReplicaSet')
  const perNode = new Map<string, number>()
  for (const sibling of siblings)
    for (const pod of index.dependents(sibling.metadata.uid ?? '') as readonly Pod[])
      if (pod.kind === 'Pod' && isActive(pod) && pod.spec?.nodeName !== undefined)
        perNode.set(pod.spec.nodeName, (perNode.get(pod.spec.nodeName) ?? 0) + 1)
  const ranked = rankForDeletion(active, pod => perNode.get(pod.spec?.nodeName ?? '') ?? 0, clock.now())
  try {
    for (const pod of ranked.slice(0, Math.min(BURST, active.length - wanted)))
      forgiving([404], () => api.remove(refOf(pod), { preconditions: { uid: pod.metadata.uid ?? '' } }))
  } catch (error) {
    return { reason: 'FailedDelete', error: error as Error }
  }
  return undefined
}

function newPod(set: ReplicaSet): KubeObject {
  const { metadata: { labels, annotations, finalizers } = {}, spec = {} } = set.spec.template ?? {}
  const metadata = {
    generateName: `${set.metadata.name}-`,
    namespace: set.metadata.namespace,
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(finalizers && { finalizers }),
    ownerReferences: [controllerRef(set)],
  }
  // The server completes generateName; the type knows only finished objects.
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec } as unknown as KubeObject
}

function writeStatus(
  { api, clock }: Ports,
  set: ReplicaSet,
  active: readonly Pod[],
  terminating: number,
  trouble: Trouble | undefined,
): void {
  const now = clock.now()
  const delay = set.spec.minReadySeconds ?? 0
  const full = labelSelectorOf({ matchLabels: set.spec.template?.metadata?.labels ?? {} })
  const count = (test: (pod: Pod) => boolean) => active.filter(test).length
  const counts = {
    fullyLabeledReplicas: count(pod => full(pod.metadata.labels)),
    readyReplicas: count(isReady),
    availableReplicas: count(pod => (availableAt(pod, delay) ?? Number.POSITIVE_INFINITY) <= now),
  }
  const conditions = failureCondition(set.status?.conditions ?? [], trouble, now)
  const status: ReplicaSetStatus = {
    replicas: active.length,
    // Zero counts are left out, but for the two that the real controller always writes.
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length > 0 && { conditions }),
  }
  if (sameJson(status, set.status)) return
  const live = api.get(REPLICA_SET, set.metadata.namespace, set.metadata.name)
  if (live) api.update({ ...live, status }, { subresource: 'status' })
}

function failureCondition(old: readonly Condition[], trouble: Trouble | undefined, now: number): readonly Condition[] {
  const others = old.filter(c => c.type !== 'ReplicaFailure')
  if (!trouble) return others
  const { reason } = trouble
  const { message } = trouble.error
  const same = old.find(c => c.type === 'ReplicaFailure' && c.reason === reason && c.message === message)
  return [
    ...others,
    same ?? { type: 'ReplicaFailure', status: 'True', lastTransitionTime: timestamp(now), reason, message },
  ]
}

function nextAvailability(active: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  const ahead = active.map(pod => availableAt(pod, minReadySeconds) ?? 0).filter(time => time > now)
  return ahead.length > 0 ? Math.min(...ahead) : undefined
}
