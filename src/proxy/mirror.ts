// Copies of requests to the canary: sent and forgotten, never felt by the user.
import { type IncomingMessage, request } from 'node:http'
import type { Choice } from './choose.ts'
import type { Core } from './core.ts'

/** A longer body is not copied. */
const MOST_BODY = 64 * 1024

/** A copy in the making: the engine says when it starts to read the body, so that no byte is read early. */
export type Copying = Readonly<{ bodyBegins(): void }>

const nothing: Copying = { bodyBegins() {} }

/** Prepares the copy of a request, if a mirror route wants one and the canary is not getting the request itself. */
export function startMirrors(core: Core, req: IncomingMessage, choice: Choice, headers: readonly string[]): Copying {
  const { route } = choice
  if (route.mirrors.length === 0 || choice.dest.role === 'canary') return nothing
  const canary = route.dests.find(d => d.role === 'canary')
  if (!canary || canary.endpoints.length === 0) return nothing
  if (!route.mirrors.some(m => m.takes(req, choice.target))) return nothing

  const send = (body: readonly Buffer[]): void => {
    const pool = core.pools.choose(canary.endpoints, new Set())
    if (!pool) return
    const series = core.stats.of(route, { ...canary, role: 'extra', key: 'mirror' })
    const started = performance.now()
    let status = 0
    series.mirrored++
    core.stats.begin(series)
    pool.inFlight++
    const copy = request({
      host: pool.host,
      port: pool.port,
      method: req.method ?? 'GET',
      path: choice.target,
      headers,
      agent: pool.agent,
      setHost: false,
      timeout: core.limits.answer,
    })
    copy.on('timeout', () => copy.destroy())
    copy.on('error', () => {})
    copy.once('upgrade', (_answer, socket) => socket.destroy())
    copy.once('response', incoming => {
      status = incoming.statusCode ?? 0
      incoming.on('error', () => {})
      incoming.resume()
    })
    copy.once('close', () => {
      pool.inFlight--
      const failed = status === 0
      core.stats.end(series, { status: failed ? 502 : status, ms: performance.now() - started, failed })
    })
    for (const chunk of body) copy.write(chunk)
    copy.end()
  }

  let begun = false
  return {
    bodyBegins() {
      if (begun) return
      begun = true
      const chunks: Buffer[] = []
      let size = 0
      req.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= MOST_BODY) chunks.push(chunk)
        else chunks.length = 0
      })
      req.once('end', () => size <= MOST_BODY && send(chunks))
    },
  }
}
