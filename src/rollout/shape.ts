// The few members of a Rollout that the calculators read, loose enough for objects straight from JSON.

/** One ReplicaSet as the calculators see it: `spec` wanted by its spec, `replicas` existing, `available` serving. */
export type Sized = Readonly<{ hash: string; spec: number; available: number; replicas?: number }>

/** The sets by role; `otherRSs` are neither new nor stable. */
export type Sets = Readonly<{
  newRS?: Sized | null | undefined
  stableRS?: Sized | null | undefined
  otherRSs?: readonly Sized[] | null | undefined
}>

type Maybe<T> = T | null | undefined

export type ScaleShape = Readonly<{
  weight?: Maybe<number>
  replicas?: Maybe<number>
  matchTrafficWeight?: Maybe<boolean>
}>

export type StepShape = Readonly<{ setWeight?: Maybe<number>; setCanaryScale?: Maybe<ScaleShape> }>

export type CanaryShape = Readonly<{
  steps?: Maybe<readonly StepShape[]>
  maxSurge?: unknown
  maxUnavailable?: unknown
  dynamicStableScale?: Maybe<boolean>
  minPodsPerReplicaSet?: Maybe<number>
  abortScaleDownDelaySeconds?: Maybe<number>
  replicaProgressThreshold?: Maybe<Readonly<{ type?: Maybe<string>; value?: Maybe<number> }>>
  trafficRouting?: Maybe<Readonly<{ maxTrafficWeight?: Maybe<number> }>>
}>

export type SpecShape = Readonly<{
  replicas?: Maybe<number>
  strategy?: Maybe<
    Readonly<{
      canary?: Maybe<CanaryShape>
      blueGreen?: Maybe<Readonly<{ maxUnavailable?: unknown }>>
    }>
  >
}>

export type StatusShape = Maybe<
  Readonly<{
    abort?: Maybe<boolean>
    promoteFull?: Maybe<boolean>
    currentPodHash?: Maybe<string>
    currentStepIndex?: Maybe<number>
    stableRS?: Maybe<string>
  }>
>

/** Recorded weights: status.canary.weights. */
export type WeightsShape = Maybe<
  Readonly<{
    canary?: Maybe<Readonly<{ weight?: Maybe<number> }>>
    stable?: Maybe<Readonly<{ weight?: Maybe<number> }>>
  }>
>

/** spec.replicas, 1 when unset. */
export const wantedReplicas = (spec: SpecShape): number => spec.replicas ?? 1

/** The canary strategy, empty when the Rollout has none. */
export const canaryOf = (spec: SpecShape): CanaryShape => spec.strategy?.canary ?? {}

/** Whether a canary's traffic is routed; an empty trafficRouting object is enough. */
export const isRouted = (spec: SpecShape): boolean => Boolean(canaryOf(spec).trafficRouting)

/** Whether the canary is as good as done: nothing recorded as stable, or the stable hash is the current one. */
export const isPromoted = (status: StatusShape): boolean =>
  !status?.stableRS || status.stableRS === status.currentPodHash
