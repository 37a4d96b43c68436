// The spec of an AnalysisRun: templates flattened and merged, arguments from the rollout filled in (argo-behaviour 5.4, 9.3).
import type { AnalysisRun, AnalysisTemplate } from '../api/analysis.ts'
import type { RolloutAnalysis } from '../api/analysis-ref.ts'
import { sameJson } from '../contract.ts'
import type { Observed } from './observe.ts'
import { hashOf } from './sets.ts'
import { type TemplateSource, templateOf } from './templates.ts'

export type RunSpec = AnalysisRun['spec']
type TemplateSpec = AnalysisTemplate['spec']
type TemplateRefs = RolloutAnalysis['templates']
type Built = Readonly<{ spec: RunSpec } | { problem: string }>

/** What a run is made of. Arguments without a value are left to the templates' defaults. */
export type RunSource = Pick<RolloutAnalysis, 'templates' | 'args' | 'dryRun' | 'measurementRetention'>

/** Builds the spec of a run from its templates, or says why it cannot be. */
export function buildRunSpec(from: TemplateSource, analysis: RunSource): Built {
  const specs: TemplateSpec[] = []
  const problem = collect(from, analysis.templates, new Set(), specs)
  if (problem) return { problem }
  const metrics = specs.flatMap(spec => spec.metrics ?? [])
  const names = metrics.map(metric => metric.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) return { problem: `two metrics have the same name '${twice}'` }
  const rules = ruleProblem({
    dryRun: specs.flatMap(spec => spec.dryRun ?? []),
    measurementRetention: specs.flatMap(spec => spec.measurementRetention ?? []),
  })
  if (rules !== undefined) return { problem: rules }
  const args = mergeArguments(analysis, specs)
  if ('problem' in args) return args
  const dryRun = [...specs.flatMap(spec => spec.dryRun ?? []), ...(analysis.dryRun ?? [])]
  const retention = [
    ...specs.flatMap(spec => spec.measurementRetention ?? []),
    ...(analysis.measurementRetention ?? []),
  ]
  return {
    spec: {
      metrics,
      ...(args.args.length > 0 ? { args: args.args } : {}),
      ...(dryRun.length > 0 ? { dryRun } : {}),
      ...(retention.length > 0 ? { measurementRetention: retention } : {}),
    },
  }
}

/** Follows nested templates; each is taken once. */
function collect(
  from: TemplateSource,
  refs: TemplateRefs,
  done: Set<string>,
  into: TemplateSpec[],
): string | undefined {
  for (const { templateName = '', clusterScope } of refs ?? []) {
    const kind = clusterScope ? 'ClusterAnalysisTemplate' : 'AnalysisTemplate'
    if (done.has(`${kind} ${templateName}`)) continue
    done.add(`${kind} ${templateName}`)
    const template = templateOf(from, { templateName, clusterScope: clusterScope ?? null })
    if (!template) return `${kind} '${templateName}' not found`
    into.push(template.spec)
    const problem = collect(from, template.spec.templates, done, into)
    if (problem) return problem
  }
  return undefined
}

type Argument = NonNullable<RunSpec['args']>[number]

type Merged = Readonly<{ args: readonly Argument[] } | { problem: string }>

function mergeArguments(analysis: RunSource, specs: readonly TemplateSpec[]): Merged {
  const wanted = new Map<string, Argument>()
  for (const arg of specs.flatMap(spec => spec.args ?? [])) {
    const before = wanted.get(arg.name)
    if (before?.value !== undefined && arg.value !== undefined && !sameJson(before, arg)) {
      const text = `Argument \`${arg.name}\` specified multiple times with different values: '${before.value}', '${arg.value}'`
      return { problem: text }
    }
    if (!before || arg.value !== undefined || arg.valueFrom !== undefined) wanted.set(arg.name, arg)
  }
  for (const { name, value } of analysis.args ?? []) {
    if (!wanted.has(name)) continue // argo: arguments that no template asks for are dropped
    if (value !== undefined) wanted.set(name, { name, value })
  }
  const missing = [...wanted.values()].find(arg => arg.value === undefined && arg.valueFrom === undefined)
  return missing ? { problem: `args.${missing.name} was not resolved` } : { args: [...wanted.values()] }
}

/** The arguments with what they take from the rollout put in; those that it does not have stay without a value. */
export const rolloutArguments = (seen: Observed, args: RolloutAnalysis['args']): NonNullable<RolloutAnalysis['args']> =>
  (args ?? []).map(({ name, value, valueFrom }) => {
    const given = valueFrom ? resolve(seen, valueFrom) : value
    return given === undefined ? { name } : { name, value: given }
  })

type Source = NonNullable<NonNullable<RolloutAnalysis['args']>[number]['valueFrom']>

function resolve(seen: Observed, { podTemplateHashValue, fieldRef }: Source): string | undefined {
  if (podTemplateHashValue === 'Latest') return seen.newRS ? hashOf(seen.newRS) : undefined
  if (podTemplateHashValue === 'Stable') return seen.stableRS ? hashOf(seen.stableRS) : undefined
  return fieldRef ? fieldText(seen.rollout, fieldRef.fieldPath) : undefined
}

/** A primitive of the rollout by path: `metadata.labels['k']`, `spec.template.spec.containers[0].image`. */
function fieldText(rollout: unknown, path: string): string | undefined {
  let value: unknown = rollout
  for (const [, quoted, plain] of path.matchAll(/\['([^']*)'\]|([^.[\]]+)/g)) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[quoted ?? plain ?? '']
  }
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value)
}

type Rules = readonly Readonly<{ metricName: string }>[] | null | undefined

/** Two rules for one metric. */
export function ruleProblem({
  dryRun,
  measurementRetention,
}: Pick<RolloutAnalysis, 'dryRun' | 'measurementRetention'>) {
  const twice = (rules: Rules) =>
    rules?.find((rule, i) => rules.findIndex(other => other.metricName === rule.metricName) !== i)?.metricName
  const [dry, kept] = [twice(dryRun), twice(measurementRetention)]
  if (dry !== undefined) return `two Dry-Run metric rules have the same name '${dry}'`
  return kept === undefined ? undefined : `two Measurement Retention metric rules have the same name '${kept}'`
}
