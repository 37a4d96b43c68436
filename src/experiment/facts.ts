// Small questions about an experiment that every part of its plan asks (argo-behaviour 6).
import { isCompleted } from '../analysis/phases.ts'
import { experimentMs } from '../api/duration.ts'
import type {
  ExperimentAnalysisStatus,
  ExperimentSpec,
  ExperimentStatus,
  ExperimentTemplate,
  ExperimentTemplateStatus,
} from '../api/experiment.ts'
import type { Millis } from '../contract.ts'

/** An experiment as far as it decides: what is asked, and where it stands. */
export type Standing = Readonly<{ spec: ExperimentSpec; status: ExperimentStatus }>

/** Seconds in which the pods of a template must come up. */
export const progressDeadline = ({ progressDeadlineSeconds }: ExperimentSpec): number => progressDeadlineSeconds ?? 600

/** Seconds that pods stay after the end; 0: they go at once. */
export const scaleDownDelay = ({ scaleDownDelaySeconds }: ExperimentSpec): number => scaleDownDelaySeconds ?? 30

export const templateStatusOf = (status: ExperimentStatus, name: string): ExperimentTemplateStatus | undefined =>
  status.templateStatuses?.find(one => one.name === name)

export const analysisStatusOf = (status: ExperimentStatus, name: string): ExperimentAnalysisStatus | undefined =>
  status.analysisRuns?.find(one => one.name === name)

/** Is a template through, well or badly? */
export const isTemplateOver = (status: string | undefined): boolean =>
  status === 'Successful' || status === 'Failed' || status === 'Error'

export const isFinished = ({ phase }: ExperimentStatus): boolean => isCompleted(phase)

/** Are there required analyses, and are all of them Successful? */
export function areRequiredSuccessful({ spec, status }: Standing): boolean {
  const required = (spec.analyses ?? []).filter(one => one.requiredForCompletion)
  const phaseOf = (name: string) => analysisStatusOf(status, name)?.phase
  return required.length > 0 && required.every(({ name }) => phaseOf(name) === 'Successful')
}

/** Is everything to be taken down: by request, at the end, or since a template or an analysis has decided it? */
export const isTerminating = (standing: Standing): boolean =>
  standing.spec.terminate === true ||
  isFinished(standing.status) ||
  (standing.status.templateStatuses ?? []).some(({ status }) => status === 'Failed' || status === 'Error') ||
  (standing.status.analysisRuns ?? []).some(({ phase }) => isCompleted(phase) && phase !== 'Successful') ||
  areRequiredSuccessful(standing)

/** Pods that a template should have now. */
export function desiredReplicas(standing: Standing, { name, replicas }: ExperimentTemplate): number {
  if (isTerminating(standing) || isTemplateOver(templateStatusOf(standing.status, name)?.status)) return 0
  return replicas ?? 1
}

/** When the duration is over: strictly after this instant. Undefined: it has not begun, or never ends by itself. */
export function endOf({ spec, status }: Standing): Millis | undefined {
  const length = spec.duration ? experimentMs(spec.duration) : undefined
  return length === undefined || status.availableAt === undefined ? undefined : Date.parse(status.availableAt) + length
}

/** Has it run for its duration? */
export function hasRunItsTime(standing: Standing, now: Millis): boolean {
  const end = endOf(standing)
  return end !== undefined && now > end
}
