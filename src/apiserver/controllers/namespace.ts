// Namespaces: a default service account in each, and the emptying of those that are being deleted.
import { type KubeObject, refOf } from '../../contract.ts'
import type { Ports } from './api.ts'
import { controlLoop, forgiving } from './loop.ts'
import { NAMESPACE, SERVICE_ACCOUNT } from './objects.ts'

/** Starts the controller; the answer stops it. */
export function startNamespaces(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, name => void sync(ports, name), failed)
  const stop = index.onEvent(({ type, object }) => {
    if (object.kind === 'Namespace') return loop.add(object.metadata.name)
    const namespace = object.metadata.namespace
    if (type !== 'DELETED' || namespace === undefined) return
    // The service account comes back; a namespace that is being emptied may be empty now.
    if (object.kind === 'ServiceAccount' || isGoing(api.get(NAMESPACE, undefined, namespace))) loop.add(namespace)
  })
  for (const namespace of api.list(NAMESPACE)) loop.add(namespace.metadata.name)
  return () => {
    stop()
    loop.stop()
  }
}

const isGoing = (namespace: KubeObject | undefined): boolean => namespace?.metadata.deletionTimestamp !== undefined

function sync({ api, index }: Ports, name: string): void {
  const namespace = api.get(NAMESPACE, undefined, name)
  if (!namespace) return
  if (!isGoing(namespace)) {
    if (api.get(SERVICE_ACCOUNT, name, 'default')) return
    const account = { ...SERVICE_ACCOUNT, metadata: { name: 'default', namespace: name } }
    forgiving([404, 409], () => api.create(account))
    return
  }
  const content = [...index.all()].filter(object => object.metadata.namespace === name)
  for (const object of content)
    if (object.metadata.deletionTimestamp === undefined) forgiving([404, 405, 409], () => api.remove(refOf(object)))
  if ([...index.all()].some(object => object.metadata.namespace === name)) return
  // The server removes a terminating namespace whose last finalizer goes.
  const { finalizers = [] } = (namespace['spec'] ?? {}) as { finalizers?: readonly string[] }
  if (finalizers.length > 0) forgiving([404], () => api.update({ ...namespace, spec: { finalizers: [] } }))
}
