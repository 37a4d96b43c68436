// The kind Rollout and its spec. Optional fields have no defaults here: those are applied where they are read.
import { backgroundAnalysis, rolloutAnalysis } from './analysis-ref.ts'
import {
  type Custom,
  fields,
  flag,
  int32,
  intOrString,
  labelSelector,
  labelsAndAnnotations,
  listOf,
  type Of,
  object,
  text,
  time,
} from './common.ts'
import { podTemplate } from './pod-template.ts'
import type { RolloutStatus } from './rollout-status.ts'
import { canaryStep } from './steps.ts'
import { trafficRouting } from './traffic-routing.ts'

export type { CanaryStep } from './steps.ts'
export type { TrafficRouting } from './traffic-routing.ts'

const antiAffinity = fields({
  preferredDuringSchedulingIgnoredDuringExecution: object({ weight: int32 }, {}),
  requiredDuringSchedulingIgnoredDuringExecution: fields({}),
})

/** spec.strategy.canary */
export const canaryStrategy = fields({
  canaryService: text,
  stableService: text,
  steps: listOf(canaryStep).describe('What happens in order; none: a rolling update.'),
  trafficRouting,
  maxSurge: intOrString.describe('Pods above spec.replicas, a number or a percentage; 25% when unset.'),
  maxUnavailable: intOrString.describe('Pods that may be missing, a number or a percentage; 25% when unset.'),
  analysis: backgroundAnalysis,
  antiAffinity,
  canaryMetadata: labelsAndAnnotations,
  stableMetadata: labelsAndAnnotations,
  scaleDownDelaySeconds: int32,
  scaleDownDelayRevisionLimit: int32,
  abortScaleDownDelaySeconds: int32,
  dynamicStableScale: flag,
  pingPong: object({ pingService: text, pongService: text }, {}),
  minPodsPerReplicaSet: int32,
  replicaProgressThreshold: object({ type: text, value: int32 }, {}),
})

/** spec.strategy.blueGreen */
export const blueGreenStrategy = object(
  { activeService: text },
  {
    previewService: text,
    previewReplicaCount: int32,
    autoPromotionEnabled: flag,
    autoPromotionSeconds: int32,
    maxUnavailable: intOrString,
    scaleDownDelaySeconds: int32,
    scaleDownDelayRevisionLimit: int32,
    abortScaleDownDelaySeconds: int32,
    prePromotionAnalysis: rolloutAnalysis,
    postPromotionAnalysis: rolloutAnalysis,
    antiAffinity,
    previewMetadata: labelsAndAnnotations,
    activeMetadata: labelsAndAnnotations,
  },
)

/** The workload whose template is rolled out in place of spec.template. */
export const workloadRef = fields({ apiVersion: text, kind: text, name: text, scaleDown: text })

/** spec of a Rollout; nothing in it is required by the API server. */
export const rolloutSpec = fields({
  replicas: int32.describe('Pods wanted; 1 when unset.'),
  selector: labelSelector.meta({
    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: '.spec.selector is immutable' }],
  }),
  template: podTemplate,
  workloadRef,
  minReadySeconds: int32,
  revisionHistoryLimit: int32.describe('Old ReplicaSets that are kept; 10 when unset.'),
  progressDeadlineSeconds: int32.describe('Seconds without progress until the update counts as stuck; 600 when unset.'),
  progressDeadlineAbort: flag,
  rollbackWindow: fields({ revisions: int32 }),
  restartAt: time.describe('Pods that are older are replaced.'),
  paused: flag,
  analysis: fields({ successfulRunHistoryLimit: int32, unsuccessfulRunHistoryLimit: int32 }),
  strategy: fields({ canary: canaryStrategy, blueGreen: blueGreenStrategy }),
})

export type CanaryStrategy = Of<typeof canaryStrategy>
export type BlueGreenStrategy = Of<typeof blueGreenStrategy>
export type AntiAffinity = Of<typeof antiAffinity>
export type WorkloadRef = Of<typeof workloadRef>
export type RolloutSpec = Of<typeof rolloutSpec>
export type Rollout = Custom<RolloutSpec, RolloutStatus>
