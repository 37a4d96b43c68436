// Subsets of an Istio DestinationRule: the labels by which stable and canary pods are told apart.
import type { Dest } from '#contract'
import type { Fields } from './_istio-route.ts'

const HASH = 'rollouts-pod-template-hash'

export type SubsetNames = Readonly<{ canary: string; stable: string }>

type Subset = Readonly<{ name?: string; labels?: Readonly<Record<string, string>>; [field: string]: unknown }>

/** A subset that selects one pod template; without a hash it selects all versions. */
function selecting(subset: Subset, hash: string): Subset {
  const { [HASH]: before, ...others } = subset.labels ?? {}
  if ((before ?? '') === hash) return subset
  return { ...subset, labels: { ...others, ...(hash ? { [HASH]: hash } : {}) } }
}

/** Made for an experiment that is over: nobody but us labels a subset by nothing but the hash. */
const isLeftover = ({ labels = {} }: Subset): boolean => Object.keys(labels).join() === HASH

const subsetsOf = (spec: Fields): readonly Subset[] => {
  const { subsets } = spec
  return Array.isArray(subsets) ? (subsets as readonly Subset[]) : []
}

/** The subsets as they should be. argo: drops all that it does not know; here those of others stay. */
export function subsetsFor(spec: Fields, names: SubsetNames, dests: readonly Dest[]): readonly Subset[] {
  const wanted = new Map<string, string>()
  for (const { role, service = '', hash = '' } of dests) {
    if (role === 'canary' || role === 'stable') wanted.set(names[role], hash)
    else if (role === 'extra') wanted.set(service, hash)
  }
  const before = subsetsOf(spec)
  const kept = before.flatMap((subset): readonly Subset[] => {
    const hash = wanted.get(subset.name ?? '')
    if (hash !== undefined) return [selecting(subset, hash)]
    return isLeftover(subset) ? [] : [subset]
  })
  const there = new Set([names.canary, names.stable, ...before.map(({ name }) => name)])
  const extras = [...wanted].filter(([name]) => !there.has(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
  // A subset of an experiment that has no hash yet selects nothing; without the label it would select all versions.
  return [...kept, ...extras.map(([name, hash]) => ({ name, labels: { [HASH]: hash } }))]
}

/** The subsets without what we put into them: each selects all versions. None goes, as routes may lead to it; a subset of
 * the user's may have no other label than ours. */
export const unselected = (spec: Fields): readonly Subset[] => subsetsOf(spec).map(subset => selecting(subset, ''))
