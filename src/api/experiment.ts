// The kind Experiment: ReplicaSets that run beside a Rollout for a while, and the analyses that judge them.
import { analysisArgument } from './analysis.ts'
import { dryRun, measurementRetention } from './analysis-ref.ts'
import {
  type Custom,
  condition,
  fields,
  flag,
  int32,
  labelSelector,
  labelsAndAnnotations,
  listOf,
  type Of,
  object,
  text,
  time,
} from './common.ts'
import { podTemplate } from './pod-template.ts'

const template = object(
  { name: text, selector: labelSelector, template: podTemplate },
  { replicas: int32, minReadySeconds: int32, service: fields({ name: text }) },
)

const analysis = object(
  { name: text, templateName: text },
  { clusterScope: flag, args: listOf(analysisArgument), requiredForCompletion: flag },
)

/** spec of an Experiment. */
export const experimentSpec = object(
  { templates: listOf(template) },
  {
    duration: text.describe('A duration such as 30m, counted from the first moment that all templates run.'),
    progressDeadlineSeconds: int32,
    scaleDownDelaySeconds: int32,
    terminate: flag,
    analyses: listOf(analysis),
    dryRun,
    measurementRetention,
    analysisRunMetadata: labelsAndAnnotations,
  },
)

const templateStatus = object(
  { name: text, replicas: int32, updatedReplicas: int32, readyReplicas: int32, availableReplicas: int32 },
  {
    collisionCount: int32,
    status: text,
    message: text,
    lastTransitionTime: time,
    serviceName: text,
    podTemplateHash: text,
  },
)

const analysisStatus = object({ name: text, analysisRun: text, phase: text }, { message: text })

/** status of an Experiment; written by ordinary updates, the kind has no status subresource. */
export const experimentStatus = fields({
  phase: text,
  message: text,
  availableAt: time,
  conditions: listOf(condition),
  templateStatuses: listOf(templateStatus),
  analysisRuns: listOf(analysisStatus),
})

export type ExperimentSpec = Of<typeof experimentSpec>
export type ExperimentStatus = Of<typeof experimentStatus>
export type ExperimentTemplate = Of<typeof template>
export type ExperimentAnalysis = Of<typeof analysis>
export type ExperimentTemplateStatus = Of<typeof templateStatus>
export type ExperimentAnalysisStatus = Of<typeof analysisStatus>
export type ExperimentCondition = Of<typeof condition>
export type Experiment = Custom<ExperimentSpec, ExperimentStatus>
