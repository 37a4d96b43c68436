// The demo's machine room: API server, controllers, node, Pintle's controller and proxy, all in this process and all
// speaking through real sockets.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { crds } from '../api/crd.ts'
import { type HttpServer, kubeconfigFor, serveHttp } from '../apiserver/http.ts'
import { createFetch } from '../controller/fetch.ts'
import { type Controller, startController } from '../controller/manager.ts'
import { loadKnown, loadProviders } from '../controller/registry.ts'
import { UserError } from '../errors.ts'
import { createCache } from '../kube/cache.ts'
import { undiciTransport } from '../kube/undici.ts'
import type { Log, Transport } from '../ports.ts'
import { kubeSource, type RunningProxy, startProxy } from '../proxy/start.ts'
import { systemClock as clockOf } from './clock.ts'
import { mappedFetch, publishProxies } from './demo-proxies.ts'
import { DIAL_MAP } from './dial.ts'
import { listeners } from './listeners.ts'
import { type Cluster, createCluster } from './world.ts'

/** 0: any. `replicas`: how many proxies, 1 when not given; the second and all others get any ports. */
export type DemoPorts = Readonly<{ proxy: number; admin: number; api: number; replicas?: number }>

export type DemoWorld = Readonly<{
  cluster: Cluster
  api: HttpServer
  kubeconfig: string
  controller: Controller
  /** The wire that the controller uses; the page shares it. */
  transport: Transport
  /** The first of `proxies`. */
  proxy: RunningProxy
  proxies: readonly RunningProxy[]
  stop(): Promise<void>
}>

const systemClock = clockOf()

/** Starts everything; the kubeconfig goes into `folder`. Raises UserError: a port in use, a folder that cannot be written. */
export async function startDemoWorld(ports: DemoPorts, log: Log, folder = '.pintle'): Promise<DemoWorld> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const one of stops.toReversed())
      await one().catch((error: unknown) => log.warn({ error: String(error) }, 'stopping'))
  }
  try {
    const random = Math.random
    const failed = (error: unknown) => log.warn({ error: String(error) }, 'the simulated cluster stumbled')
    const kubelet = listeners({ clock: systemClock, random })
    const cluster = createCluster({ clock: systemClock, crds: crds(), kubelet, failed })
    stops.push(() => cluster.stop())
    const api = await serveHttp(cluster.server, { host: '127.0.0.1', port: ports.api })
    stops.push(() => api.close())
    const kubeconfig = await writeKubeconfig(api.url, folder)
    const transport = undiciTransport({ server: api.url, namespace: 'default' }, { userAgent: 'pintle-controller' })
    stops.push(() => transport.close())
    const out = createFetch()
    stops.push(() => out.close())
    const controller = startController({
      transport,
      clock: systemClock,
      random,
      log,
      known: await loadKnown(),
      providers: await loadProviders(),
      fetch: mappedFetch(out.fetch),
      yield: () => turn(),
    })
    stops.push(() => controller.stop())
    const cache = createCache({ transport, clock: systemClock, random, log })
    stops.push(() => cache.stop())
    const proxies: RunningProxy[] = []
    for (let i = 0; i < (ports.replicas ?? 1); i += 1) {
      const proxy = await startProxy({
        listen: `127.0.0.1:${i === 0 ? ports.proxy : 0}`,
        admin: `127.0.0.1:${i === 0 ? ports.admin : 0}`,
        source: kubeSource({ cache, ingress: { ingressClass: 'nginx' } }),
        dialMap: DIAL_MAP,
        log,
      })
      proxies.push(proxy)
      stops.push(() => proxy.drain({ limit: 2000, tunnels: 0 }))
    }
    publishProxies(cluster.server, 'default', proxies)
    await controller.ready
    return { cluster, api, kubeconfig, controller, transport, proxy: proxies[0]!, proxies, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Writes the way in for kubectl and pintle; the absolute path. */
async function writeKubeconfig(url: string, folder: string): Promise<string> {
  const path = join(resolve(folder), 'kubeconfig')
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path, kubeconfigFor(url), { mode: 0o600 })
    return path
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    const hint = 'Start the demo in a folder that you may write to: it keeps its kubeconfig there.'
    throw new UserError('PIN7101', `cannot write ${path}: ${why}`, hint)
  }
}
