// One HTTP/2 stream of a client, from its headers to its end: chosen, counted, and given to a pod that speaks HTTP/1.1 or
// h2c. What both have in common is here.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { endpointsNow, mayGoOn, rescueFor } from '../again.ts'
import { choose, findWay } from '../choose.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import type { Pool } from '../engine/pools.ts'
import { answerMarks, traceIdOf } from '../marks.ts'
import { stripPrefix } from '../match.ts'
import type { Series } from '../stats.ts'
import { fieldsFor, type H2Caller, type H2Request, readStream, tracedFields } from './asked.ts'
import { INTERNAL_ERROR } from './codes.ts'
import { addField, type Headers } from './fields.ts'
import { copyOf, type StreamCopy } from './mirror.ts'
import { isGrpc, isGrpcFailure, say } from './own-answer.ts'
import { isOver } from './speak.ts'
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
  /** A copy in the making for the canary. */
  readonly copy: StreamCopy | undefined
  /** Octets of the body that came. */
  got: number
  /** Octets of the answer that were given to the stream. */
  gave: number
  /** Is a piece of the body due from the client? Then it has only so much time for it. */
  isDue: boolean
  /** After an attempt that no pod has seen: another pod, stable instead of the canary, or the end of it. `again`: a pod that
   * may be asked once more where there is no other, on a new connection. */
  goOn(again?: Pool): void
  /** After an attempt that a pod may have seen. `why` is told to the client where that was the last one. */
  goElsewhere(status: number, why: string): void
  /** A piece of the body came. False: it is longer than bodies may be, and the client has been told. */
  received(size: number): boolean
  /** Gives a piece of the answer to the stream; false: it takes no more now. */
  give(data: Buffer): boolean
  /** Adds to the head of an answer who gave it. */
  mark(headers: Headers | IncomingHttpHeaders): void
  /** Should stable answer instead of the canary, which said this? Then it is under way. */
  goToRescue(status: number): boolean
  /** The head of an answer is passed on. */
  answered(headers: Headers | IncomingHttpHeaders): void
  /** The trailers are passed on: gRPC says in them how it went. */
  judged(trailers: Headers | IncomingHttpHeaders): void
  /** No whole answer: tells the client, in the proxy's own name if nothing was said yet. */
  fail(status: number, why: string): void
  /** The client asked for too much, or too slowly: tells it. No pod's failure. */
  refuse(status: number, why: string): void
  /** Resets the stream with an error code of HTTP/2 (RFC 9113 7), as the pod did, or because it broke off. */
  cut(code: number): void
}

/** Serves one stream; undefined: it was refused. */
export function serveStream(
  core: Core,
  caller: H2Caller,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  isBare: boolean,
): Flight | undefined {
  stream.on('error', () => {})
  // A reset without an error leaves it half alive until its body is read, which may be never.
  stream.once('aborted', () => setImmediate(() => stream.destroy()))
  const asked = readStream(headers)
  if (typeof asked === 'string') {
    core.stats.strays.refused++
    say(stream, 400, asked, false)
    return undefined
  }
  const { inFlight } = core.limits
  const grpc = isGrpc(asked.header('content-type'))
  if (inFlight > 0 && core.load.inFlight >= inFlight) {
    say(stream, 503, 'too many requests are in flight', grpc)
    return undefined
  }
  const way = findWay(core.snapshot(), caller.port, asked)
  if (!way) {
    core.stats.strays.unrouted++
    say(stream, 404, `no route for host ${asked.host()} and this path`, grpc)
    return undefined
  }
  const { route } = way
  const dest = choose(way, asked)
  const { session } = route
  const line = session?.line(way, asked, dest)
  const own = fieldsFor(asked, caller, session?.cookie)
  const { fields, traceparent } = core.marks ? tracedFields(own, core.marks) : { fields: own, traceparent: undefined }
  const target = way.strip ? stripPrefix(asked.target(), way.prefix) : asked.target()
  const flight = begin(core, caller, stream, route, dest, traceparent, {
    asked,
    isBare,
    target,
    fields,
    copy: copyOf(core, route, dest, { asked, target, fields }),
    cookie: line?.toString('latin1').replace(/^Set-Cookie: |\r\n$/g, ''),
  })
  if (asked.length !== undefined && !flight.received(0)) return flight
  flight.goOn()
  if (isBare) flight.copy?.send()
  return flight
}

type Parts = Pick<Flight, 'asked' | 'isBare' | 'target' | 'fields' | 'cookie' | 'copy'>

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

function begin(
  core: Core,
  caller: H2Caller,
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
  let isForgiven = false
  let again = 0
  let rescuedFrom = 0
  let status = 0
  let failed = false
  core.stats.begin(series)
  core.load.inFlight++
  const grpc = isGrpc(parts.asked.header('content-type'))
  const note = core.access?.begin(parts.asked, caller.peer)
  if (note && traceparent) note.trace = traceIdOf(traceparent)
  stream.once('close', () => {
    const ms = performance.now() - started
    core.load.inFlight--
    if (rescuedFrom !== 0) series.rescued++
    core.stats.end(series, rescuedFrom || status, ms, failed || rescuedFrom !== 0)
    if (note) core.access?.end(note, series, status, ms)
  })
  const cut = (code: number): void => {
    failed = true
    status ||= 502
    stream.close(code)
  }
  const fail = (code: number, why: string): void => {
    if (isOver(stream)) return
    if (stream.headersSent) {
      cut(INTERNAL_ERROR)
      return
    }
    failed = true
    status = code
    say(stream, code, why, grpc)
  }
  const refuse = (code: number, why: string): void => {
    if (isOver(stream)) return
    if (stream.headersSent) stream.close(INTERNAL_ERROR)
    else say(stream, code, why, grpc)
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
  const goOn = (once?: Pool): void => {
    const isFirst = tried.size === 0
    const endpoints = isFirst ? dest.endpoints : endpointsNow(core, route, dest)
    let pool = core.pools.choose(endpoints, tried)
    if (!pool && once && !isForgiven && endpoints.some(e => e.key === once.endpoint.key)) {
      isForgiven = true
      pool = once
    }
    if (pool) {
      if (!isFirst) series.retries++
      tried.add(pool.endpoint.key)
      if (pool.endpoint.protocol === 'h2c') toH2c(flight, pool)
      else toH1(flight, pool)
    } else if (rescue(isFirst ? 503 : 502)) goOn()
    else if (isFirst) fail(503, dest.problem ?? `no ready pod behind ${dest.target}`)
    else fail(502, `no pod behind ${dest.target} took the connection`)
  }
  const goElsewhere = (code: number, why: string): void => {
    if (isOver(stream)) return
    if (mayRepeat && mayGoOn(core, route, endpointsNow(core, route, dest), tried, again)) {
      again++
      goOn()
    } else if (mayRepeat && rescue(code)) goOn()
    else fail(code, why)
  }
  const goToRescue = (code: number): boolean => {
    if (!mayRepeat || route.rescue?.on.has(code) !== true || !rescue(code)) return false
    goOn()
    return true
  }
  const { bodyOctets } = core.limits
  const received = (size: number): boolean => {
    flight.got += size
    if (bodyOctets === 0 || Math.max(flight.got, parts.asked.length ?? 0) <= bodyOctets) return true
    refuse(413, `the body is longer than ${bodyOctets} octets`)
    return false
  }
  const give = (data: Buffer): boolean => {
    flight.gave += data.length
    return stream.write(data)
  }
  const judged = (said: Headers | IncomingHttpHeaders): void => {
    if (grpc && isGrpcFailure(said['grpc-status'])) failed = true
  }
  const answered = (headers: Headers | IncomingHttpHeaders): void => {
    status = Number(headers[':status'] ?? 502)
    judged(headers)
  }
  const mark = (headers: Headers | IncomingHttpHeaders): void => {
    if (core.marks === undefined) return
    // Who answered is for the proxy to say.
    if (core.marks.versionHeader !== undefined) delete headers[core.marks.versionHeader.toLowerCase()]
    for (const [name, value] of answerMarks(core.marks, dest, performance.now() - started))
      addField(headers as Headers, name.toLowerCase(), value)
  }
  const steps = { goOn, goElsewhere, goToRescue, received, give, mark, answered, judged, fail, refuse, cut }
  const flight: Flight = { core, stream, route, series, ...parts, ...steps, got: 0, gave: 0, isDue: false }
  return flight
}
