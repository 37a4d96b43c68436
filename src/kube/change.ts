// A change of one object as watchers see it, and the key of an object.
import type { KubeObject } from '../contract.ts'

export type Change = Readonly<{
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** After a DELETED that nobody saw happen this is the last state known. */
  object: KubeObject
  previous?: KubeObject
}>

/** `namespace/name`; cluster-scoped objects have an empty namespace. */
export const objectKey = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`

/** The key of an object by its metadata. */
export const keyOf = (object: KubeObject): string => objectKey(object.metadata.namespace, object.metadata.name)

/** The uid of the controlling owner, '' when there is none. */
export const controllerUid = (object: KubeObject): string =>
  object.metadata.ownerReferences?.find(owner => owner.controller)?.uid ?? ''
