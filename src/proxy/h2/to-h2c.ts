// A stream for a pod that speaks HTTP/2 without TLS (gRPC): one session for each pod, trailers and resets passed on both
// ways. Sessions are kept with the pod's pool and leave with it.
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Pool } from '../engine/pools.ts'
import type { Flight } from './exchange.ts'

const REFUSED_STREAM = 7
const CANCEL = 8

/** Sends a stream to a pod; goes to another when this one takes no connection or refuses the stream unread. */
export async function toH2c(flight: Flight, pool: Pool): Promise<void> {
  const session = await sessionOf(pool, flight.core.limits.connect)
  if (flight.stream.destroyed) return
  if (!session) pool.avoid(performance.now())
  if (!session || !(await send(flight, pool, session))) flight.goOn()
}

/** The session of a pod, made when there is none. Undefined: it takes no connection in time. */
async function sessionOf(pool: Pool, limit: number): Promise<ClientHttp2Session | undefined> {
  const known = pool.session as ClientHttp2Session | undefined
  if (known && !known.closed && !known.destroyed) return known
  const { connect } = await import('node:http2')
  const host = pool.host.includes(':') ? `[${pool.host}]` : pool.host
  return new Promise(done => {
    const session = connect(`http://${host}:${pool.port}`)
    const timer = setTimeout(() => session.destroy(), limit)
    const forget = (): void => {
      clearTimeout(timer)
      if (pool.session === session) pool.session = undefined
      done(undefined)
    }
    session.on('error', forget)
    session.on('close', forget)
    // Streams that are under way finish; new ones go to a new session.
    session.on('goaway', forget)
    session.once('connect', () => {
      clearTimeout(timer)
      pool.session = session
      done(session)
    })
  })
}

/** One attempt. False: the pod refused the stream without having looked at it, and nothing of a body was read. */
function send(flight: Flight, pool: Pool, session: ClientHttp2Session): Promise<boolean> {
  const { stream, asked, target, fields, isBare, core, route } = flight
  const headers: Record<string, string | string[]> = {
    ':method': asked.method(),
    ':path': target,
    ':authority': asked.host(),
    ':scheme': 'http',
    te: 'trailers',
  }
  for (const [name, value] of fields) {
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return new Promise(done => {
    let hasAnswered = false
    let isRead = false
    let isLate = false
    pool.inFlight++
    const request = session.request(headers, { endStream: isBare, ...(isBare ? {} : { waitForTrailers: true }) })
    const left = (): void => request.close(stream.rstCode || CANCEL)
    const timer = setTimeout(() => {
      isLate = true
      request.close(CANCEL)
    }, route.patience?.answer ?? core.limits.answer)
    stream.once('close', left)
    if (!isBare) {
      stream.once('data', () => {
        isRead = true
      })
      stream.pipe(request)
      // A call that streams may take its time: the limit is for requests that are whole.
      stream.once('end', () => timer.refresh())
      passTrailers(stream, request)
    }
    relayAnswer(flight, request, () => {
      hasAnswered = true
      pool.failures = 0
      clearTimeout(timer)
    })
    request.on('error', () => {})
    request.once('close', () => {
      clearTimeout(timer)
      pool.inFlight--
      stream.removeListener('close', left)
      if (!stream.destroyed && !hasAnswered) {
        if (request.rstCode === REFUSED_STREAM && !isRead) {
          done(false)
          return
        }
        if (isLate) flight.fail(504, 'no answer in time')
        else if (request.rstCode !== 0 && request.rstCode !== CANCEL) stream.close(request.rstCode)
        else flight.goElsewhere(502, 'the pod closed the connection before it answered')
      } else if (!stream.destroyed && request.rstCode !== 0) stream.close(request.rstCode)
      done(true)
    })
  })
}

function relayAnswer({ stream, cookie, answered, marks }: Flight, request: ClientHttp2Stream, began: () => void): void {
  request.on('headers', interim => {
    if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders(interim)
  })
  request.once('response', (headers, flags) => {
    began()
    if (stream.destroyed) return
    answered(Number(headers[':status'] ?? 502))
    const isOver = (flags & 1) !== 0
    const more: Record<string, string | string[]> =
      cookie === undefined ? {} : { 'set-cookie': [...(headers['set-cookie'] ?? []), cookie] }
    for (const [name, value] of marks()) more[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
    stream.respond({ ...headers, ...more }, { endStream: isOver, ...(isOver ? {} : { waitForTrailers: true }) })
    if (isOver) {
      request.resume()
      stream.resume()
      return
    }
    passTrailers(request, stream)
    request.pipe(stream)
  })
}

type Side = ClientHttp2Stream | import('node:http2').ServerHttp2Stream

/** Trailers come before the end of what is read, and are asked for after the end of what is written. */
function passTrailers(from: Side, to: Side): void {
  let trailers: IncomingHttpHeaders = {}
  from.on('trailers', (got: IncomingHttpHeaders) => {
    trailers = got
  })
  to.on('wantTrailers', () => {
    if (!to.destroyed) to.sendTrailers(trailers)
  })
}
