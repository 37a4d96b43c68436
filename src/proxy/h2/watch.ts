// What HTTP/2 connections of clients are held to, looked at a few times a second: readers that take nothing, bodies that do not
// come, and frames without end that are no requests.
import type { Limits } from '../core.ts'
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR } from './codes.ts'
import type { Flight } from './exchange.ts'
import { passingTrailers } from './fields.ts'
import type { Connection } from './wire/connection.ts'
import type { HeaderList } from './wire/hpack-decode.ts'
import type { Listener, Stream } from './wire/stream.ts'

/** Octets a second that a client may send beside its requests, and so many at once. */
const MOST_BESIDE = 128 * 1024
const BESIDE_AT_ONCE = 256 * 1024
/** PING and SETTINGS frames between two looks; each is answered. */
const MOST_ANSWERED = 100
/** What a client may send for each frame of an answer: a PING, with which gRPC measures the line, and two WINDOW_UPDATEs. */
const BESIDE_A_FRAME = 17 + 2 * 13
/** Streams that may come to nothing by a client's doing at once, and then a second: those that it resets (CVE-2023-44487),
 * malformed ones, and those beyond the allowed number. As many as are let end well are forgiven: a client whose calls to one
 * version all run out of time must not lose those to the other. */
const SPOILT_AT_ONCE = 500
const MOST_SPOILT = 100
/** So long a client may go on sending after its answer, in milliseconds. */
const LINGER_MS = 500

/** A stream, and when something happened on it last. */
class Watched implements Listener {
  readonly stream: Stream
  /** Undefined: it was refused. */
  flight: Flight | undefined
  mark = -1
  since: number
  /** Since when its answer has been given whole. */
  finished: number | undefined
  private readonly watch: Watch

  constructor(watch: Watch, stream: Stream, now: number) {
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

  trailed(list: HeaderList): void {
    if (this.flight) this.flight.trailers = passingTrailers(list)
  }
}

/** One client's connection. */
export class Watch {
  private readonly connection: Connection
  private readonly limits: Limits
  private readonly streams = new Set<Watched>()
  private beside = 0
  private spoilt = 0
  private written = 0
  private given = 0
  private whole = 0
  private idleSince: number

  constructor(connection: Connection, limits: Limits, now: number) {
    this.connection = connection
    this.limits = limits
    this.idleSince = now
  }

  /** A stream has begun. */
  add(stream: Stream, now: number): Watched {
    const watched = new Watched(this, stream, now)
    this.streams.add(watched)
    stream.listener = watched
    return watched
  }

  /** A stream has ended. */
  over(watched: Watched): void {
    this.streams.delete(watched)
    if (watched.stream.isSent) this.whole++
    if (this.streams.size === 0) this.idleSince = performance.now()
  }

  /** Octets that wait for the client, and for how many milliseconds it has taken nothing of them. */
  held(now: number): Readonly<{ held: number; ms: number }> {
    const { out } = this.connection
    let held = out.unsent
    let ms = held > 0 ? out.stuckFor(now) : 0
    for (const { stream, since } of this.streams) {
      if (stream.queued === 0) continue
      held += stream.queued
      ms = Math.max(ms, now - since)
    }
    return { held, ms }
  }

  /** Is there more of what is no request than anybody sends with reason? Looked at whenever something came. */
  judge(): void {
    const { burden, spoilt, answered, writer } = this.connection
    const given = writer.given - this.given
    if (
      this.beside + burden > BESIDE_AT_ONCE + BESIDE_A_FRAME * given ||
      this.spoilt + spoilt > SPOILT_AT_ONCE + this.whole ||
      answered > MOST_ANSWERED + given
    )
      this.connection.fault(ENHANCE_YOUR_CALM)
  }

  /** Looks at the clock; `seconds` since the last time. `isLate`: this thread was too busy to look in time, which is nobody's
   * fault. */
  tick(now: number, seconds: number, isLate: boolean): void {
    const { connection } = this
    if (this.streams.size === 0 && now - this.idleSince > this.limits.idle) connection.leave()
    if (connection.out.stuckFor(now) > this.limits.send) connection.destroy()
    // What came runs into buckets that leak. Whoever is sent much acknowledges much.
    const { bytesWritten } = connection.socket
    const { given } = connection.writer
    const leaks = MOST_BESIDE * seconds + (bytesWritten - this.written) / 64 + BESIDE_A_FRAME * (given - this.given)
    this.written = bytesWritten
    this.given = given
    this.beside = Math.max(0, this.beside + connection.burden - leaks)
    this.spoilt = Math.max(0, this.spoilt + connection.spoilt - MOST_SPOILT * seconds - this.whole)
    this.whole = 0
    connection.burden = 0
    connection.spoilt = 0
    connection.answered = 0
    if (!isLate) for (const watched of this.streams) this.look(watched, now)
  }

  private look(watched: Watched, now: number): void {
    const { stream, flight } = watched
    if (stream.isSent) {
      watched.finished ??= now
      // The rest of the request is of no use: the client is told to stop, without an error (RFC 9113 8.1).
      if (now - watched.finished > LINGER_MS) stream.close(NO_ERROR)
      return
    }
    flight?.tick(now)
    const waiting = stream.queued
    const mark = (flight?.gave ?? 0) - waiting + (flight?.got ?? 0)
    if (mark !== watched.mark) {
      watched.mark = mark
      watched.since = now
      return
    }
    const ms = now - watched.since
    if (waiting > 0) {
      if (ms > this.limits.send) stream.close(CANCEL)
    } else if (flight && stream.hasHead) {
      const silence = flight.route.patience?.silence ?? this.limits.silence
      if (silence > 0 && ms > silence) flight.cut(INTERNAL_ERROR)
    } else if (flight?.isDue === true && ms > this.limits.body) {
      flight.refuse(408, 'the request body did not come in time')
      flight.isDue = false
    }
  }
}
