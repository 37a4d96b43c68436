// The embedded Kubernetes specs: loose in TypeScript, exact in the CRDs (src/api/crd.ts puts the schema in).
import * as z from 'zod'
import { fields, freeForm, labelsAndAnnotations } from './common.ts'
import type { PodSpec } from './kube.ts'

/** The marker that the CRD generator replaces by the schema of that Kubernetes type. */
export const EMBEDDED = 'x-pintle-embedded'

/** A pod spec. */
export const podSpec = (freeForm as unknown as z.ZodType<PodSpec>).meta({ [EMBEDDED]: 'PodSpec' })

/** A pod template; its metadata knows labels and annotations only, as upstream's definitions say. */
export const podTemplate = fields({ metadata: labelsAndAnnotations, spec: podSpec })

/** The spec of a Job. */
export const jobSpec = z.record(z.string(), z.unknown()).meta({ [EMBEDDED]: 'JobSpec' })
