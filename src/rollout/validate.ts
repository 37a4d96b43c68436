// The rules of a rollout's spec, in Argo's order (argo-behaviour 9.1); the first that fails is told.

import { pauseSeconds } from '../api/duration.ts'
import type { BlueGreenStrategy, CanaryStep, CanaryStrategy, RolloutSpec } from '../api/rollout.ts'
import type { Observed, Problem } from './observe.ts'
import type { Known } from './plan.ts'
import { selects } from './selector.ts'
import { findReferenceProblem } from './validate-refs.ts'

const shown = (value: unknown): string => (value === undefined || value === null ? 'null' : JSON.stringify(value))
const invalid = (path: string, value: unknown, text: string): Problem => ({
  message: `${path}: Invalid value: ${shown(value)}: ${text}`,
})
const required = (path: string, text: string): Problem => ({ message: `${path}: Required value: ${text}` })

/** The first problem of the spec or of what it refers to; undefined: fine. */
export function findProblem(seen: Observed, known: Known): Problem | undefined {
  if (seen.workloadProblem) return seen.workloadProblem
  return findSpecProblem(seen.spec, seen.rollout.spec.workloadRef != null) ?? findReferenceProblem(seen, known)
}

/** The first problem that the spec shows by itself. */
export function findSpecProblem(spec: RolloutSpec, fromRef = false): Problem | undefined {
  return (
    checkReplicas(spec) ??
    checkSelector(spec, fromRef) ??
    checkNumbers(spec) ??
    checkStrategy(spec) ??
    (spec.strategy?.blueGreen ? checkBlueGreen(spec.strategy.blueGreen, spec) : undefined) ??
    (spec.strategy?.canary ? checkCanary(spec.strategy.canary) : undefined)
  )
}

const atLeastZero = 'must be greater than or equal to 0'

const checkReplicas = ({ replicas }: RolloutSpec): Problem | undefined =>
  replicas != null && replicas < 0 ? invalid('spec.replicas', replicas, atLeastZero) : undefined

function checkSelector(spec: RolloutSpec, fromRef: boolean): Problem | undefined {
  const { selector, template } = spec
  if (!selector) {
    return fromRef ? undefined : required('spec.selector', "Rollout has missing field '.spec.selector'")
  }
  const isEmpty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  if (isEmpty) return invalid('spec.selector', selector, 'empty selector is invalid for deployment')
  const labels = template?.metadata?.labels ?? {}
  if (!selects(selector, labels)) {
    return invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')
  }
  if (!template?.spec?.containers?.length) return required('spec.template.spec.containers', '')
  return undefined
}

function checkNumbers(spec: RolloutSpec): Problem | undefined {
  for (const field of ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'] as const) {
    const value = spec[field]
    if (value != null && value < 0) return invalid(`spec.${field}`, value, atLeastZero)
  }
  const deadline = spec.progressDeadlineSeconds ?? 600
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    return invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')
  }
  return undefined
}

function checkStrategy({ strategy }: RolloutSpec): Problem | undefined {
  if (!strategy?.blueGreen && !strategy?.canary) {
    const text = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'"
    return required('spec.strategy.strategy', text)
  }
  if (strategy.blueGreen && strategy.canary) {
    return invalid('spec.strategy.strategy', 'blueGreen: true canary: true', 'Multiple Strategies can not be listed')
  }
  return undefined
}

function checkBlueGreen(strategy: BlueGreenStrategy, spec: RolloutSpec): Problem | undefined {
  const { activeService = '', previewService = '', scaleDownDelayRevisionLimit: limit } = strategy
  if (activeService === previewService) {
    const text =
      'This rollout uses the same service for the active and preview services, but two different services are required.'
    return invalid('spec.strategy.activeService', activeService, text)
  }
  if (limit != null && limit > (spec.revisionHistoryLimit ?? 10)) {
    const text = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
    return invalid('spec.strategy.scaleDownDelayRevisionLimit', limit, text)
  }
  return checkAntiAffinity(strategy.antiAffinity)
}

function checkAntiAffinity(rule: CanaryStrategy['antiAffinity']): Problem | undefined {
  if (rule == null) return undefined
  const preferred = rule.preferredDuringSchedulingIgnoredDuringExecution
  const hard = rule.requiredDuringSchedulingIgnoredDuringExecution
  if ((preferred == null) === (hard == null)) {
    return invalid('spec.strategy.antiAffinity', rule, 'AntiAffinity must have exactly one strategy listed')
  }
  const weight = preferred?.weight
  if (preferred != null && (weight === undefined || weight < 1 || weight > 100)) {
    return invalid('spec.strategy.antiAffinity.weight', weight ?? 0, 'AntiAffinity weight must be between 1-100')
  }
  return undefined
}

const isZero = (limit: unknown): boolean => limit === 0 || limit === '0' || limit === '0%'

function checkCanary(canary: CanaryStrategy): Problem | undefined {
  const { stableService = '', canaryService = '', trafficRouting: routing, pingPong } = canary
  if (isZero(canary.maxSurge) && isZero(canary.maxUnavailable)) {
    return invalid('spec.strategy.maxSurge', canary.maxSurge, 'MaxSurge and MaxUnavailable both can not be zero')
  }
  if (stableService !== '' && stableService === canaryService) {
    const text =
      'This rollout uses the same service for the stable and canary services, but two different services are required.'
    return invalid('spec.strategy.stableService', stableService, text)
  }
  if (routing && !pingPong && needsServices(routing)) {
    const text = 'Canary service and Stable service must to be set to use Traffic Routing'
    if (stableService === '') return invalid('spec.strategy.stableService', stableService, text)
    if (canaryService === '') return invalid('spec.strategy.canaryService', canaryService, text)
  }
  return checkRouting(canary) ?? checkSteps(canary) ?? checkAntiAffinity(canary.antiAffinity)
}

type Routing = NonNullable<CanaryStrategy['trafficRouting']>

/** Routers that split between two Services. */
const needsServices = (routing: Routing): boolean =>
  [routing.nginx, routing.smi, routing.apisix, routing.ambassador, routing.appMesh, routing.traefik, routing.alb].some(
    router => router != null,
  ) ||
  (routing.istio != null && routing.istio.destinationRule == null)

function checkRouting(canary: CanaryStrategy): Problem | undefined {
  const { trafficRouting: routing, scaleDownDelaySeconds: delay, dynamicStableScale: dynamic } = canary
  if (!routing && delay != null) {
    const text = 'Canary scaleDownDelaySeconds can only be used with traffic routing'
    return invalid('spec.strategy.scaleDownDelaySeconds', delay, text)
  }
  if (!routing && dynamic) {
    const text = 'Canary dynamicStableScale can only be used with traffic routing'
    return invalid('spec.strategy.dynamicStableScale', dynamic, text)
  }
  if (dynamic && delay != null) {
    const text = 'Canary dynamicStableScale cannot be used with scaleDownDelaySeconds'
    return invalid('spec.strategy.dynamicStableScale', dynamic, text)
  }
  if (routing?.maxTrafficWeight != null && !routing.nginx && !routing['plugins']) {
    const text = 'Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins'
    return invalid('spec.strategy.trafficRouting.maxTrafficWeight', routing.maxTrafficWeight, text)
  }
  return undefined
}

const STEP_TEXT = 'Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause'

function checkSteps(canary: CanaryStrategy): Problem | undefined {
  for (const [i, step] of (canary.steps ?? []).entries()) {
    const problem = checkStep(step ?? {}, `spec.strategy.steps[${i}]`, canary)
    if (problem) return problem
  }
  return undefined
}

const STEP_KINDS = [
  'setWeight',
  'pause',
  'experiment',
  'analysis',
  'setCanaryScale',
  'setHeaderRoute',
  'setMirrorRoute',
  'plugin',
] as const

function checkStep(step: CanaryStep, path: string, canary: CanaryStrategy): Problem | undefined {
  const has = (kind: (typeof STEP_KINDS)[number]) => step[kind] != null
  if (['setWeight', 'pause', 'experiment', 'analysis'].filter(kind => has(kind as 'pause')).length > 1) {
    const value = `step.Experiment: ${has('experiment')} step.Pause: ${has('pause')} step.SetWeight: ${has('setWeight')} step.Analysis: ${has('analysis')}`
    return invalid(path, value, STEP_TEXT)
  }
  if (!STEP_KINDS.some(has)) return invalid(path, 'none', STEP_TEXT)
  const max = canary.trafficRouting?.maxTrafficWeight ?? 100
  if (step.setWeight != null && (step.setWeight < 0 || step.setWeight > max)) {
    return invalid(`${path}.setWeight`, step.setWeight, `SetWeight needs to be between 0 and ${max}`)
  }
  const seconds = step.pause ? pauseSeconds(step.pause.duration ?? undefined) : undefined
  if (seconds !== undefined && seconds < 0) {
    return invalid(`${path}.pause.duration`, seconds, 'Duration needs to be greater than 0')
  }
  if (step.setCanaryScale != null && !canary.trafficRouting) {
    return required('spec.strategy.trafficRouting', 'SetCanaryScale requires TrafficRouting to be set')
  }
  return undefined
}
