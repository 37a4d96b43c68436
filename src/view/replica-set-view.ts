// A ReplicaSet and its pods as people see them: its part in the rollout, its state, its images.
import type { Millis, ObjectMeta } from '../contract.ts'
import { HASH_LABEL, REVISION, SCALE_DOWN_DEADLINE } from '../rollout/keys.ts'
import { iconOf, podIcon } from './icon.ts'
import { ownedBy } from './owned.ts'
import { podStatus } from './pod-status.ts'
import type { PodShape, ReplicaSetShape, RolloutShape } from './shape.ts'

/** Annotation on the sets of an experiment. */
const EXPERIMENT_TEMPLATE = 'experiment.argoproj.io/template-name'

export type PodInfo = Readonly<{
  objectMeta: ObjectMeta
  status: string
  icon: string
  /** `1/2`: ready containers of all. */
  ready: string
  restarts: number
}>

/** The part that a set plays in a rollout. */
export type Roles = Readonly<{
  stable: boolean
  canary: boolean
  active: boolean
  preview: boolean
  ping: boolean
  pong: boolean
}>

export type ReplicaSetInfo = Roles &
  Readonly<{
    objectMeta: ObjectMeta
    status: string
    icon: string
    revision: number
    replicas: number
    available: number
    /** Template of the experiment that owns the set; empty otherwise. */
    template: string
    /** RFC 3339; empty when it is not to be scaled down. */
    scaleDownDeadline: string
    images: readonly string[]
    initContainerImages: readonly string[]
    pods: readonly PodInfo[]
  }>

/** A set that has no part in a rollout. */
export const NO_ROLES: Roles = { stable: false, canary: false, active: false, preview: false, ping: false, pong: false }

/** The revision that an object carries; 0 when it carries none. */
export function revisionOf(metadata: ObjectMeta): number {
  const text = metadata.annotations?.[REVISION] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

/** The part of the set with this pod hash. argo: canary and stable exclude each other; active and stable do not. */
export function rolesOf(rollout: RolloutShape, hash: string): Roles {
  const status = rollout.status
  const isStable = hash !== '' && hash === status?.stableRS
  if (rollout.spec.strategy?.blueGreen) {
    const isActive = hash !== '' && hash === status?.blueGreen?.activeSelector
    const isPreview = !isActive && hash !== '' && hash === status?.blueGreen?.previewSelector
    return { ...NO_ROLES, stable: isStable, active: isActive, preview: isPreview }
  }
  if (!rollout.spec.strategy?.canary) return { ...NO_ROLES, stable: isStable }
  const isCanary = !isStable && hash !== '' && hash === status?.currentPodHash
  const side = status?.canary?.stablePingPong
  const isPing = (isStable && side === 'ping') || (isCanary && side === 'pong')
  const isPong = (isStable && side === 'pong') || (isCanary && side === 'ping')
  return { ...NO_ROLES, stable: isStable, canary: isCanary, ping: isPing, pong: isPong }
}

function statusOf({ metadata, spec, status }: ReplicaSetShape): string {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'Progressing'
  if (status?.conditions?.some(c => c.type === 'ReplicaFailure' && c.status === 'True')) return 'ReplicaFailure'
  const wanted = spec.replicas ?? 1
  if ((status?.availableReplicas ?? 0) < wanted) return 'Progressing'
  return wanted === 0 ? 'ScaledDown' : 'Healthy'
}

function podInfo(pod: PodShape): PodInfo {
  const { status, ready, restarts } = podStatus(pod)
  return { objectMeta: pod.metadata, status, icon: podIcon(status), ready, restarts }
}

const imagesOf = (
  containers: readonly Readonly<{ image?: string | null | undefined }>[] | null | undefined,
): string[] => (containers ?? []).map(c => c.image ?? '')

/** A set with its pods, oldest pod first. */
export function replicaSetInfo(rs: ReplicaSetShape, roles: Roles, pods: readonly PodShape[]): ReplicaSetInfo {
  const status = statusOf(rs)
  const annotations = rs.metadata.annotations
  return {
    objectMeta: rs.metadata,
    status,
    icon: iconOf(status),
    revision: revisionOf(rs.metadata),
    ...roles,
    replicas: rs.status?.replicas ?? 0,
    available: rs.status?.availableReplicas ?? 0,
    template: annotations?.[EXPERIMENT_TEMPLATE] ?? '',
    scaleDownDeadline: annotations?.[SCALE_DOWN_DEADLINE] ?? '',
    images: imagesOf(rs.spec.template?.spec?.containers),
    initContainerImages: imagesOf(rs.spec.template?.spec?.initContainers),
    pods: ownedBy(rs.metadata.uid, pods).map(podInfo),
  }
}

/** The pod hash of a set, empty when it has none. */
export const hashOf = (rs: Readonly<{ metadata: ObjectMeta }>): string => rs.metadata.labels?.[HASH_LABEL] ?? ''

/** Time left until the set is scaled down; 0 when that time has come, undefined when it is not to be. */
export function delayOf(info: ReplicaSetInfo, now: Millis): Millis | undefined {
  const deadline = Date.parse(info.scaleDownDeadline)
  return Number.isNaN(deadline) ? undefined : Math.max(0, deadline - now)
}
