// The pods of one ReplicaSet among those that were read for this pass.
import type { Pod, ReplicaSet } from '../api/kube.ts'
import type { Observed } from './observe.ts'

/** Pods whose controller is `rs`; empty when this pass did not read pods. */
export const podsOf = (seen: Pick<Observed, 'pods'>, rs: ReplicaSet): readonly Pod[] =>
  (seen.pods ?? []).filter(pod => pod.metadata.ownerReferences?.some(o => o.controller && o.uid === rs.metadata.uid))
