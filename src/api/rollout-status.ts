// The status of a Rollout: its memory between reconciles, and what people and other tools read.
import { condition, fields, flag, freeForm, int32, int64, listOf, type Of, object, text, time } from './common.ts'

const runStatus = object({ name: text, status: text }, { message: text })

const weightDestination = object({ weight: int32 }, { serviceName: text, podTemplateHash: text })

const canaryWeights = object(
  { canary: weightDestination, stable: weightDestination },
  { additional: listOf(weightDestination), verified: flag },
)

const stepPluginStatus = object(
  { name: text, index: int32, operation: text },
  {
    phase: text,
    message: text,
    startedAt: time,
    updatedAt: time,
    finishedAt: time,
    backoff: text,
    executions: int32,
    disabled: flag,
    status: freeForm,
  },
)

const awsResource = object({ name: text, arn: text }, { fullName: text })

const albStatus = fields({
  ingress: text,
  loadBalancer: awsResource,
  canaryTargetGroup: awsResource,
  stableTargetGroup: awsResource,
})

const pauseCondition = object({ reason: text, startTime: time }, {})

const blueGreenStatus = fields({
  activeSelector: text,
  previewSelector: text,
  scaleUpPreviewCheckPoint: flag,
  prePromotionAnalysisRunStatus: runStatus,
  postPromotionAnalysisRunStatus: runStatus,
})

const canaryStatus = fields({
  weights: canaryWeights,
  stablePingPong: text,
  currentStepAnalysisRunStatus: runStatus,
  currentBackgroundAnalysisRunStatus: runStatus,
  currentExperiment: text,
  stepPluginStatuses: listOf(stepPluginStatus),
})

/** status of a Rollout. */
export const rolloutStatus = fields({
  phase: text,
  message: text,
  abort: flag,
  abortedAt: time,
  pauseConditions: listOf(pauseCondition),
  controllerPause: flag,
  promoteFull: flag,
  currentPodHash: text,
  currentStepHash: text,
  currentStepIndex: int32,
  stableRS: text,
  collisionCount: int32,
  replicas: int32,
  updatedReplicas: int32,
  readyReplicas: int32,
  availableReplicas: int32,
  HPAReplicas: int32,
  selector: text,
  observedGeneration: text.describe('metadata.generation as decimal text.'),
  workloadObservedGeneration: text,
  restartedAt: time,
  conditions: listOf(condition),
  canary: canaryStatus,
  blueGreen: blueGreenStatus,
  alb: albStatus,
  albs: listOf(albStatus),
  duration: fields({
    rolloutStartedAt: time,
    finishedAt: time,
    completionStatus: text,
    manualPauseStartedAt: time,
    totalManualPauseDurationSeconds: int64,
  }),
})

export type RolloutStatus = Of<typeof rolloutStatus>
export type RolloutCondition = Of<typeof condition>
export type PauseCondition = Of<typeof pauseCondition>
export type CanaryStatus = Of<typeof canaryStatus>
export type BlueGreenStatus = Of<typeof blueGreenStatus>
export type CanaryWeights = Of<typeof canaryWeights>
export type TrafficWeights = CanaryWeights
export type WeightDestination = Of<typeof weightDestination>
export type RolloutAnalysisRunStatus = Of<typeof runStatus>
export type StepPluginStatus = Of<typeof stepPluginStatus>
export type AlbStatus = Of<typeof albStatus>
export type RolloutDuration = NonNullable<RolloutStatus['duration']>
