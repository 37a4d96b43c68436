// What the verbs of the kubectl plugin write; a story's script names them as a user would type them.
import type { Action, KubeObject, Ref } from '../contract.ts'
import { refOf } from '../contract.ts'
import type { Stage } from './stage.ts'
import { storyKind } from './stage.ts'

type Rollout = KubeObject &
  Readonly<{
    spec?: Readonly<{
      paused?: boolean
      strategy?: Readonly<{ canary?: Readonly<{ steps?: readonly unknown[] }> }>
      template?: Readonly<{ spec?: Readonly<{ containers?: readonly Readonly<{ name: string }>[] }> }>
      workloadRef?: Readonly<{ apiVersion?: string; kind?: string; name?: string }>
    }>
    status?: Readonly<{
      currentPodHash?: string
      stableRS?: string
      currentStepIndex?: number
      pauseConditions?: readonly unknown[]
      controllerPause?: boolean
    }>
  }>

const WHY = 'the script of the story'
const HASH = 'rollouts-pod-template-hash'
const REVISION = 'rollout.argoproj.io/revision'

const merge = (ref: Ref, patch: unknown, subresource?: 'status'): Action => ({
  verb: 'patch',
  ref,
  type: 'merge',
  patch,
  why: WHY,
  ...(subresource && { subresource }),
})

/** The writes of a verb such as `set image app app=example/app:v2`, from what stands on the stage.
 * Throws on a verb or an object that is not there. */
export function verbActions(text: string, stage: Stage): readonly Action[] {
  const words = text.trim().split(/\s+/)
  const flags = words.filter(word => word.startsWith('--'))
  const [verb = '', ...operands] = words.filter(word => !word.startsWith('--'))
  const name = operands.find(word => !['image', 'rollout', 'ro'].includes(word)) ?? ''
  const rollout = stage.get(storyKind('Rollout'), name) as Rollout | undefined
  if (!rollout) throw new Error(`there is no rollout ${name} for: ${text}`)
  const ref = refOf(rollout)
  if (verb === 'promote') return promote(rollout, flags.includes('--full'))
  if (verb === 'abort') return [merge(ref, { status: { abort: true } }, 'status')]
  if (verb === 'retry') return [merge(ref, { status: { abort: false } }, 'status')]
  if (verb === 'pause') return [merge(ref, { spec: { paused: true } })]
  if (verb === 'restart') {
    const restartAt = `${new Date(stage.now()).toISOString().slice(0, 19)}Z`
    return [merge(ref, { spec: { restartAt } })]
  }
  if (verb === 'set') return [setImage(rollout, operands.at(-1) ?? '', stage)]
  if (verb === 'undo') {
    const revision = Number(flags.find(flag => flag.startsWith('--to-revision='))?.split('=')[1] ?? 0)
    return [undo(rollout, revision, stage)]
  }
  throw new Error(`stories do not know the verb: ${text}`)
}

// argo: the decision table of the plugin's promote; status is written before spec.
function promote(rollout: Rollout, full: boolean): readonly Action[] {
  const ref = refOf(rollout)
  const { spec = {}, status = {} } = rollout
  const unpause = spec.paused ? [merge(ref, { spec: { paused: false } })] : []
  if (full) {
    const differs = status.currentPodHash !== status.stableRS
    return [...(differs ? [merge(ref, { status: { promoteFull: true } }, 'status')] : []), ...unpause]
  }
  const steps = spec.strategy?.canary?.steps ?? []
  const patch =
    (status.pauseConditions ?? []).length > 0
      ? { pauseConditions: null }
      : steps.length > 0
        ? { pauseConditions: null, currentStepIndex: Math.min(steps.length, (status.currentStepIndex ?? 0) + 1) }
        : undefined
  return [...(patch ? [merge(ref, { status: patch }, 'status')] : []), ...unpause]
}

function templateOwner(rollout: Rollout, stage: Stage): KubeObject {
  const { workloadRef } = rollout.spec ?? {}
  if (!workloadRef) return rollout
  const owner = stage.get(storyKind(workloadRef.kind ?? ''), workloadRef.name ?? '')
  if (!owner) throw new Error(`${workloadRef.kind} ${workloadRef.name} is not there`)
  return owner
}

function setImage(rollout: Rollout, assignment: string, stage: Stage): Action {
  const at = assignment.indexOf('=')
  const [container, image] = [assignment.slice(0, at), assignment.slice(at + 1)]
  const owner = templateOwner(rollout, stage) as Rollout
  const containers = owner.spec?.template?.spec?.containers ?? []
  const next = containers.map(c => (container === '*' || c.name === container ? { ...c, image } : c))
  return merge(refOf(owner), { spec: { template: { spec: { containers: next } } } })
}

function undo(rollout: Rollout, revision: number, stage: Stage): Action {
  const sets = stage
    .list(storyKind('ReplicaSet'))
    .filter(set => set.metadata.ownerReferences?.some(owner => owner.uid === rollout.metadata.uid))
    .map(set => ({ set, number: Number(set.metadata.annotations?.[REVISION] ?? 0) }))
    .sort((a, b) => b.number - a.number)
  const chosen = revision === 0 ? sets[1] : sets.find(({ number }) => number === revision)
  if (!chosen) throw new Error(`unable to find specified revision ${revision} in history`)
  const { template } = chosen.set['spec'] as { template: { metadata: { labels: Record<string, string> } } }
  const { [HASH]: _hash, ...labels } = template.metadata.labels
  const value = { ...template, metadata: { ...template.metadata, labels } }
  const patch = [{ op: 'replace', path: '/spec/template', value }]
  return { verb: 'patch', ref: refOf(templateOwner(rollout, stage)), type: 'json', patch, why: WHY }
}
