// Reading ReplicaSets: counts, revision, deadlines, order. Small questions that every part of the planner asks.
import type { ReplicaSet } from '../api/kube.ts'
import type { Millis } from '../contract.ts'
import { DESIRED_REPLICAS, HASH_LABEL, REVISION, SCALE_DOWN_DEADLINE } from './keys.ts'
import { timeText } from './rfc3339.ts'
import type { Sized } from './shape.ts'

/** Longest beginning of a generated pod name. Kubernetes: names.maxGeneratedNameLength. */
const MOST_GENERATED = 58

/** What the names of the set's pods begin with; undefined where it was cut and could be that of another set. */
export const podPrefix = (rs: ReplicaSet): string | undefined =>
  rs.metadata.name.length < MOST_GENERATED ? `${rs.metadata.name}-` : undefined

export const hashOf = (rs: ReplicaSet): string => rs.metadata.labels?.[HASH_LABEL] ?? ''
export const specReplicas = (rs: ReplicaSet): number => rs.spec.replicas ?? 1
export const statusReplicas = (rs: ReplicaSet | undefined): number => rs?.status?.replicas ?? 0
export const readyReplicas = (rs: ReplicaSet | undefined): number => rs?.status?.readyReplicas ?? 0
export const availableReplicas = (rs: ReplicaSet | undefined): number => rs?.status?.availableReplicas ?? 0

export const sumOf = (sets: readonly ReplicaSet[], count: (rs: ReplicaSet) => number): number =>
  sets.reduce((total, rs) => total + count(rs), 0)

/** The set as the replica calculators see it. */
export const sized = (rs: ReplicaSet | undefined): Sized | undefined =>
  rs && { hash: hashOf(rs), spec: specReplicas(rs), available: availableReplicas(rs), replicas: statusReplicas(rs) }

type Annotated = { metadata: { annotations?: Readonly<Record<string, string>> } }

/** The revision annotation; undefined when absent or unreadable. */
export function readRevision(object: Annotated): number | undefined {
  const text = object.metadata.annotations?.[REVISION]
  const revision = text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  return Math.abs(revision) < 2 ** 63 ? revision : undefined
}

/** The revision annotation; 0 when absent or unreadable. */
export const revisionOf = (object: Annotated): number => readRevision(object) ?? 0

/** The desired-replicas annotation, undefined when absent or unreadable. */
export function desiredAnnotation(rs: ReplicaSet): number | undefined {
  const text = rs.metadata.annotations?.[DESIRED_REPLICAS]
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined
}

export const hasDeadline = (rs: ReplicaSet): boolean => (rs.metadata.annotations?.[SCALE_DOWN_DEADLINE] ?? '') !== ''

/** The scale-down deadline; undefined when there is none or it cannot be read. */
export function deadlineOf(rs: ReplicaSet): Millis | undefined {
  const given = rs.metadata.annotations?.[SCALE_DOWN_DEADLINE]
  const text = timeText(given)
  const at = text === undefined ? Number.NaN : Date.parse(JSON.parse(text) as string)
  const fraction = /[.,](\d+)/.exec(given ?? '')?.[1] ?? ''
  return Number.isNaN(at) ? undefined : at + Number(`0.${fraction}0`) * 1000
}

/** Milliseconds until the scale-down deadline; undefined when there is none, it is over or cannot be read. */
export function untilDeadline(rs: ReplicaSet, now: Millis): Millis | undefined {
  const at = deadlineOf(rs)
  return at === undefined || at <= now ? undefined : at - now
}

const created = (rs: ReplicaSet): string => rs.metadata.creationTimestamp ?? ''
const byName = (a: ReplicaSet, b: ReplicaSet): number =>
  a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0

/** Oldest first; the name breaks ties, since creation times have whole seconds only. */
export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  created(a) < created(b) ? -1 : created(a) > created(b) ? 1 : byName(a, b)

/** Newest revision first; sets without a readable revision come first (argo: they do in both directions). */
export function byRevisionDescending(a: ReplicaSet, b: ReplicaSet): number {
  const [x, y] = [readRevision(a), readRevision(b)]
  if (x === y) return byCreation(b, a)
  if (x === undefined || y === undefined) return x === undefined ? -1 : 1
  return y - x
}

/** Was `a` created in an earlier second than `b`? Sets of one second are neither older. */
export const isOlder = (a: ReplicaSet, b: ReplicaSet): boolean => created(a) < created(b)

/** All pods that the set asks for are available, and it asks for some. */
export const isFullyAvailable = (rs: ReplicaSet): boolean =>
  specReplicas(rs) !== 0 && availableReplicas(rs) >= specReplicas(rs)

/** `spec`, the desired annotation and the available pods all equal the rollout's replicas. */
export const isSaturated = (rs: ReplicaSet | undefined, replicas: number): boolean =>
  rs !== undefined &&
  specReplicas(rs) === replicas &&
  desiredAnnotation(rs) === replicas &&
  availableReplicas(rs) === replicas
