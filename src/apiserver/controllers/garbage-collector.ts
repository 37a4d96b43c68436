// Garbage collection: what loses its last owner goes; foreground and orphan deletion wait for, or spare, dependents.
import { type KubeObject, type OwnerReference, type Ref, refOf } from '../../contract.ts'
import type { Ports } from './api.ts'
import { controlLoop, forgiving } from './loop.ts'

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'

const has = (object: KubeObject, finalizer: string): boolean => object.metadata.finalizers?.includes(finalizer) ?? false
const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined
const waitsForDependents = (object: KubeObject): boolean => isDeleting(object) && has(object, FOREGROUND)

type Standing = 'there' | 'gone' | 'waiting' | 'unknowable'

/** Starts the controller; the answer stops it. */
export function startGarbageCollector(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { index, clock } = ports
  const loop = controlLoop(clock, uid => void sync(ports, uid, dependent => loop.add(dependent)), failed)
  const uidOf = (object: KubeObject) => object.metadata.uid ?? ''

  const stop = index.onEvent(({ type, object }) => {
    if (type === 'DELETED') {
      for (const dependent of index.dependents(uidOf(object))) loop.add(uidOf(dependent))
      // Whoever waits in the foreground for this one may be done.
      for (const owner of object.metadata.ownerReferences ?? []) loop.add(owner.uid)
      return
    }
    const owners = object.metadata.ownerReferences ?? []
    if (isDeleting(object) && (has(object, FOREGROUND) || has(object, ORPHAN))) loop.add(uidOf(object))
    if (owners.length > 0) loop.add(uidOf(object))
    // A dependent that is let go, or stops blocking, may free its owner.
    for (const owner of owners) {
      const live = index.byUid(owner.uid)
      if (live && waitsForDependents(live)) loop.add(owner.uid)
    }
  })
  for (const object of index.all())
    if ((object.metadata.ownerReferences?.length ?? 0) > 0 || isDeleting(object)) loop.add(uidOf(object))
  return () => {
    stop()
    loop.stop()
  }
}

function sync(ports: Ports, uid: string, again: (uid: string) => void): void {
  const object = ports.index.byUid(uid)
  if (!object) return
  if (isDeleting(object) && has(object, ORPHAN)) orphan(ports, object)
  else if (waitsForDependents(object)) finishForeground(ports, object, again)
  else if (!isDeleting(object)) judge(ports, object)
}

/** Deletes an object without owners left, or takes the dead references off one that still has some. */
function judge({ api, index }: Ports, object: KubeObject): void {
  const owners = object.metadata.ownerReferences ?? []
  if (owners.length === 0) return
  const standings = owners.map(owner => standing(index.byUid(owner.uid), object, owner, api))
  if (standings.includes('unknowable')) return
  const left = owners.filter((_, i) => standings[i] === 'there')
  if (left.length === owners.length) return
  if (left.length > 0) {
    const metadata = { uid: object.metadata.uid, ownerReferences: left }
    forgiving([404, 409], () => api.patch(refOf(object), 'merge', { metadata }))
    return
  }
  const waited = standings.includes('waiting') && index.dependents(object.metadata.uid ?? '').length > 0
  // Cluster objects of a namespaced owner have an owner that nobody can look up: they stay, as in a real cluster.
  const policy = has(object, ORPHAN) ? 'Orphan' : waited || has(object, FOREGROUND) ? 'Foreground' : 'Background'
  forgiving([404, 409], () =>
    api.remove(refOf(object), {
      propagationPolicy: policy,
      preconditions: { uid: object.metadata.uid ?? '' },
    }),
  )
}

function standing(
  owner: KubeObject | undefined,
  dependent: KubeObject,
  reference: OwnerReference,
  api: Ports['api'],
): Standing {
  const { namespace } = dependent.metadata
  if (owner && owner.metadata.namespace !== undefined && namespace === undefined) return 'unknowable'
  const reachable =
    owner &&
    (owner.metadata.namespace === undefined || owner.metadata.namespace === namespace) &&
    owner.metadata.name === reference.name &&
    owner.kind === reference.kind
  if (reachable) return waitsForDependents(owner) ? 'waiting' : 'there'
  // A kind that is not served (its CRD may come later) says nothing about the owner.
  const served = api.kinds().some(k => k.kind === reference.kind && k.group === groupOf(reference.apiVersion))
  return served ? 'gone' : 'unknowable'
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

/** Lets the owner go when nothing that blocks it is left, and sees to it that those that do are deleted. */
function finishForeground({ api, index }: Ports, owner: KubeObject, again: (uid: string) => void): void {
  const uid = owner.metadata.uid ?? ''
  const dependents = index.dependents(uid)
  const blocks = (object: KubeObject) =>
    object.metadata.ownerReferences?.some(o => o.uid === uid && o.blockOwnerDeletion === true) ?? false
  if (!dependents.some(blocks)) dropFinalizer(api, owner, FOREGROUND)
  else for (const dependent of dependents) if (!isDeleting(dependent)) again(dependent.metadata.uid ?? '')
}

/** Takes the owner off all its dependents, then lets it go. */
function orphan({ api, index }: Ports, owner: KubeObject): void {
  const uid = owner.metadata.uid ?? ''
  for (const dependent of index.dependents(uid)) {
    const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter(o => o.uid !== uid)
    const metadata = { uid: dependent.metadata.uid, ownerReferences }
    forgiving([404], () => api.patch(refOf(dependent), 'merge', { metadata }))
  }
  dropFinalizer(api, owner, ORPHAN)
}

function dropFinalizer(api: Ports['api'], object: KubeObject, finalizer: string): void {
  const ref: Ref = refOf(object)
  const live = api.get(ref, ref.namespace, ref.name)
  if (!live || live.metadata.uid !== object.metadata.uid) return
  const finalizers = (live.metadata.finalizers ?? []).filter(f => f !== finalizer)
  const { resourceVersion } = live.metadata
  forgiving([404], () => api.patch(ref, 'merge', { metadata: { resourceVersion, finalizers } }))
}
