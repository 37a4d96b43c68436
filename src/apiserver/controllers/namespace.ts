// Every namespace has a default service account. (The server itself empties and finishes those that are deleted.)
import type { Ports } from './api.ts'
import { controlLoop, forgiving } from './loop.ts'
import { NAMESPACE, SERVICE_ACCOUNT } from './objects.ts'

/** Starts the controller; the answer stops it. */
export function startNamespaces(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, name => sync(ports, name), failed)
  const stop = index.onEvent(({ type, object }) => {
    if (object.kind === 'Namespace') loop.add(object.metadata.name)
    else if (type === 'DELETED' && object.kind === 'ServiceAccount') loop.add(object.metadata.namespace ?? '')
  })
  for (const namespace of api.list(NAMESPACE)) loop.add(namespace.metadata.name)
  return () => {
    stop()
    loop.stop()
  }
}

function sync({ api }: Ports, name: string): undefined {
  const namespace = api.get(NAMESPACE, undefined, name)
  if (!namespace || namespace.metadata.deletionTimestamp !== undefined) return
  if (api.get(SERVICE_ACCOUNT, name, 'default')) return
  forgiving([403, 404, 409], () => api.create({ ...SERVICE_ACCOUNT, metadata: { name: 'default', namespace: name } }))
}
