// HTTP/2 connections to a pod that speaks h2c. One is enough until it carries as many streams as the pod allows; then there
// is another. They are kept with the pod's pool and leave with it.
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import type { Pool } from '../engine/pools.ts'

/** Beyond so many connections streams wait for each other. */
const MOST_SESSIONS = 32
/** Octets that may be on their way from the pod: for one stream, and for all of a connection (RFC 9113 5.2). */
const STREAM_WINDOW = 512 * 1024
const SESSION_WINDOW = 4 * 1024 * 1024
/** Milliseconds of silence after which the kernel asks whether the pod is still there. */
const PROBE_MS = 30_000

/** A place for one stream on a connection. */
export type Place = Readonly<{
  /** Opens the stream; undefined: the connection has ended in this very moment. */
  open(
    headers: OutgoingHttpHeaders,
    options: { endStream: boolean; waitForTrailers?: boolean },
  ): ClientHttp2Stream | undefined
  /** Is the connection gone, and not only the stream? */
  isLost(): boolean
  /** Has the pod said goodbye on it? */
  isLeaving(): boolean
  /** The stream is over. Call it once. */
  give(): void
}>

/** The connections of a pool, made with the first stream. */
export function podSessions(pool: Pool): PodSessions {
  pool.session ??= new PodSessions(pool)
  return pool.session as PodSessions
}

type Held = { readonly session: ClientHttp2Session; readonly socket: Socket; streams: number }

class PodSessions {
  private readonly pool: Pool
  private held: Held[] = []
  private opening: Promise<boolean> | undefined

  constructor(pool: Pool) {
    this.pool = pool
  }

  /** A place for a stream, at once or when there is a connection. Undefined: the pod takes none in `limit` milliseconds. */
  take(limit: number): Place | undefined | Promise<Place | undefined> {
    return this.free() ?? this.wait(limit)
  }

  /** Streams under way finish, and then the connections end. */
  close(): void {
    for (const { session } of this.held) session.close()
  }

  private async wait(limit: number): Promise<Place | undefined> {
    for (;;) {
      this.opening ??= this.open(limit)
      if (!(await this.opening)) return undefined
      const place = this.free()
      if (place) return place
    }
  }

  private free(): Place | undefined {
    let best: Held | undefined
    for (const held of this.held) {
      if (held.session.closed || held.session.destroyed) continue
      if (best === undefined || held.streams < best.streams) best = held
    }
    if (best === undefined) return undefined
    const most = best.session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    if (best.streams >= most && this.held.length < MOST_SESSIONS) return undefined
    return placeOn(best)
  }

  private async open(limit: number): Promise<boolean> {
    const { connect } = process.getBuiltinModule('node:http2')
    const { host, port } = this.pool
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: PROBE_MS })
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
      maxSessionMemory: 64,
    })
    const held: Held = { session, socket, streams: 0 }
    const isOpen = await new Promise<boolean>(done => {
      const timer = setTimeout(() => session.destroy(), limit)
      const end = (): void => {
        clearTimeout(timer)
        this.held = this.held.filter(other => other !== held)
        done(false)
      }
      session.on('error', end)
      session.on('close', end)
      // The first thing that an HTTP/2 server says (RFC 9113 3.4): whoever does not is none.
      session.once('remoteSettings', () => {
        clearTimeout(timer)
        session.setLocalWindowSize(SESSION_WINDOW)
        this.held.push(held)
        done(true)
      })
    })
    this.opening = undefined
    // The pod may have left the table meanwhile.
    if (isOpen && this.pool.isRetired) setImmediate(() => session.close())
    return isOpen
  }
}

function placeOn(held: Held): Place {
  const { session, socket } = held
  held.streams++
  return {
    open(headers, options) {
      try {
        return session.request(headers, options)
      } catch {
        held.streams--
        return undefined
      }
    },
    isLost: () => socket.destroyed || socket.readableEnded || session.destroyed,
    isLeaving: () => session.closed,
    give() {
      held.streams--
    },
  }
}
