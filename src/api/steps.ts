// spec.strategy.canary.steps: the eight kinds of canary steps. A step should name one; the API does not check it.
import * as z from 'zod'
import { dryRun, rolloutAnalysis, rolloutArguments } from './analysis-ref.ts'
import {
  fields,
  flag,
  freeForm,
  int32,
  intOrString,
  labelSelector,
  labelsAndAnnotations,
  listOf,
  type Of,
  object,
  text,
} from './common.ts'

const stringMatch = fields({ exact: text, prefix: text, regex: text })

const setHeaderRoute = fields({
  name: text,
  match: listOf(object({ headerName: text, headerValue: stringMatch }, {})),
})

const setMirrorRoute = object(
  { name: text },
  {
    match: listOf(fields({ method: stringMatch, path: stringMatch, headers: z.record(z.string(), stringMatch) })),
    percentage: int32,
  },
)

const experimentStepTemplate = object(
  { name: text, specRef: text },
  {
    replicas: int32,
    metadata: labelsAndAnnotations,
    selector: labelSelector,
    weight: int32,
    service: fields({ name: text }),
  },
)

const experimentStep = object(
  { templates: listOf(experimentStepTemplate) },
  {
    duration: text,
    analyses: listOf(
      object(
        { name: text, templateName: text },
        { clusterScope: flag, args: rolloutArguments, requiredForCompletion: flag },
      ),
    ),
    dryRun,
    analysisRunMetadata: labelsAndAnnotations,
    scaleDownDelaySeconds: int32,
  },
)

/** One step of a canary. */
export const canaryStep = fields({
  setWeight: int32.describe('The share of the canary, 0 to maxTrafficWeight.'),
  pause: fields({ duration: intOrString.describe('Seconds, or a duration such as 1h30m; for ever when unset.') }),
  experiment: experimentStep,
  analysis: rolloutAnalysis,
  setCanaryScale: fields({ weight: int32, replicas: int32, matchTrafficWeight: flag }),
  setHeaderRoute,
  setMirrorRoute,
  plugin: object({ name: text }, { config: freeForm }),
})

export type CanaryStep = Of<typeof canaryStep>
export type ExperimentStep = Of<typeof experimentStep>
export type SetHeaderRoute = Of<typeof setHeaderRoute>
export type SetMirrorRoute = Of<typeof setMirrorRoute>
export type StringMatch = Of<typeof stringMatch>
