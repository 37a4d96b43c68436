// Kinds that a rollout names and the controller cannot read: still on their way, or refused.
import type { KindRef, Millis } from '../contract.ts'
import type { Cache } from '../kube/cache.ts'

/** What stands between a rollout and its next plan: wait `again` milliseconds, or `told`: what people should mend. */
export type Unseen = Readonly<{ again: Millis } | { told: string }>

/** A first list takes so long, and more where the server is busy. */
const SOON: Millis = 100
/** Failures in a row from which on it is no hiccup; with the waits between them about five seconds. */
const LASTING = 3

/** Undefined when all kinds have been listed. Times in milliseconds. */
export function unseenOf(kinds: readonly KindRef[], cache: Pick<Cache, 'isSynced' | 'health'>): Unseen | undefined {
  const missing = kinds.filter(kind => !cache.isSynced(kind))
  if (missing.length === 0) return undefined
  const of = cache.health().filter(({ kind }) => missing.some(one => isSame(one, kind)))
  const lasting = of.find(({ failures }) => failures >= LASTING)
  if (!lasting) return { again: SOON }
  const { kind, problem } = lasting
  const told = `objects of kind ${kind.kind} (${kind.apiVersion}) cannot be read: ${problem}; the controller needs get, list and watch on them`
  return { told }
}

const isSame = (a: KindRef, b: KindRef): boolean => a.kind === b.kind && a.apiVersion === b.apiVersion
