// The analyses that a spec names: their templates must be there, and a run must come of them that ends.
import { ArgumentError, resolveMetric } from '../../analysis/args.ts'
import { effectiveCount } from '../../analysis/phases.ts'
import type { AnalysisTemplate, Metric } from '../../api/analysis.ts'
import type { RolloutAnalysis } from '../../api/analysis-ref.ts'
import type { Observed, Problem } from '../observe.ts'
import { buildRunSpec, ruleProblem } from '../run-spec.ts'
import { gatherTemplates, notFound } from '../templates.ts'

type Analysis = Readonly<{ path: string; analysis: RolloutAnalysis; isBackground: boolean; isCanary: boolean }>

/** Every analysis of the spec, in the order in which they are checked. */
function analysesOf({ spec }: Observed): readonly Analysis[] {
  const { blueGreen, canary } = spec.strategy ?? {}
  const at = (path: string, analysis: unknown, isCanary: boolean, isBackground = false): readonly Analysis[] =>
    analysis == null
      ? []
      : [{ path: `spec.strategy.${path}.templates`, analysis: analysis as RolloutAnalysis, isBackground, isCanary }]
  return [
    ...at('blueGreen.prePromotionAnalysis', blueGreen?.prePromotionAnalysis, false),
    ...at('blueGreen.postPromotionAnalysis', blueGreen?.postPromotionAnalysis, false),
    ...(canary?.steps ?? []).flatMap((step, i) => at(`canary.steps[${i}].analysis`, step?.analysis, true)),
    ...at('canary.analysis', canary?.analysis, true, true),
  ]
}

const problem = (path: string, value: string, text: string): Problem => ({
  message: `${path}: Invalid value: ${JSON.stringify(value)}: ${text}`,
})

/** The first template that is not there; one that another template names is told at that one's place. */
export function missingTemplate(seen: Observed): Problem | undefined {
  for (const { path, analysis } of analysesOf(seen)) {
    const gathered = gatherTemplates(seen, analysis.templates)
    if (!('missing' in gathered)) continue
    const { missing, isNested } = gathered
    return problem(isNested ? 'spec.templates' : path, missing.templateName ?? '', notFound(missing))
  }
  return undefined
}

/** Everything that is wrong with the analyses, all their templates being there. */
export function unfitTemplates(seen: Observed): readonly Problem[] {
  const analyses = analysesOf(seen)
  const steps = analyses.filter(one => one.isCanary && !one.isBackground).map(one => one.analysis)
  return analyses.flatMap(one => unfit(seen, one, one.isCanary ? steps : []))
}

/** argo: the rules of each step are tried with the templates of every analysis of the canary. */
function spoilt(templates: readonly AnalysisTemplate[], steps: readonly RolloutAnalysis[]): string | undefined {
  const dryRun = templates.flatMap(({ spec }) => spec.dryRun ?? [])
  const kept = templates.flatMap(({ spec }) => spec.measurementRetention ?? [])
  return steps
    .map(step =>
      ruleProblem({
        dryRun: [...(step.dryRun ?? []), ...dryRun],
        measurementRetention: [...(step.measurementRetention ?? []), ...kept],
      }),
    )
    .find(text => text !== undefined)
}

function unfit(seen: Observed, one: Analysis, steps: readonly RolloutAnalysis[]): readonly Problem[] {
  const { path, analysis, isBackground } = one
  const gathered = gatherTemplates(seen, analysis.templates)
  const templates = 'templates' in gathered ? gathered.templates : []
  const names = `templateNames: [${templates.map(({ metadata }) => metadata.name).join(' ')}]`
  // argo: of the rules only those of steps are checked, below.
  const built = buildRunSpec(seen, { templates: analysis.templates, args: stoodIn(analysis.args) })
  const text = 'problem' in built ? built.problem : spoilt(templates, steps)
  if (text !== undefined) return [problem(path, names, text)]
  return templates.flatMap(template =>
    (isBackground ? unfitBackground(template, analysis) : unfitMetrics(template)).map(fault =>
      problem(path, template.metadata.name, fault),
    ),
  )
}

/** What an argument stands for while a spec is checked. */
const DUMMY = 'dummy-value'

/** Arguments whose values are only known later. */
const stoodIn = (args: RolloutAnalysis['args']): RolloutAnalysis['args'] =>
  args?.map(({ valueFrom, ...arg }) => (valueFrom ? { ...arg, value: DUMMY } : arg))

/** A run that something waits for must end. argo: a count that comes from an argument counts as none. */
function unfitMetrics(template: AnalysisTemplate): readonly string[] {
  const { name } = template.metadata
  const both = template.spec.args?.find(arg => arg.value != null && arg.valueFrom != null)
  if (both) return [`AnalysisTemplate ${name}: arg '${both.name}' has both Value and ValueFrom fields`]
  const args = (template.spec.args ?? []).map(arg => ({ ...arg, value: arg.value ?? DUMMY }))
  let metrics: readonly Metric[]
  try {
    metrics = (template.spec.metrics ?? []).map(metric => resolveMetric(metric, args))
  } catch (error) {
    if (error instanceof ArgumentError) return [`AnalysisTemplate ${name}: ${error.message}`]
    throw error
  }
  return metrics
    .filter(metric => effectiveCount(metric) === undefined)
    .map(({ name: metric, count }) => {
      const shown = count === undefined || count === null ? '<nil>' : String(count)
      return `AnalysisTemplate ${name} has metric ${metric} which runs indefinitely. Invalid value for count: ${shown}`
    })
}

/** A background run needs every argument that a template leaves open. */
function unfitBackground(template: AnalysisTemplate, { args = [] }: RolloutAnalysis): readonly string[] {
  const open = (template.spec.args ?? []).filter(arg => arg.value == null && arg.valueFrom == null)
  if (open.length === 0) return []
  if ((args ?? []).length === 0) return ['missing analysis arguments in rollout spec']
  return open.filter(arg => !args?.some(given => given.name === arg.name)).map(arg => arg.name)
}
