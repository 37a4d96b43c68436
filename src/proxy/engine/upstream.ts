// One connection to a pod: follows the framing of its answers and tells whoever asked.
import type { Socket } from 'node:net'
import { type AnswerHead, answer, UNTIL_CLOSE } from './answer-head.ts'
import { Chunks } from './chunks.ts'
import type { Lane } from './lane.ts'
import type { Line } from './line.ts'
import { Outlet } from './outlet.ts'
import type { Home } from './own-lines.ts'
import type { Pool } from './pools.ts'
import { dial, HEADROOM, sharedBuffer } from './reads.ts'
import { CHUNKED, LENGTH, MOST_HEAD } from './request-head.ts'
import type { SentHead } from './sent-head.ts'

/** Whoever asked a pod. Buffers are valid during the call only. */
export type Asker = {
  /** The connection stands; the request may be sent. */
  connected(): void
  /** Octets of the request that waited have left. */
  sent(): void
  /** An interim answer (1xx but 101): [from, to). */
  interim(buf: Buffer, head: AnswerHead): void
  /** The head of the answer, and what of its body is there: up to `to`. `kept`: a trailer behind it. */
  begins(buf: Buffer, head: AnswerHead, to: number, kept: Buffer | undefined): void
  /** More of the body. */
  goesOn(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void
  /** The answer is whole. `reusable`: the pod keeps the connection. `trailer`: what was taken off with the chunks, its
   * fields and the empty line; undefined: none. */
  ends(reusable: boolean, trailer?: Buffer): void
  /** The pod switched protocols; what it said already in the new one is [head.end, to). */
  switches(buf: Buffer, head: AnswerHead, to: number): void
  /** Tunnelled octets; `from` equals `to` when the pod has nothing more to say. */
  tunnelled(buf: Buffer, from: number, to: number): void
  /** The answer is no HTTP that can be passed on. */
  garbled(): void
  /** The connection is gone before the answer was whole. */
  lost(): void
  /** The answer is to a HEAD. */
  readonly toHead: boolean
  /** Chunks are taken off the body, for a client that knows none. */
  readonly unpacks: boolean
}

const HEAD = 0
const LENGTH_BODY = 1
const CHUNKED_BODY = 2
const CLOSE_BODY = 3
const TUNNEL = 4
const MOST_INTERIM = 32
/** Milliseconds of silence after which the kernel asks whether the pod is still there. */
const PROBE_MS = 30_000

export class Upstream implements Line {
  readonly pool: Pool
  /** Where it goes when it is free. */
  private readonly home: Home
  readonly socket: Socket
  readonly out: Outlet
  asker: Asker | undefined
  /** Several requests share it: answers follow each other, and it counts none of them itself. */
  private lane: Lane | undefined
  isConnected = false
  /** Has it served a request before? Then it may have been closed at the very moment of the next one. */
  isUsed = false
  /** What the pod said on how long it keeps idle connections; 0: nothing. */
  idleSeconds = 0
  /** When an idle connection is dropped. */
  expires = 0
  /** Since when it is idle, in milliseconds; the last time, while it is not. */
  idleSince = 0
  private state = HEAD
  private isPaused = false
  private left = 0
  private chunks: Chunks | undefined
  private interims = 0
  /** Does the pod keep the connection after this answer? */
  private keeps = false
  /** Octets behind the end of the answer: whoever sends them is out of step. */
  private extra = 0
  /** The head that came so far, when it comes in pieces; headroom in front. */
  private partial: Buffer | undefined

  constructor(pool: Pool, home: Home = pool) {
    this.pool = pool
    this.home = home
    this.socket = dial(pool.host, pool.port, this)
    this.out = new Outlet(this.socket, () => this.asker?.sent())
    this.socket.on('connect', () => {
      this.isConnected = true
      this.socket.setKeepAlive(true, PROBE_MS)
      const { header } = this.home
      if (header !== undefined) this.out.write(header, 0, header.length)
      this.asker?.connected()
    })
    // The end of the connection says all: an error is always followed by it.
    this.socket.on('error', () => {})
    this.socket.on('end', () => this.ended())
    this.socket.on('close', () => this.closed())
  }

  /** Is it usable for another request? */
  private isOpen = true

  /** Begins an exchange. */
  serve(asker: Asker): void {
    this.asker = asker
    this.state = HEAD
    this.interims = 0
    this.partial = undefined
    this.pool.inFlight++
  }

  /** Belongs to many from now on. */
  share(lane: Lane): void {
    this.lane = lane
    this.asker = lane
  }

  sendHead(head: SentHead): void {
    head.send(this.out)
  }

  /** Ends the exchange and gives the connection back. */
  release(now: number): void {
    this.asker = undefined
    this.isUsed = true
    this.pool.inFlight--
    this.resume()
    this.home.giveBack(this, now)
  }

  /** Breaks off, whatever is under way; the asker hears nothing more. */
  drop(): void {
    if (this.asker && !this.lane) this.pool.inFlight--
    else this.home.forget(this)
    this.asker = undefined
    this.isOpen = false
    this.out.isClosed = true
    this.socket.destroy()
  }

  pause(): void {
    this.isPaused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.socket.resume()
  }

  private ended(): void {
    this.noteEnd()
    if (!this.asker) {
      this.drop()
      return
    }
    this.isOpen = false
    if (this.state === CLOSE_BODY) this.asker.ends(false)
    else if (this.state === TUNNEL) this.asker.tunnelled(EMPTY, 0, 0)
    else this.socket.destroy()
  }

  /** The pod ends a connection that was idle, or was until a request came that it does not answer. */
  private noteEnd(): void {
    if (!this.isUsed || this.lane || (this.asker && this.state !== HEAD)) return
    this.pool.closedIdle(performance.now() - this.idleSince)
  }

  private closed(): void {
    const { asker } = this
    if (this.isOpen) this.noteEnd()
    this.isOpen = false
    this.out.isClosed = true
    if (!asker) {
      this.home.forget(this)
      return
    }
    this.asker = undefined
    if (!this.lane) this.pool.inFlight--
    asker.lost()
  }

  /** Octets from the pod. */
  take(buf: Buffer, from: number, to: number): void {
    const { asker } = this
    if (!asker) {
      // Nobody asked: these octets must never reach the next who does.
      this.drop()
      return
    }
    this.extra = 0
    if (this.lane && this.state === HEAD && !this.lane.isDue) this.lane.unasked()
    else if (this.state === HEAD) {
      if (this.partial) this.readMore(buf, from, to)
      else this.readHead(buf, from, to)
    } else if (this.state === TUNNEL) asker.tunnelled(buf, from, to)
    else this.readBody(asker, buf, from, to)
    if (this.extra > 0 && this.lane) this.takeNext(this.lane, buf, to)
  }

  /** Answers that came behind the end of one, to those who wait for them. */
  private takeNext(lane: Lane, read: Buffer, end: number): void {
    let buf = read
    let to = end
    while (this.extra > 0 && this.asker) {
      if (!lane.isDue) {
        lane.unasked()
        return
      }
      let at = to - this.extra
      // What was passed on of it may be under way still, and a head may grow to the left.
      if (buf !== sharedBuffer()) {
        const size = to - at
        const shared = sharedBuffer()
        const next = size <= shared.length - HEADROOM ? shared : Buffer.allocUnsafeSlow(HEADROOM + size)
        buf.copy(next, HEADROOM, at, to)
        buf = next
        at = HEADROOM
        to = HEADROOM + size
      }
      this.extra = 0
      this.interims = 0
      this.readHead(buf, at, to)
    }
  }

  private readMore(buf: Buffer, from: number, to: number): void {
    const before = this.partial!
    const size = before.length + to - from
    if (size > HEADROOM + MOST_HEAD + 128 * 1024) {
      this.asker?.garbled()
      return
    }
    const whole = Buffer.allocUnsafe(size)
    before.copy(whole)
    buf.copy(whole, before.length, from, to)
    this.partial = undefined
    this.readHead(whole, HEADROOM, size)
  }

  private readHead(buf: Buffer, from: number, to: number): void {
    let at = from
    for (;;) {
      const asker = this.asker
      if (!asker) return
      const verdict = this.pool.answers.read(buf, at, to, asker.toHead)
      if (verdict < 0) {
        asker.garbled()
        return
      }
      if (verdict === 0) {
        this.partial = Buffer.allocUnsafe(HEADROOM + to - at)
        buf.copy(this.partial, HEADROOM, at, to)
        return
      }
      if (answer.status >= 200) {
        this.begin(asker, buf, to)
        return
      }
      if (answer.status === 101) {
        this.state = TUNNEL
        asker.switches(buf, answer, to)
        return
      }
      if (++this.interims > MOST_INTERIM) {
        asker.garbled()
        return
      }
      at = answer.end
      asker.interim(buf, answer)
      if (at === to) return
    }
  }

  private begin(asker: Asker, buf: Buffer, to: number): void {
    const { framing, end, keepAlive } = answer
    if (this.pool.failures !== 0) this.pool.failures = 0
    this.idleSeconds = answer.idleSeconds
    this.keeps = keepAlive
    if (framing === LENGTH) {
      const size = Math.min(answer.length, to - end)
      this.left = answer.length - size
      this.state = LENGTH_BODY
      this.extra = to - end - size
      asker.begins(buf, answer, end + size, undefined)
      if (this.left === 0) this.finish()
    } else if (framing === CHUNKED) {
      this.chunks ??= new Chunks()
      const { chunks } = this
      chunks.begin(asker.unpacks)
      this.state = CHUNKED_BODY
      if (!chunks.follow(buf, end, to)) {
        asker.garbled()
        return
      }
      this.extra = to - chunks.next
      asker.begins(buf, answer, chunks.to, chunks.kept)
      if (chunks.done) this.finish()
    } else if (framing === UNTIL_CLOSE) {
      this.state = CLOSE_BODY
      asker.begins(buf, answer, to, undefined)
    } else {
      this.state = HEAD
      this.extra = to - end
      asker.begins(buf, answer, end, undefined)
      this.finish()
    }
  }

  private readBody(asker: Asker, buf: Buffer, from: number, to: number): void {
    if (this.state === LENGTH_BODY) {
      const size = Math.min(this.left, to - from)
      this.left -= size
      this.extra = to - from - size
      asker.goesOn(buf, from, from + size, undefined)
      if (this.left === 0) this.finish()
    } else if (this.state === CHUNKED_BODY) {
      const chunks = this.chunks!
      if (!chunks.follow(buf, from, to)) {
        asker.garbled()
        return
      }
      this.extra = to - chunks.next
      asker.goesOn(buf, chunks.from, chunks.to, chunks.kept)
      if (chunks.done) this.finish()
    } else asker.goesOn(buf, from, to, undefined)
  }

  private finish(): void {
    const trailer = this.state === CHUNKED_BODY ? this.chunks?.taken : undefined
    this.state = HEAD
    const isInStep = this.extra === 0 || this.lane !== undefined
    this.interims = 0
    this.asker?.ends(this.keeps && isInStep && this.isOpen, trailer)
  }
}

const EMPTY = Buffer.alloc(0)
