// Eviction: a delete that asks the disruption budgets first.
import type { KubeObject } from '../contract.ts'
import type { Core } from './core.ts'
import type { Deleted, DeleteOptions } from './delete.ts'
import { deleteObject } from './delete.ts'
import type { KindDef } from './model.ts'
import { StatusError } from './model.ts'
import { notFound } from './refusals.ts'
import type { LabelSelector } from './selectors.ts'
import { labelSelectorOf } from './selectors.ts'
import { updateObject } from './update.ts'

const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' }

type BudgetStatus = {
  disruptionsAllowed?: number
  desiredHealthy?: number
  currentHealthy?: number
  disruptedPods?: Record<string, string>
}

/** Deletes a Pod if its disruption budget allows. Raises 404, 429 (not now), 500 (two budgets). */
export const evict = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  options: DeleteOptions,
): Deleted => {
  const pod = core.store.get(def, at.namespace, at.name)
  if (!pod) throw notFound(def, at.name)
  if (!isExempt(pod)) askBudgets(core, pod, options)
  return deleteObject(core, def, at, options)
}

const isExempt = ({ metadata, status }: KubeObject): boolean => {
  const { phase } = (status ?? {}) as { phase?: string }
  if (metadata.deletionTimestamp !== undefined) return true
  return phase === 'Pending' || phase === 'Succeeded' || phase === 'Failed'
}

const askBudgets = (core: Core, pod: KubeObject, options: DeleteOptions): void => {
  const def = core.kinds.tryFind(BUDGET)
  if (!def) return
  const { name, namespace = '', labels } = pod.metadata
  const budgets = core.store.list(def, namespace).filter(({ spec }) => {
    const { selector } = (spec ?? {}) as { selector?: LabelSelector }
    return labelSelectorOf(selector)(labels)
  })
  const [budget, second] = budgets
  if (!budget) return
  if (second) {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    throw new StatusError(500, 'InternalError', message)
  }
  const status = (budget['status'] ?? {}) as BudgetStatus
  const allowed = status.disruptionsAllowed ?? 0
  if (allowed <= 0) throw refused(budget.metadata.name, status)
  const disruptedPods = { ...status.disruptedPods, [name]: new Date(core.clock.now()).toISOString() }
  const next = { ...status, disruptionsAllowed: allowed - 1, disruptedPods }
  updateObject(core, def, { namespace, name: budget.metadata.name }, live => ({ ...live, status: next }), {
    subresource: 'status',
    dryRun: options.dryRun ?? false,
  })
}

const refused = (name: string, { desiredHealthy = 0, currentHealthy = 0 }: BudgetStatus): StatusError =>
  new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [
      {
        reason: 'DisruptionBudget',
        message: `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      },
    ],
  })
