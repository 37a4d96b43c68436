// One HTTP/2 connection, of either side (RFC 9113): what its frames mean, and who may send how much. It knows nothing of
// requests and pods. What came wrong ends the stream, or all of it, as the RFC has it.
import type { Socket } from 'node:net'
import { Outlet } from '../../engine/outlet.ts'
import type { Reader } from '../../engine/reads.ts'
import {
  CANCEL,
  COMPRESSION_ERROR,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from '../codes.ts'
import type { Headers } from '../fields.ts'
import { FrameReader, type FrameTaker } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import { FIRST_WINDOW, LAST_STREAM, PREFACE, SETTING } from './frames.ts'
import { MALFORMED, readAnswerHead, trailersFault } from './heads.ts'
import { type HeaderList, HpackDecoder } from './hpack-decode.ts'
import { HpackEncoder } from './hpack-encode.ts'
import { Inflow } from './inflow.ts'
import { Outflow } from './outflow.ts'
import type { Owner, Terms } from './owner.ts'
import { type Link, type Listener, Stream } from './stream.ts'
import { Streams } from './streams.ts'

/** Octets that wait for a peer who takes nothing, from which on it is not read either. */
const MOST_UNREAD = 256 * 1024
/** So long a peer may go on sending after the last word, in milliseconds: to close at once could destroy it on its way. */
const LINGER_MS = 500

export class Connection implements FrameTaker, Link, Reader {
  readonly terms: Terms
  private readonly streams: Streams
  socket!: Socket
  out!: Outlet
  writer!: FrameWriter
  private outflow!: Outflow
  private inflow!: Inflow
  private readonly owner: Owner
  private readonly reader: FrameReader
  private readonly decoder: HpackDecoder
  private readonly encoder = new HpackEncoder()
  /** Streams that the peer allows. */
  mostStreams = Number.POSITIVE_INFINITY
  private isPumpDue = false
  /** Since somebody looked last: frames that were answered, octets beside requests, and streams that came to nothing by the
   * peer's doing. */
  answered = 0
  burden = 0
  spoilt = 0
  private isPaused = false
  /** No stream is begun any more; it ends with the last one. */
  isLeaving = false
  /** The last word is said. */
  isDead = false
  private body: Stream | undefined
  private bodyEnds = false

  constructor(owner: Owner, terms: Terms) {
    this.owner = owner
    this.terms = terms
    this.reader = new FrameReader(this, terms.isServer)
    this.decoder = new HpackDecoder(terms.headerList)
    this.streams = new Streams(terms.isServer, () => this.endIfDone())
  }

  /** Begins on a socket that reads into this. */
  begin(socket: Socket, isTls: boolean): void {
    const { terms } = this
    this.socket = socket
    this.out = new Outlet(socket, () => this.sent(), isTls)
    this.writer = new FrameWriter(this.out)
    this.outflow = new Outflow(this.writer)
    this.inflow = new Inflow(this.writer, terms.window, terms.streamWindow)
    socket.on('error', () => {})
    // A peer that has closed its side says nothing more, so nothing more is said to it.
    socket.on('end', () => socket.destroy())
    socket.on('close', () => this.ended())
    if (!terms.isServer) this.writer.raw(PREFACE)
    const limits = [[SETTING.window, terms.streamWindow] as const, [SETTING.headerList, terms.headerList] as const]
    this.writer.settings([...limits, terms.isServer ? [SETTING.streams, terms.streams] : [SETTING.push, 0]])
    this.writer.windowUpdate(0, terms.window - FIRST_WINDOW)
  }

  /** Octets from the peer. */
  take(buf: Buffer, from: number, to: number): void {
    if (this.isDead) return
    this.reader.take(buf, from, to)
    this.owner.readEnds()
    if (this.isPumpDue) this.pump()
    this.writer.flush()
    if (this.out.unsent > MOST_UNREAD && !this.isDead) {
      this.isPaused = true
      this.socket.pause()
    }
  }

  /** Begins a stream; undefined: the connection takes none. */
  open(headers: Headers, path: string, isEnd: boolean, listener: Listener): Stream | undefined {
    const id = this.streams.next()
    if (id === undefined) this.leave()
    if (this.isLeaving || this.isDead || id === undefined) return undefined
    const stream = this.addStream(id)
    stream.listener = listener
    stream.isForHead = headers[':method'] === 'HEAD'
    stream.head(headers, isEnd, path)
    return stream
  }

  /** Tells the peer that it is to begin no more streams; those on their way are still taken. */
  notice(): void {
    if (!this.isDead) this.writer.goaway(LAST_STREAM, NO_ERROR)
  }

  /** Ends with the last stream. */
  leave(): void {
    if (this.isLeaving || this.isDead) return
    this.isLeaving = true
    if (this.terms.isServer) this.writer.goaway(this.streams.last, NO_ERROR)
    this.endIfDone()
  }

  /** Ends it all with an error, or without. */
  fault(code: number): void {
    if (this.isDead) return
    // What was said last may take a slow peer its time; after an error nobody waits for that.
    const linger = (): unknown => setTimeout(() => this.socket.destroy(), LINGER_MS).unref()
    this.isDead = true
    this.reader.stop()
    this.writer.goaway(this.terms.isServer ? this.streams.last : 0, code)
    this.writer.flush()
    this.out.isClosed = true
    if (code === NO_ERROR) this.socket.end(linger)
    else {
      this.socket.end()
      linger()
    }
    // What is read from now on is thrown away.
    if (this.isPaused) this.socket.resume()
    this.abortAll()
  }

  destroy(): void {
    this.socket.destroy()
  }

  private ended(): void {
    this.isDead = true
    this.reader.stop()
    this.out.isClosed = true
    this.abortAll()
    queueMicrotask(() => this.owner.closed())
  }

  private abortAll(): void {
    for (const stream of this.streams.values()) stream.aborted(CANCEL)
  }

  // What the peer says

  head(id: number, buf: Buffer, from: number, to: number, isEnd: boolean, parent: number): void {
    const list = this.decoder.decode(buf, from, to)
    if (list === undefined) this.fault(COMPRESSION_ERROR)
    else if (id % 2 === 0) this.fault(PROTOCOL_ERROR)
    else {
      const stream = this.streams.get(id)
      if (stream) this.moreHead(stream, list, isEnd)
      else if (this.streams.isIdle(id) && this.terms.isServer) this.newStream(id, list, isEnd, parent)
      else this.lateHead(id)
    }
  }

  private newStream(id: number, list: HeaderList | null, isEnd: boolean, parent: number): void {
    const isFull = this.streams.size >= this.terms.streams
    this.streams.last = id
    // It is told with the last word that nobody looks at this one.
    if (this.isLeaving) return
    if (isFull || parent === id) {
      this.streams.gaveUp(id)
      this.refuse(id, isFull ? REFUSED_STREAM : PROTOCOL_ERROR)
      return
    }
    const stream = this.addStream(id)
    stream.isReceived = isEnd
    this.owner.begins(stream, list, isEnd)
  }

  /** Trailers, or what a pod answers. */
  private moreHead(stream: Stream, list: HeaderList | null, isEnd: boolean): void {
    if (stream.isReceived) this.malformed(stream, STREAM_CLOSED)
    else if (list === null) this.malformed(stream, ENHANCE_YOUR_CALM)
    else if (!this.terms.isServer && !stream.isAnswered) this.answer(stream, list, isEnd)
    else if (!isEnd || trailersFault(list) !== undefined) this.malformed(stream)
    else this.received(stream, () => stream.listener?.trailed(list))
  }

  private answer(stream: Stream, list: HeaderList, isEnd: boolean): void {
    const { status, length } = readAnswerHead(list)
    const isInterim = status < 200
    if (status === MALFORMED || (isInterim && (isEnd || !stream.takesInterim()))) this.malformed(stream)
    else if (isInterim) stream.listener?.interim?.(list)
    else {
      stream.isAnswered = true
      stream.expected = stream.isForHead || status === 204 || status === 304 ? 0 : length
      if (isEnd) this.received(stream, () => stream.listener?.answered?.(list, status, true))
      else stream.listener?.answered?.(list, status, false)
    }
  }

  /** Ends a stream by the peer's own fault. */
  malformed(stream: Stream, code = PROTOCOL_ERROR): void {
    this.spoilt++
    stream.close(code)
  }

  /** The same for one that is none, or is over. */
  private refuse(id: number, code: number): void {
    this.spoilt++
    this.writer.reset(id, code)
  }

  /** For a stream that is over, or was none. */
  private lateHead(id: number): void {
    if (!this.streams.isGivenUp(id)) this.fault(this.streams.isOver(id) ? STREAM_CLOSED : PROTOCOL_ERROR)
  }

  data(id: number, length: number, payload: number, isEnd: boolean): void {
    this.body = undefined
    this.bodyEnds = isEnd
    if (!this.inflow.comes(length)) {
      this.fault(FLOW_CONTROL_ERROR)
      return
    }
    this.dropped(length - payload)
    const stream = this.streams.get(id)
    if (!stream) {
      if (this.streams.isIdle(id)) this.fault(PROTOCOL_ERROR)
      else if (!this.streams.isGivenUp(id)) this.refuse(id, STREAM_CLOSED)
      return
    }
    stream.receiveWindow -= length
    stream.received += payload
    if (stream.isReceived) this.malformed(stream, STREAM_CLOSED)
    else if (stream.receiveWindow < 0) this.malformed(stream, FLOW_CONTROL_ERROR)
    else if (stream.expected !== undefined && stream.received > stream.expected) this.malformed(stream)
    else {
      this.body = stream
      // Padding is read with the frame.
      if (length > payload) this.inflow.doneOf(stream, length - payload)
    }
  }

  dataPiece(buf: Buffer, from: number, to: number): void {
    const { body } = this
    if (body && !body.isOver) body.incoming(buf, from, to)
    else this.dropped(to - from)
  }

  dataEnds(): void {
    const { body } = this
    this.body = undefined
    if (this.bodyEnds && body && !body.isOver) this.received(body, NOTHING)
  }

  /** The peer's side of a stream ends, with what `tell` tells first. */
  private received(stream: Stream, tell: () => void): void {
    if (stream.expected !== undefined && stream.received !== stream.expected) {
      this.malformed(stream)
      return
    }
    tell()
    if (!stream.isOver) stream.incomingEnd()
  }

  priority(id: number, parent: number): void {
    if (parent !== id) return
    const stream = this.streams.get(id)
    if (stream) this.malformed(stream)
    else this.fault(PROTOCOL_ERROR)
  }

  reset(id: number, code: number): void {
    if (this.streams.isIdle(id)) this.fault(PROTOCOL_ERROR)
    else {
      this.spoilt++
      this.streams.get(id)?.aborted(code)
    }
  }

  setting(id: number, value: number): void {
    if (id === SETTING.tableSize) this.encoder.allow(value)
    else if (id === SETTING.streams) this.mostStreams = value
    else if (id === SETTING.window) {
      if (!this.outflow.setStreamWindow(value, this.streams.values())) this.fault(FLOW_CONTROL_ERROR)
      this.isPumpDue = true
    }
  }

  settled(): void {
    this.answered++
    this.writer.settingsAck()
    this.owner.settled()
  }

  ping(buf: Buffer, from: number): void {
    this.answered++
    this.writer.pingAck(buf, from)
  }

  goaway(lastStream: number): void {
    if (this.terms.isServer) return
    this.isLeaving = true
    // The pod has not looked at these, and will not (6.8).
    for (const stream of this.streams.values()) if (stream.id > lastStream) stream.aborted(REFUSED_STREAM)
    this.endIfDone()
  }

  windowUpdate(id: number, by: number): void {
    this.isPumpDue = true
    const stream = this.streams.get(id)
    if (id === 0) {
      if (by === 0) this.fault(PROTOCOL_ERROR)
      else if (!this.outflow.widen(by)) this.fault(FLOW_CONTROL_ERROR)
    } else if (stream) {
      if (by === 0) this.malformed(stream)
      else if (!this.outflow.widenStream(stream, by)) this.malformed(stream, FLOW_CONTROL_ERROR)
    } else if (this.streams.isIdle(id)) this.fault(PROTOCOL_ERROR)
  }

  beside(octets: number): void {
    this.burden += octets
  }

  private addStream(id: number): Stream {
    this.streams.last = id
    return this.streams.add(new Stream(id, this, this.outflow.streamWindow, this.terms.streamWindow))
  }

  // What streams ask for

  sendHead(stream: Stream, headers: Headers, isEnd: boolean, path?: string): void {
    if (!this.isDead) this.writer.head(stream.id, this.encoder.encode(headers, path), isEnd)
  }

  sendData(stream: Stream, buf: Buffer, from: number, to: number, isEnd: boolean): number {
    return this.isDead ? to : this.outflow.send(stream, buf, from, to, isEnd)
  }

  sendReset(stream: Stream, code: number): void {
    this.streams.gaveUp(stream.id)
    if (!this.isDead) this.writer.reset(stream.id, code)
  }

  consumed(stream: Stream, octets: number): void {
    if (stream.isOver) return
    this.dropped(octets)
    if (!stream.isReceived) this.inflow.doneOf(stream, octets)
  }

  dropped(octets: number): void {
    if (!this.isDead) this.inflow.done(octets)
  }

  wait(stream: Stream): void {
    this.outflow.wait(stream)
  }

  over(stream: Stream): void {
    this.outflow.forget(stream)
    this.streams.over(stream)
  }

  tellOver(stream: Stream): void {
    this.streams.tellOver(stream)
  }

  private endIfDone(): void {
    if (this.isLeaving && this.streams.size === 0) this.fault(NO_ERROR)
  }

  /** The peer takes octets again. */
  private sent(): void {
    if (this.isPaused && !this.isDead) {
      this.isPaused = false
      this.socket.resume()
    }
    this.pump()
  }

  private pump(): void {
    this.isPumpDue = false
    if (!this.isDead) this.outflow.pump()
  }
}

const NOTHING = (): void => {}
