// Which objects belong to which: by the uid of an owner, in the order in which people expect them.
import type { ObjectMeta } from '../contract.ts'

type Owned = Readonly<{ metadata: ObjectMeta }>

/** The objects that `uid` owns, oldest first; the name breaks ties, since creation times have whole seconds only. */
export function ownedBy<T extends Owned>(uid: string | undefined, objects: readonly T[]): readonly T[] {
  if (uid === undefined) return []
  return objects.filter(o => o.metadata.ownerReferences?.some(owner => owner.uid === uid)).toSorted(byAge)
}

/** Oldest first, then by name. */
export function byAge(a: Owned, b: Owned): number {
  const [x, y] = [a.metadata, b.metadata]
  if (x.creationTimestamp !== y.creationTimestamp)
    return (x.creationTimestamp ?? '') < (y.creationTimestamp ?? '') ? -1 : 1
  return x.name < y.name ? -1 : x.name > y.name ? 1 : 0
}
