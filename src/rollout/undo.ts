// Undo: the pod template of an earlier revision becomes the wanted one again.
import type { ObjectMeta } from '../contract.ts'
import { REVISION } from './keys.ts'
import { samePodTemplate, withoutAdditions } from './template-equal.ts'
import { type Holder, type RolloutShape, type Template, templateOf, templatePath } from './verb.ts'

/** A ReplicaSet, as far as undo reads it. */
export type RevisionedSet = Readonly<{
  metadata: ObjectMeta
  spec: Readonly<{ template?: Template | null | undefined }>
}>

/** A JSON patch for the object that holds the template, the note to print instead, or why it cannot be done. */
export type UndoPlan = Readonly<{ patch: readonly unknown[] } | { note: string } | { problem: string }>

const revisionOf = ({ metadata }: RevisionedSet): number => {
  const text = metadata.annotations?.[REVISION] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

/** The set to go back to: of the given revision, or of the second newest when that is 0. */
function target(sets: readonly RevisionedSet[], toRevision: number): RevisionedSet | undefined {
  if (toRevision > 0) return sets.find(set => revisionOf(set) === toRevision)
  return sets.filter(set => revisionOf(set) > 0).toSorted((a, b) => revisionOf(b) - revisionOf(a))[1]
}

/** The patch behind `undo`. `replicaSets`: those that the rollout owns. `toRevision` 0: the one before the newest.
 * `holder`: the object that the patch is for, when a workloadRef names one. */
export function planUndo(
  rollout: RolloutShape,
  replicaSets: readonly RevisionedSet[],
  toRevision = 0,
  holder: Holder = rollout,
): UndoPlan {
  const set = target(replicaSets, toRevision)
  if (!set) {
    return toRevision > 0
      ? { problem: `unable to find specified revision ${toRevision} in history` }
      : { problem: `no revision found for rollout "${rollout.metadata.name}"` }
  }
  const current = templateOf(holder)
  if (samePodTemplate(set.spec.template, current, set.metadata.annotations)) {
    return { note: `skipped rollback (current template already matches revision ${revisionOf(set)})` }
  }
  // As the user would write it: written back as it stands it would be another version, and marked as stable for good.
  const value = withoutAdditions(set.spec.template, set.metadata.annotations, current)
  return { patch: [{ op: 'replace', path: templatePath(holder), value }] }
}
