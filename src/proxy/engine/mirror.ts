// Copies of requests to the canary: sent and forgotten, never felt by the user.
import type { Asked } from '../asked.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import { H2cLine } from '../h2/h2c-line.ts'
import type { Series } from '../stats.ts'
import type { AnswerHead } from './answer-head.ts'
import { CopyBody } from './copy-body.ts'
import type { Line } from './line.ts'
import { isFull } from './outlet.ts'
import type { Pool } from './pools.ts'
import type { Asker } from './upstream.ts'

/** Copies of one thread that a version has not answered; with so many it gets no more. */
const MOST_UNANSWERED = 1024

/** The canary, if a mirror route wants a copy of the request there and the canary is not getting the request itself. */
export function mirrorOf(route: CompiledRoute, dest: Dest, asked: Asked): Dest | undefined {
  if (route.mirrors.length === 0 || dest.role === 'canary') return undefined
  const canary = route.dests.find(d => d.role === 'canary')
  if (!canary || canary.endpoints.length === 0) return undefined
  return route.mirrors.some(m => m.takes(asked)) ? canary : undefined
}

/** Where the copies of a route are counted, apart from the canary's own requests; undefined: it owes too many answers. */
export function mirrorSeries(core: Core, route: CompiledRoute, canary: Dest): Series | undefined {
  const series = core.stats.of(route, { ...canary, role: 'extra', key: 'mirror' })
  if (series.inFlight < MOST_UNANSWERED) return series
  series.unmirrored++
  return undefined
}

/** A copy in the making, if a mirror route wants one and the canary is not getting the request itself. */
export function copyFor(
  core: Core,
  route: CompiledRoute,
  dest: Dest,
  asked: Asked,
  isUpgrade: boolean,
): Copy | undefined {
  const canary = isUpgrade ? undefined : mirrorOf(route, dest, asked)
  const series = canary && mirrorSeries(core, route, canary)
  return series && new Copy(core, canary, series)
}

/** Gathers a request as it is sent, sends it once more when it is whole, and reads the answer for the counters only. */
export class Copy implements Asker {
  private readonly core: Core
  private readonly canary: Dest
  private readonly series: Series
  toHead = false
  readonly unpacks = false
  private readonly body = new CopyBody()
  private upstream: Line | undefined
  private started = 0
  private status = 0
  private timer: NodeJS.Timeout | undefined

  constructor(core: Core, canary: Dest, series: Series) {
    this.core = core
    this.canary = canary
    this.series = series
  }

  /** The head, as the pod gets it. */
  begin(head: Buffer, size: number, toHead: boolean): void {
    this.toHead = toHead
    this.body.head(Buffer.from(head.subarray(0, size)))
  }

  /** A part of the body. */
  add(buf: Buffer, from: number, to: number): void {
    if (!this.body.isLost) this.body.add(Buffer.from(buf.subarray(from, to)))
  }

  /** The request is whole: off it goes. */
  send(): void {
    const pool = this.core.pools.choose(this.canary.endpoints, undefined)
    if (pool) this.sendTo(pool)
  }

  /** The request is over, whole or not: what was not sent is not sent any more. */
  forget(): void {
    if (!this.upstream) this.body.free()
  }

  /** Sends it to this pod. */
  sendTo(pool: Pool): void {
    if (this.body.isLost) {
      this.series.unmirrored++
      return
    }
    this.started = performance.now()
    this.series.mirrored++
    this.core.stats.begin(this.series)
    const upstream = this.lineTo(pool)
    this.upstream = upstream
    this.timer = setTimeout(() => this.lose(), this.core.limits.answer)
    if (upstream.isConnected) this.connected()
  }

  private lineTo(pool: Pool): Line {
    if (pool.endpoint.protocol === 'h2c') return new H2cLine(pool, this, this.core.limits.connect)
    const upstream = pool.take(false, true)
    upstream.serve(this)
    return upstream
  }

  connected(): void {
    const whole = this.body.take()
    this.upstream?.out.write(whole, 0, whole.length)
  }

  begins(_buf: Buffer, answer: AnswerHead): void {
    this.status = answer.status
  }

  ends(reusable: boolean): void {
    if (reusable && this.upstream && !isFull(this.upstream.out)) this.upstream.release(performance.now())
    else this.upstream?.drop()
    this.count(false)
  }

  lost(): void {
    this.count(true)
  }

  garbled(): void {
    this.lose()
  }

  switches(): void {
    this.lose()
  }

  sent(): void {}
  interim(): void {}
  goesOn(): void {}
  tunnelled(): void {}

  private lose(): void {
    this.upstream?.drop()
    this.count(true)
  }

  private count(failed: boolean): void {
    clearTimeout(this.timer)
    if (!this.upstream) return
    this.upstream = undefined
    this.body.free()
    this.core.stats.end(this.series, failed ? 502 : this.status, performance.now() - this.started, failed)
  }
}
