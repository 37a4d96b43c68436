// A WebSocket after its handshake: octets both ways as they are, until either side ends. Draining waits for it.
import type { Core } from '../core.ts'
import type { Series } from '../stats.ts'
import type { Client } from './client.ts'
import { isFull } from './outlet.ts'
import type { Asker, Upstream } from './upstream.ts'

export class Tunnel implements Asker {
  readonly toHead = false
  readonly unpacks = false
  private readonly core: Core
  private readonly client: Client
  private readonly upstream: Upstream
  private readonly series: Series
  private deadline = 0
  private isOver = false

  /** Takes over the connection to the pod. */
  constructor(core: Core, client: Client, upstream: Upstream, series: Series) {
    this.core = core
    this.client = client
    this.upstream = upstream
    this.series = series
    upstream.asker = this
    series.tunnels++
    core.tunnels.add(client)
    this.touch()
  }

  /** Octets from the pod, or its end: then its last words are delivered and the client may end too. */
  tunnelled(buf: Buffer, from: number, to: number): void {
    const { client } = this
    if (from === to) {
      client.leave()
      return
    }
    this.touch()
    client.out.write(buf, from, to)
    if (isFull(client.out)) this.upstream.pause()
  }

  /** Octets from the client. */
  clientSaid(buf: Buffer, from: number, to: number): void {
    this.touch()
    this.upstream.out.write(buf, from, to)
    if (isFull(this.upstream.out)) this.client.pause()
  }

  clientEnded(): void {
    this.upstream.socket.end()
  }

  clientTook(): void {
    this.upstream.resume()
  }

  /** The client is gone. */
  abandon(): void {
    if (this.isOver) return
    this.upstream.drop()
    this.over()
  }

  lost(): void {
    this.over()
    // A pod that ended properly has its last words on their way; one that broke off does not pretend to have ended.
    if (!this.client.out.isClosed) this.client.destroy()
  }

  sent(): void {
    this.client.resume()
  }

  /** Looks at the clock. */
  tick(now: number): void {
    const isStuck = this.upstream.out.stuckFor(now) > this.core.limits.send
    if (isStuck || (this.deadline > 0 && now > this.deadline)) this.client.destroy()
  }

  private touch(): void {
    const { tunnel } = this.core.limits
    if (tunnel > 0) this.deadline = performance.now() + tunnel
  }

  private over(): void {
    if (this.isOver) return
    this.isOver = true
    this.series.tunnels--
    this.core.tunnels.delete(this.client)
  }

  connected(): void {}
  interim(): void {}
  begins(): void {}
  goesOn(): void {}
  ends(): void {}
  switches(): void {}
  garbled(): void {}
}
