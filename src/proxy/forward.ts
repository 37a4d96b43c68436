// The engine for plain requests: node:http on both sides, bodies streamed with backpressure.
//
// undici would be somewhat cheaper towards the pods, but it refuses Expect and hides whether a connection was new, which
// decides what may be tried again. The engine is meant to be replaced; nothing outside this file depends on it.
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http'
import { type Choice, choose } from './choose.ts'
import type { Core } from './core.ts'
import type { Endpoint } from './endpoints.ts'
import { type Admitted, admit } from './guard.ts'
import { requestHeaders, responseHeaders, trailerPairs } from './headers.ts'
import { startMirrors } from './mirror.ts'
import { avoid, type Pool } from './pool.ts'

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Serves one request. */
export function forward(core: Core, req: IncomingMessage, res: ServerResponse): void {
  // Without a listener a client that breaks off would end the process.
  req.on('error', ignore)
  res.on('error', ignore)
  const admitted = admit(req)
  if ('why' in admitted) {
    core.stats.strays.refused++
    answer(res, admitted.status, admitted.why, true)
    return
  }
  const { host, target } = admitted
  const choice = choose(core.snapshot(), req.socket.localPort ?? 0, host, target, req.headers)
  if (!choice) {
    core.stats.strays.unrouted++
    answer(res, 404, `no route for host ${host || '(none)'} and this path`, core.draining())
    return
  }
  exchange(core, req, res, admitted, choice)
}

/** One request and all attempts at it. */
function exchange(core: Core, req: IncomingMessage, res: ServerResponse, admitted: Admitted, choice: Choice): void {
  const { framing } = admitted
  const series = core.stats.of(choice.route, choice.dest)
  const headers = requestHeaders(req, framing, admitted.host, core.trusts)
  const started = performance.now()
  const tried = new Set<string>()
  let current: ClientRequest | undefined
  let retried = false
  let failed = false
  core.stats.begin(series)
  const mirrored = startMirrors(core, req, choice, headers)

  // A client that closes its side has left, unless it already has the whole answer.
  const left = (): void => {
    if (!res.writableEnded) req.socket.destroy()
  }
  req.socket.once('end', left)
  res.once('close', () => {
    req.socket.removeListener('end', left)
    if (!res.writableFinished) current?.destroy()
    core.stats.end(series, { status: res.headersSent ? res.statusCode : 0, ms: performance.now() - started, failed })
  })

  const fail = (status: number, why: string): void => {
    failed = true
    answer(res, status, why, core.draining() || framing !== 'none')
  }

  const attempt = (fresh: boolean): void => {
    const { problem, target } = choice.dest
    const endpoints = current ? endpointsNow(core, choice) : choice.dest.endpoints
    const pool = core.pools.choose(endpoints, tried)
    if (pool) current = send(pool, fresh)
    else if (tried.size === 0) fail(503, problem ?? `no ready pod behind ${target}`)
    else fail(502, `no pod behind ${target} took the connection`)
  }

  const send = (pool: Pool, fresh: boolean): ClientRequest => {
    const upstream = request({
      host: pool.host,
      port: pool.port,
      method: req.method ?? 'GET',
      path: choice.target,
      headers,
      agent: fresh ? false : pool.agent,
      setHost: false,
    })
    let connected = false
    let answered = false
    let late: string | undefined
    let timer: NodeJS.Timeout | undefined
    const limit = (ms: number, what: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        late = what
        upstream.destroy(new Error(what))
      }, ms)
    }
    // The body is touched only when there is a connection: until then any request may go to another pod.
    const begin = (): void => {
      connected = true
      clearTimeout(timer)
      upstream.once('finish', () => !answered && limit(core.limits.answer, 'no answer in time'))
      mirrored.bodyBegins()
      if (framing === 'none') upstream.end()
      else {
        req.once('end', () => upstream.addTrailers(trailerPairs(req.rawTrailers)))
        req.pipe(upstream)
      }
    }

    pool.inFlight++
    upstream.once('close', () => {
      pool.inFlight--
      clearTimeout(timer)
    })
    upstream.once('socket', socket => {
      if (socket.connecting) {
        limit(core.limits.connect, 'no connection in time')
        socket.once('connect', begin)
      } else begin()
    })
    upstream.on('continue', () => res.writeContinue())
    upstream.on('information', info => {
      if (info.statusCode === 103) earlyHints(res, info.headers)
    })
    // A 101 that nobody asked for must not become a tunnel.
    upstream.once('upgrade', (_answer, socket) => {
      socket.destroy()
      fail(502, 'the pod switched protocols unasked')
    })
    upstream.once('response', incoming => {
      answered = true
      clearTimeout(timer)
      relay(incoming)
    })
    upstream.on('error', () => {
      clearTimeout(timer)
      if (answered || res.headersSent || res.destroyed) return
      if (!connected) {
        avoid(pool, core.now())
        tried.add(pool.endpoint.key)
        series.retries++
        attempt(false)
        return
      }
      // A pod that left meanwhile broke off for that reason; one that is still there may have crashed over this request.
      const excused = upstream.reusedSocket || !core.snapshot().endpoints.has(pool.endpoint.key)
      const stale = excused && framing === 'none' && IDEMPOTENT.has(req.method ?? '')
      if (late) fail(504, late)
      else if (!stale || retried) fail(502, 'the pod closed the connection before it answered')
      else {
        retried = true
        series.retries++
        attempt(true)
      }
    })
    return upstream
  }

  const relay = (incoming: IncomingMessage): void => {
    incoming.on('error', ignore)
    incoming.once('close', () => {
      if (incoming.complete || res.destroyed) return
      // The client must see that the answer is not whole.
      failed = true
      res.destroy()
    })
    try {
      res.writeHead(
        incoming.statusCode ?? 502,
        incoming.statusMessage,
        responseHeaders(incoming.rawHeaders, core.draining()),
      )
    } catch {
      current?.destroy()
      fail(502, 'the pod sent a head that cannot be passed on')
      return
    }
    incoming.once('end', () => {
      if (incoming.rawTrailers.length > 0) res.addTrailers(trailerPairs(incoming.rawTrailers))
      if (req.complete || framing === 'none') return
      // Answered before the whole body was read: the rest is of no use to anybody.
      if (current) req.unpipe(current)
      current?.destroy()
      req.resume()
    })
    incoming.pipe(res)
    // The head leaves with the first bytes of the body, or now when there are none yet.
    setImmediate(() => {
      if (!res.writableEnded && !res.destroyed) res.flushHeaders()
    })
  }

  attempt(false)
}

/** For a further attempt: the endpoints that the version has by now; the table may have moved on since the choice. */
function endpointsNow(core: Core, { route, dest }: Choice): readonly Endpoint[] {
  const now = core.snapshot().routes.find(r => r.name === route.name)
  return now?.dests.find(d => d.key === dest.key)?.endpoints ?? dest.endpoints
}

function earlyHints(res: ServerResponse, headers: IncomingHttpHeaders): void {
  const { link, ...rest } = headers
  const hints = Object.entries(rest).filter((h): h is [string, string | string[]] => h[1] !== undefined)
  try {
    res.writeEarlyHints({ link: link ?? [], ...Object.fromEntries(hints) })
  } catch {
    // A hint is only that.
  }
}

/** Answers in the proxy's own name. */
function answer(res: ServerResponse, status: number, why: string, close: boolean): void {
  if (res.headersSent || res.destroyed) return
  const body = `pintle proxy: ${why}\n`
  res.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...(close ? { Connection: 'close' } : {}),
  })
  res.end(body)
}

const ignore = (): void => {}
