// One HTTP/2 stream of a client, from its headers to its end: chosen, counted, and given to a pod that speaks HTTP/1.1 or
// h2c. What both have in common is here.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { endpointsNow, mayGoOn, rescueFor } from '../again.ts'
import { choose, findWay } from '../choose.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import { answerMarks, traceIdOf } from '../marks.ts'
import { stripPrefix } from '../match.ts'
import type { Series } from '../stats.ts'
import { fieldsFor, type H2Caller, type H2Request, readStream, tracedFields } from './asked.ts'
import { toH1 } from './to-h1.ts'
import { toH2c } from './to-h2c.ts'

/** A request on its way, as `toH1` and `toH2c` need it. */
export type Flight = {
  readonly core: Core
  readonly stream: ServerHttp2Stream
  readonly asked: H2Request
  readonly target: string
  readonly fields: readonly (readonly [string, string])[]
  readonly route: CompiledRoute
  readonly series: Series
  /** Set-Cookie of a sticky session, or undefined. */
  readonly cookie: string | undefined
  /** The stream ended with its headers. */
  readonly isBare: boolean
  /** After an attempt that no pod has seen: another pod, stable instead of the canary, or the end of it. */
  goOn(): void
  /** After an attempt that a pod may have seen. `why` is told to the client where that was the last one. */
  goElsewhere(status: number, why: string): void
  /** Fields of the proxy's own on the answer, names in lower case. */
  marks(): readonly (readonly [name: string, value: string])[]
  /** The head of an answer was passed on. */
  answered(status: number): void
  /** No whole answer: tells the client, in the proxy's own name if nothing was said yet. */
  fail(status: number, why: string): void
}

/** Serves one stream. */
export function serveStream(
  core: Core,
  caller: H2Caller,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  isBare: boolean,
): void {
  stream.on('error', () => {})
  const asked = readStream(headers)
  if (typeof asked === 'string') {
    core.stats.strays.refused++
    say(stream, 400, asked)
    return
  }
  const way = findWay(core.snapshot(), caller.port, asked)
  if (!way) {
    core.stats.strays.unrouted++
    say(stream, 404, `no route for host ${asked.host()} and this path`)
    return
  }
  const { route } = way
  const dest = choose(way, asked)
  const { session } = route
  const line = session?.line(way, asked, dest)
  const own = fieldsFor(asked, caller, session?.cookie)
  const { fields, traceparent } = core.marks ? tracedFields(own, core.marks) : { fields: own, traceparent: undefined }
  const flight = begin(core, stream, route, dest, traceparent, {
    asked,
    isBare,
    target: way.strip ? stripPrefix(asked.target(), way.prefix) : asked.target(),
    fields,
    cookie: line?.toString('latin1').replace(/^Set-Cookie: |\r\n$/g, ''),
  })
  flight.goOn()
}

type Parts = Pick<Flight, 'asked' | 'isBare' | 'target' | 'fields' | 'cookie'>

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

function begin(
  core: Core,
  stream: ServerHttp2Stream,
  route: CompiledRoute,
  chosen: Dest,
  traceparent: string | undefined,
  parts: Parts,
): Flight {
  chosen.series ??= core.stats.of(route, chosen)
  const { series } = chosen
  const mayRepeat = parts.isBare && SAFE.has(parts.asked.method())
  const started = performance.now()
  let dest = chosen
  let tried = new Set<string>()
  let again = 0
  let rescuedFrom = 0
  let status = 0
  let failed = false
  core.stats.begin(series)
  const note = core.access?.begin(parts.asked)
  if (note && traceparent) note.trace = traceIdOf(traceparent)
  stream.once('close', () => {
    const ms = performance.now() - started
    if (rescuedFrom !== 0) series.rescued++
    core.stats.end(series, rescuedFrom || status, ms, failed || rescuedFrom !== 0)
    if (note) core.access?.end(note, series, status, ms)
  })
  const fail = (code: number, why: string): void => {
    failed = true
    if (stream.destroyed) return
    if (stream.headersSent) stream.close(INTERNAL_ERROR)
    else {
      status = code
      say(stream, code, why)
    }
  }
  /** Stable gets what the canary failed, and the failure stays the canary's. */
  const rescue = (code: number): boolean => {
    const to = stream.headersSent ? undefined : rescueFor(route, dest)?.to
    if (!to || endpointsNow(core, route, to).length === 0) return false
    rescuedFrom = code
    dest = to
    tried = new Set()
    again = 0
    return true
  }
  const goOn = (): void => {
    const isFirst = tried.size === 0
    const pool = core.pools.choose(isFirst ? dest.endpoints : endpointsNow(core, route, dest), tried)
    if (pool) {
      if (!isFirst) series.retries++
      tried.add(pool.endpoint.key)
      if (pool.endpoint.protocol === 'h2c') void toH2c(flight, pool)
      else toH1(flight, pool)
    } else if (rescue(isFirst ? 503 : 502)) goOn()
    else if (isFirst) fail(503, dest.problem ?? `no ready pod behind ${dest.target}`)
    else fail(502, `no pod behind ${dest.target} took the connection`)
  }
  const goElsewhere = (code: number, why: string): void => {
    if (stream.destroyed) return
    if (mayRepeat && mayGoOn(core, route, endpointsNow(core, route, dest), tried, again)) {
      again++
      goOn()
    } else if (mayRepeat && rescue(code)) goOn()
    else fail(code, why)
  }
  const answered = (code: number): void => {
    status = code
  }
  const marks = () => {
    const own = core.marks ? answerMarks(core.marks, dest, performance.now() - started) : []
    return own.map(([name, value]) => [name.toLowerCase(), value] as const)
  }
  const flight: Flight = { core, stream, route, series, ...parts, goOn, goElsewhere, marks, answered, fail }
  return flight
}

const INTERNAL_ERROR = 2

/** Answers in the proxy's own name. */
function say(stream: ServerHttp2Stream, status: number, why: string): void {
  if (stream.destroyed || stream.headersSent) return
  stream.respond({ ':status': status, 'content-type': 'text/plain; charset=utf-8' })
  stream.end(`pintle proxy: ${why}\n`)
  // What of a body is still to come is of no use to anybody.
  stream.resume()
}
