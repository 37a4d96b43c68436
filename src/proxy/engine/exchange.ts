// One request and all attempts at it: chosen, sent, tried again where that is safe, and its answer relayed.
// An exchange lives as long as its client's connection and is used again for each request.
import type { Note } from '../access-log.ts'
import { choose, findWay } from '../choose.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import type { Endpoint } from '../endpoints.ts'
import { stripPrefix } from '../match.ts'
import type { Series } from '../stats.ts'
import { type AnswerHead, UNTIL_CLOSE } from './answer-head.ts'
import type { Client } from './client.ts'
import { CLOSE, composeAnswer, composeRequest, composeSwitch, KEEP, roomFor, SILENT } from './compose.ts'
import { cutCookie } from './cut-cookie.ts'
import { view } from './head-view.ts'
import { type Copy, copyFor } from './mirror.ts'
import { isFull } from './outlet.ts'
import type { Pool } from './pools.ts'
import { CHUNKED, head, NONE } from './request-head.ts'
import { Tunnel } from './tunnel.ts'
import type { Asker, Upstream } from './upstream.ts'

const FIRST_KEEP = 1024
const NO_DEADLINE = 0

export class Exchange implements Asker {
  private readonly core: Core
  private readonly client: Client
  private readonly port: number
  isActive = false
  hasAnswered = false
  toHead = false
  unpacks = false
  private upstream: Upstream | undefined
  private route: CompiledRoute | undefined
  private dest: Dest | undefined
  private series: Series | undefined
  private started = 0
  private status = 0
  private failed = false
  /** Endpoints whose connect failed for this request. */
  private tried: Set<string> | undefined
  /** Tried again on a new connection already? */
  private retried = false
  /** Safe to ask twice: no body, and a method that changes nothing. */
  private mayRepeat = false
  private isUpgrade = false
  private expects = false
  private whole = false
  /** The head as it was sent, for another attempt. */
  private keep = Buffer.allocUnsafe(FIRST_KEEP)
  private size = 0
  /** For the access log. */
  private note: Note | undefined
  private keepView: Buffer = Buffer.alloc(0)
  /** Is a write of it still under way? */
  private isLent = false
  /** Parts of the body that came before there was a connection. */
  private waiting: Buffer[] | undefined
  private copy: Copy | undefined
  /** Lines of the proxy's own on the answer. */
  private lines: Buffer | undefined
  private deadline = NO_DEADLINE

  constructor(core: Core, client: Client, port: number) {
    this.core = core
    this.client = client
    this.port = port
  }

  /** Is the client held back because the pod is not taking more? */
  get isWaiting(): boolean {
    return this.upstream !== undefined && (!this.upstream.isConnected || this.upstream.out.unsent > 0)
  }

  /** Begins with the request in `head`, whose body so far is [head.end, bodyTo) of the buffer. */
  begin(buf: Buffer, bodyTo: number, kept: Buffer | undefined, whole: boolean): void {
    const { core, client } = this
    view.buf = buf
    this.toHead = head.isHead
    this.hasAnswered = false
    this.whole = whole
    const way = findWay(core.snapshot(), this.port, view)
    if (way === undefined) {
      core.stats.strays.unrouted++
      if (head.upgrade) client.closing = true
      client.say(404, `no route for host ${view.host() || '(none)'} and this path`)
      client.answered()
      return
    }
    const { route } = way
    const dest = choose(way, view)
    this.isActive = true
    core.load.inFlight++
    this.route = route
    this.dest = dest
    this.status = 0
    this.failed = false
    this.tried = undefined
    this.retried = false
    this.mayRepeat = head.isSafe && head.framing === NONE
    this.isUpgrade = head.upgrade
    this.expects = head.expect
    this.unpacks = head.minor === 0
    this.started = performance.now()
    this.series = dest.series ??= core.stats.of(route, dest)
    core.stats.begin(this.series)
    this.note = core.access?.begin(view)
    if (route.mirrors.length > 0) this.copy = copyFor(core, route, dest, view, this.isUpgrade)
    const { session } = route
    this.lines = session?.line(way, view, dest)
    if (session !== undefined) cutCookie(buf, head, session.cookie)
    const room = roomFor(head, client.caller)
    if (room > this.keep.length) this.keep = Buffer.allocUnsafe(room)
    const target = way.strip ? stripPrefix(view.target(), way.prefix) : undefined
    this.size = composeRequest(buf, head, client.caller, this.keep, target)
    this.copy?.begin(this.keep, this.size, this.toHead)
    const upstream = this.attempt(dest.endpoints, this.isUpgrade)
    if (upstream?.isConnected) {
      this.send(upstream, buf, head.end, bodyTo)
      if (kept) upstream.out.write(kept, 0, kept.length)
      this.afterBody(buf, head.end, bodyTo, whole, upstream)
    } else if (upstream) {
      this.putAside(buf, head.end, bodyTo, kept)
      this.copy?.add(buf, head.end, bodyTo)
      if (whole) this.copy?.send()
      if (!whole) client.pause()
    }
  }

  /** More of the body, [from, to). */
  body(buf: Buffer, from: number, to: number, kept: Buffer | undefined, whole: boolean): void {
    const { upstream } = this
    this.whole = whole
    if (!upstream) return
    if (!upstream.isConnected) {
      this.putAside(buf, from, to, kept)
      this.copy?.add(buf, from, to)
      if (whole) this.copy?.send()
      return
    }
    this.copy?.add(buf, from, to)
    upstream.out.write(buf, from, to)
    if (kept) upstream.out.write(kept, 0, kept.length)
    this.afterBody(buf, to, to, whole, upstream)
  }

  private afterBody(buf: Buffer, from: number, to: number, whole: boolean, upstream: Upstream): void {
    if (this.copy) {
      if (to > from) this.copy.add(buf, from, to)
      if (whole) this.copy.send()
    }
    if (whole) this.deadline = this.client.clock.now + this.core.limits.answer
    else if (isFull(upstream.out)) this.client.pause()
  }

  private putAside(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void {
    this.waiting ??= []
    if (to > from) this.waiting.push(Buffer.from(buf.subarray(from, to)))
    if (kept) this.waiting.push(kept)
  }

  /** Takes a connection to one of the endpoints; when there is none the client is told. */
  private attempt(endpoints: readonly Endpoint[], fresh: boolean): Upstream | undefined {
    const pool: Pool | undefined = this.core.pools.choose(endpoints, this.tried)
    if (!pool) {
      const { problem, target } = this.dest!
      if (this.tried === undefined) this.fail(503, problem ?? `no ready pod behind ${target}`)
      else this.fail(502, `no pod behind ${target} took the connection`)
      return undefined
    }
    if (pool.endpoint.protocol === 'h2c') {
      this.fail(502, `the pods behind ${this.dest!.target} speak HTTP/2 only, the client HTTP/1.1`)
      return undefined
    }
    const upstream = pool.take(fresh)
    this.upstream = upstream
    upstream.serve(this)
    this.deadline = upstream.isConnected ? NO_DEADLINE : this.client.clock.now + this.core.limits.connect
    return upstream
  }

  /** Sends the head, in one write with what of the body is there. */
  private send(upstream: Upstream, buf: Buffer, from: number, to: number): void {
    const { keep, size } = this
    if (to === from) upstream.out.writeWhole(this.sentHead())
    else if (from >= size) {
      keep.copy(buf, from - size, 0, size)
      upstream.out.write(buf, from - size, to)
      return
    } else {
      upstream.out.write(keep, 0, size)
      upstream.out.write(buf, from, to)
    }
    // A write that is still under way needs its octets; another attempt may read them, nobody may write them.
    if (upstream.out.unsent > 0) this.isLent = true
  }

  /** The head in a view; requests of one client are often of one size. */
  private sentHead(): Buffer {
    const { keep, size, keepView } = this
    if (keepView.length === size && keepView.buffer === keep.buffer && keepView.byteOffset === keep.byteOffset)
      return keepView
    this.keepView = keep.subarray(0, size)
    return this.keepView
  }

  connected(): void {
    const { upstream, waiting } = this
    if (!upstream) return
    upstream.out.writeWhole(this.sentHead())
    if (upstream.out.unsent > 0) this.isLent = true
    for (const part of waiting ?? []) upstream.out.write(part, 0, part.length)
    this.waiting = undefined
    if (this.whole) this.deadline = this.client.clock.now + this.core.limits.answer
    else {
      this.deadline = NO_DEADLINE
      if (!isFull(upstream.out)) this.client.resume()
    }
  }

  sent(): void {
    if (!this.whole) this.client.resume()
  }

  clientTook(): void {
    this.upstream?.resume()
  }

  interim(buf: Buffer, answer: AnswerHead): void {
    if (this.client.minor === 0) return
    const out = Buffer.allocUnsafe(answer.end - answer.begin)
    const size = answer.cuts.copy(buf, answer.begin, answer.end, out, 0)
    out[7] = 49
    this.client.out.write(out, 0, size)
  }

  begins(buf: Buffer, answer: AnswerHead, to: number, kept: Buffer | undefined): void {
    const { client } = this
    this.hasAnswered = true
    this.status = answer.status
    this.deadline = NO_DEADLINE
    const isOld = client.minor === 0
    client.closing =
      !client.keepAlive ||
      this.isUpgrade ||
      answer.framing === UNTIL_CLOSE ||
      // The client may or may not send its body now, and the next request could be either.
      (this.expects && !this.whole) ||
      (isOld && answer.framing === CHUNKED) ||
      this.core.draining()
    const says = client.closing ? CLOSE : isOld ? KEEP : SILENT
    client.out.write(buf, composeAnswer(buf, answer, says, isOld, this.lines), to)
    this.afterAnswer(kept)
  }

  goesOn(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void {
    this.client.out.write(buf, from, to)
    this.afterAnswer(kept)
  }

  private afterAnswer(kept: Buffer | undefined): void {
    const { out } = this.client
    if (kept) out.write(kept, 0, kept.length)
    if (isFull(out)) this.upstream?.pause()
  }

  ends(reusable: boolean): void {
    const { upstream } = this
    const now = performance.now()
    if (upstream && reusable && this.whole) upstream.release(now)
    else upstream?.drop()
    this.finish(now)
    this.client.answered()
  }

  switches(buf: Buffer, answer: AnswerHead, to: number): void {
    const { client } = this
    if (!this.isUpgrade || !answer.isWebSocket) {
      this.upstream?.drop()
      this.fail(502, this.isUpgrade ? 'the pod switched to something else' : 'the pod switched protocols unasked')
      return
    }
    this.hasAnswered = true
    this.status = 101
    this.deadline = NO_DEADLINE
    const said = composeSwitch(buf, answer, this.lines)
    client.out.write(said, 0, said.length)
    client.out.write(buf, answer.end, to)
    this.count(performance.now())
    const tunnel = new Tunnel(this.core, client, this.upstream!, this.series!)
    this.upstream = undefined
    client.become(tunnel)
  }

  tunnelled(): void {}

  garbled(): void {
    this.upstream?.drop()
    if (this.hasAnswered) this.cut()
    else this.fail(502, 'the pod sent an answer that is not proper HTTP')
  }

  lost(): void {
    const upstream = this.upstream!
    this.upstream = undefined
    if (this.hasAnswered) this.cut()
    else if (upstream.isConnected) this.lostUnanswered(upstream)
    else this.notConnected(upstream.pool)
  }

  private notConnected(pool: Pool): void {
    pool.avoid(performance.now())
    this.tried ??= new Set()
    this.tried.add(pool.endpoint.key)
    this.series!.retries++
    if (this.attempt(this.endpointsNow(), false)?.isConnected) this.connected()
  }

  /** A pod that left meanwhile broke off for that reason; one that is still there may have crashed over this request. */
  private lostUnanswered({ isUsed, pool }: Upstream): void {
    const isExcused = isUsed || !this.core.snapshot().endpoints.has(pool.endpoint.key)
    if (!isExcused || !this.mayRepeat || this.retried || this.isUpgrade) {
      this.fail(502, 'the pod closed the connection before it answered')
      return
    }
    this.retried = true
    this.series!.retries++
    this.attempt(this.endpointsNow(), true)
  }

  /** For a further attempt: the endpoints that the version has by now; the table may have moved on since the choice. */
  private endpointsNow(): readonly Endpoint[] {
    const now = this.core.snapshot().routes.find(r => r.name === this.route!.name)
    return now?.dests.find(d => d.key === this.dest!.key)?.endpoints ?? this.dest!.endpoints
  }

  /** The answer broke off: the client must see that it is not whole. */
  private cut(): void {
    this.failed = true
    this.upstream = undefined
    this.finish(performance.now())
    this.client.cut()
  }

  private fail(status: number, why: string): void {
    this.failed = true
    this.status = status
    this.upstream = undefined
    if (this.isUpgrade) this.client.closing = true
    this.client.say(status, why)
    this.finish(performance.now())
    this.client.answered()
  }

  /** Ends the request without an answer: the client left, or went wrong. */
  breakOff(): void {
    if (!this.isActive) return
    this.upstream?.drop()
    this.upstream = undefined
    this.finish(performance.now())
  }

  private count(now: number): void {
    this.isActive = false
    this.core.load.inFlight--
    const ms = now - this.started
    this.core.stats.end(this.series!, this.status, ms, this.failed, now)
    if (this.note) this.core.access?.end(this.note, this.series!, this.status, ms)
  }

  private finish(now: number): void {
    this.count(now)
    this.upstream = undefined
    this.waiting = undefined
    this.copy = undefined
    this.deadline = NO_DEADLINE
    if (this.isLent || this.keep.length > 4 * FIRST_KEEP) {
      this.isLent = false
      this.keep = Buffer.allocUnsafe(FIRST_KEEP)
    }
  }

  /** Looks at the clock. */
  tick(now: number): void {
    if (this.upstream !== undefined && this.upstream.out.stuckFor(now) > this.core.limits.send) {
      this.upstream.drop()
      if (this.hasAnswered) this.cut()
      else this.fail(504, 'the pod does not take the request')
      return
    }
    if (this.deadline === NO_DEADLINE || now < this.deadline || !this.upstream) return
    const { upstream } = this
    this.upstream = undefined
    upstream.drop()
    if (upstream.isConnected) this.fail(504, 'no answer in time')
    else this.notConnected(upstream.pool)
  }
}
