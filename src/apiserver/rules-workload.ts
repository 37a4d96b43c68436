// Rules for Deployments, ReplicaSets, Jobs, autoscalers and disruption budgets.

import { type Causes, collectCauses } from '../api/rules/causes.ts'
import { labelValueFaults } from '../api/rules/names.ts'
import { checkTemplate } from '../api/rules/pod.ts'
import { checkAmount, checkSelector, checkTemplateLabels, checkWorkloadSelector } from '../api/rules/selector.ts'
import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { sameJson } from '../contract.ts'
import type { Cause } from './model.ts'

const specOf = (object: Tree): Tree => treeAt(object, 'spec')

function checkAlwaysRunning(to: Causes, spec: Tree): void {
  const template = treeAt(spec, 'template')
  checkTemplate(to, 'spec.template', template)
  const pod = treeAt(template, 'spec')
  const policy = pod['restartPolicy']
  if (policy === 'Never' || policy === 'OnFailure')
    to.unsupported('spec.template.spec.restartPolicy', policy, ['Always'])
  if (pod['activeDeadlineSeconds'] !== undefined)
    to.forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in ReplicaSet is not Supported')
}

function checkFixed(to: Causes, field: string, value: unknown, old: unknown): void {
  if (!sameJson(value, old)) to.invalid(field, value, 'field is immutable')
}

function checkStrategy(to: Causes, spec: Tree): void {
  const strategy = treeAt(spec, 'strategy')
  const at = 'spec.strategy.rollingUpdate'
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate') {
    if (isTree(rollingUpdate)) to.forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    return
  }
  if (type !== 'RollingUpdate') {
    const shown = { Type: type, RollingUpdate: rollingUpdate ?? null }
    to.unsupported('spec.strategy', shown, ['Recreate', 'RollingUpdate'])
    return
  }
  const { maxUnavailable, maxSurge } = treeAt(strategy, 'rollingUpdate')
  const none = [0, '0%']
  checkAmount(to, `${at}.maxUnavailable`, maxUnavailable, true)
  checkAmount(to, `${at}.maxSurge`, maxSurge)
  if (none.includes(maxUnavailable as string) && none.includes(maxSurge as string))
    to.invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')
}

/** What is wrong with a Deployment. */
export function deploymentCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = specOf(object)
  to.notNegative('spec.replicas', spec['replicas'])
  checkWorkloadSelector(to, spec)
  checkAlwaysRunning(to, spec)
  checkStrategy(to, spec)
  to.notNegative('spec.minReadySeconds', spec['minReadySeconds'])
  to.notNegative('spec.revisionHistoryLimit', spec['revisionHistoryLimit'])
  const deadline = spec['progressDeadlineSeconds']
  to.notNegative('spec.progressDeadlineSeconds', deadline)
  if (typeof deadline === 'number' && deadline <= numberAt(spec, 'minReadySeconds'))
    to.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')
  if (old) checkFixed(to, 'spec.selector', spec['selector'], specOf(old)['selector'])
  return to.list
}

/** What is wrong with a ReplicaSet. */
export function replicaSetCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = specOf(object)
  to.notNegative('spec.replicas', spec['replicas'])
  to.notNegative('spec.minReadySeconds', spec['minReadySeconds'])
  checkWorkloadSelector(to, spec)
  checkAlwaysRunning(to, spec)
  if (old) checkFixed(to, 'spec.selector', spec['selector'], specOf(old)['selector'])
  return to.list
}

const jobNumbers = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]

/** While a Job is suspended and has not started its template may still change. */
function checkJobChange(to: Causes, object: Tree, old: Tree): void {
  const [spec, before] = [specOf(object), specOf(old)]
  const isStarted = treeAt(old, 'status')['startTime'] !== undefined
  const isOpen = before['suspend'] === true && !isStarted
  checkFixed(to, 'spec.completions', spec['completions'], before['completions'])
  checkFixed(to, 'spec.selector', spec['selector'], before['selector'])
  if (!isOpen) checkFixed(to, 'spec.template', spec['template'], before['template'])
  for (const name of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'])
    checkFixed(to, `spec.${name}`, spec[name], before[name])
}

/** The selector of a Job that makes its own is that and nothing more. */
function checkGenerated(to: Causes, object: Tree, name: string): void {
  const { selector } = specOf(object)
  const uid = treeAt(object, 'metadata')['uid']
  const made = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } }
  to.faults('spec.template.labels', name, labelValueFaults(name))
  if (!sameJson(selector, made)) to.invalid('spec.selector', selector, '`selector` not auto-generated')
}

/** What is wrong with a Job. */
export function jobCauses(object: Tree, old?: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = specOf(object)
  const name = textAt(treeAt(object, 'metadata'), 'name')
  if (!isTree(spec['selector'])) to.required('spec.selector')
  else checkSelector(to, 'spec.selector', spec['selector'])
  for (const number of jobNumbers) to.notNegative(`spec.${number}`, spec[number])
  to.oneOf('spec.completionMode', spec['completionMode'], ['NonIndexed', 'Indexed'])
  to.oneOf('spec.podReplacementPolicy', spec['podReplacementPolicy'], ['Failed', 'TerminatingOrFailed'])
  if (spec['completionMode'] === 'Indexed' && spec['completions'] === undefined)
    to.required('spec.completions', "when completion mode is 'Indexed'")
  if (!old && spec['manualSelector'] !== true) checkGenerated(to, object, name)
  checkTemplateLabels(to, spec)
  const pod = treeAt(treeAt(spec, 'template'), 'spec')
  checkTemplate(to, 'spec.template', treeAt(spec, 'template'))
  if (pod['restartPolicy'] === 'Always')
    to.required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"')
  if (old) checkJobChange(to, object, old)
  return to.list
}

const metricSources: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}

function checkMetrics(to: Causes, spec: Tree): void {
  for (const [i, metric] of treesAt(spec, 'metrics').entries()) {
    const at = `spec.metrics[${i}]`
    const source = metricSources[textAt(metric, 'type')]
    if (source === undefined) {
      to.oneOf(`${at}.type`, metric['type'], Object.keys(metricSources))
      continue
    }
    if (!isTree(metric[source])) {
      to.required(`${at}.${source}`, 'must populate information for the given metric source')
      continue
    }
    const target = treeAt(metric[source], 'target')
    if (source === 'resource' && target['averageUtilization'] === undefined && target['averageValue'] === undefined)
      to.required(
        `${at}.resource.target.averageUtilization`,
        'must set either a target raw value or a target utilization',
      )
  }
}

/** What is wrong with a HorizontalPodAutoscaler. */
export function autoscalerCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = specOf(object)
  const [min, max] = [numberAt(spec, 'minReplicas'), numberAt(spec, 'maxReplicas')]
  const isLoose = treesAt(spec, 'metrics').some(m => m['type'] === 'Object' || m['type'] === 'External')
  const hint = 'must specify at least one Object or External metric to support scaling to zero replicas'
  to.notNegative('spec.minReplicas', spec['minReplicas'])
  if (max < min) to.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`')
  if (max === 0) to.required('spec.maxReplicas')
  else if (max < 1) to.invalid('spec.maxReplicas', max, 'must be greater than or equal to 1')
  const target = treeAt(spec, 'scaleTargetRef')
  for (const name of ['kind', 'name']) if (textAt(target, name) === '') to.required(`spec.scaleTargetRef.${name}`)
  if (textAt(target, 'apiVersion') === '')
    to.invalid('spec.scaleTargetRef.apiVersion', '', 'apiVersion must specify API group')
  checkMetrics(to, spec)
  if (min === 0 && !isLoose) to.forbidden('spec.metrics', hint)
  return to.list
}

/** What is wrong with a PodDisruptionBudget. */
export function budgetCauses(object: Tree): readonly Cause[] {
  const to = collectCauses()
  const spec = specOf(object)
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    }
    to.invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set')
  }
  checkAmount(to, 'spec.minAvailable', minAvailable, true)
  checkAmount(to, 'spec.maxUnavailable', maxUnavailable, true)
  if (isTree(selector)) checkSelector(to, 'spec.selector', selector)
  if (policy !== undefined) to.oneOf('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget'])
  return to.list
}
