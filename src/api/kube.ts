// Loose types of the built-in kinds that we read: the fields we look at, times as RFC 3339 text, the rest untouched.
import type { KubeObject } from '../contract.ts'
import type { LabelSelector } from './common.ts'

export type { LabelSelector }

type Extra = Readonly<Record<string, unknown>>
type Labels = Readonly<Record<string, string>>

/** A condition as built-in kinds carry it. */
export type Condition = Readonly<{
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastUpdateTime?: string
}>

export type ContainerPort = Readonly<{ containerPort: number; name?: string; protocol?: string; hostPort?: number }>

/** A container; what is not named here is kept and never looked at. */
export type Container = Readonly<{ name: string; image?: string; ports?: readonly ContainerPort[] }> & Extra

export type PodSpec = Readonly<{
  containers: readonly Container[]
  initContainers?: readonly Container[]
  nodeName?: string
  affinity?: Extra
}> &
  Extra

/** Metadata of a template: labels and annotations matter, the rest is carried along. */
export type TemplateMeta = Readonly<{ labels?: Labels; annotations?: Labels }> & Extra

export type PodTemplateSpec = Readonly<{ metadata?: TemplateMeta; spec?: PodSpec }>

export type ContainerStatus = Readonly<{
  name: string
  ready?: boolean
  restartCount?: number
  image?: string
  state?: Readonly<{
    waiting?: Readonly<{ reason?: string; message?: string }>
    running?: Readonly<{ startedAt?: string }>
    terminated?: Readonly<{ reason?: string; message?: string; exitCode?: number; signal?: number }>
  }>
}>

export type Pod = KubeObject &
  Readonly<{
    spec?: PodSpec
    status?: Readonly<{
      phase?: string
      reason?: string
      message?: string
      podIP?: string
      startTime?: string
      conditions?: readonly Condition[]
      containerStatuses?: readonly ContainerStatus[]
      initContainerStatuses?: readonly ContainerStatus[]
    }>
  }>

export type ReplicaSet = KubeObject &
  Readonly<{
    spec: Readonly<{
      replicas?: number
      minReadySeconds?: number
      selector: LabelSelector
      template: PodTemplateSpec
    }>
    status?: Readonly<{
      replicas?: number
      readyReplicas?: number
      availableReplicas?: number
      fullyLabeledReplicas?: number
      observedGeneration?: number
      conditions?: readonly Condition[]
    }>
  }>

export type Deployment = KubeObject &
  Readonly<{
    spec: Readonly<{ replicas?: number; selector: LabelSelector; template: PodTemplateSpec; paused?: boolean }>
    status?: Readonly<{ replicas?: number; availableReplicas?: number; conditions?: readonly Condition[] }>
  }>

/** The core kind PodTemplate, one of the workloads that a Rollout may refer to. */
export type PodTemplate = KubeObject & Readonly<{ template: PodTemplateSpec }>

export type ServicePort = Readonly<{
  name?: string
  port: number
  targetPort?: number | string
  protocol?: string
  nodePort?: number
}>

export type Service = KubeObject &
  Readonly<{
    spec?: Readonly<{
      selector?: Labels
      ports?: readonly ServicePort[]
      type?: string
      clusterIP?: string
    }>
    status?: Extra
  }>

export type IngressBackend = Readonly<{
  service?: Readonly<{ name: string; port?: Readonly<{ name?: string; number?: number }> }>
  resource?: Extra
}>

export type Ingress = KubeObject &
  Readonly<{
    spec?: Readonly<{
      ingressClassName?: string
      defaultBackend?: IngressBackend
      tls?: readonly Extra[]
      rules?: readonly Readonly<{
        host?: string
        http?: Readonly<{
          paths?: readonly Readonly<{ path?: string; pathType?: string; backend: IngressBackend }>[]
        }>
      }>[]
    }>
    status?: Extra
  }>

export type Job = KubeObject &
  Readonly<{
    spec?: Extra
    status?: Readonly<{ active?: number; succeeded?: number; failed?: number; conditions?: readonly Condition[] }>
  }>

/** A core/v1 Event. */
export type Event = KubeObject &
  Readonly<{
    type?: string
    reason?: string
    message?: string
    count?: number
    firstTimestamp?: string | null
    lastTimestamp?: string | null
    eventTime?: string | null
    involvedObject: Readonly<{ apiVersion?: string; kind?: string; namespace?: string; name?: string; uid?: string }>
  }>
