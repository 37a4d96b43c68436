// A stream for a pod that speaks HTTP/1.1: over the engine's own connections, its answers read by the engine's own parser.
import type { AnswerHead } from '../engine/answer-head.ts'
import { isFull, type Outlet } from '../engine/outlet.ts'
import { headerFor, lineOnce } from '../engine/own-lines.ts'
import type { Pool } from '../engine/pools.ts'
import { LENGTH, NONE } from '../engine/request-head.ts'
import type { Asker, Upstream } from '../engine/upstream.ts'
import { chunkOf, lastChunk } from './chunk-of.ts'
import type { Attempt, Flight } from './exchange.ts'
import { type Headers, headersOf, trailersOf } from './fields.ts'
import type { BodyReader } from './wire/stream.ts'

/** Octets for heads of requests. */
const SCRATCH = 4096

export function toH1(flight: Flight, pool: Pool): void {
  const asker = new H1Asker(flight)
  flight.attempt = asker
  asker.attempt(pool, false)
}

class H1Asker implements Asker, Attempt, BodyReader {
  readonly toHead: boolean
  /** Frames carry the length of a body's pieces: chunks are taken off. */
  readonly unpacks = true
  private readonly flight: Flight
  private readonly isChunked: boolean
  private upstream: Upstream | undefined
  private hasAnswered = false
  private isWhole: boolean
  private isSending = false
  private retried = false

  constructor(flight: Flight) {
    this.flight = flight
    this.toHead = flight.asked.method() === 'HEAD'
    this.isWhole = flight.isBare || flight.begun?.isWhole === true
    this.isChunked = !flight.isBare && flight.asked.length === undefined
  }

  /** One that tells who the client is is for this stream alone. */
  private lineTo(pool: Pool, fresh: boolean): Upstream {
    if (pool.endpoint.proxyProtocol === undefined) return pool.take(fresh, this.flight.mayRepeat)
    const { stream, peer } = this.flight
    return lineOnce(pool, headerFor(stream.socket, peer))
  }

  attempt(pool: Pool, fresh: boolean): void {
    const upstream = this.lineTo(pool, fresh)
    this.upstream = upstream
    upstream.serve(this)
    if (upstream.isConnected) this.connected()
    else this.flight.limit(this.flight.core.limits.connect)
  }

  late(): void {
    const { upstream } = this
    this.upstream = undefined
    upstream?.drop()
    if (upstream?.isConnected) this.flight.slow()
    else this.goElsewhere(upstream)
  }

  drained(): void {
    this.upstream?.resume()
  }

  connected(): void {
    const { upstream, flight } = this
    if (!upstream) return
    const head = flight.fields.head(flight.asked, flight.target)
    const framing = this.isChunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n'
    writeText(upstream.out, head + framing)
    if (flight.begun) upstream.out.writeWhole(flight.begun.octets)
    if (this.isWhole) flight.awaitAnswer()
    else flight.limit(undefined)
    if (!this.isWhole && !this.isSending) this.sendBody()
  }

  /** The body is read only from now on: until there is a connection, another pod may get the request. */
  private sendBody(): void {
    this.isSending = true
    this.flight.isDue = true
    this.flight.stream.read(this)
  }

  data(buf: Buffer, from: number, to: number): void {
    const { upstream, flight } = this
    if (!upstream) return
    if (!flight.received(to - from)) {
      this.closed()
      return
    }
    flight.copy?.add(buf, from, to)
    if (this.isChunked) upstream.out.writeWhole(chunkOf(buf, from, to))
    else upstream.out.write(buf, from, to)
    if (isFull(upstream.out)) this.wait(true)
  }

  ended(): void {
    const { upstream, flight } = this
    this.isWhole = true
    flight.isDue = false
    if (!upstream) return
    flight.copy?.send()
    if (this.isChunked) upstream.out.writeWhole(lastChunk(flight.trailers))
    if (!this.hasAnswered) flight.awaitAnswer()
  }

  sent(): void {
    if (this.isSending) this.wait(false)
  }

  /** Holds the client back while the pod takes no more. */
  private wait(isFor: boolean): void {
    const { flight } = this
    flight.isDue = !isFor && !this.isWhole
    if (isFor) flight.stream.pause()
    else flight.stream.resume()
  }

  interim(buf: Buffer, answer: AnswerHead): void {
    this.flight.stream.inform(headersOf(buf, answer))
  }

  begins(buf: Buffer, answer: AnswerHead, to: number): void {
    const { flight } = this
    const { stream } = flight
    flight.limit(undefined)
    if (stream.isOver) return
    if (flight.goToRescue(answer.status)) {
      this.closed()
      return
    }
    this.hasAnswered = true
    const { end, framing, length } = answer
    stream.head(flight.answered(headersOf(buf, answer)), framing === NONE)
    if (framing === LENGTH && to - end === length && !stream.isOver) flight.giveLast(buf, end, to)
    else this.goesOn(buf, end, to)
  }

  goesOn(buf: Buffer, from: number, to: number): void {
    const { stream } = this.flight
    if (to <= from || stream.isOver) return
    if (!this.flight.give(buf, from, to)) this.upstream?.pause()
  }

  ends(reusable: boolean, trailer: Buffer | undefined): void {
    const { upstream } = this
    this.upstream = undefined
    const trailers = trailer === undefined ? NO_TRAILERS : trailersOf(trailer)
    this.flight.judged(trailers)
    if (reusable && this.isWhole && upstream) upstream.release(performance.now())
    else upstream?.drop()
    const { stream } = this.flight
    stream.endWith(trailers)
    // What of the request still comes is of no use.
    if (!this.isWhole) stream.discard()
  }

  switches(): void {
    this.garbled()
  }

  garbled(): void {
    this.upstream?.drop()
    this.upstream = undefined
    this.flight.limit(undefined)
    this.flight.fail(502, 'the pod sent an answer that is not proper HTTP')
  }

  lost(): void {
    const { upstream, flight } = this
    this.upstream = undefined
    this.flight.limit(undefined)
    if (flight.stream.isOver) return
    if (this.hasAnswered || !upstream) flight.fail(502, 'the pod broke off')
    else if (!upstream.isConnected) this.goElsewhere(upstream)
    else if (upstream.isUsed && flight.mayRepeat && !this.retried) {
      this.retried = true
      flight.series.retries++
      this.attempt(upstream.pool, true)
    } else flight.goElsewhere(502, 'the pod closed the connection before it answered')
  }

  private goElsewhere(upstream: Upstream | undefined): void {
    upstream?.pool.avoid(performance.now())
    this.flight.goOn()
  }

  /** The client is gone, or done. */
  closed(): void {
    this.upstream?.drop()
    this.upstream = undefined
  }

  tunnelled(): void {}
}

let scratch = Buffer.allocUnsafeSlow(SCRATCH)

/** Writes a text that the kernel mostly takes at once: then its octets need no memory of their own. */
function writeText(out: Outlet, text: string): void {
  if (text.length > SCRATCH) {
    out.writeWhole(Buffer.from(text, 'latin1'))
    return
  }
  const size = scratch.write(text, 0, 'latin1')
  out.write(scratch, 0, size)
  // A write that is still under way needs its octets.
  if (out.unsent > 0) scratch = Buffer.allocUnsafeSlow(SCRATCH)
}

const NO_TRAILERS: Headers = {}
