// How a Rollout or an Experiment names the analysis to run: templates, arguments, dry run, retention.
import { fields, flag, int32, labelsAndAnnotations, listOf, type Of, object, text } from './common.ts'

/** Metrics that are measured but do not decide; metricName is a regular expression. */
export const dryRun = listOf(object({ metricName: text }, {}))

/** How many measurements of a metric are kept; metricName is a regular expression. */
export const measurementRetention = listOf(object({ metricName: text, limit: int32 }, {}))

/** Names of AnalysisTemplates, or of ClusterAnalysisTemplates when clusterScope is set. */
export const templateRefs = listOf(fields({ templateName: text, clusterScope: flag }))

/** Arguments whose value may come from the Rollout: a pod hash (`Stable`, `Latest`) or one of its fields. */
export const rolloutArguments = listOf(
  object(
    { name: text },
    {
      value: text,
      valueFrom: fields({ podTemplateHashValue: text, fieldRef: object({ fieldPath: text }, {}) }),
    },
  ),
)

const analysisFields = {
  templates: templateRefs,
  args: rolloutArguments,
  dryRun,
  measurementRetention,
  analysisRunMetadata: labelsAndAnnotations,
}

/** The analysis of a step, or before or after promotion. */
export const rolloutAnalysis = fields(analysisFields)

/** The analysis that runs in the background, from `startingStep` on. */
export const backgroundAnalysis = fields({ ...analysisFields, startingStep: int32 })

export type DryRun = Of<typeof dryRun>[number]
export type MeasurementRetention = Of<typeof measurementRetention>[number]
export type TemplateRef = Of<typeof templateRefs>[number]
export type RolloutArgument = Of<typeof rolloutArguments>[number]
export type RolloutAnalysis = Of<typeof rolloutAnalysis>
export type BackgroundAnalysis = Of<typeof backgroundAnalysis>
