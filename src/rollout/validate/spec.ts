// The rules of a rollout's spec by itself, all that fail, in Argo's order (argo-behaviour 9.1). Start reading here.
import type { RolloutSpec } from '../../api/rollout.ts'
import { type Cause, type Causes, collectCauses } from '../../api/rules/causes.ts'
import { checkSelector } from '../../api/rules/selector.ts'
import type { Tree } from '../../api/rules/tree.ts'
import { sortedKeys } from '../json-text.ts'
import { checkBlueGreen } from './blue-green.ts'
import { checkCanary } from './canary.ts'
import { checkTemplate } from './template.ts'

export type SpecInput = Readonly<{
  spec: RolloutSpec
  /** The template (and maybe the selector) were read from spec.workloadRef. */
  isResolvedFromRef: boolean
}>

/** Everything that is wrong with the spec. The controller tells the first only. */
export function specCauses({ spec, isResolvedFromRef }: SpecInput): readonly Cause[] {
  const to = collectCauses({ repeats: true, dialect: '1.34' })
  to.notNegative('spec.replicas', spec.replicas)
  checkTheSelector(to, spec)
  for (const field of ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'] as const) {
    if (field === 'minReadySeconds') checkTheTemplate(to, spec, isResolvedFromRef)
    to.notNegative(`spec.${field}`, spec[field])
  }
  const deadline = spec.progressDeadlineSeconds ?? 600
  if (deadline <= (spec.minReadySeconds ?? 0)) {
    to.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')
  }
  checkStrategy(to, spec)
  return to.list
}

/** Labels in the order of their keys; one that is null is empty. */
const withoutNulls = (labels: Readonly<Record<string, unknown>>): Tree =>
  Object.fromEntries(sortedKeys(labels).map(key => [key, labels[key] ?? '']))

/** The selector as Go prints it: without members that say nothing. */
function shownSelector({ matchLabels, matchExpressions }: NonNullable<RolloutSpec['selector']>): Tree {
  return {
    ...(matchLabels && Object.keys(matchLabels).length > 0 ? { matchLabels: withoutNulls(matchLabels) } : {}),
    ...(matchExpressions && matchExpressions.length > 0
      ? {
          matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
            key: key ?? '',
            operator: operator ?? '',
            ...(values && values.length > 0 ? { values } : {}),
          })),
        }
      : {}),
  }
}

function checkTheSelector(to: Causes, { selector, workloadRef }: RolloutSpec): void {
  if (!selector) {
    if (!workloadRef) to.required('spec.selector', "Rollout has missing field '.spec.selector'")
    return
  }
  // What the selector of a referenced workload says is looked at with the template only.
  if (workloadRef) return
  const shown = shownSelector(selector)
  checkSelector(to, 'spec.selector', shown)
  if (Object.keys(shown).length === 0) to.invalid('spec.selector', {}, 'empty selector is invalid for deployment')
}

const hasTemplate = ({ template }: RolloutSpec): boolean =>
  Object.keys(template?.metadata?.labels ?? {}).length + Object.keys(template?.metadata?.annotations ?? {}).length > 0

function checkTheTemplate(to: Causes, spec: RolloutSpec, isResolvedFromRef: boolean): void {
  if (spec.workloadRef && !isResolvedFromRef) {
    // argo: a template beside workloadRef is told from an absent one by its labels and annotations only.
    if (hasTemplate(spec)) to.internal('spec.template', 'template must be empty for workload reference rollout')
  }
  const probe = collectCauses({ dialect: '1.34' })
  if (spec.selector) checkSelector(probe, 'spec.selector', shownSelector(spec.selector))
  if (probe.list.length > 0) {
    to.invalid('spec.selector', shownSelector(spec.selector ?? {}), 'invalid label selector')
    return
  }
  // The template is not here yet.
  if (spec.workloadRef && !isResolvedFromRef) return
  checkTemplate(to, spec)
}

function checkStrategy(to: Causes, spec: RolloutSpec): void {
  const { blueGreen, canary } = spec.strategy ?? {}
  if (blueGreen && canary) {
    to.invalid('spec.strategy.strategy', 'blueGreen: true canary: true', 'Multiple Strategies can not be listed')
  } else if (blueGreen) checkBlueGreen(to, blueGreen, spec)
  else if (canary) checkCanary(to, canary)
  else {
    const text = "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'"
    to.required('spec.strategy.strategy', text)
  }
}
