// A stream for a pod that speaks HTTP/2 without TLS (gRPC): messages, trailers and resets passed on both ways.
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Pool } from '../engine/pools.ts'
import { CANCEL, INTERNAL_ERROR, isCut, NO_ERROR, REFUSED_STREAM } from './codes.ts'
import type { Attempt, Flight } from './exchange.ts'
import { dropHopFields, type Headers, passingTrailers } from './fields.ts'
import { type Place, podSessions } from './pod-sessions.ts'
import { Replay } from './replay.ts'
import { inform, isOver, respond, trail } from './speak.ts'

/** Sends a stream to a pod; goes to another when this one takes no connection or refuses the stream unread. */
export function toH2c(flight: Flight, pool: Pool): void {
  const call = flight.attempt instanceof Call ? flight.attempt : new Call(flight)
  flight.attempt = call
  const place = podSessions(pool).take(flight.core.limits.connect)
  if (place instanceof Promise) void place.then(found => call.attempt(pool, found))
  else call.attempt(pool, place)
}

/** What all attempts at a stream share. */
class Call implements Attempt {
  private readonly flight: Flight
  private readonly body: Replay | undefined
  private request: ClientHttp2Stream | undefined
  private hasAnswered = false
  private isLate = false

  constructor(flight: Flight) {
    this.flight = flight
    // A call that streams may take its time: the limit is for requests that are whole.
    if (!flight.isBare)
      this.body = new Replay(
        flight,
        () => this.request && this.limit(),
        () => this.closed(),
      )
  }

  closed(): void {
    this.request?.close(this.flight.stream.rstCode || CANCEL)
  }

  drained(): void {
    this.request?.resume()
  }

  late(): void {
    this.isLate = true
    this.request?.close(CANCEL)
  }

  /** `place`: where on a connection to the pod; undefined: it takes none. */
  attempt(pool: Pool, place: Place | undefined): void {
    const { flight, body } = this
    const { stream, isBare } = flight
    if (isOver(stream)) {
      place?.give()
      return
    }
    if (!place) {
      pool.avoid(performance.now())
      flight.goOn()
      return
    }
    const request = place.open(flight.fields.h2c(flight.asked, flight.target), {
      endStream: isBare,
      waitForTrailers: !isBare,
    })
    if (!request) {
      flight.goOn(pool)
      return
    }
    this.request = request
    this.isLate = false
    pool.inFlight++
    request.on('error', () => {})
    request.once('close', () => {
      pool.inFlight--
      place.give()
      if (this.request !== request) return
      this.request = undefined
      flight.limit(undefined)
      body?.detach()
      if (!isOver(stream)) this.ended(request, pool, place)
    })
    this.relayAnswer(request, pool)
    body?.sendTo(request)
    if (!body || body.isWhole) this.limit()
  }

  /** The time for the head of the answer begins. */
  private limit(): void {
    if (this.hasAnswered) return
    const { route, core, isBare } = this.flight
    const { attempt, answer } = route.patience ?? {}
    this.flight.limit((isBare ? attempt : undefined) ?? answer ?? core.limits.answer)
  }

  private relayAnswer(request: ClientHttp2Stream, pool: Pool): void {
    const { flight } = this
    const { stream, cookie } = flight
    let trailers: Headers = {}
    request.on('headers', interim => {
      dropHopFields(interim)
      inform(stream, interim)
    })
    request.on('trailers', came => {
      trailers = passingTrailers(came)
      flight.judged(trailers)
    })
    request.once('response', (headers, flags) => {
      pool.failures = 0
      flight.limit(undefined)
      if (isOver(stream)) return
      if (flight.goToRescue(Number(headers[':status']))) {
        this.letGo(request)
        return
      }
      this.hasAnswered = true
      this.body?.forget()
      dropHopFields(headers)
      flight.answered(headers)
      const isBare = (flags & END_STREAM) !== 0
      this.addOwn(headers, cookie)
      respond(stream, headers, { endStream: isBare, waitForTrailers: !isBare })
      if (isBare) {
        request.resume()
        return
      }
      stream.once('wantTrailers', () => trail(stream, trailers))
      request.on('data', (data: Buffer) => {
        if (!flight.give(data)) request.pause()
      })
      request.once('end', () => {
        if (!isCut(request)) stream.end()
      })
    })
  }

  private addOwn(headers: IncomingHttpHeaders, cookie: string | undefined): void {
    if (cookie !== undefined) headers['set-cookie'] = [...(headers['set-cookie'] ?? []), cookie]
    this.flight.mark(headers)
  }

  /** The attempt is none any more: another one has begun. */
  private letGo(request: ClientHttp2Stream): void {
    if (this.request === request) this.request = undefined
    request.close(CANCEL)
  }

  /** The pod's stream is over, while the client's is not. */
  private ended(request: ClientHttp2Stream, pool: Pool, place: Place): void {
    const { flight } = this
    const { stream } = flight
    const code = request.rstCode
    if (this.hasAnswered) {
      // What the client has begun to hear cannot be taken back; a lost pod is no wish of the client's to cancel.
      if (!stream.writableEnded) flight.cut(place.isLost() || code === NO_ERROR ? INTERNAL_ERROR : code)
      else if (!flight.isBare) stream.resume()
      return
    }
    if (code === REFUSED_STREAM && (!this.body || this.body.canRepeat))
      flight.goOn(place.isLeaving() ? pool : undefined)
    else if (this.isLate) this.wasLate()
    else if (place.isLost()) {
      pool.avoid(performance.now())
      flight.goElsewhere(502, 'the pod broke off before it answered')
    } else if (code === NO_ERROR || code === CANCEL)
      flight.goElsewhere(502, 'the pod ended the stream before it answered')
    else flight.cut(code)
  }

  private wasLate(): void {
    const { flight } = this
    if (flight.route.patience?.attempt === undefined) flight.fail(504, 'no answer in time')
    else flight.goElsewhere(504, 'no answer in time')
  }
}

const END_STREAM = 1
