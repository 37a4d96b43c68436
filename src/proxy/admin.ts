// The admin listener: what the proxy serves right now, for people, Prometheus, analysis and the kubelet.

import type { AddressInfo } from 'node:net'
import { createServer } from './builtin-http.ts'
import { exposition } from './exposition.ts'
import { fdOf, type Listen, listening } from './listen.ts'
import type { Stats } from './stats.ts'
import type { Status } from './status.ts'

export type Admin = Readonly<{ port: number; fd: number | undefined; close(): Promise<void> }>

/** What the admin listener shows. */
export type Shown = Readonly<{ status(): Status; stats: Stats; ready(): boolean }>

/** Opens the admin listener. Raises UserError PIN4003. */
export async function openAdmin(listen: Listen, shown: Shown): Promise<Admin> {
  const server = createServer((req, res) => {
    const url = URL.parse(req.url ?? '/', 'http://admin')
    const isRead = req.method === 'GET' || req.method === 'HEAD'
    const { status, body, type } = isRead && url ? replyTo(url, shown) : text(isRead ? 400 : 405, 'only GET\n')
    if (!isRead) res.setHeader('Allow', 'GET, HEAD')
    res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
    // Node leaves the body of an answer to HEAD away.
    res.end(body)
  })
  await listening(server, listen)
  return {
    port: (server.address() as AddressInfo).port,
    fd: fdOf(server),
    close: () =>
      new Promise(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

type Reply = Readonly<{ status: number; body: string; type: string }>

function replyTo(url: URL, shown: Shown): Reply {
  switch (url.pathname) {
    case '/healthz':
      return text(200, 'ok\n')
    case '/readyz':
      return shown.ready() ? text(200, 'ok\n') : text(503, 'not ready\n')
    case '/status':
      return json(200, shown.status())
    case '/stats': {
      const window = secondsOf(url.searchParams.get('window') ?? '60s')
      if (window === undefined) return json(400, { error: 'window must look like 10s or 2m, up to 5m' })
      const isWhole = url.searchParams.has('latency')
      return json(200, shown.stats.report(url.searchParams.get('route'), window, isWhole))
    }
    case '/metrics': {
      const { generation, ready, problems, fuses } = shown.status()
      const body = exposition(shown.stats, {
        generation,
        ready,
        sourceProblems: problems.length,
        fuses: fuses.length,
      })
      return { status: 200, body, type: 'text/plain; version=0.0.4; charset=utf-8' }
    }
    default:
      return text(404, 'try /status, /stats?route=NAME&window=10s, /metrics, /healthz, /readyz\n')
  }
}

/** Seconds of `10s`, `2m` or `10`; 1 to 300. */
function secondsOf(window: string): number | undefined {
  const [, number, unit] = /^(\d{1,4})(s|m)?$/.exec(window) ?? []
  if (number === undefined) return undefined
  const seconds = Number(number) * (unit === 'm' ? 60 : 1)
  return seconds >= 1 && seconds <= 300 ? seconds : undefined
}

const text = (status: number, body: string): Reply => ({ status, body, type: 'text/plain; charset=utf-8' })
const json = (status: number, body: unknown): Reply => ({
  status,
  body: `${JSON.stringify(body)}\n`,
  type: 'application/json',
})
