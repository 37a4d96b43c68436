// The servers that a scenario can run on: called directly, over HTTP, or a real one named by KUBECONFIG.
import { directTransport } from '../../../src/apiserver/direct.ts'
import { serveHttp } from '../../../src/apiserver/http.ts'
import { createApiServer } from '../../../src/apiserver/server.ts'
import { loadKubeconfig } from '../../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../../src/kube/undici.ts'
import type { Transport } from '../../../src/ports.ts'
import { seeded, systemClock } from '../../../src/sim/clock.ts'

export type Backend = Readonly<{ name: string; transport: Transport; close(): Promise<void> }>

const newServer = () => createApiServer({ clock: systemClock({ unref: true }), random: seeded(7) })

export const directBackend = async (): Promise<Backend> => ({
  name: 'called directly',
  transport: directTransport(newServer()),
  close: async () => {},
})

export const httpBackend = async (): Promise<Backend> => {
  const web = await serveHttp(newServer(), { host: '127.0.0.1', port: 0 })
  const transport = undiciTransport({ server: web.url, namespace: 'default', headers: {} })
  const close = async () => {
    await transport.close()
    await web.close()
  }
  return { name: 'over HTTP', transport, close }
}

const LOOPBACK = /^https?:\/\/(127\.|localhost[:/]|\[::1\])/

/**
 * The API server that KUBECONFIG names; undefined when it names none. The scenarios define kinds and delete namespaces,
 * so a server elsewhere, which may be somebody's own, is used only with CONFORMANCE=anywhere.
 */
export const realBackend = async (): Promise<Backend | undefined> => {
  if (!process.env['KUBECONFIG']) return undefined
  const access = await loadKubeconfig()
  if (!LOOPBACK.test(access.server) && process.env['CONFORMANCE'] !== 'anywhere') return undefined
  const transport = undiciTransport(access)
  return { name: 'a real API server', transport, close: () => transport.close() }
}
