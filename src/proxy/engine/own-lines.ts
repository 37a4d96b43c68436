// Connections to pods that are told by a PROXY protocol header who the client is. Such a connection speaks for one client's
// connection and is never given to another's; while the client stays it may be used again.
import type { Socket } from 'node:net'
import type { Pool } from './pools.ts'
import { proxyHeader } from './proxy-header.ts'
import { Upstream } from './upstream.ts'

/** Where a connection to a pod goes when it is free. `header`: what it begins with. */
export type Home = {
  readonly header: Buffer | undefined
  giveBack(upstream: Upstream, now: number): void
  forget(upstream: Upstream): void
}

/** The header for what a client's connection asks. `peer`: who is behind it; its port is known only where that is the other
 * end of the socket, and is 0 else. */
export function headerFor(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'> | undefined,
  peer: string,
): Buffer {
  const plain = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/, '')
  const port = plain(socket?.remoteAddress) === peer ? (socket?.remotePort ?? 0) : 0
  return proxyHeader({ address: peer, port }, { address: plain(socket?.localAddress), port: socket?.localPort ?? 0 })
}

/** A connection for one request. */
export const lineOnce = (pool: Pool, header: Buffer): Upstream =>
  new Upstream(pool, { header, giveBack: upstream => upstream.drop(), forget() {} })

/** Those of one client's connection: one a pod, as it has one request at a time. */
export class OwnLines implements Home {
  readonly header: Buffer
  private readonly idle = new Map<Pool, Upstream>()
  private isOver = false

  constructor(header: Buffer) {
    this.header = header
  }

  /** `fresh`: never a used one. `now` in milliseconds. */
  take(pool: Pool, fresh: boolean, now: number): Upstream {
    this.sweep(now)
    const kept = this.idle.get(pool)
    if (kept === undefined) return new Upstream(pool, this)
    this.idle.delete(pool)
    if (!fresh) return kept
    kept.drop()
    return new Upstream(pool, this)
  }

  giveBack(upstream: Upstream, now: number): void {
    const { pool } = upstream
    if (this.isOver || pool.isRetired || this.idle.has(pool)) {
      upstream.drop()
      return
    }
    upstream.expires = pool.expiryOf(upstream, now)
    this.idle.set(pool, upstream)
  }

  forget(upstream: Upstream): void {
    if (this.idle.get(upstream.pool) === upstream) this.idle.delete(upstream.pool)
  }

  /** Drops those that were idle too long, or whose pod is in no table any more. */
  sweep(now: number): void {
    for (const [pool, upstream] of this.idle) if (pool.isRetired || upstream.expires <= now) upstream.drop()
  }

  /** The client is gone. */
  end(): void {
    this.isOver = true
    for (const upstream of [...this.idle.values()]) upstream.drop()
  }
}
