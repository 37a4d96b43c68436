// The hash of a pod template: names the ReplicaSet, and is its pod-template-hash label and status.currentPodHash.
import type { PodTemplateSpec } from '../api/kube.ts'
import { encodeHash, fnv1a, fnv1aCount } from './fnv.ts'
import { type Codec, compileTypes, Malformed } from './go-json.ts'
import { POD_TEMPLATE_TYPES } from './go-json-order.ts'
import { readTolerant, type Stop } from './go-json-tolerant.ts'
import { perObject } from './per-object.ts'

const template: Codec = compileTypes(POD_TEMPLATE_TYPES).get('PodTemplateSpec')!

function hashOf(text: string, collisionCount: number | null | undefined): string {
  const hash = fnv1a(text)
  return encodeHash(collisionCount === undefined || collisionCount === null ? hash : fnv1aCount(collisionCount, hash))
}

const orEmpty = (value: unknown): unknown => (value === null || value === undefined ? {} : value)

/** The hash of a template that converts strictly, as an API server would want it; an error otherwise.
 * Integers beyond 2^53 may be bigints. */
export function podTemplateHashStrict(
  value: unknown,
  collisionCount?: number | null,
): Readonly<{ hash: string }> | Readonly<{ error: true }> {
  try {
    return { hash: hashOf(template.write(orEmpty(value)), collisionCount) }
  } catch (error) {
    if (error instanceof Malformed) return { error: true }
    throw error
  }
}

/** The hash of spec.template, also of one that does not quite fit its type. `collisionCount` is that of the status; zero
 * and absent differ. argo: a quantity that cannot be read ends the reading of the whole object, so the count is lost. */
export function podTemplateHash(value: unknown, collisionCount?: number | null): string {
  const strict = podTemplateHashStrict(value, collisionCount)
  if ('hash' in strict) return strict.hash
  const read = readTolerant(template, value)
  return hashOf(template.write(read.value), read.stop ? undefined : collisionCount)
}

const plainHash = perObject((value: object) => podTemplateHash(value))

/** As podTemplateHash, computed once for a template of the cache. */
export const hashOfTemplate = (value: object, collisionCount?: number | null): string =>
  collisionCount === undefined || collisionCount === null ? plainHash(value) : podTemplateHash(value, collisionCount)

/** A template as far as it can be read, and what in it cannot be read at all. */
export type Readable = Readonly<{ template: PodTemplateSpec; stop?: Stop }>

/** The template that a controller goes on with: parts of a wrong type are as good as absent. The API server lets some of
 * them pass (limits, requests, volumes), but not in a ReplicaSet. One that fits its type is the same object. */
export const readableTemplate = perObject((value: PodTemplateSpec): Readable => {
  if ('hash' in podTemplateHashStrict(value)) return { template: value }
  const { value: read, stop } = readTolerant(template, value)
  return { template: (read ?? {}) as PodTemplateSpec, ...(stop ? { stop } : {}) }
})
