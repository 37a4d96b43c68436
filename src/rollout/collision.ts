// A ReplicaSet of the wanted name exists already: ours, or a hash collision (argo-behaviour 2.3).
import type { ReplicaSet } from '../api/kube.ts'
import { type Action, type KubeObject, refOf } from '../contract.ts'
import type { Observed } from './observe.ts'
import { samePodTemplate } from './template-equal.ts'

/** The write that counts a collision, so that the next pass hashes to another name; undefined when the live object is
 * simply ours. An object other than a ReplicaSet is ours when we control it. */
export function planCollision(seen: Observed, wanted: KubeObject, live: KubeObject): Action | undefined {
  const uid = seen.rollout.metadata.uid
  const isOurs = live.metadata.ownerReferences?.some(owner => owner.controller === true && owner.uid === uid) ?? false
  if (wanted.kind !== 'ReplicaSet') return undefined
  const [a, b] = [(live as ReplicaSet).spec.template, (wanted as ReplicaSet).spec.template]
  if (isOurs && samePodTemplate(a, b, live.metadata.annotations)) return undefined
  const collisionCount = (seen.status.collisionCount ?? 0) + 1
  return {
    verb: 'patch',
    ref: refOf(seen.rollout),
    type: 'merge',
    subresource: 'status',
    patch: { status: { collisionCount } },
    why: `ReplicaSet ${wanted.metadata.name} exists with another template or owner`,
  }
}
