// An HTTP/1.1 request on a stream of a pod that speaks h2c. To whoever asks it is a connection like any other: octets of
// HTTP/1.1 go in and come out, while the requests of many clients share a few connections, and one write.
import { answer, readAnswer } from '../engine/answer-head.ts'
import { Chunks } from '../engine/chunks.ts'
import type { Line } from '../engine/line.ts'
import type { Pool } from '../engine/pools.ts'
import { HEADROOM, sharedBuffer } from '../engine/reads.ts'
import { CHUNKED, NONE } from '../engine/request-head.ts'
import type { SentHead } from '../engine/sent-head.ts'
import { type Sink, StuckClock } from '../engine/sink.ts'
import type { Asker } from '../engine/upstream.ts'
import { answerText } from './answer-text.ts'
import { chunkOf, lastChunk } from './chunk-of.ts'
import { CANCEL, PROTOCOL_ERROR, REFUSED_STREAM } from './codes.ts'
import { type Headers, passingTrailers, trailersOf } from './fields.ts'
import { holdFor, letGo } from './held-piece.ts'
import { KeptBody } from './kept-body.ts'
import { type Place, podSessions } from './pod-sessions.ts'
import { type RequestFields, requestFields } from './request-fields.ts'
import { fieldOf } from './wire/heads.ts'
import type { HeaderList } from './wire/hpack-decode.ts'
import type { BodyReader, Listener, Stream } from './wire/stream.ts'

const NO_TRAILERS: Headers = {}
/** Lines of the proxy's own go in front of a head. */
const ROOM = 1024

export class H2cLine implements Line, Sink, Listener, BodyReader {
  readonly pool: Pool
  isConnected = false
  isUsed = false
  private asker: Asker | undefined
  private readonly limit: number
  private place: Place | undefined
  private stream: Stream | undefined
  private fields: RequestFields | undefined
  /** Of a body with a length, what is still to come. */
  private left = 0
  private chunks: Chunks | undefined
  /** The body so far, for another try where the pod has not looked at this one. */
  private readonly kept = new KeptBody()
  private hasRetried = false
  /** The head of the answer is none that a client of HTTP/1.1 could be given. */
  private isGarbled = false
  private isChunked = false
  /** The head of the answer, and a piece of its body, that came in this read. */
  private head: Buffer | undefined
  private held: Buffer | undefined
  private heldFrom = 0
  private heldTo = 0
  private trailers = NO_TRAILERS
  private readonly stuck = new StuckClock()

  /** `limit`: milliseconds for a connection. */
  constructor(pool: Pool, asker: Asker, limit: number) {
    this.pool = pool
    this.asker = asker
    this.limit = limit
    pool.inFlight++
    const place = podSessions(pool).take(limit)
    if (place instanceof Promise) void place.then(found => this.placed(found))
    else {
      this.place = place
      this.isConnected = true
    }
  }

  private placed(place: Place | undefined): void {
    const { asker } = this
    this.place = place
    if (asker && place) {
      this.isConnected = true
      asker.connected()
      return
    }
    this.giveUp()
    asker?.lost()
  }

  /** Belongs to nobody any more. */
  private giveUp(): void {
    this.asker = undefined
    this.place?.give()
    this.place = undefined
    this.pool.inFlight--
  }

  // What goes to the pod

  get out(): Sink {
    return this
  }

  get unsent(): number {
    return this.stream?.queued ?? 0
  }

  stuckFor(now: number): number {
    return this.stuck.look(this.unsent, now)
  }

  sendHead(head: SentHead): void {
    this.write(head.whole, 0, head.size)
  }

  writeWhole(view: Buffer): void {
    this.write(view, 0, view.length)
  }

  write(buf: Buffer, from: number, to: number): void {
    if (this.fields !== undefined) this.body(buf, from, to)
    else {
      this.fields = requestFields(buf, from, to)
      const { length, size } = this.fields
      this.left = length ?? 0
      if (length === undefined) {
        this.chunks = new Chunks()
        this.chunks.begin(true)
      }
      this.open(length === 0)
      this.body(buf, from + size, to)
    }
  }

  private open(isEnd: boolean): Stream | undefined {
    const { headers, path } = this.fields!
    const stream = this.place?.open(headers, path, isEnd, this)
    this.stream = stream
    if (stream === undefined) {
      // The place is given back already.
      this.place = undefined
      queueMicrotask(() => this.lose(REFUSED_STREAM))
    }
    return stream
  }

  private body(buf: Buffer, from: number, to: number): void {
    if (to <= from) return
    const { chunks } = this
    if (chunks === undefined) {
      const size = Math.min(this.left, to - from)
      this.left -= size
      this.piece(buf, from, from + size)
      if (this.left === 0) this.stream?.end()
    } else if (chunks.follow(buf, from, to)) {
      this.piece(buf, chunks.from, chunks.to)
      if (chunks.done) this.stream?.endWith(this.requestTrailers())
    }
  }

  private requestTrailers(): Headers {
    const taken = this.chunks?.taken
    return taken === undefined ? NO_TRAILERS : trailersOf(taken)
  }

  private piece(buf: Buffer, from: number, to: number): void {
    this.stream?.write(buf, from, to)
    this.kept.add(buf, from, to)
  }

  drained(): void {
    this.asker?.sent()
  }

  // What comes from it

  interim(list: HeaderList): void {
    const buf = withHeadroom(answerText(list, Number(fieldOf(list, ':status')), true, false))
    if (readAnswer(buf, HEADROOM, buf.length, false) === 1) this.asker?.interim(buf, answer)
  }

  answered(list: HeaderList, status: number, isBare: boolean): void {
    const { asker, stream, pool } = this
    if (!asker || !stream) return
    pool.failures = 0
    this.kept.forget()
    holdFor(this)
    this.head = answerText(list, status, isBare, asker.toHead)
    if (!isBare) stream.read(this)
    else {
      letGo()
      this.done()
    }
  }

  data(buf: Buffer, from: number, to: number): void {
    if (!this.asker || to <= from) return
    holdFor(this)
    if (this.held !== undefined && this.held !== buf) this.letGo()
    if (this.held === undefined) {
      this.held = buf
      this.heldFrom = from
      this.heldTo = to
    } else {
      // Behind what came before, over the head of its own frame.
      buf.copyWithin(this.heldTo, from, to)
      this.heldTo += to - from
    }
  }

  /** Passes on what is held: the head, a piece of the body, or both. */
  letGo(): void {
    const { head, held, heldFrom, heldTo } = this
    this.head = undefined
    this.held = undefined
    if (head !== undefined) this.begins(head, held, heldFrom, heldTo)
    else if (held !== undefined) this.goesOn(held, heldFrom, heldTo)
  }

  private begins(head: Buffer, body: Buffer | undefined, from: number, to: number): void {
    const { asker } = this
    if (!asker) return
    let buf = body
    let at = from - head.length
    let end = to
    // Octets in front of it may be under way still; and chunks have more than the body's octets.
    if (buf === undefined || buf !== sharedBuffer() || at < ROOM || isChunky(head)) {
      buf = withHeadroom(head)
      at = HEADROOM
      end = buf.length
    } else head.copy(buf, at)
    if (this.pool.answers.read(buf, at, end, asker.toHead) !== 1) {
      this.isGarbled = true
      this.stream?.malformed()
      return
    }
    this.isChunked = answer.framing === CHUNKED && !asker.unpacks
    const { framing } = answer
    asker.begins(buf, answer, end, undefined)
    if (body !== undefined && buf !== body && framing !== NONE) this.goesOn(body, from, to)
  }

  private goesOn(buf: Buffer, from: number, to: number): void {
    const { asker } = this
    if (!asker || this.isGarbled) return
    if (this.isChunked) {
      const chunk = chunkOf(buf, from, to)
      asker.goesOn(chunk, 0, chunk.length, undefined)
    } else if (buf === sharedBuffer()) asker.goesOn(buf, from, to, undefined)
    else {
      const own = withHeadroom(buf.subarray(from, to))
      asker.goesOn(own, HEADROOM, own.length, undefined)
    }
  }

  trailed(list: HeaderList): void {
    this.trailers = passingTrailers(list)
  }

  ended(): void {
    letGo()
    if (this.isChunked) {
      const end = lastChunk(this.trailers)
      this.asker?.goesOn(end, 0, end.length, undefined)
    }
    this.done()
  }

  private done(): void {
    // Who asks is told when the stream is over.
    if (this.isGarbled) return
    const { asker } = this
    this.asker = undefined
    asker?.ends(true)
  }

  closed(): void {
    const { code, isAborted } = this.stream!
    this.lose(!this.isGarbled && (isAborted || code !== PROTOCOL_ERROR) ? code : undefined)
  }

  /** The stream is over. `code`: why; undefined: the pod's answer was malformed. */
  private lose(code: number | undefined): void {
    const { asker, place } = this
    if (asker && code === REFUSED_STREAM && this.kept.parts && !this.hasRetried) {
      this.hasRetried = true
      place?.give()
      void this.tryAgain()
      return
    }
    // A pod that says goodbye, or had no room, is no broken one.
    this.isUsed ||= code === REFUSED_STREAM || place?.isLeaving() === true
    this.giveUp()
    if (code === undefined) asker?.garbled()
    else asker?.lost()
  }

  /** The pod has not looked at it: once more, on another connection if that one ends. */
  private async tryAgain(): Promise<void> {
    this.stream = undefined
    this.place = await podSessions(this.pool).take(this.limit)
    const { length } = this.fields!
    if (!this.asker || !this.place) {
      this.lose(REFUSED_STREAM)
      return
    }
    const stream = this.open(length === 0)
    for (const part of this.kept.parts ?? []) stream?.write(part, 0, part.length)
    if (this.chunks?.done) stream?.endWith(this.requestTrailers())
    else if (length !== undefined && length > 0 && this.left === 0) stream?.end()
  }

  // What its user wants

  release(): void {}

  drop(): void {
    const { stream, place } = this
    this.asker = undefined
    if (stream) stream.close(CANCEL)
    // Else it is given up when there is a place, or a stream would have begun.
    else if (place && !this.hasRetried) this.giveUp()
  }

  pause(): void {
    this.stream?.pause()
  }

  resume(): void {
    this.stream?.resume()
    letGo()
  }
}

const isChunky = (head: Buffer): boolean => head.includes('\r\nTransfer-Encoding: ', 0, 'latin1')

/** A copy that the proxy's own lines, or a head, may be put in front of. */
function withHeadroom(octets: Buffer): Buffer {
  const buf = Buffer.allocUnsafe(HEADROOM + octets.length)
  octets.copy(buf, HEADROOM)
  return buf
}
