// The spec of an AnalysisRun: templates flattened and merged, arguments from the rollout filled in (argo-behaviour 5.4, 9.3).
import type { AnalysisRun, AnalysisTemplate } from '../api/analysis.ts'
import type { RolloutAnalysis } from '../api/analysis-ref.ts'
import type { Observed } from './observe.ts'
import { argumentsFrom } from './run-arguments.ts'
import { hashOf } from './sets.ts'
import { gatherTemplates, notFound, type TemplateSource } from './templates.ts'

export type RunSpec = AnalysisRun['spec']
type TemplateSpec = AnalysisTemplate['spec']
type Built = Readonly<{ spec: RunSpec } | { problem: string }>

/** What a run is made of. Arguments without a value are left to the templates' defaults. */
export type RunSource = Pick<RolloutAnalysis, 'templates' | 'args' | 'dryRun' | 'measurementRetention'>

/** Builds the spec of a run from its templates, or says why it cannot be. */
export function buildRunSpec(from: TemplateSource, analysis: RunSource): Built {
  const gathered = gatherTemplates(from, analysis.templates)
  if ('missing' in gathered) return { problem: notFound(gathered.missing) }
  return specOfTemplates(
    gathered.templates.map(({ spec }) => spec),
    analysis,
  )
}

/** One spec of several templates and of what is given for them. */
export function specOfTemplates(specs: readonly TemplateSpec[], given: Omit<RunSource, 'templates'>): Built {
  const metrics = specs.flatMap(spec => spec.metrics ?? [])
  const names = metrics.map(metric => metric.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) return { problem: `two metrics have the same name '${twice}'` }
  const dryRun = specs.flatMap(spec => spec.dryRun ?? [])
  const measurementRetention = specs.flatMap(spec => spec.measurementRetention ?? [])
  const rules = ruleProblem({ dryRun, measurementRetention })
  if (rules !== undefined) return { problem: rules }
  const wanted = argumentsOf(specs)
  const args = 'problem' in wanted ? wanted : mergeArguments(given.args ?? [], wanted.args)
  if ('problem' in args) return args
  const all = {
    dryRun: [...(given.dryRun ?? []), ...dryRun],
    measurementRetention: [...(given.measurementRetention ?? []), ...measurementRetention],
  }
  const problem = ruleProblem(all)
  if (problem !== undefined) return { problem }
  return {
    spec: {
      metrics,
      ...(args.args.length > 0 ? { args: [...args.args] } : {}),
      ...(all.dryRun.length > 0 ? { dryRun: all.dryRun } : {}),
      ...(all.measurementRetention.length > 0 ? { measurementRetention: all.measurementRetention } : {}),
    },
  }
}

type Argument = NonNullable<RunSpec['args']>[number]

type Arguments = Readonly<{ args: readonly Argument[] } | { problem: string }>

const givenValue = ({ value }: Argument): string | undefined => value ?? undefined

/** The arguments that templates ask for. argo: one without a value, a secret too, gives way to a later one. */
function argumentsOf(specs: readonly TemplateSpec[]): Arguments {
  const wanted = new Map<string, Argument>()
  for (const arg of specs.flatMap(spec => spec.args ?? [])) {
    const before = wanted.get(arg.name)
    const [old, value] = [before && givenValue(before), givenValue(arg)]
    if (old !== undefined && value !== undefined && old !== value) {
      const text = `Argument \`${arg.name}\` specified multiple times with different values: '${old}', '${value}'`
      return { problem: text }
    }
    if (old === undefined) wanted.set(arg.name, arg)
  }
  return { args: [...wanted.values()] }
}

/** The arguments of the templates with what is given for them. argo: those that no template asks for are dropped; a value
 * and a source that come from different places are both kept. */
export function mergeArguments(given: readonly Argument[], wanted: readonly Argument[]): Arguments {
  const args = [...wanted]
  for (const arg of given) {
    const at = args.findIndex(one => one.name === arg.name)
    const old = args[at]
    if (!old) continue
    const value = givenValue(arg)
    if (value !== undefined) args[at] = { ...old, value }
    else if (arg.valueFrom) args[at] = { ...old, valueFrom: arg.valueFrom }
  }
  const missing = args.find(arg => givenValue(arg) === undefined && !arg.valueFrom)
  return missing ? { problem: `args.${missing.name} was not resolved` } : { args }
}

/** The arguments with what they take from the rollout put in, or why one cannot be had. */
export const rolloutArguments = ({ rollout, newRS, stableRS }: Observed, args: RolloutAnalysis['args']) =>
  argumentsFrom(rollout, { latest: newRS && hashOf(newRS), stable: stableRS && hashOf(stableRS) }, args)

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
