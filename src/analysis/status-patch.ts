// The merge patch from one status to the next.
import { sameJson } from '../contract.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What turns `old` into `next` as a merge patch: lists whole, null for what is gone; undefined when nothing differs. */
export function patchBetween(old: unknown, next: unknown): Fields | undefined {
  const [before, after] = [isFields(old) ? old : {}, isFields(next) ? next : {}]
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]]
    if (sameJson(was, is)) continue
    patch[key] = is === undefined ? null : isFields(was) && isFields(is) ? patchBetween(was, is) : is
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}
