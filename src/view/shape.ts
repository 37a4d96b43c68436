// The members of Kubernetes objects that views read, loose enough for objects straight from JSON.
import type { ObjectMeta } from '../contract.ts'
import type { PhaseInput } from '../rollout/phase.ts'
import type { SpecShape, StatusShape } from '../rollout/shape.ts'

type Maybe<T> = T | null | undefined

export type ContainerShape = Readonly<{ name: string; image?: Maybe<string>; restartPolicy?: Maybe<string> }>

export type TemplateShape = Readonly<{
  metadata?: Maybe<Readonly<{ labels?: Maybe<Readonly<Record<string, string>>> }>>
  spec?: Maybe<
    Readonly<{
      containers?: Maybe<readonly ContainerShape[]>
      initContainers?: Maybe<readonly ContainerShape[]>
      ephemeralContainers?: Maybe<readonly ContainerShape[]>
    }>
  >
}>

export type RolloutShape = PhaseInput &
  Readonly<{
    metadata: ObjectMeta
    spec: SpecShape &
      Readonly<{
        template?: Maybe<TemplateShape>
        workloadRef?: Maybe<Readonly<{ apiVersion?: string; kind?: string; name?: string }>>
        strategy?: Maybe<
          Readonly<{ canary?: Maybe<Readonly<{ steps?: Maybe<readonly Readonly<Record<string, unknown>>[]> }>> }>
        >
      }>
    status?: StatusShape &
      Maybe<
        Readonly<{
          readyReplicas?: Maybe<number>
          canary?: Maybe<
            Readonly<{
              stablePingPong?: Maybe<string>
              weights?: Maybe<Readonly<{ canary?: Maybe<Readonly<{ weight?: Maybe<number> }>> }>>
            }>
          >
          blueGreen?: Maybe<Readonly<{ previewSelector?: Maybe<string>; activeSelector?: Maybe<string> }>>
        }>
      >
  }>

export type ReplicaSetShape = Readonly<{
  metadata: ObjectMeta
  spec: Readonly<{ replicas?: Maybe<number>; template?: Maybe<TemplateShape> }>
  status?: Maybe<
    Readonly<{
      replicas?: Maybe<number>
      availableReplicas?: Maybe<number>
      observedGeneration?: Maybe<number>
      conditions?: Maybe<readonly Readonly<{ type: string; status: string }>[]>
    }>
  >
}>

type StateShape = Readonly<{
  waiting?: Maybe<Readonly<{ reason?: Maybe<string> }>>
  running?: unknown
  terminated?: Maybe<Readonly<{ reason?: Maybe<string>; exitCode?: Maybe<number>; signal?: Maybe<number> }>>
}>

export type ContainerStatusShape = Readonly<{
  name?: string
  ready?: Maybe<boolean>
  started?: Maybe<boolean>
  restartCount?: Maybe<number>
  state?: Maybe<StateShape>
}>

export type PodShape = Readonly<{
  metadata: ObjectMeta
  spec: Readonly<{
    containers?: Maybe<readonly ContainerShape[]>
    initContainers?: Maybe<readonly ContainerShape[]>
  }>
  status?: Maybe<
    Readonly<{
      phase?: Maybe<string>
      reason?: Maybe<string>
      conditions?: Maybe<readonly Readonly<{ type: string; status: string; reason?: Maybe<string> }>[]>
      containerStatuses?: Maybe<readonly ContainerStatusShape[]>
      initContainerStatuses?: Maybe<readonly ContainerStatusShape[]>
    }>
  >
}>

export type MeasurementShape = Readonly<{
  phase?: Maybe<string>
  value?: Maybe<string>
  startedAt?: Maybe<string>
  metadata?: Maybe<Readonly<Record<string, string>>>
}>

export type AnalysisRunShape = Readonly<{
  metadata: ObjectMeta
  spec?: Maybe<Readonly<{ metrics?: Maybe<readonly Readonly<Record<string, unknown>>[]> }>>
  status?: Maybe<
    Readonly<{
      phase?: Maybe<string>
      message?: Maybe<string>
      metricResults?: Maybe<
        readonly Readonly<{
          name?: string
          successful?: Maybe<number>
          failed?: Maybe<number>
          inconclusive?: Maybe<number>
          error?: Maybe<number>
          measurements?: Maybe<readonly MeasurementShape[]>
        }>[]
      >
    }>
  >
}>

export type ExperimentShape = Readonly<{
  metadata: ObjectMeta
  spec?: Maybe<Readonly<{ duration?: Maybe<string>; templates?: Maybe<readonly Readonly<{ name: string }>[]> }>>
  status?: Maybe<Readonly<{ phase?: Maybe<string>; message?: Maybe<string>; availableAt?: Maybe<string> }>>
}>

/** All objects of a namespace that a view may need; it picks what belongs together by owner. */
export type World = Readonly<{
  replicaSets: readonly ReplicaSetShape[]
  pods: readonly PodShape[]
  experiments: readonly ExperimentShape[]
  analysisRuns: readonly AnalysisRunShape[]
  /** The object of spec.workloadRef, when it has been read. */
  workload?: Readonly<{ spec?: Maybe<Readonly<{ template?: Maybe<TemplateShape> }>>; template?: Maybe<TemplateShape> }>
}>
