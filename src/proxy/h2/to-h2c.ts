// A stream for a pod that speaks HTTP/2 without TLS (gRPC): messages, trailers and resets passed on both ways.
import type { Pool } from '../engine/pools.ts'
import { CANCEL, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM } from './codes.ts'
import type { Attempt, Flight } from './exchange.ts'
import { type Headers, headersFrom, passingTrailers } from './fields.ts'
import { type Place, podSessions } from './pod-sessions.ts'
import { Replay } from './replay.ts'
import type { HeaderList } from './wire/hpack-decode.ts'
import type { BodyReader, Listener, Stream } from './wire/stream.ts'

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
  readonly flight: Flight
  readonly body: Replay | undefined
  private asking: Asking | undefined
  hasAnswered = false
  private isLate = false

  constructor(flight: Flight) {
    this.flight = flight
    // A call that streams may take its time: the limit is for requests that are whole.
    if (!flight.isBare)
      this.body = new Replay(
        flight,
        () => this.asking && this.limit(),
        () => this.closed(),
      )
  }

  closed(): void {
    this.asking?.request.close(this.flight.stream.code || CANCEL)
  }

  drained(): void {
    this.asking?.request.resume()
  }

  late(): void {
    this.isLate = true
    this.asking?.request.close(CANCEL)
  }

  /** `place`: where on a connection to the pod; undefined: it takes none. */
  attempt(pool: Pool, place: Place | undefined): void {
    const { flight, body } = this
    if (flight.stream.isOver) {
      place?.give()
      return
    }
    if (!place) {
      pool.avoid(performance.now())
      flight.goOn()
      return
    }
    const asking = new Asking(this, pool, place)
    if (!asking.begin()) {
      flight.goOn(pool)
      return
    }
    this.asking = asking
    this.isLate = false
    pool.inFlight++
    body?.sendTo(asking.request)
    if (!body || body.isWhole) this.limit()
  }

  /** The time for the head of the answer begins. */
  private limit(): void {
    if (!this.hasAnswered) this.flight.awaitAnswer()
  }

  /** The attempt is none any more: another one has begun. */
  letGo(asking: Asking): void {
    if (this.asking === asking) this.asking = undefined
    asking.request.close(CANCEL)
  }

  /** The stream of an attempt is over. */
  over(asking: Asking): void {
    if (this.asking !== asking) return
    const { flight } = this
    this.asking = undefined
    flight.limit(undefined)
    this.body?.detach()
    if (!flight.stream.isOver) this.ended(asking)
  }

  /** The pod's stream is over, while the client's is not. */
  private ended({ request, pool, place }: Asking): void {
    const { flight } = this
    const { stream } = flight
    const { code } = request
    if (this.hasAnswered) {
      // What the client has begun to hear cannot be taken back; a lost pod is no wish of the client's to cancel.
      if (!stream.isEnded) flight.cut(place.isLost() || code === NO_ERROR ? INTERNAL_ERROR : code)
      else if (!flight.isBare) stream.discard()
      return
    }
    if (code === REFUSED_STREAM && (!this.body || this.body.canRepeat))
      flight.goOn(place.isLeaving() ? pool : undefined)
    else if (this.isLate) flight.slow()
    else if (place.isLost()) {
      pool.avoid(performance.now())
      flight.goElsewhere(502, 'the pod broke off before it answered')
    } else if (code === NO_ERROR || code === CANCEL)
      flight.goElsewhere(502, 'the pod ended the stream before it answered')
    else flight.cut(code)
  }
}

/** One attempt: a stream of a pod, and what comes on it. */
class Asking implements Listener, BodyReader {
  private readonly call: Call
  readonly pool: Pool
  readonly place: Place
  request!: Stream
  private trailers: Headers = {}

  constructor(call: Call, pool: Pool, place: Place) {
    this.call = call
    this.pool = pool
    this.place = place
  }

  /** False: the connection has ended in this very moment. */
  begin(): boolean {
    const { flight } = this.call
    const { fields, asked, target, isBare } = flight
    const request = this.place.open(fields.h2c(asked), target, isBare, this)
    if (request) this.request = request
    return request !== undefined
  }

  interim(list: HeaderList): void {
    this.call.flight.stream.inform(headersFrom(list))
  }

  answered(list: HeaderList, status: number, isBare: boolean): void {
    const { call, pool, request } = this
    const { flight } = call
    const { stream } = flight
    pool.failures = 0
    flight.limit(undefined)
    if (stream.isOver) return
    if (flight.goToRescue(status)) {
      call.letGo(this)
      return
    }
    call.hasAnswered = true
    call.body?.forget()
    stream.head(flight.answered(headersFrom(list)), isBare)
    request.read(this)
  }

  data(buf: Buffer, from: number, to: number): void {
    if (!this.call.flight.give(buf, from, to)) this.request.pause()
  }

  trailed(list: HeaderList): void {
    this.trailers = passingTrailers(list)
    this.call.flight.judged(this.trailers)
  }

  ended(): void {
    this.call.flight.stream.endWith(this.trailers)
  }

  drained(): void {
    this.call.body?.drained(this.request)
  }

  closed(): void {
    this.pool.inFlight--
    this.place.give()
    this.call.over(this)
  }
}
