// The status of a Deployment: counts over its ReplicaSets, and the conditions Available and Progressing.
import { bounds, type Deployment, replicasOf } from './deployment-sets.ts'
import { type Condition, conditionOf, type ReplicaSet, timestamp } from './objects.ts'

export type DeploymentStatus = Readonly<{
  observedGeneration: number
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  unavailableReplicas?: number
  terminatingReplicas: number
  collisionCount?: number
  conditions?: readonly Condition[]
}>

/** `news`: what has just happened to the new ReplicaSet. */
export type News = 'created' | 'found' | undefined

const sum = (sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number | undefined): number =>
  sets.reduce((total, set) => total + (of(set) ?? 0), 0)

/** The whole next status. */
export function deploymentStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
  news: News,
  now: number,
): DeploymentStatus {
  const old = (deployment.status ?? {}) as Partial<DeploymentStatus>
  const availableReplicas = sum(sets, set => set.status?.availableReplicas)
  const counts = {
    replicas: sum(sets, set => set.status?.replicas),
    updatedReplicas: sum(fresh ? [fresh] : [], set => set.status?.replicas),
    readyReplicas: sum(sets, set => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(sets, set => set.spec.replicas) - availableReplicas),
  }
  const next = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)),
    terminatingReplicas: sum(sets, set => set.status?.terminatingReplicas),
    ...(old.collisionCount !== undefined && { collisionCount: old.collisionCount }),
  }
  const conditions = [
    availableCondition(deployment, availableReplicas),
    progressing(deployment, next, fresh, news, now),
  ]
  return { ...next, conditions: conditions.filter(c => c !== undefined).reduce(merged(now), old.conditions ?? []) }
}

type Said = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** Puts a condition into a list; its times move as the real controller moves them. */
const merged =
  (now: number) =>
  (list: readonly Condition[], said: Said): readonly Condition[] => {
    const before = conditionOf(list, said.type)
    if (before?.status === said.status && before.reason === said.reason && before.message === said.message) return list
    const { type, status, reason, message } = said
    const condition: Condition = {
      type,
      status,
      lastUpdateTime: timestamp(now),
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? null) : timestamp(now),
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
    }
    return [...list.filter(c => c.type !== type), condition]
  }

function availableCondition(deployment: Deployment, available: number): Said {
  return available >= replicasOf(deployment) - bounds(deployment).unavailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

function progressing(
  deployment: Deployment,
  next: Partial<DeploymentStatus>,
  fresh: ReplicaSet | undefined,
  news: News,
  now: number,
): Said | undefined {
  const { paused, progressDeadlineSeconds = 600 } = deployment.spec
  const old = (deployment.status ?? {}) as Partial<DeploymentStatus>
  const before = conditionOf(old.conditions, 'Progressing')
  const say = (status: string, reason: string, message: string): Said => ({
    type: 'Progressing',
    status,
    reason,
    message,
  })
  if (paused) {
    return before?.reason === 'DeploymentPaused'
      ? undefined
      : say('Unknown', 'DeploymentPaused', 'Deployment is paused')
  }
  if (before?.reason === 'DeploymentPaused') return say('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  const name = fresh?.metadata.name ?? deployment.metadata.name
  if (news === 'created') return say('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`)
  if (news === 'found' && !before) return say('True', 'FoundNewReplicaSet', `Found new replica set "${name}"`)
  const wanted = replicasOf(deployment)
  const isComplete =
    (next.updatedReplicas ?? 0) === wanted &&
    (next.replicas ?? 0) === wanted &&
    (next.availableReplicas ?? 0) === wanted
  if (isComplete) return say('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`)
  const isFurther =
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnes(next) < oldOnes(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  if (isFurther) return say('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
  if (before?.reason === 'NewReplicaSetAvailable' || before === undefined) return undefined
  const isLate = Date.parse(before.lastUpdateTime ?? '') + progressDeadlineSeconds * 1000 < now
  return isLate
    ? say('False', 'ProgressDeadlineExceeded', `ReplicaSet "${name}" has timed out progressing.`)
    : undefined
}

const oldOnes = (status: Partial<DeploymentStatus>): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
