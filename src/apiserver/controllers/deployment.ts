// Deployment: from ReplicaSet to ReplicaSet, rolling or all at once; revisions, history, pauses, the progress deadline.
import { type KubeObject, refOf, sameJson } from '../../contract.ts'
import { StatusError } from '../model.ts'
import { labelSelectorOf } from '../selectors.ts'
import type { Ports } from './api.ts'
import { growNew, isResized, resize, type Scaling, shrinkOld } from './deployment-scale.ts'
import {
  type Deployment,
  makeSet,
  newSetOf,
  oldestFirst,
  REVISION,
  replicasOf,
  revisionOf,
  setAnnotations,
} from './deployment-sets.ts'
import { deploymentStatus, type News } from './deployment-status.ts'
import { controlLoop, forgiving, keyOf, splitKey } from './loop.ts'
import {
  conditionOf,
  controllerOf,
  controllerRef,
  DEPLOYMENT,
  isActive,
  type Pod,
  REPLICA_SET,
  type ReplicaSet,
} from './objects.ts'

/** Starts the controller; the answer stops it. */
export function startDeployments(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, key => sync(ports, key), failed)
  const add = (object: KubeObject) => loop.add(keyOf(object.metadata.namespace, object.metadata.name))
  const wakeOwner = (object: KubeObject) => {
    const owner = controllerOf(object.metadata)
    if (owner?.kind === 'Deployment') loop.add(keyOf(object.metadata.namespace, owner.name))
    return owner
  }
  const stop = index.onEvent(({ type, object }) => {
    if (object.apiVersion === 'apps/v1' && object.kind === 'Deployment') add(object)
    if (object.apiVersion === 'apps/v1' && object.kind === 'ReplicaSet' && !wakeOwner(object) && type !== 'DELETED')
      for (const deployment of api.list(DEPLOYMENT, object.metadata.namespace)) add(deployment)
    // Recreate waits for the last old Pod.
    if (object.kind === 'Pod' && type === 'DELETED') {
      const set = index.byUid(controllerOf(object.metadata)?.uid ?? '')
      if (set?.kind === 'ReplicaSet') wakeOwner(set)
    }
  })
  for (const deployment of api.list(DEPLOYMENT)) add(deployment)
  return () => {
    stop()
    loop.stop()
  }
}

function sync(ports: Ports, key: string): number | undefined {
  const { api } = ports
  const { namespace, name } = splitKey(key)
  const found = api.get(DEPLOYMENT, namespace, name) as Deployment | undefined
  if (!found) return undefined
  const sets = claim(ports, found)
  if (found.metadata.deletionTimestamp !== undefined) {
    writeStatus(ports, found, sets, newSetOf(found, sets), undefined)
    return undefined
  }
  const isStill = found.spec.paused === true || isResized(found, sets)
  const { deployment, fresh, news, all } = settleNew(ports, found, sets, !isStill && mayCreate(ports, found, sets))
  const scalings = isStill ? resize(deployment, all, fresh) : planScale(deployment, all, fresh)
  for (const scaling of scalings) scale(ports, deployment, scaling, isStill)
  if (!isStill && fresh) dropHistory(ports, deployment, all, fresh)
  return writeStatus(ports, deployment, all, fresh, news)
}

const isRecreate = (deployment: Deployment): boolean => deployment.spec.strategy?.type === 'Recreate'

/** With Recreate the new ReplicaSet comes after the last Pod of the old ones. */
function mayCreate({ index }: Ports, deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  if (!isRecreate(deployment)) return true
  const fresh = newSetOf(deployment, sets)
  const old = sets.filter(set => set !== fresh)
  const isRunning = (pod: KubeObject) =>
    pod.kind === 'Pod' && (isActive(pod as Pod) || pod.metadata.deletionTimestamp !== undefined)
  return old.every(set => replicasOf(set) === 0 && !index.dependents(set.metadata.uid ?? '').some(isRunning))
}

function planScale(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
): readonly Scaling[] {
  if (isRecreate(deployment)) {
    const old = sets.filter(set => set !== fresh && replicasOf(set) > 0)
    if (old.length > 0) return old.map(set => ({ set, replicas: 0 }))
    return fresh ? growNew(deployment, sets, fresh) : []
  }
  // One direction a pass, as the real controller: what comes of it is seen before the next.
  const up = fresh ? growNew(deployment, sets, fresh) : []
  return up.length > 0 ? up : shrinkOld(deployment, sets, fresh)
}

function claim({ api, index }: Ports, deployment: Deployment): readonly ReplicaSet[] {
  const { namespace, uid = '' } = deployment.metadata
  const matches = labelSelectorOf(deployment.spec.selector)
  const mine = index
    .dependents(uid)
    .filter(o => o.kind === 'ReplicaSet' && controllerOf(o.metadata)?.uid === uid) as ReplicaSet[]
  if (deployment.metadata.deletionTimestamp !== undefined) return mine
  for (const set of api.list(REPLICA_SET, namespace) as readonly ReplicaSet[]) {
    if (controllerOf(set.metadata) || set.metadata.deletionTimestamp || !matches(set.metadata.labels)) continue
    const ownerReferences = [...(set.metadata.ownerReferences ?? []), controllerRef(deployment)]
    const patch = { metadata: { uid: set.metadata.uid, ownerReferences } }
    const adopted = forgiving([404, 409], () => api.patch(refOf(set), 'merge', patch))
    if (adopted) mine.push(adopted as ReplicaSet)
  }
  return mine
}

type Settled = Readonly<{
  deployment: Deployment
  fresh: ReplicaSet | undefined
  news: News
  all: readonly ReplicaSet[]
}>

/** Finds or makes the new ReplicaSet and sees to the revision on it and on the Deployment. */
function settleNew({ api }: Ports, found: Deployment, sets: readonly ReplicaSet[], mayMake: boolean): Settled {
  const known = newSetOf(found, sets)
  const revision = Math.max(0, ...sets.filter(set => set !== known).map(revisionOf)) + 1
  const live = known ? annotated(api, found, known, revision) : mayMake ? make(api, found, sets, revision) : undefined
  const number = live?.metadata.annotations?.[REVISION]
  const isKnown = number === undefined || found.metadata.annotations?.[REVISION] === number
  const deployment = isKnown ? found : withRevision(api, found, number)
  const all = live ? [...sets.filter(set => set !== known), live] : sets
  return { deployment, fresh: live, news: live === undefined ? undefined : known ? 'found' : 'created', all }
}

/** Written with the status, as the real controller does: the generation does not move. */
function withRevision(api: Ports['api'], found: Deployment, revision: string): Deployment {
  const annotations = { ...found.metadata.annotations, [REVISION]: revision }
  return api.update({ ...found, metadata: { ...found.metadata, annotations } }, { subresource: 'status' }) as Deployment
}

function annotated(api: Ports['api'], deployment: Deployment, set: ReplicaSet, revision: number): ReplicaSet {
  const annotations = setAnnotations(deployment, set, revision)
  if (sameJson(annotations, set.metadata.annotations)) return set
  return api.patch(refOf(set), 'merge', { metadata: { annotations } }) as ReplicaSet
}

function make(api: Ports['api'], deployment: Deployment, sets: readonly ReplicaSet[], revision: number): ReplicaSet {
  try {
    return api.create(makeSet(deployment, sets, revision)) as ReplicaSet
  } catch (error) {
    // The name is taken by another template: the count goes into the next hash.
    if (error instanceof StatusError && error.reason === 'AlreadyExists') {
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
      api.update({ ...deployment, status: { ...deployment.status, collisionCount } }, { subresource: 'status' })
    }
    throw error
  }
}

function scale({ api }: Ports, deployment: Deployment, { set, replicas }: Scaling, isStill: boolean): void {
  const annotations = isStill ? setAnnotations(deployment, set, revisionOf(set)) : set.metadata.annotations
  if (replicas === replicasOf(set) && sameJson(annotations, set.metadata.annotations)) return
  forgiving([404], () => api.patch(refOf(set), 'merge', { metadata: { annotations }, spec: { replicas } }))
}

/** Empty ReplicaSets beyond the limit go, the oldest first, once the new one is all there is. */
function dropHistory({ api }: Ports, deployment: Deployment, sets: readonly ReplicaSet[], fresh: ReplicaSet): void {
  const isDone = replicasOf(fresh) === replicasOf(deployment) && fresh.status?.availableReplicas === replicasOf(fresh)
  if (!isDone && replicasOf(deployment) > 0) return
  const { revisionHistoryLimit = 10 } = deployment.spec
  const empty = sets
    .filter(set => set !== fresh && replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0)
    .toSorted((a, b) => revisionOf(a) - revisionOf(b) || oldestFirst(a, b))
  const old = sets.filter(set => set !== fresh).length
  for (const set of empty.slice(0, Math.max(0, old - revisionHistoryLimit))) {
    forgiving([404], () => api.remove(refOf(set)))
  }
}

/** Writes the status when it differs; answers when the progress deadline is. */
function writeStatus(
  { api, clock }: Ports,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  news: News,
): number | undefined {
  const status = deploymentStatus(deployment, sets, fresh, news, clock.now())
  const live = api.get(DEPLOYMENT, deployment.metadata.namespace, deployment.metadata.name)
  if (live && !sameJson(status, live['status'])) api.update({ ...live, status }, { subresource: 'status' })
  const said = conditionOf(status.conditions, 'Progressing')
  if (said === undefined || said.status !== 'True' || said.reason === 'NewReplicaSetAvailable') return undefined
  const deadline = Date.parse(said.lastUpdateTime ?? '') + ((deployment.spec.progressDeadlineSeconds ?? 600) + 1) * 1000
  return deadline > clock.now() ? deadline : undefined
}
