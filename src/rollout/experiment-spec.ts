// The Experiment of a canary step: the pod templates of the two versions, copied from their ReplicaSets (argo-behaviour 6).
import type { ExperimentSpec } from '../api/experiment.ts'
import type { ReplicaSet } from '../api/kube.ts'
import type { ExperimentStep } from '../api/steps.ts'
import type { Observed } from './observe.ts'
import { rolloutArguments } from './run-spec.ts'

/** The spec of the step's Experiment, or why there can be none. */
export function buildExperimentSpec(
  seen: Observed,
  step: ExperimentStep,
): Readonly<{ spec: ExperimentSpec } | { problem: string }> {
  const templates: ExperimentSpec['templates'][number][] = []
  for (const one of step.templates) {
    const rs = one.specRef === 'stable' ? seen.stableRS : one.specRef === 'canary' ? seen.newRS : undefined
    if (one.specRef !== 'stable' && one.specRef !== 'canary') {
      return { problem: `template ${one.name}: specRef is "${one.specRef}", but must be canary or stable` }
    }
    if (!rs) return { problem: `template ${one.name}: the ${one.specRef} version has no ReplicaSet` }
    templates.push(templateOf(one, rs))
  }
  const { duration, dryRun, analysisRunMetadata, scaleDownDelaySeconds } = step
  const { progressDeadlineSeconds } = seen.spec
  const analyses: NonNullable<ExperimentSpec['analyses']>[number][] = []
  for (const { args, ...analysis } of step.analyses ?? []) {
    const given = rolloutArguments(seen, args)
    if ('problem' in given) return given
    analyses.push({ ...analysis, ...(given.args.length > 0 ? { args: [...given.args] } : {}) })
  }
  return {
    spec: {
      templates,
      ...(duration ? { duration } : {}),
      ...(progressDeadlineSeconds == null ? {} : { progressDeadlineSeconds }),
      ...(scaleDownDelaySeconds == null ? {} : { scaleDownDelaySeconds }),
      ...(analyses.length > 0 ? { analyses } : {}),
      ...(dryRun?.length ? { dryRun } : {}),
      analysisRunMetadata: analysisRunMetadata ?? {},
    },
  }
}

/** The labels of the step go into the pods and into the selector; a weight asks for a Service. */
function templateOf(one: ExperimentStep['templates'][number], rs: ReplicaSet): ExperimentSpec['templates'][number] {
  const { labels, annotations } = one.metadata ?? {}
  const selector = one.selector ?? rs.spec.selector
  const { template, minReadySeconds } = rs.spec
  const metadata = {
    ...template.metadata,
    ...(labels ? { labels: { ...template.metadata?.labels, ...labels } } : {}),
    ...(annotations ? { annotations: { ...template.metadata?.annotations, ...annotations } } : {}),
  }
  return {
    name: one.name,
    ...(one.replicas == null ? {} : { replicas: one.replicas }),
    ...(minReadySeconds ? { minReadySeconds } : {}),
    ...(one.weight != null || one.service != null
      ? { service: one.service?.name ? { name: one.service.name } : {} }
      : {}),
    selector: labels ? { ...selector, matchLabels: { ...selector.matchLabels, ...labels } } : selector,
    template: { ...template, metadata } as ExperimentSpec['templates'][number]['template'],
  }
}
