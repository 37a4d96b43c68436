// One HTTP/2 stream of a client, from its headers to its end: chosen, counted, and given to a pod that speaks HTTP/1.1 or
// h2c. What both have in common is here.
import type { AccessLog } from '../access-log.ts'
import { chooseAgain, endpointsNow, mayGoOn, rescueFor } from '../again.ts'
import { choose, findWay } from '../choose.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import type { Pool } from '../engine/pools.ts'
import { answerMarks, traceIdOf } from '../marks.ts'
import { stripPrefix } from '../match.ts'
import type { Series } from '../stats.ts'
import { type H2Caller, H2Request, type HeadReader, tracedFields } from './asked.ts'
import { CANCEL, INTERNAL_ERROR } from './codes.ts'
import { addField, type Headers } from './fields.ts'
import { type Begun, gather, mayGather } from './gather.ts'
import { mirrorCopy, type StreamCopy } from './mirror.ts'
import { isGrpcFailure, say } from './own-answer.ts'
import type { PodFields } from './pod-fields.ts'
import { toH1 } from './to-h1.ts'
import { toH2c } from './to-h2c.ts'
import { fieldOf } from './wire/heads.ts'
import type { HeaderList } from './wire/hpack-decode.ts'
import type { Stream } from './wire/stream.ts'

/** Whoever is asking a pod for a stream. */
export type Attempt = {
  /** The stream is over: done, or its client is gone. */
  closed(): void
  /** It takes more of the answer. */
  drained(): void
  /** The flight's deadline is over. */
  late(): void
}

/** No time is set. */
const NEVER = Number.POSITIVE_INFINITY

const NONE: Headers = {}
const NOBODY: ReadonlySet<string> = new Set()

type Note = ReturnType<AccessLog['begin']>

type Parts = Readonly<{
  core: Core
  stream: Stream
  peer: string
  asked: H2Request
  target: string
  fields: PodFields
  route: CompiledRoute
  dest: Dest
  cookie: string | undefined
  isBare: boolean
  copy: StreamCopy | undefined
  note: Note | undefined
}>

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** A request on its way, as `toH1` and `toH2c` need it. */
export class Flight {
  readonly core: Core
  readonly stream: Stream
  readonly asked: H2Request
  readonly target: string
  readonly fields: PodFields
  route: CompiledRoute
  series: Series
  /** Whose it is. */
  readonly peer: string
  /** Set-Cookie of a sticky session, or undefined. */
  cookie: string | undefined
  /** The stream ended with its headers. */
  readonly isBare: boolean
  /** A copy in the making for the canary. */
  readonly copy: StreamCopy | undefined
  /** What came of the body before a pod was asked. */
  begun: Begun | undefined
  /** Octets of the body that came. */
  got = 0
  /** Octets of the answer that were given to the stream. */
  gave = 0
  /** Is a piece of the body due from the client? Then it has only so much time for it. */
  isDue = false
  /** Trailers of the request that may go on. */
  trailers: Headers = NONE
  attempt: Attempt | undefined
  /** When the attempt has taken too long, in milliseconds since the process began. */
  deadline = NEVER
  /** The same for the whole call, by the word of a gRPC client. */
  private until = NEVER
  /** A client that leaves from then on does so for want of an answer in time: clocks and lines are not exact. */
  private giveUpFrom = NEVER
  private readonly started = performance.now()
  readonly mayRepeat: boolean
  private readonly note: Note | undefined
  private dest: Dest
  /** Whom it was given to already; made for the second. */
  private tried: Set<string> | undefined
  private first: string | undefined
  private isForgiven = false
  private again = 0
  private rescuedFrom = 0
  private status = 0
  private failed = false

  constructor(parts: Parts) {
    const { core, asked, dest, isBare } = parts
    this.core = core
    this.stream = parts.stream
    this.peer = parts.peer
    this.asked = asked
    this.target = parts.target
    this.fields = parts.fields
    this.route = parts.route
    this.cookie = parts.cookie
    this.isBare = isBare
    this.copy = parts.copy
    this.note = parts.note
    this.dest = dest
    dest.series ??= core.stats.of(parts.route, dest)
    this.series = dest.series
    this.mayRepeat = isBare && SAFE.has(asked.method())
    if (asked.timeout !== undefined) {
      this.until = this.started + asked.timeout
      this.giveUpFrom = this.until - 10 - 0.02 * asked.timeout
    }
    core.stats.begin(this.series)
    core.load.inFlight++
  }

  /** The client takes more. */
  drained(): void {
    this.attempt?.drained()
  }

  /** The stream is over. */
  closed(): void {
    const { core, stream, series, rescuedFrom } = this
    this.copy?.forget()
    this.attempt?.closed()
    const now = performance.now()
    const ms = now - this.started
    if (now > this.giveUpFrom && !stream.isSent) {
      this.failed = true
      this.status ||= 504
    }
    core.load.inFlight--
    if (rescuedFrom !== 0) series.rescued++
    core.stats.end(series, rescuedFrom || this.status, ms, this.failed || rescuedFrom !== 0)
    if (this.note) core.access?.end(this.note, series, this.status, ms)
  }

  /** Gives the attempt so many milliseconds from now on; undefined: as long as it takes. */
  limit(ms: number | undefined): void {
    this.deadline = ms === undefined ? NEVER : performance.now() + ms
  }

  /** Gives the attempt the time that the head of an answer may take. */
  awaitAnswer(): void {
    const { attempt, answer } = this.route.patience ?? {}
    this.limit((this.isBare ? attempt : undefined) ?? answer ?? this.core.limits.answer)
  }

  /** The head of an answer did not come in time. */
  slow(): void {
    if (this.route.patience?.attempt === undefined) this.fail(504, 'no answer in time')
    else this.goElsewhere(504, 'no answer in time')
  }

  /** Looks at the clock. */
  tick(now: number): void {
    if (now >= this.until) {
      this.until = NEVER
      // What a client hears after that it does not believe.
      if (this.stream.hasHead) this.cut(CANCEL)
      else this.fail(504, 'no answer within grpc-timeout')
    } else if (now >= this.deadline) {
      this.deadline = NEVER
      this.attempt?.late()
    }
  }

  /** Begins after the body was waited for: the table may have changed meanwhile. */
  goOnWhole(): void {
    const other = chooseAgain(this.core, this.route, this.dest)
    if (other !== undefined) {
      this.route = other.route
      this.dest = other.dest
      this.series = other.series
      this.cookie = undefined
    }
    this.goOn()
  }

  /** After an attempt that no pod has seen: another pod, stable instead of the canary, or the end of it. `again`: a pod that
   * may be asked once more where there is no other, on a new connection. */
  goOn(once?: Pool): void {
    const { core, route, dest } = this
    const isFirst = this.first === undefined
    const tried = this.hasTried()
    const endpoints = isFirst ? dest.endpoints : endpointsNow(core, route, dest)
    let pool = core.pools.choose(endpoints, tried)
    if (!pool && once && !this.isForgiven && endpoints.some(e => e.key === once.endpoint.key)) {
      this.isForgiven = true
      pool = once
    }
    if (pool) {
      if (!isFirst) this.series.retries++
      this.first ??= pool.endpoint.key
      tried?.add(pool.endpoint.key)
      if (pool.endpoint.protocol === 'h2c') toH2c(this, pool)
      else toH1(this, pool)
    } else if (this.rescue(isFirst ? 503 : 502)) this.goOn()
    else if (isFirst) this.fail(503, dest.problem ?? `no ready pod behind ${dest.target}`)
    else this.fail(502, `no pod behind ${dest.target} took the connection`)
  }

  /** After an attempt that a pod may have seen. `why` is told to the client where that was the last one. */
  goElsewhere(code: number, why: string): void {
    const { core, route, dest } = this
    if (this.stream.isOver) return
    if (
      this.mayRepeat &&
      mayGoOn(core, route, endpointsNow(core, route, dest), this.hasTried() ?? NOBODY, this.again)
    ) {
      this.again++
      this.goOn()
    } else if (this.mayRepeat && this.rescue(code)) this.goOn()
    else this.fail(code, why)
  }

  private hasTried(): Set<string> | undefined {
    if (this.first !== undefined) this.tried ??= new Set([this.first])
    return this.tried
  }

  /** Should stable answer instead of the canary, which said this? Then it is under way. */
  goToRescue(code: number): boolean {
    if (!this.mayRepeat || this.route.rescue?.on.has(code) !== true || !this.rescue(code)) return false
    this.goOn()
    return true
  }

  /** Stable gets what the canary failed, and the failure stays the canary's. */
  private rescue(code: number): boolean {
    const { core, route, stream } = this
    const to = stream.hasHead ? undefined : rescueFor(route, this.dest)?.to
    if (!to || endpointsNow(core, route, to).length === 0) return false
    this.rescuedFrom = code
    this.dest = to
    this.tried = undefined
    this.first = undefined
    this.again = 0
    return true
  }

  /** A piece of the body came. False: it is longer than bodies may be, and the client has been told. */
  received(size: number): boolean {
    const { bodyOctets } = this.core.limits
    this.got += size
    if (bodyOctets === 0 || Math.max(this.got, this.asked.length ?? 0) <= bodyOctets) return true
    this.refuse(413, `the body is longer than ${bodyOctets} octets`)
    return false
  }

  /** Gives a piece of the answer to the client: [from, to) of a buffer, good for this moment only. False: it takes no more
   * now. */
  give(buf: Buffer, from: number, to: number): boolean {
    this.gave += to - from
    return this.stream.write(buf, from, to)
  }

  /** The same for the last piece. */
  giveLast(buf: Buffer, from: number, to: number): void {
    this.gave += to - from
    this.stream.end(buf, from, to)
  }

  /** The head of an answer with the proxy's own fields: the session's cookie, and who gave it. */
  private withOwn(headers: Headers): Headers {
    const { marks } = this.core
    if (this.cookie === undefined && marks === undefined) return headers
    const own = { ...headers }
    if (this.cookie !== undefined) addField(own, 'set-cookie', this.cookie)
    if (marks === undefined) return own
    // Who answered is for the proxy to say.
    if (marks.versionHeader !== undefined) delete own[marks.versionHeader.toLowerCase()]
    for (const [name, value] of answerMarks(marks, this.dest, performance.now() - this.started))
      addField(own, name.toLowerCase(), value)
    return own
  }

  /** The head of an answer is passed on, as it is returned. */
  answered(headers: Headers): Headers {
    this.status = Number(headers[':status'] ?? 502)
    this.judged(headers)
    return this.withOwn(headers)
  }

  /** The trailers are passed on: gRPC says in them how it went. */
  judged(said: Headers): void {
    if (this.asked.isGrpc && isGrpcFailure(said['grpc-status'])) this.failed = true
  }

  /** No whole answer: tells the client, in the proxy's own name if nothing was said yet. */
  fail(code: number, why: string): void {
    const { stream } = this
    if (stream.isOver) return
    if (stream.hasHead) {
      this.cut(INTERNAL_ERROR)
      return
    }
    this.failed = true
    this.status = code
    say(stream, code, why, this.asked.isGrpc)
  }

  /** The client asked for too much, or too slowly: tells it. No pod's failure. */
  refuse(code: number, why: string): void {
    const { stream } = this
    if (stream.isOver) return
    if (stream.hasHead) stream.close(INTERNAL_ERROR)
    else say(stream, code, why, this.asked.isGrpc)
  }

  /** Resets the stream with an error code of HTTP/2 (RFC 9113 7), as the pod did, or because it broke off. */
  cut(code: number): void {
    this.failed = true
    this.status ||= 502
    this.stream.close(code)
  }
}

/** Serves one stream; undefined: it was refused. */
export function serveStream(
  core: Core,
  caller: H2Caller,
  reader: HeadReader,
  stream: Stream,
  list: HeaderList | null,
  isBare: boolean,
): Flight | undefined {
  // One that is too long to be known may be a HEAD.
  stream.isForHead = list === null || fieldOf(list, ':method') === 'HEAD'
  const asked = reader.read(list, isBare)
  if (!(asked instanceof H2Request)) {
    core.stats.strays.refused++
    if (asked.isMalformed) stream.malformed()
    else say(stream, asked.status, asked.why, false)
    return undefined
  }
  stream.expected = asked.length
  const { inFlight } = core.limits
  if (inFlight > 0 && core.load.inFlight >= inFlight) {
    say(stream, 503, 'too many requests are in flight', asked.isGrpc)
    return undefined
  }
  const way = findWay(core.snapshot(), caller.port, asked)
  if (!way) {
    core.stats.strays.unrouted++
    say(stream, 404, `no route for host ${asked.host()} and this path`, asked.isGrpc)
    return undefined
  }
  const { route } = way
  const dest = choose(way, asked)
  const { session } = route
  const line = session?.line(way, asked, dest)
  const own = asked.fieldsFor(caller, session?.cookie)
  const { fields, traceparent } = core.marks ? tracedFields(own, core.marks) : { fields: own, traceparent: undefined }
  const target = way.strip ? stripPrefix(asked.target(), way.prefix) : asked.target()
  const note = core.access?.begin(asked, caller.peer)
  if (note && traceparent) note.trace = traceIdOf(traceparent)
  const flight = new Flight({
    core,
    stream,
    peer: caller.peer,
    asked,
    target,
    fields,
    route,
    dest,
    isBare,
    copy: mirrorCopy(core, route, dest, { asked, target, fields }),
    cookie: line?.toString('latin1').replace(/^Set-Cookie: |\r\n$/g, ''),
    note,
  })
  if (asked.length !== undefined && !flight.received(0)) return flight
  if (mayGather(flight)) gather(flight)
  else {
    flight.goOn()
    if (isBare) flight.copy?.send()
  }
  return flight
}
