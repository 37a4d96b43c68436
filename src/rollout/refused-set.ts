// The API server refuses the ReplicaSet of the new version: by its own rules, a quota, or an admission webhook.
import { type KubeObject, refOf } from '../contract.ts'
import { refusedSet, setCondition } from './conditions.ts'
import type { Observed } from './observe.ts'
import { type Part, part, warning } from './part.ts'
import { statusPatch } from './status.ts'

/** Answers that will be the same as long as nobody changes anything. */
const FINAL = new Set([400, 403, 413, 422])

/** The event and the status that tell it; undefined when this is no refusal, or nothing new. */
export function planRefusedSet(seen: Observed, wanted: KubeObject, error: Error, now: number): Part | undefined {
  const { code = 0, details } = error as Error & {
    code?: number
    details?: { causes?: readonly { reason?: string }[] }
  }
  if (wanted.kind !== 'ReplicaSet' || !FINAL.has(code)) return undefined
  // Nothing is to be told of a namespace that goes.
  if (details?.causes?.some(cause => cause.reason === 'NamespaceTerminating')) return undefined
  const fields = refusedSet(wanted.metadata.name, error.message)
  const others = (seen.status.conditions ?? []).filter(
    one => one.message === fields.message || one.type !== fields.type,
  )
  const conditions = [...setCondition(others, fields, now)]
  // argo: the phase goes on saying what was before.
  const phase = { phase: 'Degraded', message: `${fields.reason}: ${fields.message}` }
  const observedGeneration = `${seen.rollout.metadata.generation ?? 0}`
  const patch = statusPatch(seen.rollout.status, { ...seen.status, conditions, ...phase, observedGeneration })
  if (!patch) return undefined
  return part({
    events: [warning(fields.reason, fields.message)],
    actions: [
      {
        verb: 'patch',
        ref: refOf(seen.rollout),
        type: 'merge',
        subresource: 'status',
        patch: { status: patch },
        why: fields.message,
      },
    ],
  })
}
