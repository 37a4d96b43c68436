// Rules for the requests and limits of containers.
import type { Causes } from './causes.ts'
import { labelKeyFaults } from './names.ts'
import { parseQuantity } from './quantity.ts'
import { type Tree, treeAt } from './tree.ts'

const standard = new Set(['cpu', 'memory', 'ephemeral-storage'])
const nano = (amount: unknown): bigint => parseQuantity(String(amount))?.nano ?? 0n

/** Checks the amounts of a container's `resources`. */
export function checkResources(to: Causes, at: string, resources: Tree): void {
  const limits = treeAt(resources, 'limits')
  const requests = treeAt(resources, 'requests')
  for (const [kind, amounts] of [['limits', limits] as const, ['requests', requests] as const])
    for (const [name, amount] of Object.entries(amounts)) {
      const here = `${at}.${kind}[${name}]`
      to.faults(here, name, labelKeyFaults(name))
      if (!name.includes('/') && !standard.has(name) && !name.startsWith('hugepages-')) {
        to.invalid(here, name, 'must be a standard resource type or fully qualified')
        to.invalid(here, name, 'must be a standard resource for containers')
      }
      if (nano(amount) < 0n) to.invalid(here, amount, 'must be greater than or equal to 0')
    }
  const all = [...Object.keys(limits), ...Object.keys(requests)]
  const isLonely = all.some(name => name.startsWith('hugepages-')) && !all.includes('cpu') && !all.includes('memory')
  if (isLonely) to.forbidden(at, 'HugePages require cpu or memory')
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name]
    if (limit !== undefined && nano(amount) > nano(limit))
      to.invalid(`${at}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`)
  }
}
