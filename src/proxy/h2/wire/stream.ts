// One stream, of either side: what waits to be sent, what waits to be read, and how far its end is (RFC 9113 5.1).
import type { Socket } from 'node:net'
import { hold, isScarce } from '../../engine/outlet.ts'
import { NO_ERROR } from '../codes.ts'
import type { Headers } from '../fields.ts'
import type { HeaderList } from './hpack-decode.ts'

/** Whoever a stream belongs to. */
export type Listener = {
  /** It is over; nothing more is heard of it. Told a moment later, never in the middle of a call. */
  closed(): void
  /** All that waited has left: more may be given. */
  drained(): void
  /** The trailers came; the end of the body is told next. */
  trailed(list: HeaderList): void
  /** An interim answer of a pod. */
  interim?(list: HeaderList): void
  /** The head of a pod's answer. `isBare`: nothing follows. */
  answered?(list: HeaderList, status: number, isBare: boolean): void
}

/** Whoever reads the body that comes. */
export type BodyReader = {
  /** [from, to), good during the call only. */
  data(buf: Buffer, from: number, to: number): void
  /** It is whole. */
  ended(): void
}

/** What a stream needs of its connection. */
export type Link = {
  readonly socket: Socket
  /** Sends a head. */
  sendHead(stream: Stream, headers: Headers, isEnd: boolean, path?: string): void
  /** Sends of [from, to) what may be sent now; where the rest begins. `isEnd`: the stream's side ends with it. */
  sendData(stream: Stream, buf: Buffer, from: number, to: number, isEnd: boolean): number
  sendReset(stream: Stream, code: number): void
  /** So many octets of its body have been read: as many may follow. */
  consumed(stream: Stream, octets: number): void
  /** So many will not be read; the stream takes no more. */
  dropped(octets: number): void
  /** It has octets to send and may not. */
  wait(stream: Stream): void
  malformed(stream: Stream): void
  /** Nothing more is sent or comes on it. */
  over(stream: Stream): void
  /** Its listener may be told that it is over. */
  tellOver(stream: Stream): void
}

/** Octets that may wait for the peer before whoever gives them should pause. */
const MOST_QUEUED = 32 * 1024
/** And so many are sent before it is the turn of another stream. */
const MOST_PIECE = 16_384
/** Interim answers to one request, as for HTTP/1.1. */
const MOST_INTERIM = 32
const NOBODY: BodyReader = { data() {}, ended() {} }
const EMPTY = Buffer.alloc(0)
const NONE: readonly Buffer[] = []

export class Stream {
  readonly id: number
  private readonly link: Link
  listener: Listener | undefined
  /** Octets that may still be sent, by the peer's word; may be less than 0 (RFC 9113 6.9.2). */
  sendWindow: number
  /** Octets that the peer may still send, */
  receiveWindow: number
  /** and those read that it has not been told of. */
  credit = 0
  /** Nothing more may be said on it. */
  isOver = false
  /** Why it was reset, or NO_ERROR. */
  code = NO_ERROR
  /** Was it the peer that reset it? */
  isAborted = false
  /** Has a head been sent, other than an interim one, */
  hasHead = false
  /** and has one come from a pod? */
  isAnswered = false
  private interims = 0
  /** Asked with HEAD: the answer has no body, whatever its head says. */
  isForHead = false
  /** Is the last of this side given? */
  isEnded = false
  /** Has it left? */
  isSent = false
  /** Has the peer said its last? */
  isReceived = false
  /** Has that been told to the reader? */
  isRead = false
  /** The length of the body that is coming, where it was announced, */
  expected: number | undefined
  /** and what came of it. */
  received = 0
  /** Octets that wait to be sent. */
  queued = 0
  private queue: Buffer[] | undefined
  private trailers: Headers | undefined
  private reader: BodyReader | undefined
  private isPaused = true
  /** What came and was not read. */
  private kept: Buffer[] | undefined
  private isReading = false
  /** It is over, and the listener is told when the end has been read. */
  private isHeld = false

  constructor(id: number, link: Link, sendWindow: number, receiveWindow: number) {
    this.id = id
    this.link = link
    this.sendWindow = sendWindow
    this.receiveWindow = receiveWindow
  }

  /** The connection that it is on. */
  get socket(): Socket {
    return this.link.socket
  }

  /** Sends the head. `isEnd`: nothing follows. `path`: of a request, which is no part of `headers`. */
  head(headers: Headers, isEnd: boolean, path?: string): void {
    if (this.isOver || this.isEnded) return
    this.hasHead = true
    if (isEnd) this.isEnded = true
    this.link.sendHead(this, headers, isEnd, path)
    if (isEnd) this.sentAll()
  }

  /** One more interim answer has come. False: those are too many, which a client would have to be sent one by one. */
  takesInterim(): boolean {
    return ++this.interims <= MOST_INTERIM
  }

  /** Sends an interim head, while there is no other. */
  inform(headers: Headers): void {
    if (!this.isOver && !this.hasHead) this.link.sendHead(this, headers, false)
  }

  /** Sends [from, to) of a buffer, which is not needed any more on return; false: pause until `drained`. */
  write(buf: Buffer, from: number, to: number): boolean {
    if (this.isOver || this.isEnded) return true
    const at = this.queued > 0 ? from : this.link.sendData(this, buf, from, to, false)
    if (at < to) this.enqueue(buf, at, to)
    return this.queued <= (isScarce() ? 0 : MOST_QUEUED)
  }

  /** Sends the last of this side: [from, to), or nothing. */
  end(buf: Buffer = EMPTY, from = 0, to = buf.length): void {
    if (this.isOver || this.isEnded) return
    this.isEnded = true
    if (this.queued === 0) {
      const at = this.link.sendData(this, buf, from, to, true)
      if (at < to) this.enqueue(buf, at, to)
      else this.sentAll()
    } else if (to > from) this.enqueue(buf, from, to)
  }

  /** Ends this side with trailers; without one it is only ended. */
  endWith(trailers: Headers): void {
    if (this.isOver || this.isEnded) return
    if (Object.keys(trailers).length === 0) {
      this.end()
      return
    }
    this.isEnded = true
    this.trailers = trailers
    if (this.queued === 0) this.sendTrailers()
  }

  private sendTrailers(): void {
    this.link.sendHead(this, this.trailers!, true)
    this.sentAll()
  }

  private enqueue(buf: Buffer, from: number, to: number): void {
    const copy = Buffer.allocUnsafeSlow(to - from)
    buf.copy(copy, 0, from, to)
    this.queue ??= []
    this.queue.push(copy)
    this.queued += copy.length
    hold(copy.length)
    this.link.wait(this)
  }

  /** Sends a piece of what waits. True: there is more, and it may be sent. */
  pump(): boolean {
    const { queue } = this
    const first = queue?.[0]
    if (queue === undefined || first === undefined || this.isOver) return false
    const to = Math.min(first.length, MOST_PIECE)
    const isLast = to === this.queued && this.isEnded && this.trailers === undefined
    const at = this.link.sendData(this, first, 0, to, isLast)
    if (at === 0) return false
    this.queued -= at
    hold(-at)
    if (at < first.length) queue[0] = first.subarray(at)
    else queue.shift()
    if (this.queued > 0) return true
    if (this.trailers !== undefined) this.sendTrailers()
    else if (this.isEnded) this.sentAll()
    return false
  }

  /** Tells whoever may have paused that all that waited has left. */
  tellDrained(): void {
    if (this.queued === 0 && !this.isOver) this.listener?.drained()
  }

  private sentAll(): void {
    this.isSent = true
    if (this.isReceived) this.finish()
  }

  /** Gives it up: nothing more is sent or read. */
  close(code: number): void {
    if (this.isOver) {
      this.forget()
      return
    }
    this.code = code
    this.link.sendReset(this, code)
    this.finish()
  }

  /** What the peer said on it is malformed. */
  malformed(): void {
    this.link.malformed(this)
  }

  /** The peer gave it up, or the connection is gone. */
  aborted(code: number): void {
    if (this.isOver) return
    this.code = code
    this.isAborted = true
    this.finish()
  }

  private finish(): void {
    this.isOver = true
    if (this.queued > 0) hold(-this.queued)
    this.queued = 0
    this.queue = undefined
    // What was kept is not for the others on the connection to wait for.
    for (const part of this.kept ?? NONE) this.link.dropped(part.length)
    this.link.over(this)
    // A body that has come whole is read to its end first; one that was broken off is not.
    this.isHeld = this.isReceived && !this.isRead && this.reader !== undefined
    if (!this.isHeld || this.code !== NO_ERROR || this.isAborted) this.tell()
  }

  /** Nobody reads the rest. */
  private forget(): void {
    if (this.isHeld) this.tell()
  }

  private tell(): void {
    this.isHeld = false
    this.kept = undefined
    this.link.tellOver(this)
  }

  /** Who reads the body from now on. */
  read(reader: BodyReader): void {
    this.reader = reader
    this.resume()
  }

  /** What still comes is of no use to anybody. */
  discard(): void {
    this.read(NOBODY)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    if (this.isReading || this.reader === undefined) return
    this.isReading = true
    for (let next = this.kept?.shift(); next !== undefined; next = this.kept?.shift()) {
      this.link.consumed(this, next.length)
      this.reader.data(next, 0, next.length)
      if (this.isPaused) break
    }
    this.isReading = false
    this.tellEnd()
  }

  /** A piece of the body came. */
  incoming(buf: Buffer, from: number, to: number): void {
    if (this.isPaused || this.isReading || this.reader === undefined || (this.kept?.length ?? 0) > 0) {
      this.kept ??= []
      this.kept.push(Buffer.from(buf.subarray(from, to)))
      return
    }
    this.link.consumed(this, to - from)
    this.reader.data(buf, from, to)
  }

  /** The last of the peer's side came. */
  incomingEnd(): void {
    this.isReceived = true
    if (this.isSent) this.finish()
    this.tellEnd()
  }

  private tellEnd(): void {
    if (!this.isReceived || this.isRead || this.isPaused || this.isReading || this.reader === undefined) return
    if ((this.kept?.length ?? 0) > 0) return
    this.isRead = true
    if (this.code === NO_ERROR && !this.isAborted) this.reader.ended()
    if (this.isHeld) this.tell()
  }
}
