// One connection to a pod that several requests share: HTTP/1.1 pipelining (RFC 9112 9.3.2). Requests go out in batches,
// answers come back in the order of the requests, each to whoever asked.
//
// What could go wrong with pipelining, and what is done about it:
// - An answer may be slow, long or without end, and holds those behind it: they are moved to connections of their own.
// - The pod may close in between: whoever has no answer yet asks again, as only requests that are safe to repeat come here.
// - The pod may lose step, or answer what it was not asked: nothing that comes after can be trusted, so the connection ends.
// - A client may leave: its answer is read and thrown away, up to a bound.
// - A client may read slowly: some of its answer is kept for it, and then those behind it are moved.
import type { AnswerHead } from './answer-head.ts'
import { Batch, MOST_BATCHED } from './batch.ts'
import type { Lanes } from './lanes.ts'
import type { Line } from './line.ts'
import type { Outlet } from './outlet.ts'
import type { Pool } from './pools.ts'
import type { SentHead } from './sent-head.ts'
import { type Asker, Upstream } from './upstream.ts'

/** Octets of an answer that nobody wants any more which are read, so that those behind it get theirs. */
const MOST_DRAINED = 256 * 1024
/** Octets that are kept for a client that does not take them while others wait behind it. */
const MOST_AHEAD = 256 * 1024

/** A request's place on a shared connection. */
export class Seat implements Line {
  readonly lane: Lane
  readonly pool: Pool
  readonly toHead: boolean
  readonly unpacks: boolean
  /** Undefined: nobody wants the answer any more. */
  asker: Asker | undefined
  isUsed = false
  /** Has the request been written? Whatever comes before that is no answer to it. */
  isSent = false
  /** Octets read to nobody's use. */
  drained = 0
  /** Octets passed on since the client wanted no more. */
  ahead = 0
  private isFull = false

  constructor(lane: Lane, asker: Asker) {
    this.lane = lane
    this.pool = lane.pool
    this.asker = asker
    this.toHead = asker.toHead
    this.unpacks = asker.unpacks
    this.pool.inFlight++
  }

  get out(): Outlet {
    return this.lane.out
  }

  get isConnected(): boolean {
    return this.lane.isConnected
  }

  sendHead(head: SentHead): void {
    this.lane.send(head)
  }

  release(now: number): void {
    this.free()
    this.lane.answeredAt(now)
  }

  drop(): void {
    if (this.asker === undefined) return
    this.free()
    this.lane.left()
  }

  /** Nobody waits for it any more. */
  free(): Asker | undefined {
    const { asker } = this
    if (asker !== undefined) this.pool.inFlight--
    this.asker = undefined
    return asker
  }

  pause(): void {
    this.isFull = true
    this.lane.pauseFor(this)
  }

  resume(): void {
    this.isFull = false
    this.ahead = 0
    this.lane.resumeFor(this)
  }

  /** Counts octets that were passed on. */
  passed(size: number): void {
    if (this.asker === undefined) this.drained += size
    else if (this.isFull) this.ahead += size
  }
}

export class Lane implements Asker {
  readonly pool: Pool
  private readonly lanes: Lanes
  private readonly upstream: Upstream
  private readonly batch: Batch
  /** Who waits for an answer, in the order of the requests. */
  private queue: Seat[] = []
  private answers = 0
  /** Heads that were gathered and not written yet. */
  private gathered = 0
  /** Since when the first in the queue is what the pod is at, in milliseconds since the process began. */
  private since = 0
  /** The first answer has begun. */
  private isAnswering = false
  private isPaused = false
  /** Nobody else may come: it ends with the answer under way. */
  private isLast = false
  private isOver = false
  /** When it is closed if nobody uses it. */
  expires = Number.POSITIVE_INFINITY

  constructor(pool: Pool, lanes: Lanes) {
    this.pool = pool
    this.lanes = lanes
    this.upstream = new Upstream(pool)
    this.upstream.share(this)
    this.batch = new Batch(this.upstream.out, () => this.wasSent())
  }

  get out(): Outlet {
    return this.upstream.out
  }

  get isConnected(): boolean {
    return this.upstream.isConnected
  }

  /** Requests that wait. */
  get size(): number {
    return this.queue.length
  }

  /** Does anybody wait behind the first of them? */
  get isHolding(): boolean {
    return this.queue.some((seat, i) => i > 0 && seat.asker !== undefined)
  }

  /** For how long the pod has been at the first of them, in milliseconds. */
  age(now: number): number {
    return this.queue.length === 0 ? 0 : now - this.since
  }

  /** May a request join `depth` others at most? Nobody joins before the connection stands, or behind an answer that does
   * not come in one piece. */
  takes(depth: number): boolean {
    const { upstream } = this
    if (this.isLast || this.isOver || !upstream.isConnected || this.isAnswering || this.isPaused) return false
    return this.queue.length < depth && upstream.out.unsent === 0
  }

  sit(asker: Asker, now: number): Seat {
    const seat = new Seat(this, asker)
    if (this.queue.length === 0) this.since = now
    this.queue.push(seat)
    return seat
  }

  send(head: SentHead): void {
    if (head.size <= MOST_BATCHED) {
      this.batch.add(head.whole, head.size)
      this.gathered++
      return
    }
    this.batch.flush()
    head.send(this.out)
    this.gathered = 1
    this.wasSent()
  }

  /** What was gathered has been written. */
  private wasSent(): void {
    for (const seat of this.queue) {
      if (this.gathered === 0) return
      if (seat.isSent) continue
      seat.isSent = true
      this.gathered--
    }
    this.gathered = 0
  }

  // What the connection says.

  get toHead(): boolean {
    return this.queue[0]?.toHead ?? false
  }

  get unpacks(): boolean {
    return this.queue[0]?.unpacks ?? false
  }

  /** Is an answer due? */
  get isDue(): boolean {
    return this.queue[0]?.isSent ?? false
  }

  connected(): void {
    // Whoever opened it may have left.
    const asker = this.queue[0]?.asker
    if (asker) asker.connected()
    else this.close()
  }

  sent(): void {}
  tunnelled(): void {}

  interim(buf: Buffer, answer: AnswerHead): void {
    this.queue[0]?.asker?.interim(buf, answer)
  }

  begins(buf: Buffer, answer: AnswerHead, to: number, kept: Buffer | undefined): void {
    const seat = this.queue[0]!
    const { end, keepAlive } = answer
    this.isAnswering = true
    seat.asker?.begins(buf, answer, to, kept)
    seat.passed(to - end)
    if (!keepAlive && !this.isOver) {
      // It takes no more requests, those that are on their way among them.
      this.lanes.ended(this.answers + 1)
      this.moveRest()
    }
    this.afterPiece(seat)
  }

  goesOn(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void {
    const seat = this.queue[0]!
    seat.asker?.goesOn(buf, from, to, kept)
    seat.passed(to - from)
    this.afterPiece(seat)
  }

  private afterPiece(seat: Seat): void {
    if (this.isOver || seat !== this.queue[0] || !this.isAnswering) return
    if (seat.drained > MOST_DRAINED) this.close()
    else if (seat.ahead > MOST_AHEAD) this.pauseFor(seat)
  }

  ends(reusable: boolean, trailer?: Buffer): void {
    const seat = this.queue.shift()!
    this.isAnswering = false
    this.answers++
    if (!reusable) this.isLast = true
    if (seat.asker) seat.asker.ends(true, trailer)
    else this.answeredAt(performance.now())
    if (this.isLast) this.close()
  }

  /** The answer before ended; the next one is under way. */
  answeredAt(now: number): void {
    this.lanes.took(now - this.since)
    this.since = now
    this.expires = this.pool.expiryOf(this.upstream, now)
    if (this.isPaused) this.setPaused(false)
    if (this.pool.isRetired && this.queue.length === 0) this.close()
  }

  switches(): void {
    this.garbled()
  }

  /** It may be out of step by a fault of the answer before: then nobody is to blame for this one. */
  garbled(): void {
    this.lanes.rest()
    const first = this.answers === 0 ? this.queue.shift() : undefined
    this.answers++
    this.close()
    first?.asker?.garbled()
    first?.free()
  }

  /** Octets came that nobody asked for. */
  unasked(): void {
    this.lanes.rest()
    this.close()
  }

  lost(): void {
    if (!this.isOver && this.queue.length > 1) this.lanes.ended(this.answers)
    this.close()
  }

  // What its users want.

  /** A client left. With nobody else here the pod can stop. */
  left(): void {
    if (this.isOver) return
    if (!this.queue.some(seat => seat.asker !== undefined)) this.close()
    else if (this.isPaused && this.queue[0]!.asker === undefined) this.setPaused(false)
  }

  pauseFor(seat: Seat): void {
    if (this.isOver || seat !== this.queue[0]) return
    if (this.queue.length > 1 && seat.ahead <= MOST_AHEAD) return
    this.moveRest()
    this.setPaused(true)
  }

  resumeFor(seat: Seat): void {
    if (this.isPaused && seat === this.queue[0]) this.setPaused(false)
  }

  private setPaused(isPaused: boolean): void {
    this.isPaused = isPaused
    if (isPaused) this.upstream.pause()
    else this.upstream.resume()
  }

  /** It is given up to the request that it is at. */
  retire(): void {
    this.isLast = true
  }

  /** The first answer takes its time, or is the last one: those behind it ask again elsewhere. */
  moveRest(): void {
    if (this.queue.length <= 1) return
    this.isLast = true
    const rest = this.queue.splice(1)
    if (this.queue[0]!.asker === undefined) this.close()
    moved(rest, 1)
  }

  /** Ends the connection; whoever waits asks again. */
  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.isLast = true
    this.upstream.drop()
    this.lanes.forget(this)
    moved(this.queue.splice(0), this.answers)
  }
}

/** Tells them that there is no answer for them here; `before`: answers that the connection gave before the first. */
function moved(seats: readonly Seat[], before: number): void {
  for (const [i, seat] of seats.entries()) seat.isUsed = i + before > 0
  for (const seat of seats) seat.free()?.lost()
}
