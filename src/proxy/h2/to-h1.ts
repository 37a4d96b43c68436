// A stream for a pod that speaks HTTP/1.1: over the engine's own connections, its answers read by the engine's own parser.
import type { AnswerHead } from '../engine/answer-head.ts'
import { isFull } from '../engine/outlet.ts'
import type { Pool } from '../engine/pools.ts'
import { CHUNKED, NONE } from '../engine/request-head.ts'
import type { Asker, Upstream } from '../engine/upstream.ts'
import { isGivenUp } from './codes.ts'
import type { Flight } from './exchange.ts'
import { type Headers, headersOf, trailersOf } from './fields.ts'
import { inform, isOver, respond, trail } from './speak.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

export function toH1(flight: Flight, pool: Pool): void {
  new H1Asker(flight).attempt(pool, false)
}

class H1Asker implements Asker {
  readonly toHead: boolean
  /** Frames carry the length of a body's pieces: chunks are taken off. */
  readonly unpacks = true
  private readonly flight: Flight
  private readonly isChunked: boolean
  private upstream: Upstream | undefined
  private timer: NodeJS.Timeout | undefined
  private hasAnswered = false
  private isWhole: boolean
  private isSending = false
  private retried = false
  private trailers: Headers = {}

  constructor(flight: Flight) {
    this.flight = flight
    this.toHead = flight.asked.method() === 'HEAD'
    this.isWhole = flight.isBare
    this.isChunked = !flight.isBare && flight.asked.length === undefined
    flight.stream.once('close', () => this.left())
    flight.stream.on('drain', () => this.upstream?.resume())
  }

  attempt(pool: Pool, fresh: boolean): void {
    const upstream = pool.take(fresh)
    this.upstream = upstream
    upstream.serve(this)
    if (upstream.isConnected) this.connected()
    else this.limit(this.flight.core.limits.connect)
  }

  private limit(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      const { upstream } = this
      this.upstream = undefined
      upstream?.drop()
      if (upstream?.isConnected) this.slow()
      else this.goElsewhere(upstream)
    }, ms)
  }

  /** The time for an attempt, or for the answer, is over. */
  private slow(): void {
    const { patience } = this.flight.route
    if (patience?.attempt === undefined) this.flight.fail(504, 'no answer in time')
    else this.flight.goElsewhere(504, 'no answer in time')
  }

  connected(): void {
    const { upstream, flight } = this
    if (!upstream) return
    clearTimeout(this.timer)
    const { asked, target, fields } = flight
    let head = `${asked.method()} ${target} HTTP/1.1\r\nHost: ${asked.host()}\r\n`
    for (const [name, value] of fields) head += `${name}: ${value}\r\n`
    if (asked.trailers) head += 'TE: trailers\r\nConnection: TE\r\n'
    if (this.isChunked) head += 'Transfer-Encoding: chunked\r\n'
    upstream.out.writeWhole(Buffer.from(`${head}\r\n`, 'latin1'))
    if (this.isWhole) this.limit(this.patience())
    else if (!this.isSending) this.sendBody()
  }

  private patience(): number {
    const { route, core, isBare } = this.flight
    const { attempt, answer } = route.patience ?? {}
    return (isBare ? attempt : undefined) ?? answer ?? core.limits.answer
  }

  /** The body is read only from now on: until there is a connection, another pod may get the request. */
  private sendBody(): void {
    const { stream } = this.flight
    const { flight } = this
    this.isSending = true
    flight.isDue = true
    stream.on('data', (data: Buffer) => {
      const { upstream } = this
      if (!upstream || data.length === 0) return
      if (!flight.received(data.length)) {
        this.left()
        return
      }
      flight.copy?.add(data)
      if (this.isChunked) upstream.out.writeWhole(Buffer.from(`${data.length.toString(16)}\r\n`))
      upstream.out.writeWhole(data)
      if (this.isChunked) upstream.out.writeWhole(CRLF)
      if (isFull(upstream.out)) this.wait(true)
    })
    stream.once('end', () => {
      if (isGivenUp(stream)) return
      this.isWhole = true
      flight.isDue = false
      if (this.upstream) flight.copy?.send()
      if (this.isChunked) this.upstream?.out.writeWhole(LAST_CHUNK)
      if (!this.hasAnswered && this.upstream) this.limit(this.patience())
    })
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
    const { stream } = this.flight
    inform(stream, headersOf(buf, answer))
  }

  begins(buf: Buffer, answer: AnswerHead, to: number): void {
    const { stream, cookie } = this.flight
    clearTimeout(this.timer)
    if (isOver(stream)) return
    if (this.flight.goToRescue(answer.status)) {
      this.left()
      return
    }
    this.hasAnswered = true
    const headers = headersOf(buf, answer)
    this.flight.answered(headers)
    if (cookie !== undefined) (headers['set-cookie'] as string[] | undefined)?.push(cookie)
    if (cookie !== undefined) headers['set-cookie'] ??= [cookie]
    this.flight.mark(headers)
    const isChunked = answer.framing === CHUNKED
    respond(stream, headers, { endStream: answer.framing === NONE, waitForTrailers: isChunked })
    if (isChunked) stream.once('wantTrailers', () => trail(stream, this.trailers))
    this.goesOn(buf, answer.end, to)
  }

  goesOn(buf: Buffer, from: number, to: number): void {
    const { stream } = this.flight
    if (to <= from || isOver(stream)) return
    // A stream keeps what it is given; the buffer is read into again at once.
    if (!this.flight.give(Buffer.from(buf.subarray(from, to)))) this.upstream?.pause()
  }

  ends(reusable: boolean, trailer: Buffer | undefined): void {
    const { upstream } = this
    this.upstream = undefined
    if (trailer) {
      this.trailers = trailersOf(trailer)
      this.flight.judged(this.trailers)
    }
    if (reusable && this.isWhole && upstream) upstream.release(performance.now())
    else upstream?.drop()
    const { stream } = this.flight
    if (!stream.writableEnded) stream.end()
    if (!this.isWhole) stream.resume()
  }

  switches(): void {
    this.garbled()
  }

  garbled(): void {
    this.upstream?.drop()
    this.upstream = undefined
    clearTimeout(this.timer)
    this.flight.fail(502, 'the pod sent an answer that is not proper HTTP')
  }

  lost(): void {
    const { upstream, flight } = this
    this.upstream = undefined
    clearTimeout(this.timer)
    if (isOver(flight.stream)) return
    if (this.hasAnswered || !upstream) flight.fail(502, 'the pod broke off')
    else if (!upstream.isConnected) this.goElsewhere(upstream)
    else if (upstream.isUsed && flight.isBare && !this.retried && SAFE.has(flight.asked.method())) {
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
  private left(): void {
    clearTimeout(this.timer)
    this.upstream?.drop()
    this.upstream = undefined
  }

  tunnelled(): void {}
}

const CRLF = Buffer.from('\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')
