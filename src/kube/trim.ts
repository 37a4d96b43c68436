// What the cache keeps of an object, and how it is kept from being changed.
import type { KubeObject } from '../contract.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object without what nobody here reads and what costs half the memory: managed fields, last-applied. */
export function trimmed(object: KubeObject): KubeObject {
  const { managedFields: _m, ...metadata } = object.metadata
  const annotations = metadata.annotations
  if (annotations?.[LAST_APPLIED] === undefined) return { ...object, metadata }
  const { [LAST_APPLIED]: _a, ...rest } = annotations
  return { ...object, metadata: { ...metadata, annotations: rest } }
}

/** Custom resources: every change of their spec counts in the generation. Not so of built-in kinds: a Pod that is bound to
 * a node keeps its generation. */
const countsEveryChange = ({ apiVersion }: KubeObject): boolean => {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return group.includes('.') && !group.endsWith('.k8s.io')
}

/** The newer object with the spec of the older one when the generation says that it is the same. Saves memory, and lets
 * readers remember what they made of it. */
export function sharing(old: KubeObject | undefined, object: KubeObject): KubeObject {
  const { uid, generation } = object.metadata
  if (!countsEveryChange(object) || object['spec'] === undefined || generation === undefined) return object
  const isSame = old?.metadata.uid === uid && old?.metadata.generation === generation
  return isSame ? { ...object, spec: old!['spec'] } : object
}

/** Freezes a JSON value all the way down and returns it: readers share it, so nobody may edit it. */
export function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFrozen(part)
  return value
}
