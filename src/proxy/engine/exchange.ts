// One request and all attempts at it: chosen, sent, tried again where that is safe, and its answer relayed.
// An exchange lives as long as its client's connection and is used again for each request.
import type { Note } from '../access-log.ts'
import { chooseAgain } from '../again.ts'
import { choose, findWay, pickVersion } from '../choose.ts'
import type { Core } from '../core.ts'
import { answerMarks, isTraceparent, type Marks, newTraceparent, traceIdOf } from '../marks.ts'
import { stripPrefix } from '../match.ts'
import { type AnswerHead, UNTIL_CLOSE } from './answer-head.ts'
import { Attempts, NO_DEADLINE } from './attempts.ts'
import type { Client } from './client.ts'
import { CLOSE, composeAnswer, composeInterim, composeSwitch, KEEP, SILENT } from './compose.ts'
import { cutCookie } from './cut-cookie.ts'
import { cutFields } from './cut-fields.ts'
import { GatheredBody, hasRoom } from './gathered-body.ts'
import { view } from './head-view.ts'
import { HeldHead } from './held-head.ts'
import type { Line } from './line.ts'
import { type Copy, copyFor } from './mirror.ts'
import { isFull } from './outlet.ts'
import { CHUNKED, head, isShareable, LENGTH, NONE } from './request-head.ts'
import { Tunnel } from './tunnel.ts'
import { Upstream } from './upstream.ts'

export class Exchange extends Attempts {
  private readonly port: number
  isActive = false
  toHead = false
  unpacks = false
  private started = 0
  private failed = false
  private expects = false
  /** For the access log. */
  private note: Note | undefined
  private copy: Copy | undefined
  /** A body that is still to come before a pod is asked. */
  private gathered: GatheredBody | undefined
  /** Lines of the proxy's own on the answer. */
  private lines: Buffer | undefined
  /** The head of the answer, while it waits for its body. */
  private heldHead: HeldHead | undefined

  constructor(core: Core, client: Client, port: number) {
    super(core, client)
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
    this.beginAttempts(route, dest)
    this.failed = false
    this.mayRepeat = head.isSafe && head.framing === NONE
    this.isUpgrade = head.upgrade
    this.expects = head.expect
    this.unpacks = head.minor === 0
    this.started = performance.now()
    this.series = dest.series ??= core.stats.of(route, dest)
    core.stats.begin(this.series)
    this.note = core.access?.begin(view, client.caller.peer)
    if (route.mirrors.length > 0) this.copy = copyFor(core, route, dest, view, this.isUpgrade)
    const { session } = route
    this.lines = session?.line(way, view, dest)
    if (session !== undefined) cutCookie(buf, head, session.cookie)
    const { sentHead } = this
    const more = core.marks === undefined ? undefined : this.traceLine(buf, core.marks)
    sentHead.compose(buf, client.caller, way.strip ? stripPrefix(view.target(), way.prefix) : head.target, more)
    this.copy?.begin(sentHead.whole, sentHead.size, this.toHead)
    this.mayShare = dest.pipelining && this.mayRepeat && !this.isUpgrade && !this.expects && isShareable()
    if (!whole && this.mayGather()) {
      this.gathered = new GatheredBody(head.length)
      this.gather(this.gathered, buf, head.end, bodyTo)
      return
    }
    const upstream = this.attempt(dest.endpoints, this.isUpgrade)
    if (upstream?.isConnected) {
      this.wasSent = true
      if (bodyTo === head.end) upstream.sendHead(sentHead)
      else sentHead.sendWith(upstream.out, buf, head.end, bodyTo)
      if (kept) upstream.out.write(kept, 0, kept.length)
      this.afterBody(buf, head.end, bodyTo, whole, upstream)
    } else if (upstream) {
      this.putAside(buf, head.end, bodyTo, kept)
      this.copy?.add(buf, head.end, bodyTo)
      if (whole) this.copy?.send()
      if (!whole) client.pause()
    }
  }

  /** Do nothing but the weights have a say in a request, and is nothing added to it that changes? */
  get isPlain(): boolean {
    const { marks, access, limits } = this.core
    const way = this.core.snapshot().sole
    if (way === undefined || marks !== undefined || access !== undefined || limits.inFlight > 0) return false
    return way.route.isPlain && !way.strip && !way.toPreview
  }

  /** Is the head of the request before still there, to be sent again? */
  get isRepeatable(): boolean {
    return this.sentHead.size > 0 && this.isPlain
  }

  /** The request before once more, octet for octet: its version is chosen anew, all else stands. */
  repeat(): void {
    const { core, sentHead } = this
    const { route } = core.snapshot().sole!
    const dest = pickVersion(route)
    this.isActive = true
    core.load.inFlight++
    this.beginAttempts(route, dest)
    this.failed = false
    this.whole = true
    this.lines = undefined
    this.started = performance.now()
    this.series = dest.series ??= core.stats.of(route, dest)
    core.stats.begin(this.series)
    this.mayShare = dest.pipelining
    const upstream = this.attempt(dest.endpoints, false)
    if (!upstream?.isConnected) return
    this.wasSent = true
    upstream.sendHead(sentHead)
    this.awaitAnswer()
  }

  /** A trace begins here where the request brings none: its line. What is no traceparent goes, and its state with it. */
  private traceLine(buf: Buffer, { trace }: Marks): Buffer | undefined {
    if (trace === undefined) return undefined
    const given = view.header('traceparent')
    const isKept = given !== undefined && isTraceparent(given)
    const traceparent = isKept ? given : newTraceparent(trace)
    if (this.note) this.note.trace = traceIdOf(traceparent)
    if (isKept) return undefined
    cutFields(buf, head, 'traceparent')
    cutFields(buf, head, 'tracestate')
    return Buffer.from(`traceparent: ${traceparent}\r\n`, 'latin1')
  }

  /** The proxy's own lines on the answer. */
  private linesOn(buf: Buffer, answer: AnswerHead): Buffer | undefined {
    const { marks } = this.core
    if (marks === undefined) return this.lines
    // Who answered is for the proxy to say.
    if (marks.versionHeader !== undefined) cutFields(buf, answer, marks.versionHeader)
    return this.markedLines(marks)
  }

  /** With those that tell who gave it. */
  private markedLines(marks: Marks): Buffer | undefined {
    const { role, hash } = this.dest!
    const own = answerMarks(marks, { role, hash }, performance.now() - this.started)
    if (own.length === 0) return this.lines
    const text = own.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    return Buffer.concat([this.lines ?? Buffer.alloc(0), Buffer.from(text, 'latin1')])
  }

  /** More of the body, [from, to). */
  body(buf: Buffer, from: number, to: number, kept: Buffer | undefined, whole: boolean): void {
    const { upstream, gathered } = this
    this.whole = whole
    if (gathered !== undefined) {
      this.gather(gathered, buf, from, to)
      return
    }
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

  /** May a pod wait until the body of the request in `head` is whole? */
  private mayGather(): boolean {
    return head.framing === LENGTH && head.length <= this.core.limits.gathered && !this.expects && hasRoom()
  }

  /** The pod is asked once the body is whole, or there is no room for the rest of it. */
  private gather(gathered: GatheredBody, buf: Buffer, from: number, to: number): void {
    this.copy?.add(buf, from, to)
    const takesMore = gathered.add(buf, from, to)
    if (takesMore && !this.whole) return
    this.gathered = undefined
    if (this.whole) this.copy?.send()
    this.waiting = [gathered.take()]
    this.chooseAgain()
    const upstream = this.attempt(this.endpointsNow(), false)
    if (upstream?.isConnected) this.connected()
    else if (upstream && !this.whole) this.client.pause()
  }

  /** The table may have changed while the body came. */
  private chooseAgain(): void {
    const other = chooseAgain(this.core, this.route!, this.dest!)
    if (other === undefined) return
    this.route = other.route
    this.dest = other.dest
    this.series = other.series
    // A cookie would bind the client to the version that it did not get.
    this.lines = undefined
  }

  private afterBody(buf: Buffer, from: number, to: number, whole: boolean, upstream: Line): void {
    if (this.copy) {
      if (to > from) this.copy.add(buf, from, to)
      if (whole) this.copy.send()
    }
    if (whole) this.awaitAnswer()
    else if (isFull(upstream.out)) this.client.pause()
  }

  clientTook(): void {
    this.upstream?.resume()
  }

  interim(buf: Buffer, answer: AnswerHead): void {
    if (this.client.minor === 0) return
    const out = composeInterim(buf, answer)
    this.client.out.write(out, 0, out.length)
  }

  begins(buf: Buffer, answer: AnswerHead, to: number, kept: Buffer | undefined): void {
    const { client } = this
    if (this.route!.rescue?.on.has(answer.status) && this.goToRescue(answer.status)) return
    this.hasAnswered = true
    this.status = answer.status
    this.heard()
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
    const lines = this.linesOn(buf, answer)
    const begin = composeAnswer(buf, answer, says, isOld, lines)
    if (answer.framing === LENGTH && to === answer.end && client.out.unsent === 0) {
      this.heldHead ??= new HeldHead(client.out)
      this.heldHead.hold(buf, begin, to)
      return
    }
    client.out.write(buf, begin, to)
    this.afterAnswer(kept)
  }

  goesOn(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void {
    this.heard()
    const { heldHead } = this
    const begin = heldHead === undefined || heldHead.isEmpty ? from : heldHead.putBefore(buf, from)
    this.client.out.write(buf, begin, to)
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
    const { client, upstream } = this
    if (!this.isUpgrade || !answer.isWebSocket || !(upstream instanceof Upstream)) {
      upstream?.drop()
      this.fail(502, this.isUpgrade ? 'the pod switched to something else' : 'the pod switched protocols unasked')
      return
    }
    this.hasAnswered = true
    this.status = 101
    this.deadline = NO_DEADLINE
    const said = composeSwitch(buf, answer, this.linesOn(buf, answer))
    client.out.write(said, 0, said.length)
    client.out.write(buf, answer.end, to)
    this.count(performance.now())
    const tunnel = new Tunnel(this.core, client, upstream, this.series!)
    this.upstream = undefined
    client.become(tunnel)
  }

  tunnelled(): void {}

  /** The answer broke off: the client must see that it is not whole. */
  protected cut(): void {
    this.failed = true
    this.upstream = undefined
    this.finish(performance.now())
    this.client.cut()
  }

  /** Answers in the proxy's own name. */
  protected give(status: number, why: string): void {
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
    this.own?.end()
    if (!this.isActive) return
    this.upstream?.drop()
    this.upstream = undefined
    this.finish(performance.now())
  }

  private count(now: number): void {
    this.isActive = false
    this.core.load.inFlight--
    const ms = now - this.started
    const { rescuedFrom } = this
    if (rescuedFrom !== 0) this.series!.rescued++
    this.core.stats.end(this.series!, rescuedFrom || this.status, ms, this.failed || rescuedFrom !== 0, now)
    if (this.note) this.core.access?.end(this.note, this.series!, this.status, ms)
  }

  private finish(now: number): void {
    this.count(now)
    this.copy?.forget()
    this.copy = undefined
    this.heldHead?.forget()
    this.gathered?.free()
    this.gathered = undefined
    this.endAttempts()
  }
}
