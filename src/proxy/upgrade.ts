// WebSocket upgrades: the same choice as for any request, then bytes both ways until one side ends.
//
// Written on node:http rather than with http-proxy: the connect error that may go to another pod, the answer that is not
// a 101, the head bytes, the open tunnels that draining must wait for, and the two guards that http-proxy lacks (a
// client that resets while the pod is still deciding) would each need a way around it, and it is not maintained.
import { type IncomingMessage, request, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { choose } from './choose.ts'
import type { Core } from './core.ts'
import { admit } from './guard.ts'
import { requestHeaders, responseHeaders } from './headers.ts'
import { avoid } from './pool.ts'

/** Only WebSocket is passed on; any other Upgrade header is dropped and the request served as it is. */
export function isWebSocket(req: Pick<IncomingMessage, 'headers' | 'method'>): boolean {
  return req.method === 'GET' && /(^|,)\s*websocket\s*(,|$)/i.test(String(req.headers.upgrade ?? ''))
}

/** Serves one upgrade request. */
export function upgrade(core: Core, req: IncomingMessage, client: Duplex, head: Buffer): void {
  // First of all: a client that resets from here on must not end the process.
  client.on('error', () => client.destroy())
  const refuse = (status: number, why: string): void => {
    const body = `pintle proxy: ${why}\n`
    const lines = ['Content-Type: text/plain; charset=utf-8', `Content-Length: ${body.length}`, 'Connection: close']
    client.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  }
  const admitted = admit(req)
  if ('why' in admitted || admitted.framing !== 'none') {
    core.stats.strays.refused++
    refuse(400, 'why' in admitted ? admitted.why : 'an upgrade with a body')
    return
  }
  const choice = choose(core.snapshot(), req.socket.localPort ?? 0, admitted.host, admitted.target, req.headers)
  if (!choice) {
    core.stats.strays.unrouted++
    refuse(404, 'no route for this host and path')
    return
  }

  const { dest } = choice
  const series = core.stats.of(choice.route, dest)
  const started = performance.now()
  const headers = [...requestHeaders(req, 'none', admitted.host, core.trusts), 'Connection', 'Upgrade']
  headers.push('Upgrade', 'websocket')
  let status = 0
  let failed = false
  let counted = false
  const count = (): void => {
    if (counted) return
    counted = true
    core.stats.end(series, { status, ms: performance.now() - started, failed })
  }
  const fail = (code: number, why: string): void => {
    status = code
    failed = true
    refuse(code, why)
    count()
  }
  core.stats.begin(series)
  client.once('close', count)

  const tried = new Set<string>()
  const attempt = (): void => {
    const pool = core.pools.choose(dest.endpoints, tried)
    if (!pool) {
      fail(tried.size === 0 ? 503 : 502, dest.problem ?? `no ready pod behind ${dest.target}`)
      return
    }
    const path = choice.target
    const upstream = request({ host: pool.host, port: pool.port, path, headers, agent: false, setHost: false })
    let connected = false
    const late = (): void => {
      upstream.destroy(new Error('too late'))
    }
    let timer = setTimeout(late, core.limits.connect)
    const gone = (): void => {
      upstream.destroy()
    }
    client.once('close', gone)
    pool.inFlight++
    upstream.once('close', () => {
      clearTimeout(timer)
      pool.inFlight--
    })
    upstream.once('socket', socket =>
      socket.once('connect', () => {
        connected = true
        clearTimeout(timer)
        timer = setTimeout(late, core.limits.answer)
      }),
    )
    upstream.on('error', () => {
      client.removeListener('close', gone)
      if (client.destroyed || status !== 0) return
      if (connected) {
        fail(502, 'the pod closed the connection before it answered')
        return
      }
      avoid(pool, core.now())
      tried.add(pool.endpoint.key)
      series.retries++
      attempt()
    })
    upstream.once('response', answer => {
      status = answer.statusCode ?? 502
      clearTimeout(timer)
      client.write(headOf(status, answer.statusMessage ?? '', responseHeaders(answer.rawHeaders, true)))
      answer.on('error', () => client.destroy())
      answer.pipe(client)
    })
    upstream.once('upgrade', (answer, pod, early) => {
      if (!/^websocket$/i.test(answer.headers.upgrade ?? '')) {
        pod.destroy()
        return fail(502, 'the pod switched to something else')
      }
      status = 101
      clearTimeout(timer)
      const passed = [...responseHeaders(answer.rawHeaders, false), 'Connection', 'Upgrade', 'Upgrade', 'websocket']
      client.write(headOf(101, 'Switching Protocols', passed))
      count()
      tunnel(core, series, client, pod, head, early)
    })
    upstream.end()
  }
  attempt()
}

/** Joins two sockets until either ends; counted so that draining can wait for it. */
function tunnel(
  core: Core,
  series: { tunnels: number },
  client: Duplex,
  pod: Duplex,
  fromClient: Buffer,
  fromPod: Buffer,
): void {
  series.tunnels++
  core.tunnels.add(client)
  pod.on('error', () => pod.destroy())
  client.once('close', () => {
    series.tunnels--
    core.tunnels.delete(client)
    pod.destroy()
  })
  // A pod that ends has its last bytes delivered; one that breaks off does not pretend to have ended.
  pod.once('end', () => client.once('finish', () => client.destroy()))
  pod.once('close', () => {
    if (!client.writableEnded) client.destroy()
  })
  if (fromPod.length > 0) client.write(fromPod)
  if (fromClient.length > 0) pod.write(fromClient)
  client.pipe(pod)
  pod.pipe(client)
}

function headOf(status: number, text: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${text}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}\r\n`
}
