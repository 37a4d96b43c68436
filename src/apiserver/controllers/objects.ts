// The built-in kinds as their controllers read them: loose, everything optional but what the server always sets.
import type { KindRef, KubeObject, ObjectMeta, OwnerReference } from '../../contract.ts'
import type { LabelSelector } from '../selectors.ts'

export const POD: KindRef = { apiVersion: 'v1', kind: 'Pod' }
export const SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' }
export const NAMESPACE: KindRef = { apiVersion: 'v1', kind: 'Namespace' }
export const SERVICE_ACCOUNT: KindRef = { apiVersion: 'v1', kind: 'ServiceAccount' }
export const REPLICA_SET: KindRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
export const DEPLOYMENT: KindRef = { apiVersion: 'apps/v1', kind: 'Deployment' }
export const JOB: KindRef = { apiVersion: 'batch/v1', kind: 'Job' }
export const ENDPOINT_SLICE: KindRef = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }

export type Condition = Readonly<{
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string | null
  lastUpdateTime?: string
  lastProbeTime?: string | null
}>

export type IntOrString = number | string

export type PodTemplate = Readonly<{
  metadata?: Readonly<{
    labels?: Readonly<Record<string, string>>
    annotations?: Readonly<Record<string, string>>
    finalizers?: readonly string[]
  }>
  spec?: PodSpec
}>

export type Container = Readonly<{
  name: string
  ports?: readonly Readonly<{ name?: string; containerPort: number; protocol?: string }>[]
}>

export type PodSpec = Readonly<{
  nodeName?: string
  restartPolicy?: string
  hostname?: string
  subdomain?: string
  containers?: readonly Container[]
}>

export type Pod = KubeObject &
  Readonly<{
    spec?: PodSpec
    status?: Readonly<{
      phase?: string
      podIP?: string
      reason?: string
      conditions?: readonly Condition[]
      containerStatuses?: readonly Readonly<{
        restartCount?: number
        state?: Readonly<{ terminated?: Readonly<{ finishedAt?: string }> }>
      }>[]
    }>
  }>

export type ReplicaSetStatus = Readonly<{
  replicas: number
  fullyLabeledReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  terminatingReplicas?: number
  observedGeneration?: number
  conditions?: readonly Condition[]
}>

export type ReplicaSet = KubeObject &
  Readonly<{
    spec: Readonly<{
      replicas?: number
      minReadySeconds?: number
      selector: LabelSelector
      template?: PodTemplate
    }>
    status?: ReplicaSetStatus
  }>

/** The owner reference that makes `owner` the controller of what carries it. */
export const controllerRef = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** The owner that controls an object, if any. */
export const controllerOf = (meta: ObjectMeta): OwnerReference | undefined =>
  meta.ownerReferences?.find(owner => owner.controller === true)

/** An RFC 3339 time with whole seconds, as Kubernetes writes it. */
export const timestamp = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19)}Z`

/** A condition of an object by its type. */
export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find(c => c.type === type)

/** Is the Pod neither finished nor being deleted? Source: IsPodActive in the Kubernetes controllers. */
export const isActive = (pod: Pod): boolean =>
  pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined

export const isReady = (pod: Pod): boolean => conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'

/** When the Pod counts as available: `minReadySeconds` after it became ready; undefined when it is not ready. */
export function availableAt(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  return Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000
}
