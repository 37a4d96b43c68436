// What the API server fills into Deployments, ReplicaSets, Jobs, autoscalers and disruption budgets.
// source: the defaults of apps/v1, batch/v1 and autoscaling/v2.

import { fill, isTree, ownTree, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { defaultTemplate } from './defaults-pod.ts'

/** The defaults of a Deployment. */
export function defaultDeployment(object: Tree): void {
  const spec = ownTree(object, 'spec')
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  const strategy = ownTree(spec, 'strategy')
  fill(strategy, { type: 'RollingUpdate' }, true)
  if (strategy['type'] === 'RollingUpdate')
    fill(ownTree(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' })
  defaultTemplate(ownTree(spec, 'template'))
}

/** The defaults of a ReplicaSet; its labels and selector follow the template's labels when there are none. */
export function defaultReplicaSet(object: Tree): void {
  const spec = ownTree(object, 'spec')
  fill(spec, { replicas: 1 })
  if (isTree(spec['template'])) defaultTemplate(spec['template'])
  else fill(spec, { template: { metadata: {}, spec: {} } })
}

const jobLabels = (name: string, uid: string): Readonly<Record<string, string>> => ({
  'batch.kubernetes.io/controller-uid': uid,
  'batch.kubernetes.io/job-name': name,
  'controller-uid': uid,
  'job-name': name,
})

/** The selector that no other Job has, and the labels that make the template match it. Needs metadata.uid. */
function selectByUid(object: Tree, spec: Tree): void {
  const metadata = treeAt(object, 'metadata')
  const uid = textAt(metadata, 'uid')
  const isStored = metadata['resourceVersion'] !== undefined
  if (uid === '' || isStored || spec['manualSelector'] === true) return
  const template = ownTree(ownTree(spec, 'template'), 'metadata')
  fill(ownTree(template, 'labels'), jobLabels(textAt(metadata, 'name'), uid))
  if (!isTree(spec['selector'])) spec['selector'] = {}
  const selector = ownTree(spec, 'selector')
  fill(ownTree(selector, 'matchLabels'), { 'batch.kubernetes.io/controller-uid': uid })
}

/** The defaults of a Job. Its selector and the labels behind it are made once metadata.uid is there. */
export function defaultJob(object: Tree): void {
  const spec = ownTree(object, 'spec')
  // Completions alone may stay open: that is a work queue.
  if (typeof spec['completions'] !== 'number' && typeof spec['parallelism'] !== 'number') spec['completions'] = 1
  const backoffLimit = typeof spec['backoffLimitPerIndex'] === 'number' ? 2_147_483_647 : 6
  const podReplacementPolicy = isTree(spec['podFailurePolicy']) ? 'Failed' : 'TerminatingOrFailed'
  fill(spec, { parallelism: 1, backoffLimit, completionMode: 'NonIndexed', suspend: false, manualSelector: false })
  fill(spec, { podReplacementPolicy })
  selectByUid(object, spec)
  defaultTemplate(ownTree(spec, 'template'))
  const metadata = ownTree(object, 'metadata')
  const labels = treeAt(treeAt(treeAt(spec, 'template'), 'metadata'), 'labels')
  const isBare = Object.keys(treeAt(metadata, 'labels')).length === 0
  if (isBare && Object.keys(labels).length > 0) metadata['labels'] = { ...labels }
  for (const rule of treesAt(treeAt(spec, 'podFailurePolicy'), 'rules'))
    for (const pattern of treesAt(rule, 'onPodConditions')) fill(pattern, { status: 'True' }, true)
}

const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const scaleDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }
const byCpu = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }

/** The defaults of a HorizontalPodAutoscaler; rules for both directions only where `behavior` is given. */
export function defaultAutoscaler(object: Tree): void {
  const spec = ownTree(object, 'spec')
  fill(spec, { minReplicas: 1 })
  if (treesAt(spec, 'metrics').length === 0) spec['metrics'] = [structuredClone(byCpu)]
  if (!isTree(spec['behavior'])) return
  fill(ownTree(spec['behavior'], 'scaleUp'), scaleUp)
  fill(ownTree(spec['behavior'], 'scaleDown'), scaleDown)
}
