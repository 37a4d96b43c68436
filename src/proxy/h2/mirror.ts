// Copies of HTTP/2 streams to the canary: by the same rules, shares and limits as those of HTTP/1.1 (engine/mirror.ts), sent
// when the request is whole, in the protocol that the canary's pod speaks. The user's stream knows nothing of them.
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import { CopyBody } from '../engine/copy-body.ts'
import { Copy, mirrorOf, mirrorSeries } from '../engine/mirror.ts'
import type { Pool } from '../engine/pools.ts'
import type { Series } from '../stats.ts'
import type { H2Request } from './asked.ts'
import { CANCEL } from './codes.ts'
import type { PodFields } from './pod-fields.ts'
import { podSessions } from './pod-sessions.ts'

/** What a pod is asked. */
export type Request = Readonly<{
  asked: H2Request
  target: string
  fields: PodFields
}>

/** A copy in the making, if a mirror route wants one and the canary is not getting the request itself. */
export function mirrorCopy(core: Core, route: CompiledRoute, dest: Dest, request: Request): StreamCopy | undefined {
  const canary = mirrorOf(route, dest, request.asked)
  const series = canary && mirrorSeries(core, route, canary)
  return series && new StreamCopy(core, canary, series, request)
}

/** Gathers the body of a stream; `send` sends the copy, unless the body was too long for one. */
export class StreamCopy {
  private readonly core: Core
  private readonly canary: Dest
  private readonly series: Series
  private readonly request: Request
  private readonly body = new CopyBody()
  private isSent = false

  constructor(core: Core, canary: Dest, series: Series, request: Request) {
    this.core = core
    this.canary = canary
    this.series = series
    this.request = request
  }

  /** A piece of the body, which nobody changes any more. */
  add(data: Buffer): void {
    this.body.add(data)
  }

  /** The request is whole: off it goes. */
  send(): void {
    const pool = this.core.pools.choose(this.canary.endpoints, undefined)
    if (!pool) return
    if (this.body.isLost) {
      this.series.unmirrored++
      return
    }
    const body = this.body.take()
    this.isSent = pool.endpoint.protocol === 'h2c'
    if (this.isSent) void this.sendH2c(pool, body)
    else this.sendH1(pool, body)
  }

  /** The stream is over: what was not sent is not sent any more. */
  forget(): void {
    if (!this.isSent) this.body.free()
  }

  private sendH1(pool: Pool, body: Buffer): void {
    const { asked, target, fields } = this.request
    let head = `${asked.method()} ${target} HTTP/1.1\r\nHost: ${asked.host()}\r\n`
    for (const [name, value] of fields.list) if (name !== 'content-length') head += `${name}: ${value}\r\n`
    if (body.length > 0 || asked.length !== undefined) head += `Content-Length: ${body.length}\r\n`
    const octets = Buffer.from(`${head}\r\n`, 'latin1')
    const copy = new Copy(this.core, this.canary, this.series)
    copy.begin(octets, octets.length, asked.method() === 'HEAD')
    copy.add(body, 0, body.length)
    copy.sendTo(pool)
  }

  private async sendH2c(pool: Pool, body: Buffer): Promise<void> {
    const { core, series, request } = this
    const started = performance.now()
    series.mirrored++
    core.stats.begin(series)
    let status = 0
    const count = (): void => {
      this.body.free()
      core.stats.end(series, status || 502, performance.now() - started, status === 0)
    }
    const held = await podSessions(pool).take(core.limits.connect)
    const stream = held?.open(request.fields.h2c(request.asked, request.target), { endStream: body.length === 0 })
    if (!held || !stream) {
      count()
      return
    }
    pool.inFlight++
    const timer = setTimeout(() => stream.close(CANCEL), core.limits.answer)
    stream.on('response', headers => {
      status = Number(headers[':status'])
    })
    stream.on('error', () => {})
    stream.once('close', () => {
      clearTimeout(timer)
      pool.inFlight--
      held.give()
      if (stream.rstCode !== 0) status = 0
      count()
    })
    stream.resume()
    if (body.length > 0) stream.end(body)
  }
}
