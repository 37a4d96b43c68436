// Connections of routes in TCP mode: each goes, whole, to one version by the same exact weights, and there to the pod with
// fewer of them. Octets pass as they are; each side may end on its own.
import type { Socket } from 'node:net'
import { endpointsNow } from '../again.ts'
import { pickVersion } from '../choose.ts'
import type { CompiledRoute, Dest } from '../compile.ts'
import type { Core } from '../core.ts'
import type { Endpoint } from '../endpoints.ts'
import type { Series } from '../stats.ts'
import { isFull, Outlet } from './outlet.ts'
import { headerFor } from './own-lines.ts'
import type { Pool } from './pools.ts'
import { adopt, dial, readByEvents } from './reads.ts'

const PROBE_MS = 30_000

export type TcpConnections = Readonly<{
  /** Takes an accepted, paused connection; `peer`: who is behind it; `rest`: what was read of it already. */
  take(accepted: Socket, route: CompiledRoute, isSecure: boolean, peer: string, rest?: Buffer): void
  size(): number
  /** Looks at the clock. */
  tick(now: number): void
  abort(): void
}>

/** `gone` is called when a connection has ended. */
export function createTcp(core: Core, gone: () => void): TcpConnections {
  const connections = new Set<Connection>()
  return {
    take(accepted, route, isSecure, peer, rest) {
      const connection: Connection = new Connection(core, { accepted, route, isSecure, peer }, () => {
        connections.delete(connection)
        gone()
      })
      connections.add(connection)
      connection.begin(rest)
    },
    size: () => connections.size,
    tick(now) {
      for (const connection of connections) connection.tick(now)
    },
    abort() {
      for (const connection of connections) connection.destroy()
    },
  }
}

/** One end: a socket that reads into the shared buffer, and what is still to be written to it. */
type Side = { socket: Socket; out: Outlet; isPaused: boolean }

type Arrived = Readonly<{ accepted: Socket; route: CompiledRoute; isSecure: boolean; peer: string }>

class Connection {
  private readonly core: Core
  private readonly accepted: Socket
  private readonly route: CompiledRoute
  private readonly isSecure: boolean
  private readonly peer: string
  private readonly gone: () => void
  private readonly dest: Dest
  private readonly series: Series
  private readonly started = performance.now()
  private readonly tried = new Set<string>()
  private pool: Pool | undefined
  private client: Side | undefined
  /** What the client said before there was a pod. */
  private rest: Buffer | undefined
  private pod: Side | undefined
  private isOver = false
  private deadline = 0

  constructor(core: Core, { accepted, route, isSecure, peer }: Arrived, gone: () => void) {
    this.core = core
    this.peer = peer
    this.accepted = accepted
    this.route = route
    this.isSecure = isSecure
    this.gone = gone
    this.dest = pickVersion(route)
    this.dest.series ??= core.stats.of(route, this.dest)
    this.series = this.dest.series
  }

  begin(rest?: Buffer): void {
    this.rest = rest
    this.core.stats.begin(this.series)
    // Not read before there is a pod: another one may get the connection, from its first octet on.
    this.accepted.on('error', () => {})
    this.accepted.on('close', this.leftEarly)
    this.attempt(this.dest.endpoints)
  }

  private readonly leftEarly = (): void => {
    if (this.client === undefined) this.fail(0)
  }

  private attempt(endpoints: readonly Endpoint[]): void {
    const pool = this.core.pools.choose(endpoints, this.tried.size === 0 ? undefined : this.tried)
    if (!pool) {
      this.fail(this.tried.size === 0 ? 503 : 502)
      return
    }
    this.tried.add(pool.endpoint.key)
    this.pool = pool
    pool.inFlight++
    const socket = dial(pool.host, pool.port, { take: (buf, from, to) => this.fromPod(buf, from, to) })
    const pod: Side = { socket, out: new Outlet(socket, () => resume(this.client)), isPaused: false }
    this.pod = pod
    this.deadline = performance.now() + this.core.limits.connect
    socket.on('error', () => {})
    socket.once('connect', () => this.connected(pool))
    socket.on('end', () => this.client?.socket.end())
    socket.on('close', () => this.podClosed(pool, pod))
  }

  private connected(pool: Pool): void {
    const { core, series, accepted, isSecure } = this
    if (this.isOver) return
    pool.failures = 0
    this.deadline = 0
    // From here on it is a tunnel: what was measured is the time until it stood.
    core.stats.end(series, 200, performance.now() - this.started, false)
    series.tunnels++
    core.tunnels.add(this)
    this.pod!.socket.setKeepAlive(true, PROBE_MS)
    accepted.removeListener('close', this.leftEarly)
    const reader = { take: (buf: Buffer, from: number, to: number) => this.fromClient(buf, from, to) }
    const socket = isSecure ? readByEvents(accepted, reader) : adopt(accepted, reader)
    this.client = { socket, out: new Outlet(socket, () => resume(this.pod), isSecure), isPaused: false }
    socket.setKeepAlive(true, PROBE_MS)
    socket.on('error', () => {})
    socket.on('end', () => this.pod?.socket.end())
    socket.on('close', () => this.destroy())
    this.touch()
    if (pool.endpoint.proxyProtocol !== undefined) {
      const header = headerFor(socket, this.peer)
      this.pod!.out.write(header, 0, header.length)
    }
    const { rest } = this
    this.rest = undefined
    if (rest && rest.length > 0) this.fromClient(rest, 0, rest.length)
  }

  private fromClient(buf: Buffer, from: number, to: number): void {
    const { pod, client, series } = this
    if (!pod) return
    series.received += to - from
    this.touch()
    pod.out.write(buf, from, to)
    if (isFull(pod.out)) pause(client)
  }

  private fromPod(buf: Buffer, from: number, to: number): void {
    const { pod, client, series } = this
    if (!client) return
    series.sent += to - from
    this.touch()
    client.out.write(buf, from, to)
    if (isFull(client.out)) pause(pod)
  }

  private podClosed(pool: Pool, pod: Side): void {
    pod.out.isClosed = true
    if (this.pod !== pod) return
    if (this.client !== undefined || this.isOver) {
      this.destroy()
      return
    }
    // It never stood: nothing of the client was read, so another pod may have it.
    pool.inFlight--
    this.pool = undefined
    this.pod = undefined
    pool.avoid(performance.now())
    this.series.retries++
    this.attempt(endpointsNow(this.core, this.route, this.dest))
  }

  /** It came to nothing; `status` 0: the client left first. */
  private fail(status: number): void {
    if (this.isOver) return
    this.isOver = true
    this.core.stats.end(this.series, status, performance.now() - this.started, status !== 0)
    this.release()
    // A reset, so that it does not look like an answer that is empty.
    if (this.isSecure) this.accepted.destroy()
    else this.accepted.resetAndDestroy()
    this.gone()
  }

  /** Ends both sides at once. */
  destroy(): void {
    if (this.client === undefined) {
      this.fail(0)
      return
    }
    if (this.isOver) return
    this.isOver = true
    this.series.tunnels--
    this.core.tunnels.delete(this)
    this.client.out.isClosed = true
    this.client.socket.destroy()
    this.release()
    this.gone()
  }

  private release(): void {
    if (this.pool) this.pool.inFlight--
    this.pool = undefined
    if (!this.pod) return
    this.pod.out.isClosed = true
    this.pod.socket.destroy()
  }

  private touch(): void {
    const { tunnel } = this.core.limits
    if (tunnel > 0) this.deadline = performance.now() + tunnel
  }

  tick(now: number): void {
    const { send } = this.core.limits
    const isStuck = [this.client, this.pod].some(side => side && side.out.stuckFor(now) > send)
    const isLate = this.deadline > 0 && now > this.deadline
    if (this.client === undefined && isLate) this.pod?.socket.destroy()
    else if (isStuck || isLate) this.destroy()
  }
}

function pause(side: Side | undefined): void {
  if (!side || side.isPaused) return
  side.isPaused = true
  side.socket.pause()
}

function resume(side: Side | undefined): void {
  if (!side?.isPaused) return
  side.isPaused = false
  side.socket.resume()
}
