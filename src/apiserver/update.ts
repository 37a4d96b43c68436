// Changing an object: versions compared, spec and status kept apart, generation, rules; the last finalizer's removal.
import type { KubeObject } from '../contract.ts'
import { sameJson } from '../contract.ts'
import { allocateAddresses } from './addresses.ts'
import type { Core, Draft, WriteOptions } from './core.ts'
import { inVersionOf, isKind } from './core.ts'
import { completeCrd, crdCauses } from './crds.ts'
import { causesOf, decode } from './decode.ts'
import { freezeJson } from './json-value.ts'
import type { KindDef } from './model.ts'
import { StatusError } from './model.ts'
import * as refuse from './refusals.ts'

export type UpdateOptions = WriteOptions &
  Readonly<{
    subresource?: 'status'
    /** The object comes from a patch: unreadable is 422 then. */
    patched?: boolean
  }>

// Kinds whose whole-object updates must name a version.
const NEEDS_VERSION = new Set(['Lease', 'PodDisruptionBudget', 'CustomResourceDefinition', 'ControllerRevision'])

/**
 * Changes an object: `change` gets it as stored and answers how it should be.
 * Raises 400, 404, 409 (old version, other uid), 422 (against the rules).
 */
export const updateObject = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  change: (existing: KubeObject) => unknown,
  options: UpdateOptions,
): KubeObject => {
  const { store, kinds } = core
  const stored = store.get(def, at.namespace, at.name)
  if (!stored) throw refuse.notFound(def, at.name)
  const old = inVersionOf(def, stored)
  const draft = read(def, change(old), options)
  checkPlace(def, draft, at)
  checkVersion(def, draft, old)
  keepMeta(draft, old)
  if (options.subresource === 'status') onlyStatus(def, draft, old)
  else if (def.status) keepMember(draft, old, 'status')
  raiseGeneration(def, draft, old, options.subresource)
  if (options.subresource === undefined) {
    if (isKind(def, '', 'Service')) allocateAddresses(core, draft, old)
    if (isKind(def, 'apiextensions.k8s.io', 'CustomResourceDefinition')) completeCrd(core, draft, old)
  }

  const object = draft as unknown as KubeObject
  const causes = [...causesOf(def, object, old), ...crdCauses(core, def, object, old)]
  if (causes.length > 0) throw refuse.invalid(def, at.name, causes)
  if (!hasNews(draft, old)) return old
  if (options.dryRun) return freezeJson(object)
  const next = inVersionOf(kinds.storage(def), object)
  if (!isFinished(object)) return inVersionOf(def, store.put(def, next))
  // The last finalizer is gone: the object goes as it was stored, the writer sees it as it would have been.
  store.delete(def, stored)
  return freezeJson(object)
}

// What a patch makes of an object is nobody's text: that it cannot be read is the fault of the patch.
const read = (def: KindDef, input: unknown, options: UpdateOptions): Draft => {
  try {
    return decode(def, input, options)
  } catch (error) {
    if (!options.patched || !(error instanceof StatusError) || error.code !== 400) throw error
    const why = error.message.replace(/^.* cannot be handled as an? \w+: /, '')
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(input))}: ${why}`
    throw refuse.invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', field: 'patch', message }])
  }
}

/** Whether an object that is being deleted has nothing left to wait for. */
export const isFinished = ({ metadata, kind, spec }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.finalizers ?? []).length === 0 &&
  (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !(kind === 'Namespace' && ((spec as { finalizers?: unknown[] } | undefined)?.finalizers ?? []).length > 0)

const checkPlace = (def: KindDef, draft: Draft, at: Readonly<{ namespace: string; name: string }>): void => {
  const { name, namespace } = draft.metadata
  if (name !== at.name) {
    throw refuse.badRequest(`the name of the object (${name ?? ''}) does not match the name on the URL (${at.name})`)
  }
  if (!def.namespaced) delete draft.metadata['namespace']
  else if (namespace === undefined) draft.metadata['namespace'] = at.namespace
  else if (namespace !== at.namespace) {
    throw refuse.badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
}

const checkVersion = (def: KindDef, draft: Draft, old: KubeObject): void => {
  const { metadata } = draft
  const { name, namespace, uid, resourceVersion } = old.metadata
  if (metadata['uid'] !== undefined && metadata['uid'] !== uid) {
    const key = `/registry/${def.builtIn ? '' : `${def.group}/`}${def.plural}/${namespace === undefined ? '' : `${namespace}/`}${name}`
    const why = `Precondition failed: UID in precondition: ${metadata['uid']}, UID in object meta: ${uid}`
    const text = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`
    throw refuse.conflict(def, name, text)
  }
  if (metadata['resourceVersion'] === undefined) {
    if (def.builtIn && !NEEDS_VERSION.has(def.kind)) return
    const message = 'Invalid value: 0: must be specified for an update'
    // The real server puts the plural where a kind belongs.
    throw refuse.invalid({ group: def.group, kind: def.plural }, name, [
      { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message },
    ])
  }
  if (metadata['resourceVersion'] !== resourceVersion) throw refuse.conflict(def, name)
}

// What a client cannot change, and what it may leave out.
const keepMeta = ({ metadata }: Draft, old: KubeObject): void => {
  const before = old.metadata as Record<string, unknown>
  for (const key of ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'generateName']) {
    if (before[key] === undefined) delete metadata[key]
    else metadata[key] = before[key]
  }
  delete metadata['selfLink']
  if (before['deletionTimestamp'] === undefined) return
  metadata['deletionTimestamp'] = before['deletionTimestamp']
  if (before['deletionGracePeriodSeconds'] !== undefined) {
    metadata['deletionGracePeriodSeconds'] ??= before['deletionGracePeriodSeconds']
  }
}

const keepMember = (draft: Draft, old: KubeObject, key: string): void => {
  if (old[key] === undefined) delete draft[key]
  else draft[key] = old[key]
}

const onlyStatus = (def: KindDef, draft: Draft, old: KubeObject): void => {
  for (const key of new Set([...Object.keys(draft), ...Object.keys(old)])) {
    if (key !== 'status' && key !== 'metadata') keepMember(draft, old, key)
  }
  if (!def.builtIn) {
    draft.metadata = { ...old.metadata }
    return
  }
  // Built-in kinds let the labels and annotations through, but a Deployment's labels.
  const { labels, annotations, finalizers } = draft.metadata
  draft.metadata = { ...old.metadata }
  const kept = { annotations, finalizers, ...(isKind(def, 'apps', 'Deployment') ? {} : { labels }) }
  for (const [key, value] of Object.entries(kept)) {
    if (value === undefined) delete draft.metadata[key]
    else draft.metadata[key] = value
  }
}

const raiseGeneration = (def: KindDef, draft: Draft, old: KubeObject, subresource: string | undefined): void => {
  if (subresource === 'status' || def.generation === 'none' || !isOtherContent(def, draft, old)) return
  draft.metadata['generation'] = (old.metadata.generation ?? 0) + 1
}

// Parts that are as before become the stored ones: the versions of an object share what did not change.
const hasNews = (draft: Draft, old: KubeObject): boolean => {
  let news = false
  for (const key of new Set([...Object.keys(draft), ...Object.keys(old)])) {
    if (!sameJson(draft[key], old[key])) news = true
    else if (old[key] !== undefined) draft[key] = old[key]
  }
  return news
}

const isOtherContent = (def: KindDef, draft: Draft, old: KubeObject): boolean => {
  if (def.generation === 'content') {
    const ignored = new Set(['apiVersion', 'kind', 'metadata', ...(def.status ? ['status'] : [])])
    const keys = new Set([...Object.keys(draft), ...Object.keys(old)])
    return [...keys].some(key => !ignored.has(key) && !sameJson(draft[key], old[key]))
  }
  if (!sameJson(draft['spec'], old['spec'])) return true
  if (def.generation !== 'spec-and-annotations') return false
  return !sameJson(draft.metadata['annotations'] ?? {}, old.metadata.annotations ?? {})
}
