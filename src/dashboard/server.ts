// The dashboard: the page and its API on one port, on this machine only unless asked otherwise.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UserError } from '../errors.ts'
import type { Clock, Kube, Log, Transport } from '../ports.ts'
import { type Parts, reply, serveApi } from './api.ts'
import { checkCaller, SAFE_HEADERS } from './guard.ts'
import { errorReply, HttpError } from './http-error.ts'
import { createModel } from './model.ts'
import { loadPage } from './page.ts'
import type { Stream } from './stream.ts'
import { createTraffic } from './traffic.ts'

export type DashboardOptions = Readonly<{
  /** The wire to the cluster; or a kubeconfig to open one from (neither: the usual kubeconfig). */
  transport?: Transport
  kubeconfig?: string
  /** The namespace that the page opens on. */
  namespace?: string
  clock?: Clock
  log?: Log
  /** 127.0.0.1 unless given. */
  host?: string
  /** 3100 unless given; 0 takes a free one. */
  port?: number
  /** `rollouts` unless given. */
  rootPath?: string
  /** Admin address of a proxy, for the requests and errors of each version. */
  proxyAdmin?: string
  /** Names under which browsers may ask, beside loopback's and `host`. */
  allowHosts?: readonly string[]
  readOnly?: boolean
  version?: string
}>

export type Dashboard = Readonly<{ url: string; port: number; close(): Promise<void> }>

const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const SYSTEM: Clock = {
  now: () => Date.now(),
  at(time, run) {
    const timer = setTimeout(run, Math.max(0, time - Date.now()))
    return () => clearTimeout(timer)
  },
}

/** Starts. Rejects with UserError: port in use (PIN5001), no cluster. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { clock = SYSTEM, log = SILENT, host = '127.0.0.1', port = 3100 } = options
  const base = `/${(options.rootPath ?? 'rollouts').replace(/^\/+|\/+$/g, '')}/`.replace('//', '/')
  const cluster = await reach(options)
  const { createKube } = await import('../kube/kube.ts')
  const kube = createKube(cluster.transport, { clock, fieldManager: 'pintle-dashboard' })
  const scope = await visible(kube, cluster.namespace)
  const model = await createModel({ transport: cluster.transport, clock, log, ...scope })
  const traffic = createTraffic(options.proxyAdmin, clock)
  const streams = new Set<Stream>()
  const page = await loadPage(base)
  const { readOnly = false, version = 'pintle' } = options
  const parts: Parts = { clock, kube, model, traffic, streams, namespace: cluster.namespace, readOnly, version }
  const known = new Set([host, ...(options.allowHosts ?? [])].map(name => name.toLowerCase()))

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    checkCaller(request, known)
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (base !== '/' && (path === '/' || path === base.slice(0, -1))) {
      response.writeHead(302, { ...SAFE_HEADERS, location: base }).end()
      return
    }
    if (!path.startsWith(base)) throw new HttpError(404, 'Not Found')
    const below = path.slice(base.length)
    if (below.startsWith('api/v1/')) return serveApi(parts, below.slice('api/v1/'.length), request, response)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(405, 'Method Not Allowed: use GET')
    if (!page.serve(below, request, response)) throw new HttpError(404, 'Not Found')
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status, body } = errorReply(error)
      if (response.headersSent) response.destroy()
      else reply(response, status, body)
    })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    await Promise.all([model.stop(), cluster.close()])
    throw portError(error, host, port)
  }
  const { port: taken } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    port: taken,
    async close() {
      traffic.stop()
      for (const stream of streams) stream.end()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await Promise.all([closed, model.stop()])
      await cluster.close()
    },
  }
}

function portError(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE') {
    return new UserError('PIN5001', `port ${port} on ${host} is in use`, 'Stop what uses it, or choose another port.')
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new UserError('PIN5001', `cannot listen on ${host}:${port} (${code})`, 'Choose another address or port.')
  }
  return error
}

async function reach({ transport, kubeconfig, namespace }: DashboardOptions) {
  if (transport) return { transport, namespace: namespace ?? 'default', close: async () => {} }
  const { loadKubeconfig } = await import('../kube/kubeconfig.ts')
  const { undiciTransport } = await import('../kube/undici.ts')
  const access = await loadKubeconfig(kubeconfig === undefined ? {} : { path: kubeconfig })
  const made = undiciTransport(access, { userAgent: 'pintle-dashboard' })
  return { transport: made, namespace: namespace ?? access.namespace, close: () => made.close() }
}

/** All namespaces, or only the given one when that is all that may be read. */
async function visible(kube: Kube, namespace: string): Promise<{ namespace?: string }> {
  try {
    await kube.list({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }, { limit: 1 })
    return {}
  } catch (error) {
    if ((error as { code?: unknown }).code === 403) return { namespace }
    throw error
  }
}
