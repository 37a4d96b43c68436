// The rules of one canary step.
import { pauseSeconds } from '../../api/duration.ts'
import type { CanaryStep, CanaryStrategy } from '../../api/rollout.ts'
import type { Causes } from '../../api/rules/causes.ts'
import { isFieldPath } from './field-path.ts'
import { hasPlugins } from './plugins.ts'
import { checkHeaderRoute, checkManaged, checkMirrorRoute } from './routes.ts'
import { shown } from './shown.ts'

const TEXT = 'Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause'

/** Two of these cannot be one step. argo: all others may be combined silently. */
const EXCLUSIVE = ['experiment', 'pause', 'setWeight', 'analysis'] as const
const KINDS = [...EXCLUSIVE, 'setCanaryScale', 'setHeaderRoute', 'setMirrorRoute', 'plugin'] as const

const flag = (name: string, value: boolean): string =>
  `step.${name.slice(0, 1).toUpperCase()}${name.slice(1)}: ${value}`

/** Checks the step at `path`. */
export function checkStep(to: Causes, step: CanaryStep, path: string, canary: CanaryStrategy): void {
  const { trafficRouting: routing } = canary
  const has = (kind: (typeof KINDS)[number]): boolean => step[kind] != null
  if (!KINDS.some(has)) to.invalid(path, KINDS.map(kind => flag(kind, true)).join(' '), TEXT)
  if (EXCLUSIVE.filter(has).length > 1) {
    to.invalid(path, EXCLUSIVE.map(kind => flag(kind, has(kind))).join(' '), TEXT)
  }
  const max = routing?.maxTrafficWeight ?? 100
  if (step.setWeight != null && (step.setWeight < 0 || step.setWeight > max)) {
    to.invalid(`${path}.setWeight`, step.setWeight, `SetWeight needs to be between 0 and ${max}`)
  }
  const seconds = step.pause?.duration == null ? undefined : pauseSeconds(step.pause.duration)
  if (seconds !== undefined && seconds < 0) {
    to.invalid(`${path}.pause.duration`, seconds, 'Duration needs to be greater than 0')
  }
  if (step.setCanaryScale != null && !routing) {
    to.required('spec.strategy.trafficRouting', 'SetCanaryScale requires TrafficRouting to be set')
  }
  if (step.setHeaderRoute) checkHeaderRoute(to, step.setHeaderRoute, `${path}.setHeaderRoute`, routing)
  if (step.setMirrorRoute) checkMirrorRoute(to, step.setMirrorRoute, `${path}.setMirrorRoute`, routing)
  checkManaged(to, step, path, routing)
  checkExperimentWeights(to, step, path, routing)
  checkArguments(to, step, path)
}

function checkExperimentWeights(
  to: Causes,
  { experiment }: CanaryStep,
  path: string,
  routing: CanaryStrategy['trafficRouting'],
): void {
  for (const [k, { weight }] of (experiment?.templates ?? []).entries()) {
    if (weight == null) continue
    const field = `${path}.experiment.templates[${k}].weight`
    if (!routing) {
      to.invalid(field, weight, 'Experiment template weight cannot be set unless TrafficRouting is enabled')
    } else if (!routing.smi && !routing.alb && !routing.istio && !hasPlugins(routing)) {
      const text =
        'Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins at this time'
      to.invalid(field, weight, text)
    }
  }
}

type Argument = Readonly<{ valueFrom?: Readonly<{ fieldRef?: Readonly<{ fieldPath?: string }> | null }> | null }>

/** argo: one error for each bad argument, its value the whole list of the step's arguments. */
function checkArguments(to: Causes, { analysis, experiment }: CanaryStep, path: string): void {
  const args = [
    ...(experiment?.analyses ?? []).flatMap(({ args: more }) => more ?? []),
    ...(analysis?.args ?? []),
  ] as readonly Argument[]
  for (const { valueFrom } of args) {
    const fieldPath = valueFrom?.fieldRef?.fieldPath ?? ''
    if (!fieldPath.startsWith('metadata') || isFieldPath(fieldPath)) continue
    const text = 'Analyses arguments must refer to valid object metadata supported by downwardAPI'
    to.invalid(`${path}.analyses`, shown('[]AnalysisRunArgument', args), text)
  }
}
