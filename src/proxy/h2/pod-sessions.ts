// HTTP/2 connections to a pod that speaks h2c. One is enough until it carries as many streams as the pod allows; then there
// is another. They are kept with the pod's pool and leave with it.
import type { Pool } from '../engine/pools.ts'
import { dial } from '../engine/reads.ts'
import type { Headers } from './fields.ts'
import { letGo } from './held-piece.ts'
import { Connection } from './wire/connection.ts'
import type { Owner } from './wire/owner.ts'
import type { Listener, Stream } from './wire/stream.ts'

/** Beyond so many connections streams wait for each other. */
const MOST_SESSIONS = 32
/** Connections that a stream waits for which take no stream at all, as the pod leaves with its first word. */
const MOST_IN_VAIN = 2
/** Milliseconds of silence after which the kernel asks whether the pod is still there. */
const PROBE_MS = 30_000
const TERMS = {
  isServer: false,
  streams: 0,
  /** Octets that may be on their way from the pod: for one stream, and for all of a connection (RFC 9113 5.2). */
  streamWindow: 512 * 1024,
  window: 4 * 1024 * 1024,
  headerList: 64 * 1024,
}

/** `taken`: streams that it ever took. */
type Held = { readonly connection: Connection; streams: number; taken: number }

/** A place for one stream on a connection. */
export class Place {
  private readonly sessions: PodSessions
  private readonly held: Held

  constructor(sessions: PodSessions, held: Held) {
    this.sessions = sessions
    this.held = held
    held.streams++
    held.taken++
  }

  /** Opens the stream; undefined: the connection has ended in this very moment, and the place is given back. */
  open(headers: Headers, path: string, isEnd: boolean, listener: Listener): Stream | undefined {
    const stream = this.held.connection.open(headers, path, isEnd, listener)
    if (stream === undefined) this.give()
    return stream
  }

  /** Is the connection gone, and not only the stream? */
  isLost(): boolean {
    return this.held.connection.isDead
  }

  /** Has the pod said goodbye on it? */
  isLeaving(): boolean {
    return this.held.connection.isLeaving
  }

  /** The stream is over. Call it once. */
  give(): void {
    this.held.streams--
    this.sessions.gaveBack()
  }
}

/** The connections of a pool, made with the first stream. */
export function podSessions(pool: Pool): PodSessions {
  pool.session ??= new PodSessions(pool)
  return pool.session as PodSessions
}

class PodSessions {
  private readonly pool: Pool
  private held: Held[] = []
  private opening: Promise<Held | undefined> | undefined
  /** Streams for which there is no room on as many connections as there may be. */
  private readonly queued = new Set<(place: Place) => void>()

  constructor(pool: Pool) {
    this.pool = pool
  }

  /** A place for a stream, at once or when there is a connection. Undefined: the pod takes none in `limit` milliseconds. */
  take(limit: number): Place | undefined | Promise<Place | undefined> {
    return this.free() ?? this.wait(limit)
  }

  /** Streams under way finish, and then the connections end. */
  close(): void {
    for (const { connection } of this.held) connection.leave()
  }

  private async wait(limit: number): Promise<Place | undefined> {
    for (let inVain = 0; inVain < MOST_IN_VAIN; ) {
      if (this.held.length >= MOST_SESSIONS) return this.queue(limit)
      this.opening ??= this.open(limit)
      const held = await this.opening
      if (held === undefined) return undefined
      const place = this.free()
      if (place) return place
      // Others may have been quicker.
      if (held.taken === 0) inVain++
    }
    return undefined
  }

  /** Waits for a stream that ends. */
  private queue(limit: number): Promise<Place | undefined> {
    return new Promise(done => {
      const timer = setTimeout(() => {
        this.queued.delete(next)
        done(undefined)
      }, limit)
      const next = (place: Place): void => {
        clearTimeout(timer)
        done(place)
      }
      this.queued.add(next)
    })
  }

  /** There may be room for those that wait. */
  gaveBack(): void {
    for (const next of this.queued) {
      const place = this.free()
      if (!place) return
      this.queued.delete(next)
      next(place)
    }
  }

  private free(): Place | undefined {
    let best: Held | undefined
    for (const held of this.held) {
      if (held.connection.isLeaving || held.connection.isDead) continue
      if (best === undefined || held.streams < best.streams) best = held
    }
    return best === undefined || best.streams >= best.connection.mostStreams ? undefined : new Place(this, best)
  }

  private async open(limit: number): Promise<Held | undefined> {
    const { host, port } = this.pool
    const opened = await new Promise<Held | undefined>(done => {
      const owner: Owner = {
        begins() {},
        readEnds: letGo,
        // The first thing that an HTTP/2 server says (RFC 9113 3.4): whoever does not is none.
        settled: () => {
          if (this.held.includes(held)) {
            // It may take more now.
            this.gaveBack()
            return
          }
          clearTimeout(timer)
          this.held.push(held)
          done(held)
        },
        closed() {},
      }
      const connection = new Connection(owner, TERMS)
      const held: Held = { connection, streams: 0, taken: 0 }
      const socket = dial(host, port, connection)
      const timer = setTimeout(() => socket.destroy(), limit)
      socket.on('error', () => {})
      socket.once('connect', () => {
        socket.setKeepAlive(true, PROBE_MS)
        connection.begin(socket, false)
      })
      socket.once('close', () => {
        clearTimeout(timer)
        this.held = this.held.filter(other => other !== held)
        done(undefined)
      })
    })
    this.opening = undefined
    // The pod may have left the table meanwhile.
    if (opened && this.pool.isRetired) setImmediate(() => this.close())
    return opened
  }
}
