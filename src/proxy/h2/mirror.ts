// Copies of HTTP/2 streams to the canary: by the same rules, shares and limits as those of HTTP/1.1 (engine/mirror.ts), sent
// when the request is whole. The user's stream knows nothing of them.
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import { CopyBody } from '../engine/copy-body.ts'
import { Copy, mirrorOf, mirrorSeries } from '../engine/mirror.ts'
import type { Series } from '../stats.ts'
import type { H2Request } from './asked.ts'
import type { PodFields } from './pod-fields.ts'

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

  constructor(core: Core, canary: Dest, series: Series, request: Request) {
    this.core = core
    this.canary = canary
    this.series = series
    this.request = request
  }

  /** A piece of the body. */
  add(buf: Buffer, from: number, to: number): void {
    if (!this.body.isLost) this.body.add(Buffer.from(buf.subarray(from, to)))
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
    const { asked, target, fields } = this.request
    const copy = new Copy(this.core, this.canary, this.series)
    // A length that was not told is known by now.
    const length = body.length > 0 && asked.length === undefined ? `Content-Length: ${body.length}\r\n` : ''
    const octets = Buffer.from(`${fields.head(asked, target)}${length}\r\n`, 'latin1')
    copy.begin(octets, octets.length, asked.method() === 'HEAD')
    copy.add(body, 0, body.length)
    copy.sendTo(pool)
    this.body.free()
  }

  /** The stream is over: what was not sent is not sent any more. */
  forget(): void {
    this.body.free()
  }
}
