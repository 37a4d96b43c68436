// What HTTP/2 connections of clients are held to, looked at a few times a second: readers that take nothing, bodies that do not
// come, and control frames without end. Floods that nghttp2 and Node know (rapid resets, CONTINUATION, empty DATA frames,
// acknowledgements that are not read) end there; what is left has in common that octets come in which are no requests.
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Limits } from '../core.ts'
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR } from './codes.ts'
import { hear, type Listener } from './events.ts'
import type { Flight } from './exchange.ts'
import { passingTrailers } from './fields.ts'

/** Octets a second that a client may send beside its requests. */
const MOST_CONTROL = 128 * 1024
/** So much a request's head may take of them. */
const HEAD_ROOM = 8 * 1024
/** Octets of a body with those of its frames, in the smallest frames that anybody sends with reason. */
const FRAMED = 1.1
/** PING and SETTINGS frames between two looks; each is answered. */
const MOST_ANSWERED = 100
/** Octets that may be on their way from the client: for one stream, and for all of a connection (RFC 9113 5.2). The second
 * is more than the first, so that one upload which waits for its pod does not hold up the others. */
export const STREAM_WINDOW = 256 * 1024
export const SESSION_WINDOW = 2 * 1024 * 1024
/** So long a client may go on sending after its answer, in milliseconds. */
const LINGER_MS = 500

/** A stream, and when something happened on it last. */
class Watched implements Listener {
  readonly stream: ServerHttp2Stream
  /** Undefined: it was refused. */
  flight: Flight | undefined
  mark = -1
  since: number
  /** Since when its answer has been given whole. */
  finished: number | undefined
  private readonly watch: Watch

  constructor(watch: Watch, stream: ServerHttp2Stream, now: number) {
    this.watch = watch
    this.stream = stream
    this.since = now
  }

  closed(): void {
    this.flight?.closed()
    this.watch.over(this)
  }

  drained(): void {
    this.flight?.drained()
  }

  trailed(came: IncomingHttpHeaders): void {
    if (this.flight) this.flight.trailers = passingTrailers(came)
  }
}

/** One client's connection. */
export class Watch {
  private readonly session: ServerHttp2Session
  private readonly socket: Socket
  private readonly limits: Limits
  private readonly streams = new Set<Watched>()
  /** Octets of bodies on streams that are over. */
  private done = 0
  private begun = 0
  private answered = 0
  private bucket = 0
  private last = { read: 0, written: 0, body: 0 }
  private idleSince: number

  constructor(session: ServerHttp2Session, socket: Socket, limits: Limits, now: number) {
    this.session = session
    this.socket = socket
    this.limits = limits
    this.idleSince = now
    session.on('ping', () => this.answering())
    session.on('remoteSettings', () => this.answering())
  }

  /** A stream has begun. */
  add(stream: ServerHttp2Stream, now: number): Watched {
    this.begun++
    const watched = new Watched(this, stream, now)
    this.streams.add(watched)
    hear(stream, watched)
    return watched
  }

  /** A stream has ended. */
  over(watched: Watched): void {
    const { flight, stream } = watched
    this.streams.delete(watched)
    this.done += (flight?.got ?? 0) + (stream.readableEnded ? 0 : STREAM_WINDOW)
    if (this.streams.size === 0) this.idleSince = performance.now()
  }

  /** Looks at the clock; `seconds` since the last time. `isLate`: this thread was too busy to look in time, which is nobody's
   * fault. */
  tick(now: number, seconds: number, isLate: boolean): void {
    this.answered = 0
    if (this.streams.size === 0 && now - this.idleSince > this.limits.idle) this.session.close()
    if (this.isFlood(seconds)) this.end()
    if (!isLate) for (const watched of this.streams) this.look(watched, now)
  }

  private look(watched: Watched, now: number): void {
    const { stream, flight } = watched
    if (stream.writableFinished) {
      watched.finished ??= now
      // The rest of the request is of no use: the client is told to stop, without an error (RFC 9113 8.1).
      if (now - watched.finished > LINGER_MS) stream.close(NO_ERROR)
      return
    }
    flight?.tick(now)
    const waiting = stream.writableLength
    const mark = (flight?.gave ?? 0) - waiting + (flight?.got ?? 0)
    if (mark !== watched.mark) {
      watched.mark = mark
      watched.since = now
      return
    }
    const ms = now - watched.since
    if (waiting > 0) {
      if (ms > this.limits.send) stream.close(CANCEL)
    } else if (flight && stream.headersSent) {
      const silence = flight.route.patience?.silence ?? this.limits.silence
      if (silence > 0 && ms > silence) flight.cut(INTERNAL_ERROR)
    } else if (flight?.isDue === true && ms > this.limits.body) {
      flight.refuse(408, 'the request body did not come in time')
      flight.isDue = false
    }
  }

  /** What came beside requests runs into a bucket that leaks; a body that nobody has read yet fills it for a while. */
  private isFlood(seconds: number): boolean {
    const read = this.socket.bytesRead
    const written = this.socket.bytesWritten
    let body = this.done
    for (const { flight } of this.streams) body += flight?.got ?? 0
    const came = read - this.last.read - (body - this.last.body) * FRAMED - this.begun * HEAD_ROOM
    // Whoever is sent much acknowledges much.
    const leaks = MOST_CONTROL * seconds + (written - this.last.written) / 64
    this.bucket = Math.max(0, this.bucket + came - leaks)
    this.last = { read, written, body }
    this.begun = 0
    return this.bucket > MOST_CONTROL + SESSION_WINDOW
  }

  private answering(): void {
    if (++this.answered > MOST_ANSWERED) this.end()
  }

  private end(): void {
    if (!this.session.destroyed) this.session.destroy(new Error('too much beside requests'), ENHANCE_YOUR_CALM)
  }
}
