// Templates that are applied together with their experiment, behind it or at the same time, and those that the watch has
// not told of yet. A template that is not there ends an experiment for good, so a new experiment waits for it, and before
// one is called missing the API server itself is asked. argo: an experiment that is looked at too soon has failed.
import { isCompleted } from '../analysis/phases.ts'
import type { AnalysisTemplate } from '../api/analysis.ts'
import type { KubeObject, Millis, Ref } from '../contract.ts'
import type { Kube } from '../ports.ts'
import { INSTANCE_ID } from '../rollout/keys.ts'
import { refOfTemplate, type TemplateRef, templateOf } from '../rollout/templates.ts'
import { analysisStatusOf, isFinished } from './facts.ts'
import type { ExperimentSeen } from './observe.ts'

/** So long after an experiment its templates may come, in milliseconds. */
const LATE = 3000
/** How often a new experiment looks for them, in milliseconds. */
const LOOK = 500

/** Is an experiment so new that what it needs may still come? */
export const isNew = ({ experiment }: ExperimentSeen, now: Millis): boolean =>
  now - Date.parse(experiment.metadata.creationTimestamp ?? '') < LATE

/** When a new experiment looks again for templates that have not come; undefined: it does not wait for any. */
export const lookForTemplates = (seen: ExperimentSeen, now: Millis): Millis | undefined =>
  isNew(seen, now) && missingTemplates(seen).length > 0 ? now + LOOK : undefined

/** Where the templates are that the analyses still to begin need, directly or by way of another, and that this reading
 * does not have. */
export function missingTemplates(seen: ExperimentSeen): readonly Ref[] {
  const missing = new Map<string, Ref>()
  const done = new Set<string>()
  const follow = (refs: readonly TemplateRef[]): void => {
    for (const one of refs) {
      const ref = refOfTemplate(seen.namespace, one)
      if (done.has(placeOf(ref))) continue
      done.add(placeOf(ref))
      const template = templateOf(seen, one)
      if (template === undefined) missing.set(placeOf(ref), ref)
      else follow(template.spec.templates ?? [])
    }
  }
  follow(toBegin(seen))
  return [...missing.values()]
}

/** The reading with those of the `missing` templates that the API server has, and what they need in turn. Raises what it
 * answers, but for NotFound. */
export async function withLateTemplates(
  seen: ExperimentSeen,
  missing: readonly Ref[],
  kube: Kube,
): Promise<ExperimentSeen> {
  const late = new Map<string, AnalysisTemplate>()
  for (const ref of missing) {
    const template = (await orMissing(kube.get(ref))) as AnalysisTemplate | undefined
    if (template !== undefined && idOf(template) === idOf(seen.experiment)) late.set(placeOf(ref), template)
  }
  if (late.size === 0) return seen
  const reading = { ...seen, look: (ref: Ref) => late.get(placeOf(ref)) ?? seen.look(ref) }
  const more = missingTemplates(reading).filter(ref => !missing.some(one => placeOf(one) === placeOf(ref)))
  return await withLateTemplates(reading, more, kube)
}

/** Analyses without a run whose end is not decided. */
function toBegin({ experiment, status }: ExperimentSeen): readonly TemplateRef[] {
  if (isFinished(status)) return []
  return (experiment.spec.analyses ?? []).filter(({ name }) => {
    const before = analysisStatusOf(status, name)
    return before === undefined || (before.analysisRun === '' && !isCompleted(before.phase))
  })
}

/** argo: a controller with an id sees objects with that label only, templates among them. */
const idOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.[INSTANCE_ID]

const placeOf = ({ kind, name }: Ref): string => `${kind} ${name}`

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if ((error as { reason?: unknown }).reason === 'NotFound') return undefined
    throw error
  }
}
