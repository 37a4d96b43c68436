// What the verbs read of a Rollout, loose enough for objects straight from JSON.
type Maybe<T> = T | null | undefined

export type Container = Readonly<{ name: string; image?: Maybe<string> }>
export type Template = Readonly<{
  metadata?: Maybe<Readonly<{ labels?: Maybe<Readonly<Record<string, string>>> }>>
  spec?: Maybe<
    Readonly<{
      containers?: Maybe<readonly Container[]>
      initContainers?: Maybe<readonly Container[]>
      ephemeralContainers?: Maybe<readonly Container[]>
    }>
  >
}>

export type RolloutShape = Readonly<{
  metadata: Readonly<{ name: string; generation?: number; uid?: string }>
  spec: Readonly<{
    paused?: Maybe<boolean>
    template?: Maybe<Template>
    workloadRef?: Maybe<Readonly<{ apiVersion?: string; kind?: string; name?: string }>>
    strategy?: Maybe<Readonly<{ canary?: Maybe<Readonly<{ steps?: Maybe<readonly unknown[]> }>>; blueGreen?: unknown }>>
  }>
  status?: Maybe<
    Readonly<{
      abort?: Maybe<boolean>
      promoteFull?: Maybe<boolean>
      observedGeneration?: Maybe<string>
      currentPodHash?: Maybe<string>
      stableRS?: Maybe<string>
      currentStepIndex?: Maybe<number>
      controllerPause?: Maybe<boolean>
      pauseConditions?: Maybe<readonly unknown[]>
      canary?: Maybe<Readonly<{ currentStepAnalysisRunStatus?: Maybe<Readonly<{ status?: Maybe<string> }>> }>>
    }>
  >
}>

/** An object with a pod template: a Rollout, Deployment or ReplicaSet under spec, a PodTemplate at the top. */
export type Holder = Readonly<{
  spec?: Maybe<Readonly<{ template?: Maybe<Template> }>>
  template?: Maybe<Template>
}>

export const templateOf = (holder: Holder): Maybe<Template> => holder.spec?.template ?? holder.template

/** The JSON pointer of the template. */
export const templatePath = (holder: Holder): string =>
  holder.template && !holder.spec ? '/template' : '/spec/template'

/** Merge patches, the status one to be sent first. `note`: what a person should know although nothing is wrong, for
 * example that there was nothing to do. `problem`: refused, nothing is to be sent. */
export type VerbPlan = Readonly<{
  spec?: Readonly<Record<string, unknown>>
  status?: Readonly<Record<string, unknown>>
  note?: string
  problem?: string
}>

/** Whether the rollout runs its current revision only: nothing to promote, nothing to abort. */
export const isSettled = ({ metadata, status }: RolloutShape): boolean =>
  Boolean(status?.stableRS) &&
  status?.stableRS === status?.currentPodHash &&
  status?.observedGeneration === `${metadata.generation ?? 0}`
