// The columns of workloads, autoscalers and disruption budgets.

import { isTree, numberAt, type Tree, textAt, treeAt, treesAt } from '../api/rules/tree.ts'
import { ageText, shortHumanDuration } from './age.ts'
import { ageColumn, column, count, nameColumn, some, specOf, statusOf, templateColumns } from './columns.ts'
import type { Column } from './model.ts'

const replicas = (object: Tree): number => numberAt(specOf(object), 'replicas')
const status = (object: Tree, key: string): number => numberAt(statusOf(object), key)

export const deploymentColumns: readonly Column[] = [
  nameColumn,
  column('Ready', object => `${status(object, 'readyReplicas')}/${replicas(object)}`),
  column('Up-to-date', object => status(object, 'updatedReplicas')),
  column('Available', object => status(object, 'availableReplicas')),
  ageColumn,
  ...templateColumns,
]

export const replicaSetColumns: readonly Column[] = [
  nameColumn,
  count('Desired', replicas),
  count('Current', object => status(object, 'replicas')),
  count('Ready', object => status(object, 'readyReplicas')),
  ageColumn,
  ...templateColumns,
]

/** The first of these conditions that is true names the state of a Job. */
const jobWords: readonly (readonly [condition: string, word: string])[] = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
  ['deleted', 'Terminating'],
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
]

function jobStatus(job: Tree): string {
  const isTrue = (type: string): boolean =>
    type === 'deleted'
      ? treeAt(job, 'metadata')['deletionTimestamp'] !== undefined
      : treesAt(statusOf(job), 'conditions').find(c => c['type'] === type)?.['status'] === 'True'
  return jobWords.find(([condition]) => isTrue(condition))?.[1] ?? 'Running'
}

function completions(job: Tree): string {
  const done = status(job, 'succeeded')
  const wanted = specOf(job)['completions']
  if (typeof wanted === 'number') return `${done}/${wanted}`
  const parallelism = numberAt(specOf(job), 'parallelism')
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`
}

function duration(job: Tree, now: number): string {
  const start = textAt(statusOf(job), 'startTime')
  const end = textAt(statusOf(job), 'completionTime')
  if (start === '') return ''
  return end === '' ? ageText(start, now) : shortHumanDuration(Date.parse(end) - Date.parse(start))
}

export const jobColumns: readonly Column[] = [
  nameColumn,
  column('Status', jobStatus),
  column('Completions', completions),
  column('Duration', duration),
  ageColumn,
  ...templateColumns,
]

const sources = { External: 'external', Pods: 'pods', Object: 'object', Resource: 'resource' } as const
const amount = (value: unknown): string => (value === undefined ? '<unknown>' : String(value))

/** One metric as `cpu: 40%/80%` or `12/10`. */
function metricText(metric: Tree, measured: Tree): string {
  const type = textAt(metric, 'type')
  const key = type === 'ContainerResource' ? 'containerResource' : sources[type as keyof typeof sources]
  if (key === undefined) return '<unknown type>'
  const source = treeAt(metric, key)
  const target = treeAt(source, 'target')
  const current = treeAt(treeAt(measured, key), 'current')
  const average = target['averageValue']
  if (key === 'resource' || key === 'containerResource') {
    const name = textAt(source, 'name')
    if (average !== undefined) return `${name}: ${amount(current['averageValue'])}/${average}`
    const percent = (value: unknown, none: string) => (typeof value === 'number' ? `${value}%` : none)
    const now = percent(current['averageUtilization'], '<unknown>')
    return `${name}: ${now}/${percent(target['averageUtilization'], '<auto>')}`
  }
  if (key === 'pods') return `${amount(current['averageValue'])}/${average}`
  if (average !== undefined) return `${amount(current['averageValue'])}/${average} (avg)`
  return `${amount(current['value'])}/${target['value']}`
}

function targets(object: Tree): string {
  const metrics = treesAt(specOf(object), 'metrics')
  const measured = treesAt(statusOf(object), 'currentMetrics')
  if (metrics.length === 0) return '<none>'
  return some(
    metrics.map((metric, i) => metricText(metric, measured[i] ?? {})),
    2,
    ', ',
  )
}

function reference(object: Tree): string {
  const target = treeAt(specOf(object), 'scaleTargetRef')
  return `${textAt(target, 'kind')}/${textAt(target, 'name')}`
}

export const autoscalerColumns: readonly Column[] = [
  nameColumn,
  column('Reference', reference),
  column('Targets', targets),
  column('MinPods', object => {
    const min = specOf(object)['minReplicas']
    return typeof min === 'number' ? String(min) : '<unset>'
  }),
  column('MaxPods', object => numberAt(specOf(object), 'maxReplicas')),
  column('Replicas', object => status(object, 'currentReplicas')),
  ageColumn,
]

const limit = (value: unknown): string => (value === undefined || isTree(value) ? 'N/A' : String(value))

export const budgetColumns: readonly Column[] = [
  nameColumn,
  column('Min Available', object => limit(specOf(object)['minAvailable'])),
  column('Max Unavailable', object => limit(specOf(object)['maxUnavailable'])),
  count('Allowed Disruptions', object => status(object, 'disruptionsAllowed')),
  ageColumn,
]
