// All attempts at one request: which pod, when another one, when stable instead of the canary, and for how long.
import { endpointsNow, mayGoOn, rescueFor } from '../again.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import type { Endpoint } from '../endpoints.ts'
import { H2cLine } from '../h2/h2c-line.ts'
import type { Series } from '../stats.ts'
import type { AnswerHead } from './answer-head.ts'
import type { Client } from './client.ts'
import type { Line } from './line.ts'
import { isFull } from './outlet.ts'
import { headerFor, OwnLines } from './own-lines.ts'
import type { Pool } from './pools.ts'
import { SentHead } from './sent-head.ts'
import type { Asker } from './upstream.ts'

export const NO_DEADLINE = 0

/** What an exchange does until its answer begins. Belongs to one client, used again for each of its requests. */
export abstract class Attempts implements Asker {
  protected readonly core: Core
  protected readonly client: Client
  protected upstream: Line | undefined
  protected route: CompiledRoute | undefined
  protected dest: Dest | undefined
  protected series: Series | undefined
  /** The request is here whole. */
  protected whole = false
  hasAnswered = false
  protected status = 0
  protected isUpgrade = false
  /** Safe to ask twice: no body, and a method that changes nothing. */
  protected mayRepeat = false
  /** May it go on a connection with others? Asked at the first attempt only. */
  protected mayShare = false
  protected readonly sentHead = new SentHead()
  /** May a pod have seen it? */
  protected wasSent = false
  /** Parts of the body that came before there was a connection. */
  protected waiting: Buffer[] | undefined
  /** Endpoints that are not to be asked again for this request. */
  private tried: Set<string> | undefined
  /** Tried again on a new connection already? */
  private retried = false
  /** How often it went to another pod although one may have seen it. */
  private again = 0
  /** What the client would have got from the canary, if stable answers instead. */
  protected rescuedFrom = 0
  /** Connections to pods that are told who this client is. */
  protected own: OwnLines | undefined
  protected deadline = NO_DEADLINE
  /** For all attempts, in milliseconds of the coarse clock. */
  private answerBy = NO_DEADLINE

  constructor(core: Core, client: Client) {
    this.core = core
    this.client = client
  }

  abstract readonly toHead: boolean
  abstract readonly unpacks: boolean
  abstract interim(buf: Buffer, answer: AnswerHead): void
  abstract begins(buf: Buffer, answer: AnswerHead, to: number, kept: Buffer | undefined): void
  abstract goesOn(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void
  abstract ends(reusable: boolean): void
  abstract switches(buf: Buffer, answer: AnswerHead, to: number): void
  abstract tunnelled(buf: Buffer, from: number, to: number): void
  /** The answer broke off: the client must see that it is not whole. */
  protected abstract cut(): void
  /** Answers in the proxy's own name. */
  protected abstract give(status: number, why: string): void

  protected beginAttempts(route: CompiledRoute, dest: Dest): void {
    this.route = route
    this.dest = dest
    this.hasAnswered = false
    this.status = 0
    this.tried = undefined
    this.retried = false
    this.again = 0
    this.wasSent = false
    this.rescuedFrom = 0
  }

  protected endAttempts(): void {
    this.upstream = undefined
    this.waiting = undefined
    this.deadline = NO_DEADLINE
    this.answerBy = NO_DEADLINE
    this.sentHead.done()
  }

  /** The request is sent whole; the time for its answer begins. */
  protected awaitAnswer(): void {
    const { now } = this.client.clock
    const { patience } = this.route!
    this.deadline = now + this.core.limits.answer
    if (patience === undefined) return
    if (this.answerBy === NO_DEADLINE) this.answerBy = now + (patience.answer ?? this.core.limits.answer)
    const { attempt } = patience
    const isLimited = attempt !== undefined && this.mayRepeat
    this.deadline = isLimited ? Math.min(now + attempt, this.answerBy) : this.answerBy
  }

  protected putAside(buf: Buffer, from: number, to: number, kept: Buffer | undefined): void {
    this.waiting ??= []
    if (to > from) this.waiting.push(Buffer.from(buf.subarray(from, to)))
    if (kept) this.waiting.push(kept)
  }

  /** Takes a connection to one of the endpoints; when there is none the client is told. */
  protected attempt(endpoints: readonly Endpoint[], fresh: boolean): Line | undefined {
    const pool: Pool | undefined = this.core.pools.choose(endpoints, this.tried)
    if (!pool || (pool.endpoint.protocol === 'h2c' && this.isUpgrade)) {
      const status = pool || this.tried ? 502 : 503
      const why = this.whyNobody(pool)
      const instead = this.rescue(status)
      if (instead !== undefined) return this.attempt(instead, fresh)
      this.give(status, why)
      return undefined
    }
    const upstream = this.lineOf(pool, fresh)
    this.upstream = upstream
    this.deadline = upstream.isConnected ? NO_DEADLINE : this.client.clock.now + this.core.limits.connect
    return upstream
  }

  private lineOf(pool: Pool, fresh: boolean): Line {
    if (pool.endpoint.proxyProtocol !== undefined) return this.ownLine(pool, fresh)
    if (pool.endpoint.protocol === 'h2c') return new H2cLine(pool, this, this.core.limits.connect)
    const seat = this.mayShare ? pool.seat(this, performance.now()) : undefined
    this.mayShare = false
    if (seat !== undefined) return seat
    const upstream = pool.take(fresh, this.mayRepeat)
    upstream.serve(this)
    return upstream
  }

  private ownLine(pool: Pool, fresh: boolean): Line {
    const { socket, caller } = this.client
    this.own ??= new OwnLines(headerFor(socket, caller.peer))
    const upstream = this.own.take(pool, fresh, performance.now())
    upstream.serve(this)
    return upstream
  }

  private whyNobody(pool: Pool | undefined): string {
    const { problem, target } = this.dest!
    if (pool) return `the pods behind ${target} speak HTTP/2, which has no Upgrade`
    return this.tried ? `no pod behind ${target} took the connection` : (problem ?? `no ready pod behind ${target}`)
  }

  connected(): void {
    const { upstream, waiting } = this
    if (!upstream) return
    this.wasSent = true
    upstream.sendHead(this.sentHead)
    for (const part of waiting ?? []) upstream.out.write(part, 0, part.length)
    this.waiting = undefined
    if (this.whole) this.awaitAnswer()
    else {
      this.deadline = NO_DEADLINE
      if (!isFull(upstream.out)) this.client.resume()
    }
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
  private lostUnanswered({ isUsed, pool }: Line): void {
    const isExcused = isUsed || !this.core.snapshot().endpoints.has(pool.endpoint.key)
    if (isExcused && this.mayRepeat && !this.retried && !this.isUpgrade) {
      this.retried = true
      this.series!.retries++
      this.attempt(this.endpointsNow(), true)
    } else if (!this.goElsewhere(pool)) this.fail(502, 'the pod closed the connection before it answered')
  }

  /** Sends a safe request to another pod, though one may have seen it; false: it may not, or there is none. */
  private goElsewhere(pool: Pool): boolean {
    if (!this.mayRepeat || this.isUpgrade) return false
    const endpoints = this.endpointsNow()
    pool.avoid(performance.now())
    this.tried ??= new Set()
    this.tried.add(pool.endpoint.key)
    if (!mayGoOn(this.core, this.route!, endpoints, this.tried, this.again)) return false
    this.again++
    this.series!.retries++
    if (this.attempt(endpoints, false)?.isConnected) this.connected()
    return true
  }

  /** Stable's endpoints for a request that the canary failed with `status`; from here on it is stable's, and the failure
   * stays the canary's. Undefined: it may not be asked again, or there is nobody. */
  private rescue(status: number): readonly Endpoint[] | undefined {
    const { dest, route } = this
    const rescue = rescueFor(route!, dest!)
    if (rescue === undefined || this.isUpgrade || (this.wasSent && !this.mayRepeat)) return undefined
    const endpoints = endpointsNow(this.core, route!, rescue.to)
    if (endpoints.length === 0) return undefined
    this.rescuedFrom = status
    this.dest = rescue.to
    this.tried = undefined
    this.again = 0
    this.retried = false
    return endpoints
  }

  protected goToRescue(status: number): boolean {
    const before = this.upstream
    const instead = this.hasAnswered ? undefined : this.rescue(status)
    if (instead === undefined) return false
    before?.drop()
    if (this.attempt(instead, false)?.isConnected) this.connected()
    return true
  }

  protected endpointsNow(): readonly Endpoint[] {
    return endpointsNow(this.core, this.route!, this.dest!)
  }

  /** No attempt is left. */
  protected fail(status: number, why: string): void {
    this.upstream = undefined
    if (!this.goToRescue(status)) this.give(status, why)
  }

  /** Looks at the clock. */
  tick(now: number): void {
    this.own?.sweep(now)
    if (this.upstream !== undefined && this.upstream.out.stuckFor(now) > this.core.limits.send) {
      this.upstream.drop()
      if (this.hasAnswered) this.cut()
      else this.fail(504, 'the pod does not take the request')
      return
    }
    if (this.deadline === NO_DEADLINE || now < this.deadline || !this.upstream) return
    const { upstream } = this
    if (this.hasAnswered) this.silent(upstream)
    else if (!upstream.isConnected) {
      this.leave(upstream)
      this.notConnected(upstream.pool)
    } else if (this.answerBy !== NO_DEADLINE && now < this.answerBy) this.slow(upstream)
    else {
      this.leave(upstream)
      this.give(504, 'no answer in time')
    }
  }

  private leave(upstream: Line): void {
    this.upstream = undefined
    upstream.drop()
  }

  /** One attempt took too long: another pod, or stable, or the rest of the time with this one. */
  private slow(upstream: Line): void {
    if (this.goElsewhere(upstream.pool)) upstream.drop()
    else if (!this.goToRescue(504)) this.deadline = this.answerBy
  }

  /** Nothing more of the answer came for long; unless it is the client who does not take it. */
  private silent(upstream: Line): void {
    if (this.client.out.unsent > 0) this.heard()
    else {
      upstream.drop()
      this.cut()
    }
  }

  /** A piece of the answer came: the time for the next one begins. */
  protected heard(): void {
    const silence = this.route!.patience?.silence ?? this.core.limits.silence
    this.deadline = silence === 0 ? NO_DEADLINE : this.client.clock.now + silence
  }

  sent(): void {
    if (!this.whole) this.client.resume()
  }

  garbled(): void {
    this.upstream?.drop()
    if (this.hasAnswered) this.cut()
    else this.fail(502, 'the pod sent an answer that is not proper HTTP')
  }
}
