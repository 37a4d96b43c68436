// What the verbs of the kubectl plugin write; a story's script names them as a user would type them.
import type { Action, KubeObject, Ref } from '../contract.ts'
import { refOf } from '../contract.ts'
import { planAbort } from '../rollout/abort.ts'
import { planPause } from '../rollout/pause.ts'
import { planPromote } from '../rollout/promote.ts'
import { planRestart } from '../rollout/restart.ts'
import { planRetry } from '../rollout/retry.ts'
import { planSetImage } from '../rollout/set-image.ts'
import { planUndo, type RevisionedSet } from '../rollout/undo.ts'
import type { Holder, RolloutShape, VerbPlan } from '../rollout/verb.ts'
import type { Stage } from './stage.ts'
import { storyKind } from './stage.ts'

type Rollout = KubeObject & RolloutShape

const WHY = 'the script of the story'

/** The writes of a verb such as `set image app app=example/app:v2`, from what stands on the stage.
 * Throws on a verb or an object that is not there, and on what the verb refuses. */
export function verbActions(text: string, stage: Stage): readonly Action[] {
  const words = text.trim().split(/\s+/)
  const flags = words.filter(word => word.startsWith('--'))
  const [verb = '', ...operands] = words.filter(word => !word.startsWith('--'))
  const name = operands.find(word => !['image', 'rollout', 'ro'].includes(word)) ?? ''
  const rollout = stage.get(storyKind('Rollout'), name) as Rollout | undefined
  if (!rollout) throw new Error(`there is no rollout ${name} for: ${text}`)
  if (verb === 'promote') return merges(rollout, planPromote(rollout, { full: flags.includes('--full') }))
  if (verb === 'abort') return merges(rollout, planAbort(rollout))
  if (verb === 'retry') return merges(rollout, planRetry(rollout))
  if (verb === 'pause') return merges(rollout, planPause(rollout))
  if (verb === 'restart') return merges(rollout, planRestart(stage.now()))
  const holder = holderOf(rollout, stage)
  if (verb === 'set') {
    const [container = '', image = ''] = split(operands.at(-1) ?? '')
    return jsonPatch(holder, planSetImage(holder as Holder, container, image))
  }
  if (verb === 'undo') {
    const revision = Number(flags.find(flag => flag.startsWith('--to-revision='))?.split('=')[1] ?? 0)
    const isOwn = (set: KubeObject) => set.metadata.ownerReferences?.some(owner => owner.uid === rollout.metadata.uid)
    const sets = stage.list(storyKind('ReplicaSet')).filter(isOwn) as unknown as readonly RevisionedSet[]
    return jsonPatch(holder, planUndo(rollout, sets, revision, holder as Holder))
  }
  throw new Error(`stories do not know the verb: ${text}`)
}

const split = (assignment: string): readonly string[] => {
  const at = assignment.indexOf('=')
  return [assignment.slice(0, at), assignment.slice(at + 1)]
}

/** What carries the pod template: the Rollout, or the workload that it refers to. */
function holderOf(rollout: Rollout, stage: Stage): KubeObject {
  const { workloadRef } = rollout.spec
  if (!workloadRef) return rollout
  const holder = stage.get(storyKind(workloadRef.kind ?? ''), workloadRef.name ?? '')
  if (!holder) throw new Error(`${workloadRef.kind} ${workloadRef.name} is not there`)
  return holder
}

function merges(rollout: Rollout, plan: VerbPlan): readonly Action[] {
  if (plan.problem !== undefined) throw new Error(plan.problem)
  const ref: Ref = refOf(rollout)
  const patch = { verb: 'patch', ref, type: 'merge', why: WHY } as const
  return [
    ...(plan.status ? [{ ...patch, patch: { status: plan.status }, subresource: 'status' as const }] : []),
    ...(plan.spec ? [{ ...patch, patch: { spec: plan.spec } }] : []),
  ]
}

type JsonPlan = Readonly<{ patch: readonly unknown[] } | { note: string } | { problem: string }>

function jsonPatch(holder: KubeObject, plan: JsonPlan): readonly Action[] {
  if ('problem' in plan) throw new Error(plan.problem)
  return 'note' in plan ? [] : [{ verb: 'patch', ref: refOf(holder), type: 'json', patch: plan.patch, why: WHY }]
}
