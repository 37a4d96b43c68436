// The page's buttons: each reads the rollout, plans, and writes what the plan says.
import { type KubeObject, refOf } from '../contract.ts'
import type { Kube } from '../ports.ts'
import { planAbort } from '../rollout/abort.ts'
import { planPromote } from '../rollout/promote.ts'
import { planRestart } from '../rollout/restart.ts'
import { planRetry } from '../rollout/retry.ts'
import { planSetImage } from '../rollout/set-image.ts'
import { planUndo } from '../rollout/undo.ts'
import type { Holder, RolloutShape, VerbPlan } from '../rollout/verb.ts'
import { ownedBy } from '../view/owned.ts'
import { HttpError } from './http-error.ts'

export type Verb =
  | Readonly<{ is: 'abort' | 'retry' | 'restart' }>
  | Readonly<{ is: 'promote'; full: boolean }>
  | Readonly<{ is: 'undo'; revision: number }>
  | Readonly<{ is: 'set'; container: string; image: string }>

const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }

const shape = (rollout: KubeObject): RolloutShape => rollout as unknown as RolloutShape

function planOf(verb: Verb, rollout: KubeObject, now: number): VerbPlan {
  if (verb.is === 'abort') return planAbort(shape(rollout))
  if (verb.is === 'retry') return planRetry(shape(rollout))
  if (verb.is === 'promote') return planPromote(shape(rollout), { full: verb.full })
  return planRestart(now)
}

async function holderOf(kube: Kube, rollout: KubeObject): Promise<KubeObject> {
  const ref = shape(rollout).spec.workloadRef
  if (!ref) return rollout
  const { apiVersion = 'apps/v1', kind = 'Deployment', name = '' } = ref
  return kube.get({ apiVersion, kind, name, namespace: rollout.metadata.namespace ?? '' })
}

async function changeTemplate(kube: Kube, verb: Verb, rollout: KubeObject): Promise<void> {
  const holder = await holderOf(kube, rollout)
  const plan =
    verb.is === 'set'
      ? planSetImage(holder as Holder, verb.container, verb.image)
      : planUndo(shape(rollout), await setsOf(kube, rollout), verb.is === 'undo' ? verb.revision : 0, holder as Holder)
  if ('problem' in plan) throw new HttpError(400, plan.problem)
  if ('note' in plan) return
  await kube.perform({
    verb: 'patch',
    ref: refOf(holder),
    type: 'json',
    patch: plan.patch,
    why: 'asked for on the page',
  })
}

async function setsOf(kube: Kube, rollout: KubeObject) {
  const { namespace = '', uid } = rollout.metadata
  const { items } = await kube.list(REPLICA_SET, { namespace })
  return ownedBy(uid, items) as unknown as Parameters<typeof planUndo>[1]
}

/** Carries the verb out; the rollout after it. Raises HttpError 400 when the plan refuses, ApiError from the cluster.
 * `now` in milliseconds. */
export async function act(kube: Kube, namespace: string, name: string, verb: Verb, now: number): Promise<KubeObject> {
  const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace, name }
  const rollout = await kube.get(ref)
  if (verb.is === 'undo' || verb.is === 'set') {
    await changeTemplate(kube, verb, rollout)
    return kube.get(ref)
  }
  const { spec, status, problem } = planOf(verb, rollout, now)
  if (problem !== undefined) throw new HttpError(400, problem)
  const why = `${verb.is}, asked for on the page`
  let after: KubeObject | undefined = rollout
  // argo: the status first, so that an unpaused rollout already knows how far it may go
  if (status)
    after = await kube.perform({ verb: 'patch', ref, type: 'merge', patch: { status }, subresource: 'status', why })
  if (spec) after = await kube.perform({ verb: 'patch', ref, type: 'merge', patch: { spec }, why })
  return after ?? rollout
}
