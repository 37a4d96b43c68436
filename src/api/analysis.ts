// The kinds AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun.
import { dryRun, measurementRetention, templateRefs } from './analysis-ref.ts'
import {
  type Custom,
  fields,
  flag,
  int32,
  intOrString,
  listOf,
  type Of,
  object,
  text,
  textMap,
  time,
} from './common.ts'
import { metricProvider } from './metric-provider.ts'

/** What is measured, how often, and what counts as good. */
export const metric = object(
  { name: text, provider: metricProvider },
  {
    interval: text,
    initialDelay: text,
    count: intOrString,
    successCondition: text,
    failureCondition: text,
    failureLimit: intOrString,
    inconclusiveLimit: intOrString,
    consecutiveErrorLimit: intOrString,
    consecutiveSuccessLimit: intOrString,
  },
)

/** An argument of a template or a run; its value may come from a Secret or a field. */
export const analysisArgument = object(
  { name: text },
  {
    value: text,
    valueFrom: fields({
      secretKeyRef: object({ name: text, key: text }, {}),
      fieldRef: object({ fieldPath: text }, {}),
    }),
  },
)

/** spec of an AnalysisTemplate and of a ClusterAnalysisTemplate. */
export const analysisTemplateSpec = fields({
  metrics: listOf(metric),
  args: listOf(analysisArgument),
  dryRun,
  measurementRetention,
  templates: templateRefs.describe('Further templates whose metrics and arguments are added.'),
})

/** spec of an AnalysisRun. */
export const analysisRunSpec = object(
  { metrics: listOf(metric) },
  {
    args: listOf(analysisArgument),
    dryRun,
    measurementRetention,
    terminate: flag,
    ttlStrategy: fields({ secondsAfterCompletion: int32, secondsAfterFailure: int32, secondsAfterSuccess: int32 }),
  },
)

const measurement = object(
  { phase: text },
  { message: text, startedAt: time, finishedAt: time, resumeAt: time, value: text, metadata: textMap },
)

const metricResult = object(
  { name: text, phase: text },
  {
    message: text,
    measurements: listOf(measurement),
    count: int32,
    successful: int32,
    failed: int32,
    inconclusive: int32,
    error: int32,
    consecutiveError: int32,
    consecutiveSuccess: int32,
    dryRun: flag,
    metadata: textMap,
  },
)

const runSummary = fields({ count: int32, successful: int32, failed: int32, inconclusive: int32, error: int32 })

/** status of an AnalysisRun; written by ordinary updates, the kind has no status subresource. */
export const analysisRunStatus = object(
  { phase: text },
  {
    message: text,
    startedAt: time,
    completedAt: time,
    metricResults: listOf(metricResult),
    runSummary,
    dryRunSummary: runSummary,
  },
)

export type Metric = Of<typeof metric>
export type AnalysisArgument = Of<typeof analysisArgument>
export type AnalysisTemplateSpec = Of<typeof analysisTemplateSpec>
export type AnalysisRunSpec = Of<typeof analysisRunSpec>
export type AnalysisRunStatus = Of<typeof analysisRunStatus>
export type MetricResult = Of<typeof metricResult>
export type Measurement = Of<typeof measurement>
export type RunSummary = Of<typeof runSummary>
export type AnalysisTemplate = Custom<AnalysisTemplateSpec>
export type ClusterAnalysisTemplate = Custom<AnalysisTemplateSpec>
export type AnalysisRun = Custom<AnalysisRunSpec, AnalysisRunStatus>
