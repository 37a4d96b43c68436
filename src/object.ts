// Small things that are asked of any object of the cluster: its reference, its owner, and what is missing to make it another.
import type { Action, KubeObject, Ref } from './contract.ts'

/** The reference to an object. */
export const refOf = (object: KubeObject): Ref => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
  name: object.metadata.name,
})

/** The name of the rollout that controls an object, if one does. */
export const controllingRollout = (object: KubeObject): string | undefined =>
  object.metadata.ownerReferences?.find(owner => owner.controller === true && owner.kind === 'Rollout')?.name

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Deep equality of JSON values; key order does not count, an undefined member equals an absent one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => sameJson(x, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  for (const key of keys) if (!sameJson(a[key], b[key])) return false
  return true
}

/** The RFC 7386 merge patch that makes `target`'s fields true in `live`; null in `target` means "must be absent".
 * Fields of `live` that `target` does not name are left alone. Undefined: nothing to do. */
export function mergePatchTo(live: unknown, target: unknown): unknown {
  if (target === null) return live === undefined || live === null ? undefined : null
  if (!isRecord(target)) return sameJson(live, target) ? undefined : target
  const patch: Record<string, unknown> = {}
  const base = isRecord(live) ? live : {}
  for (const [key, value] of Object.entries(target)) {
    if (value === undefined) continue
    const part = mergePatchTo(base[key], value)
    if (part !== undefined) patch[key] = part
  }
  if (Object.keys(patch).length > 0) return patch
  return isRecord(live) ? undefined : {}
}

function withoutNulls(value: unknown): unknown {
  if (!isRecord(value)) return value
  const set = Object.entries(value).filter(([, v]) => v !== null && v !== undefined)
  return Object.fromEntries(set.map(([k, v]) => [k, withoutNulls(v)]))
}

/** The actions that make `desired` true: create, merge patch, or nothing when the world already says it.
 * In `desired`, null means "must be absent". */
export function ensure(live: KubeObject | undefined, desired: KubeObject, why: string): readonly Action[] {
  if (!live) return [{ verb: 'create', object: withoutNulls(desired) as KubeObject, why }]
  const { apiVersion: _a, kind: _k, ...fields } = desired
  const patch = mergePatchTo(live, fields)
  return patch === undefined ? [] : [{ verb: 'patch', ref: refOf(live), type: 'merge', patch, why }]
}
