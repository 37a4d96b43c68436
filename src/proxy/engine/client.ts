// One connection of a client: reads request after request, follows the framing of bodies, keeps pipelined requests back.
import type { Socket } from 'node:net'
import { STATUS_CODES } from '../builtin-http.ts'
import type { Core } from '../core.ts'
import type { Arrival } from './arrival.ts'
import { Chunks } from './chunks.ts'
import { type Caller, callerOf, ownAnswer } from './compose.ts'
import { Exchange } from './exchange.ts'
import { Memo } from './memo.ts'
import { isFull, Outlet } from './outlet.ts'
import { isPreface } from './preface.ts'
import { mayTell, readRequest } from './read-request.ts'
import { adopt, HEADROOM, readByEvents } from './reads.ts'
import { CHUNKED, head, isOrdinary, LENGTH, MOST_HEAD } from './request-head.ts'
import type { Tunnel } from './tunnel.ts'

const HEAD = 0
const BODY = 1
/** The request is whole, its answer is not. */
const ANSWER = 2
const TUNNEL = 3
/** The last answer is given; whatever else comes is not read any more. */
const LEAVING = 4

/** Pipelined octets that are kept back before the client has to wait. */
const MOST_PIPELINED = 64 * 1024
/** So long a client may go on sending after the last answer before the connection is broken off: breaking it off at
 * once could destroy the answer on its way (RFC 9112 9.6). */
const LINGER_MS = 2000

export class Client {
  private readonly core: Core
  private readonly speaksH2: Arrival['speaksH2']
  private readonly isSecure: boolean
  readonly clock: Readonly<{ now: number }>
  readonly socket: Socket
  readonly out: Outlet
  readonly caller: Caller
  readonly exchange: Exchange
  /** Of the proxy: the one that it came in on. */
  readonly port: number
  /** 0 or 1, of the request under way. */
  minor = 1
  /** May another request follow the one under way? */
  keepAlive = true
  /** Is the answer under way the last one? */
  closing = false
  private state = HEAD
  private left = 0
  private chunked = false
  /** Of a chunked body so far, framing among it. */
  private size = 0
  private chunks: Chunks | undefined
  /** Octets not read yet: part of a head, or pipelined requests. Headroom in front. */
  private held: Buffer | undefined
  /** What of it is read again. */
  private again: Buffer | undefined
  private readonly memo = new Memo()
  private isReading = false
  private isPaused = false
  /** The answer is given, and the client has to take of it before it is served again. */
  private isClogged = false
  private retired = false
  private tunnel: Tunnel | undefined
  /** Asked anything yet? */
  private hasAsked = false
  /** When the state is given up, in milliseconds of the coarse clock; 0: never. */
  private deadline: number

  constructor({ accepted, port, isSecure, clock, gone, speaksH2, peer: named }: Arrival, core: Core) {
    this.core = core
    this.clock = clock
    this.speaksH2 = speaksH2
    this.isSecure = isSecure
    this.socket = isSecure ? readByEvents(accepted, this) : adopt(accepted, this)
    this.out = new Outlet(this.socket, () => this.took(), isSecure)
    const peer = named ?? (this.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    this.caller = callerOf(peer, port, core.trusts(peer), isSecure ? 'https' : 'http', core.marks?.forwarded)
    this.port = port
    this.exchange = new Exchange(core, this, port)
    this.deadline = clock.now + core.limits.head
    this.socket.on('error', () => {})
    this.socket.on('end', () => this.clientLeft())
    this.socket.on('close', () => {
      this.state = LEAVING
      this.out.isClosed = true
      this.exchange.breakOff()
      this.tunnel?.abandon()
      gone(this)
    })
  }

  /** Waits for a request, and none has begun. */
  get isIdle(): boolean {
    return this.state === HEAD && this.held === undefined
  }

  /** The port is closed: what is under way is answered, and then the connection ends. */
  retire(): void {
    if (this.isIdle) this.destroy()
    else this.retired = true
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Lets the client see that the answer is not whole. */
  cut(): void {
    this.state = LEAVING
    // TLS has an end of its own, which is missing then; a reset is for plain sockets only.
    if (this.isSecure) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  pause(): void {
    this.isPaused = true
    this.socket.pause()
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    // It was not the client that kept us waiting.
    if (this.state === BODY) this.deadline = this.clock.now + this.core.limits.body
    this.socket.resume()
  }

  /** A client that closes its side has left, unless it already has its answer. */
  private clientLeft(): void {
    if (this.state === TUNNEL) this.tunnel?.clientEnded()
    else this.socket.destroy()
  }

  /** Octets that were read before this connection was ours. */
  takeFirst(octets: Buffer): void {
    if (octets.length === 0) return
    const buf = Buffer.allocUnsafe(HEADROOM + octets.length)
    octets.copy(buf, HEADROOM)
    this.take(buf, HEADROOM, buf.length)
  }

  /** Octets from the client. */
  take(buf: Buffer, from: number, to: number): void {
    if (this.held === undefined) {
      this.read(buf, from, to)
      return
    }
    this.hold(buf, from, to)
    if (this.state === HEAD) this.readHeld(this.held.length - (to - from))
  }

  /** Reads what was kept back; `from` what is new of it, for a head that grows. */
  private readHeld(newFrom: number): void {
    const { held } = this
    if (held === undefined || this.isReading || this.state !== HEAD) return
    // A head in pieces is read again only when a line of it may have ended, or it is wrong or too long already.
    if (!mayTell(held, newFrom, held.length) && held.length - HEADROOM <= MOST_HEAD) return
    this.held = undefined
    this.again = held
    this.read(held, HEADROOM, held.length)
    this.again = undefined
  }

  private hold(buf: Buffer, from: number, to: number): void {
    const before = this.held ?? EMPTY_HEADROOM
    const held = Buffer.allocUnsafe(before.length + to - from)
    before.copy(held, HEADROOM, HEADROOM)
    buf.copy(held, before.length, from, to)
    this.held = held
    if (this.state !== HEAD && held.length - HEADROOM > MOST_PIPELINED) this.pause()
  }

  private read(buf: Buffer, from: number, to: number): void {
    this.isReading = true
    let at = from
    while (at < to) {
      if (this.state === HEAD) at = this.readHead(buf, at, to)
      else if (this.state === BODY) at = this.readBody(buf, at, to)
      else if (this.state === ANSWER) {
        this.hold(buf, at, to)
        break
      } else if (this.state === TUNNEL) {
        this.tunnel?.clientSaid(buf, at, to)
        break
      } else break
    }
    this.isReading = false
  }

  private readHead(buf: Buffer, from: number, to: number): number {
    let at = from
    // One empty line before a request is let pass, as RFC 9112 2.2 asks for.
    if (buf[at] === 13 && at + 1 < to && buf[at + 1] === 10) at += 2
    if (at === to) return to
    if (buf[at] === 13 && at + 1 === to) {
      this.hold(buf, at, to)
      return to
    }
    if (this.memo.matches(buf, at, to) && this.exchange.isRepeatable) return this.repeat(to)
    const verdict = readRequest(buf, at, to, this.caller.trusted)
    if (verdict < 0 && !this.hasAsked && isPreface(buf, at, to)) {
      this.state = LEAVING
      this.speaksH2(this, Buffer.from(buf.subarray(at, to)))
      return to
    }
    if (verdict < 0) {
      this.refuse(-verdict, head.why, head.isHead)
      return to
    }
    if (verdict === 0) {
      // A head that goes on has the time that it had.
      const isNew = buf !== this.again || from !== HEADROOM
      if (isNew && (this.deadline === 0 || this.hasAsked)) this.deadline = this.clock.now + this.core.limits.head
      this.hold(buf, at, to)
      return to
    }
    this.hasAsked = true
    this.deadline = 0
    this.minor = head.minor
    this.keepAlive = head.keepAlive
    this.closing = false
    const { framing, end } = head
    if (framing === LENGTH) {
      if (this.isTooLong(head.length)) return to
      const size = Math.min(head.length, to - end)
      this.left = head.length - size
      this.chunked = false
      return this.begin(buf, end + size, end + size, undefined, this.left === 0)
    }
    if (framing === CHUNKED) {
      this.chunks ??= new Chunks()
      const { chunks } = this
      chunks.begin(false)
      this.chunked = true
      if (!chunks.follow(buf, end, to)) {
        this.refuse(400, 'the chunked body is malformed', head.isHead)
        return to
      }
      this.size = chunks.to - chunks.from
      if (this.isTooLong(this.size)) return to
      return this.begin(buf, chunks.to, chunks.next, chunks.kept, chunks.done)
    }
    if (end === to && isOrdinary() && this.exchange.isPlain) this.memo.note(buf, at, to)
    return this.begin(buf, end, end, undefined, true)
  }

  /** The request before, once more. */
  private repeat(to: number): number {
    this.deadline = 0
    this.closing = false
    this.state = ANSWER
    this.exchange.repeat()
    return to
  }

  private begin(buf: Buffer, bodyTo: number, next: number, kept: Buffer | undefined, whole: boolean): number {
    this.state = whole ? ANSWER : BODY
    if (!whole) this.deadline = this.clock.now + this.core.limits.body
    const { inFlight } = this.core.limits
    if (inFlight > 0 && this.core.load.inFlight >= inFlight) {
      this.core.stats.strays.shed++
      this.say(503, 'too many requests are in flight', head.isHead)
      this.answered()
    } else this.exchange.begin(buf, bodyTo, kept, whole)
    return next
  }

  private readBody(buf: Buffer, from: number, to: number): number {
    this.deadline = this.clock.now + this.core.limits.body
    if (this.chunked) {
      const chunks = this.chunks!
      if (!chunks.follow(buf, from, to)) {
        this.breakOff(400, 'the chunked body is malformed')
        return to
      }
      this.size += chunks.to - chunks.from
      if (this.isTooLong(this.size)) return to
      this.pass(buf, chunks.from, chunks.to, chunks.kept, chunks.done)
      return chunks.next
    }
    const size = Math.min(this.left, to - from)
    this.left -= size
    this.pass(buf, from, from + size, undefined, this.left === 0)
    return from + size
  }

  /** Is a body of so many octets more than is taken? Then it has been refused. */
  private isTooLong(size: number): boolean {
    const { bodyOctets } = this.core.limits
    if (bodyOctets === 0 || size <= bodyOctets) return false
    this.breakOff(413, `the body is longer than ${bodyOctets} octets`)
    return true
  }

  /** Ends a request that went wrong in its body; an answer that is under way can only be cut. */
  private breakOff(status: number, why: string): void {
    const isAnswering = this.exchange.isActive && this.exchange.hasAnswered
    this.exchange.breakOff()
    if (isAnswering) this.cut()
    else this.refuse(status, why)
  }

  private pass(buf: Buffer, from: number, to: number, kept: Buffer | undefined, whole: boolean): void {
    if (whole) {
      this.state = ANSWER
      this.deadline = 0
    }
    if (this.exchange.isActive) this.exchange.body(buf, from, to, kept, whole)
    else if (whole) this.next()
  }

  /** All that was written has left. */
  private took(): void {
    if (this.isClogged) {
      this.isClogged = false
      this.answered()
    } else (this.tunnel ?? this.exchange).clientTook()
  }

  /** The answer is given whole. */
  answered(): void {
    if (this.closing || (this.retired && this.state === ANSWER)) this.leave()
    else if (this.state === ANSWER && isFull(this.out)) {
      // Who asks and asks and does not read would have answers gathered without end.
      this.isClogged = true
      this.pause()
    } else if (this.state === ANSWER) this.next()
    // Else the rest of the body is of no use to anybody: it is read, and then the next request.
    else this.resume()
  }

  /** Ready for the next request, which may be here already. */
  private next(): void {
    this.state = HEAD
    this.deadline = this.clock.now + this.core.limits.idle
    this.resume()
    if (this.held !== undefined && !this.isReading) {
      const { held } = this
      this.held = undefined
      this.read(held, HEADROOM, held.length)
    }
  }

  /** The last answer is given: ends this side, and lets the client end the other. */
  leave(): void {
    if (this.socket.destroyed) return
    this.state = LEAVING
    this.held = undefined
    this.deadline = this.clock.now + LINGER_MS
    this.resume()
    this.out.isClosed = true
    this.socket.end()
  }

  /** From now on octets go both ways as they are. */
  become(tunnel: Tunnel): void {
    this.tunnel = tunnel
    this.state = TUNNEL
    this.deadline = 0
    const { held } = this
    this.held = undefined
    this.resume()
    if (held) tunnel.clientSaid(held, HEADROOM, held.length)
  }

  /** Answers in the proxy's own name; a request whose body is still to come is the last one. */
  say(status: number, why: string, toHead = this.exchange.toHead): void {
    this.closing ||= !this.keepAlive || this.state !== ANSWER || this.minor === 0 || this.core.draining()
    const answer = ownAnswer(status, STATUS_CODES[status] ?? '', why, this.closing, toHead)
    this.out.write(answer, 0, answer.length)
  }

  private refuse(status: number, why: string, toHead = false): void {
    this.core.stats.strays.refused++
    this.closing = true
    this.say(status, why, toHead)
    this.leave()
  }

  /** Looks at the clock. */
  tick(now: number): void {
    if (this.out.stuckFor(now) > this.core.limits.send) {
      this.destroy()
      return
    }
    this.exchange.tick(now)
    this.tunnel?.tick(now)
    if (this.deadline === 0 || now < this.deadline) return
    if (this.state === LEAVING ? this.out.unsent === 0 : this.isIdle) this.destroy()
    else if (this.state === HEAD) this.refuse(408, 'the request head did not come in time')
    else if (this.state === BODY && !this.exchange.isWaiting) {
      this.breakOff(408, 'the request body did not come in time')
    }
  }
}

const EMPTY_HEADROOM = Buffer.alloc(HEADROOM)
