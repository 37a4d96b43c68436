// A namespace of a virtual world as the stage of a story.
import { apiVersionOf } from '../apiserver/model.ts'
import type { KubeObject } from '../contract.ts'
import { looseCrd } from './loose-crd.ts'
import type { Stage } from './stage.ts'
import type { World } from './world.ts'

/** The stage of one namespace; it is made when it is missing. Kinds of the mesh that a story names are served loosely. */
export function virtualStage(world: World, namespace: string, objects: readonly KubeObject[] = []): Stage {
  const { server, clock } = world
  const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' }
  if (!server.get(NAMESPACE, undefined, namespace)) server.create({ ...NAMESPACE, metadata: { name: namespace } })
  for (const { apiVersion, kind } of objects) {
    if (server.kinds().some(def => def.kind === kind && apiVersionOf(def) === apiVersion)) continue
    server.create(looseCrd({ apiVersion, kind }))
  }
  const isServed = (kind: Readonly<{ apiVersion: string; kind: string }>) =>
    server.kinds().some(def => def.kind === kind.kind && apiVersionOf(def) === kind.apiVersion)
  return {
    namespace,
    now: () => clock.now(),
    sleep: time => world.run(time / 1000),
    until: (met, most) => world.until(met, most / 1000),
    async perform(action) {
      if (action.verb === 'create') return server.create(action.object, { namespace })
      if (action.verb === 'evict') return server.evict(action.ref)
      if (action.verb === 'patch') {
        const { ref, type, patch, subresource } = action
        return server.patch(ref, type, patch, subresource ? { subresource } : {})
      }
      const { ref, uid, propagation } = action
      return server.remove(ref, {
        ...(propagation && { propagationPolicy: propagation }),
        ...(uid !== undefined && { preconditions: { uid } }),
      })
    },
    get: (kind, name) => (isServed(kind) ? server.get(kind, namespace, name) : undefined),
    list: kind => (isServed(kind) ? server.list(kind, namespace) : []),
    watch(seen) {
      const stop = server.onEvent(event => {
        if (event.object.metadata.namespace === namespace) seen(event)
      })
      for (const def of server.kinds()) {
        if (!def.namespaced) continue
        const kind = { apiVersion: apiVersionOf(def), kind: def.kind }
        for (const object of server.list(kind, namespace)) seen({ type: 'ADDED', object })
      }
      return stop
    },
  }
}
