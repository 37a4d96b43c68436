// Deleting an object: preconditions, propagation marks, grace for Pods, finalizers; what is left without them goes.
import type { KubeObject } from '../contract.ts'
import { sameJson } from '../contract.ts'
import type { Core, Draft } from './core.ts'
import { inVersionOf, isKind, timeText } from './core.ts'
import { cloneJson } from './json-value.ts'
import type { KindDef } from './model.ts'
import * as refuse from './refusals.ts'

export type DeleteOptions = Readonly<{
  dryRun?: boolean
  /** Seconds; Pods only. */
  gracePeriodSeconds?: number
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  preconditions?: Readonly<{ uid?: string; resourceVersion?: string }>
}>

/** `gone`: removed from the store. Otherwise the object is marked and waits for somebody. */
export type Deleted = Readonly<{ object: KubeObject; gone: boolean }>

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'
const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])

/** Deletes or marks an object. Raises 403 (a namespace that must stay), 404, 409 (a precondition fails). */
export const deleteObject = (
  core: Core,
  def: KindDef,
  at: Readonly<{ namespace: string; name: string }>,
  options: DeleteOptions = {},
): Deleted => {
  const stored = core.store.get(def, at.namespace, at.name)
  if (!stored) throw refuse.notFound(def, at.name)
  checkPreconditions(def, stored, options)
  if (isKind(def, '', 'Namespace')) return deleteNamespace(core, def, stored, options)

  const draft = cloneJson(stored) as unknown as Draft
  const grace = graceOf(def, stored, options)
  if (grace === 'pending') return { object: inVersionOf(def, stored), gone: false }
  const finalizers = finalizersAfter(def, stored, options)
  if (finalizers.length === 0) delete draft.metadata['finalizers']
  else draft.metadata['finalizers'] = finalizers
  if (grace !== undefined) markGraceful(core, draft, stored, grace)
  else if (finalizers.length > 0) markDeleting(core, draft, stored)

  const waits = finalizers.length > 0 || (grace ?? 0) > 0
  const marked = draft as unknown as KubeObject
  if (options.dryRun) return { object: inVersionOf(def, marked), gone: !waits }
  if (waits && sameJson(marked, stored)) return { object: inVersionOf(def, stored), gone: false }
  if (waits) return { object: inVersionOf(def, core.store.put(def, marked)), gone: false }
  // A Pod deleted at once still shows its mark first: watchers of the real server see both.
  const last = grace === undefined ? stored : core.store.put(def, marked)
  return { object: inVersionOf(def, core.store.delete(def, last)), gone: true }
}

const checkPreconditions = (def: KindDef, { metadata }: KubeObject, { preconditions = {} }: DeleteOptions): void => {
  const { uid, resourceVersion } = preconditions
  if (uid !== undefined && uid !== metadata.uid) {
    throw refuse.failedPrecondition(def, metadata.name, 'UID', uid, metadata.uid)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refuse.failedPrecondition(def, metadata.name, 'ResourceVersion', resourceVersion, metadata.resourceVersion)
  }
}

type PodParts = {
  spec?: { nodeName?: string; terminationGracePeriodSeconds?: number }
  status?: { phase?: string }
}

// Seconds of grace; undefined for kinds without; 'pending' when the Pod goes already and nothing shortens its time.
const graceOf = (def: KindDef, stored: KubeObject, options: DeleteOptions): number | 'pending' | undefined => {
  if (!isKind(def, '', 'Pod')) return undefined
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = stored.metadata
  if (deletionTimestamp !== undefined) {
    if (running === undefined) return undefined
    const asked = options.gracePeriodSeconds
    return asked === undefined || asked >= running ? (running === 0 ? 0 : 'pending') : Math.max(0, asked)
  }
  const { spec = {}, status = {} } = stored as PodParts
  if (!spec.nodeName || status.phase === 'Succeeded' || status.phase === 'Failed') return 0
  const wanted = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 0
  return wanted < 0 ? 1 : wanted
}

const finalizersAfter = (def: KindDef, { metadata }: KubeObject, options: DeleteOptions): string[] => {
  const present = metadata.finalizers ?? []
  const policy = options.propagationPolicy
  const orphan = policy === undefined ? present.includes(ORPHAN) : policy === 'Orphan'
  const foreground = policy === undefined ? present.includes(FOREGROUND) && !orphan : policy === 'Foreground'
  const others = present.filter(finalizer => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  if (isKind(def, 'apiextensions.k8s.io', 'CustomResourceDefinition') && metadata.deletionTimestamp === undefined) {
    if (!others.includes(CRD_CLEANUP)) others.push(CRD_CLEANUP)
  }
  return [...others, ...(orphan ? [ORPHAN] : []), ...(foreground ? [FOREGROUND] : [])]
}

const raise = (draft: Draft, stored: KubeObject): void => {
  if (stored.metadata.deletionTimestamp !== undefined || stored.metadata.generation === undefined) return
  draft.metadata['generation'] = stored.metadata.generation + 1
}

const markDeleting = ({ clock }: Core, draft: Draft, stored: KubeObject): void => {
  raise(draft, stored)
  draft.metadata['deletionTimestamp'] ??= timeText(clock.now())
  draft.metadata['deletionGracePeriodSeconds'] = 0
}

const markGraceful = ({ clock }: Core, draft: Draft, stored: KubeObject, seconds: number): void => {
  raise(draft, stored)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = stored.metadata
  const from =
    deletionTimestamp === undefined ? clock.now() : Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  draft.metadata['deletionTimestamp'] = timeText(from + seconds * 1000)
  draft.metadata['deletionGracePeriodSeconds'] = seconds
}

const deleteNamespace = (core: Core, def: KindDef, stored: KubeObject, options: DeleteOptions): Deleted => {
  const { name } = stored.metadata
  if (IMMORTAL.has(name)) throw refuse.forbidden(def, name, 'this namespace may not be deleted')
  if (stored.metadata.deletionTimestamp !== undefined) return { object: stored, gone: false }
  const draft = cloneJson(stored) as unknown as Draft
  draft.metadata['deletionTimestamp'] = timeText(core.clock.now())
  draft['status'] = { ...(stored['status'] as object | undefined), phase: 'Terminating' }
  const marked = draft as unknown as KubeObject
  return { object: options.dryRun ? marked : core.store.put(def, marked), gone: false }
}
