// Where the seed story is told: the demo's machine room, or a real API server whose only node is the simulated one.
import { setImmediate as turn } from 'node:timers/promises'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown, loadProviders } from '../../src/controller/registry.ts'
import { createCache } from '../../src/kube/cache.ts'
import { createKube } from '../../src/kube/kube.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Log } from '../../src/ports.ts'
import { kubeSource, startProxy } from '../../src/proxy/start.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { startDemoWorld } from '../../src/sim/demo-world.ts'
import { kubePods } from '../../src/sim/kube-pods.ts'
import { startKubelet } from '../../src/sim/kubelet.ts'
import { listeners } from '../../src/sim/listeners.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export type SeedPlace = Readonly<{
  /** What kubectl and pintle need to find the cluster. */
  kubeconfig: string
  /** Where users knock. */
  url: string
  create(object: KubeObject): Promise<KubeObject | undefined>
  read(apiVersion: string, kind: string, name: string): Promise<KubeObject>
  stop(): Promise<void>
}>

/** Everything embedded, in this process. */
export async function demoPlace(folder: string): Promise<SeedPlace> {
  const world = await startDemoWorld({ proxy: 0, admin: 0, api: 0 }, silent, folder)
  const kube = createKube(world.transport, { clock: systemClock() })
  return { kubeconfig: world.kubeconfig, url: world.proxy.url, ...doors(kube), stop: () => world.stop() }
}

/** The API server and the controllers of KUBECONFIG's cluster, on which no kubelet may run; controller, proxy and node
 * are ours. Pods have addresses that the API server takes; the node and the proxy map them to loopback. */
export async function clusterPlace(kubeconfig: string): Promise<SeedPlace> {
  const clock = systemClock()
  const wire = { clock, random: Math.random, log: silent }
  const transport = undiciTransport(await loadKubeconfig({ path: kubeconfig }))
  const kube = createKube(transport, { clock })
  for (const object of crds()) await kube.perform({ verb: 'create', object, why: 'the test' }).catch(() => undefined)
  const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
  const fetch = async () => {
    throw new Error('the seed story measures nothing')
  }
  const controller = startController({ transport, ...wire, known, providers, fetch, yield: () => turn() })
  const pods = await kubePods({ transport, ...wire })
  const node = startKubelet({ pods, clock, runtime: listeners({ clock, random: Math.random }) })
  const cache = createCache({ transport, ...wire })
  const proxy = await startProxy({
    listen: '127.0.0.1:0',
    admin: '127.0.0.1:0',
    source: kubeSource({ cache, ingress: { ingressClass: 'nginx' } }),
    dialMap: '10.0.0.0/8=127.0.0.0/8',
    log: silent,
  })
  await controller.ready
  return {
    kubeconfig,
    url: proxy.url,
    ...doors(kube),
    async stop() {
      await proxy.drain({ limit: 2000, tunnels: 0 })
      await controller.stop()
      await node.stop()
      await Promise.all([pods.close(), cache.stop()])
      await transport.close()
    },
  }
}

const doors = (kube: ReturnType<typeof createKube>): Pick<SeedPlace, 'create' | 'read'> => ({
  create: object =>
    kube.perform({
      verb: 'create',
      object: { ...object, metadata: { ...object.metadata, namespace: 'default' } },
      why: 'the test',
    }),
  read: (apiVersion, kind, name) => kube.get({ apiVersion, kind, namespace: 'default', name }),
})
