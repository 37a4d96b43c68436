// What the server removes by itself: the content of a namespace that ends, the instances of a definition that ends.
import type { KubeObject } from '../contract.ts'
import type { Core } from './core.ts'
import { deleteObject } from './delete.ts'
import { isFinished } from './update.ts'

const NAMESPACES = { group: '', plural: 'namespaces' }
const CRDS = { group: 'apiextensions.k8s.io', plural: 'customresourcedefinitions' }
const CRD_CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

/** Watches the store for namespaces and definitions that are marked, and finishes them when they are empty. */
export const cleanUp = (core: Core): void => {
  core.store.onChange(({ type, object, previous }, resource) => {
    const begins =
      type === 'MODIFIED' &&
      object.metadata.deletionTimestamp !== undefined &&
      previous?.metadata.deletionTimestamp === undefined
    if (resource.plural === NAMESPACES.plural && resource.group === '') {
      if (begins) emptyNamespace(core, object.metadata.name)
      if (type !== 'DELETED') finishNamespace(core, object.metadata.name)
      return
    }
    if (resource.plural === CRDS.plural && resource.group === CRDS.group) {
      if (begins) emptyKind(core, object)
      if (type !== 'DELETED') finishCrd(core, object.metadata.name)
      return
    }
    if (type !== 'DELETED') return
    if (object.metadata.namespace !== undefined) finishNamespace(core, object.metadata.namespace)
    finishCrd(core, `${resource.plural}.${resource.group}`)
  })
}

const emptyNamespace = (core: Core, namespace: string): void => {
  for (const def of storedKinds(core)) {
    if (!def.namespaced) continue
    for (const { metadata } of core.store.list(def, namespace)) {
      deleteObject(core, def, { namespace, name: metadata.name }, { propagationPolicy: 'Background' })
    }
  }
}

const storedKinds = ({ kinds }: Core) => kinds.all().filter(def => kinds.storage(def) === def)

const finishNamespace = (core: Core, name: string): void => {
  const { store } = core
  const found = store.get(NAMESPACES, '', name)
  if (found?.metadata.deletionTimestamp === undefined) return
  if (storedKinds(core).some(def => def.namespaced && store.list(def, name).length > 0)) return
  const spec = found['spec'] as { finalizers?: readonly string[] } | undefined
  const finalizers = (spec?.finalizers ?? []).filter(finalizer => finalizer !== 'kubernetes')
  const bare: KubeObject = { ...found, spec: { ...spec, finalizers } }
  if (isFinished(bare)) store.delete(NAMESPACES, bare)
  else if (finalizers.length !== spec?.finalizers?.length) store.put(NAMESPACES, bare)
}

const kindOf = ({ kinds }: Core, crdName: string) => {
  const dot = crdName.indexOf('.')
  const [plural, group] = [crdName.slice(0, dot), crdName.slice(dot + 1)]
  return storedKinds({ kinds } as Core).find(def => !def.builtIn && def.plural === plural && def.group === group)
}

const emptyKind = (core: Core, crd: KubeObject): void => {
  const def = kindOf(core, crd.metadata.name)
  if (!def) return
  for (const { metadata } of core.store.list(def)) {
    const at = { namespace: metadata.namespace ?? '', name: metadata.name }
    deleteObject(core, def, at, { propagationPolicy: 'Background' })
  }
}

const finishCrd = (core: Core, name: string): void => {
  const { store } = core
  const found = store.get(CRDS, '', name)
  if (found?.metadata.deletionTimestamp === undefined) return
  const def = kindOf(core, name)
  if (def && store.list(def).length > 0) return
  const finalizers = (found.metadata.finalizers ?? []).filter(finalizer => finalizer !== CRD_CLEANUP)
  if (finalizers.length === found.metadata.finalizers?.length) return
  const bare: KubeObject = { ...found, metadata: { ...found.metadata, finalizers } }
  if (isFinished(bare)) store.delete(CRDS, bare)
  else store.put(CRDS, bare)
}
