// A cluster in which one Service has several pods, each on a port of loopback, behind one route.
import type { KindRef, KubeObject } from '../../src/contract.ts'
import type { RouteCache } from '../../src/proxy/source-kube.ts'

/** `setRoute` gives the route more fields, `setPods` other pods. */
export function podsOf(first: readonly number[]) {
  let [ports, more]: [readonly number[], object] = [first, {}]
  let version = 1
  const listeners = new Set<(change: { object: KubeObject }) => void>()
  const meta = (name: string, labels = {}) => ({
    name,
    namespace: 'shop',
    uid: name,
    resourceVersion: `${version}`,
    labels,
  })
  const world = (): readonly KubeObject[] => [
    { apiVersion: 'v1', kind: 'Service', metadata: meta('web'), spec: { ports: [{ port: 80 }] } },
    ...ports.map((port, i) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: meta(`web-${i}`, { 'kubernetes.io/service-name': 'web' }),
      ports: [{ port }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    })),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta('web-route', { 'pintle.dev/route-table': 'true' }),
      data: {
        'table.json': JSON.stringify({
          generation: version,
          routes: [
            { name: 'web', dests: [{ role: 'stable', weight: 100, upstream: { service: 'shop/web' } }], ...more },
          ],
        }),
      },
    },
  ]
  const cache: RouteCache = {
    watch() {},
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    synced: async () => {},
    get: ref => world().find(o => o.kind === ref.kind && o.metadata.name === ref.name),
    list: (kind: KindRef) => world().filter(o => o.kind === kind.kind),
    ownedBy: () => [],
  }
  const changed = (): void => {
    version += 1
    for (const listener of listeners) for (const object of world()) listener({ object })
  }
  return {
    cache,
    setRoute(fields: object) {
      more = fields
      changed()
    },
    setPods(next: readonly number[]) {
      ports = next
      changed()
    },
  }
}
