// The embedded Kubernetes API server, in memory and synchronous: for the demo, tests and simulation, not production.
import type { KindRef, KubeObject, Ref } from '../contract.ts'
import type { Clock, Random } from '../ports.ts'
import { builtInKinds } from './builtins.ts'
import { cleanUp } from './clean-up.ts'
import type { Core, WriteOptions } from './core.ts'
import { inVersionOf } from './core.ts'
import { serveCrds } from './crds.ts'
import { createObject } from './create.ts'
import type { DeleteOptions } from './delete.ts'
import { deleteObject } from './delete.ts'
import { evict } from './eviction.ts'
import { kindTable } from './kinds.ts'
import type { KindDef } from './model.ts'
import type { PatchType } from './patch.ts'
import { patchObject } from './patch.ts'
import { badRequest } from './refusals.ts'
import { patchScale } from './scale.ts'
import type { Change } from './store.ts'
import { createStore } from './store.ts'
import { updateObject } from './update.ts'

export type { WriteOptions } from './core.ts'
export type { DeleteOptions } from './delete.ts'
export type ServerEvent = Change

/** The text of a container's log; raises StatusError. */
export type ReadLog = (namespace: string, pod: string, container: string) => string

/**
 * All methods are synchronous; objects are deep-frozen and shared, never copied; refusals are thrown as StatusError.
 * Objects passed in are copied and may be changed or frozen by the caller.
 */
export type ApiServer = Readonly<{
  kinds(): readonly KindDef[]
  /** Raises 404 for a kind that is not served. */
  find(kind: KindRef): KindDef
  /** `namespace` is needed when the object names none. Raises 400, 403, 404, 409, 422. */
  create(object: KubeObject, options?: WriteOptions & Readonly<{ namespace?: string }>): KubeObject
  get(kind: KindRef, namespace: string | undefined, name: string): KubeObject | undefined
  /** The current objects sorted by namespace and name; of all namespaces when none is given. */
  list(kind: KindRef, namespace?: string): readonly KubeObject[]
  /** Replaces an object, or its status only. Raises 400, 404, 409, 422. */
  update(object: KubeObject, options?: WriteOptions & Readonly<{ subresource?: 'status' }>): KubeObject
  /** Answers the object after the patch; the Scale with subresource `scale`. Raises 400, 404, 409, 415, 422. */
  patch(
    ref: Ref,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions & Readonly<{ subresource?: 'status' | 'scale' }>,
  ): KubeObject
  /** The marked object while something still holds it, undefined once it is gone. Raises 403, 404, 409. */
  remove(ref: Ref, options?: DeleteOptions): KubeObject | undefined
  /** Like `remove` for a Pod, when its disruption budget allows. Raises 404, 429. */
  evict(ref: Ref, options?: DeleteOptions): KubeObject | undefined
  /**
   * Told of every kind's commits, in order, before the write returns; a write made by a listener is told after all
   * listeners have seen the present one. The answer ends it.
   */
  onEvent(listener: (event: ServerEvent) => void): () => void
  /** What `kubectl logs` shows; empty logs until set. */
  setLogs(read: ReadLog): void
  readLog: ReadLog
  /** For the request router. */
  readonly core: Core
}>

export type ServerOptions = Readonly<{
  clock: Clock
  random: Random
  /** How many changes of each kind watches may go back; at least 1, 2000 when not given. */
  history?: number
}>

const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

/** A server with the built-in kinds and the four namespaces that every cluster has. */
export const createApiServer = ({ clock, random, history = 2000 }: ServerOptions): ApiServer => {
  const core: Core = { clock, random, kinds: kindTable(builtInKinds), store: createStore(history) }
  const { kinds, store } = core
  let readLog: ReadLog = () => ''
  serveCrds(core)
  cleanUp(core)

  const placeOf = (def: KindDef, { namespace, name }: { namespace?: string | undefined; name: string }) => {
    if (def.namespaced && namespace === undefined) throw badRequest('namespace is required')
    return { namespace: def.namespaced ? (namespace ?? '') : '', name }
  }
  const get = (kind: KindRef, namespace: string | undefined, name: string) => {
    const def = kinds.find(kind)
    const found = store.get(def, def.namespaced ? (namespace ?? '') : '', name)
    return found && inVersionOf(def, found)
  }

  const server: ApiServer = {
    kinds: kinds.all,
    find: kinds.find,
    create(object, { namespace, ...options } = {}) {
      return createObject(core, kinds.find(object), object, namespace, options)
    },
    get,
    list(kind, namespace) {
      const def = kinds.find(kind)
      const objects = store.list(def, def.namespaced ? namespace : undefined)
      return kinds.storage(def) === def ? objects : objects.map(object => inVersionOf(def, object))
    },
    update(object, options = {}) {
      const def = kinds.find(object)
      return updateObject(core, def, placeOf(def, object.metadata), () => object, options)
    },
    patch(ref, type, patch, { subresource, ...options } = {}) {
      const def = kinds.find(ref)
      const at = placeOf(def, ref)
      if (subresource === 'scale') return patchScale(core, def, at, type, patch, options)
      return patchObject(core, def, at, type, patch, subresource ? { ...options, subresource } : options)
    },
    remove(ref, options) {
      const def = kinds.find(ref)
      const { object, gone } = deleteObject(core, def, placeOf(def, ref), options)
      return gone ? undefined : object
    },
    evict(ref, options = {}) {
      const def = kinds.find(ref)
      const { object, gone } = evict(core, def, placeOf(def, ref), options)
      return gone ? undefined : object
    },
    onEvent: listener => store.onChange(change => listener(change)),
    setLogs(read) {
      readLog = read
    },
    readLog: (namespace, pod, container) => readLog(namespace, pod, container),
    core,
  }
  for (const name of NAMESPACES) server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return server
}
