// Octets into frames (RFC 9113 4.1 and 6): their sizes, padding and order are checked here, whatever state streams are in.
// Bodies are told piece by piece as they come; every other frame is told whole.
import { ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from '../codes.ts'
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEAD,
  GOAWAY,
  HEADERS,
  LARGEST_WINDOW,
  MOST_PAYLOAD,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTING,
  SETTINGS,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from './frames.ts'

/** Whom frames are told. Buffers are good during the call only. */
export type FrameTaker = {
  /** DATA begins. `length` counts against windows, `payload` is what follows in pieces. */
  data(stream: number, length: number, payload: number, isEnd: boolean): void
  dataPiece(buf: Buffer, from: number, to: number): void
  dataEnds(): void
  /** A whole block of fields. `parent`: the stream that this one depends on, by the words of RFC 7540; -1: none is named. */
  head(stream: number, buf: Buffer, from: number, to: number, isEnd: boolean, parent: number): void
  priority(stream: number, parent: number): void
  reset(stream: number, code: number): void
  setting(id: number, value: number): void
  /** The last of a SETTINGS frame was told. */
  settled(): void
  ping(buf: Buffer, from: number): void
  goaway(lastStream: number): void
  windowUpdate(stream: number, by: number): void
  /** So many octets came that are neither requests nor bodies. */
  beside(octets: number): void
  /** Nothing that follows can be understood, or is wanted. */
  fault(code: number): void
}

/** Octets that a block of fields may have, packed, in all its frames, and their number. */
const MOST_BLOCK = 64 * 1024
const MOST_PARTS = 32
/** What a head may take of a connection that is not counted as a burden. */
const HEAD_ROOM = 8 * 1024

export class FrameReader {
  private readonly taker: FrameTaker
  private readonly isServer: boolean
  /** Octets of the preface that came; a pod sends none. */
  private greeted: number
  private isFirst = true
  private isDead = false
  /** A frame that came in part: as long as it is known to be. */
  private held: Buffer | undefined
  private filled = 0
  /** Of a DATA frame: octets of the body to come, and of padding behind them. */
  private isData = false
  private left = 0
  private padding = 0
  /** A block of fields that goes on in the next frame. */
  private block: Buffer[] | undefined
  private blockSize = 0
  private blockOf = 0
  private blockEnds = false
  private blockParent = -1

  constructor(taker: FrameTaker, isServer: boolean) {
    this.taker = taker
    this.isServer = isServer
    this.greeted = isServer ? 0 : PREFACE.length
  }

  /** Nothing is read any more. */
  stop(): void {
    this.isDead = true
    this.held = undefined
    this.block = undefined
  }

  take(buf: Buffer, from: number, to: number): void {
    let at = from
    if (this.greeted < PREFACE.length) at = this.readPreface(buf, at, to)
    while (!this.isDead && (at < to || (this.isData && this.left + this.padding === 0))) {
      if (this.isData) at = this.readData(buf, at, to)
      else if (this.held !== undefined) at = this.fill(this.held, buf, at, to)
      else {
        const size = this.sizeOf(buf, at, to)
        if (to - at < size) {
          this.held = Buffer.allocUnsafe(size)
          this.filled = buf.copy(this.held, 0, at, to)
          return
        }
        if (size > 0) at = this.frame(buf, at)
      }
    }
  }

  private readPreface(buf: Buffer, from: number, to: number): number {
    const size = Math.min(PREFACE.length - this.greeted, to - from)
    if (buf.compare(PREFACE, this.greeted, this.greeted + size, from, from + size) !== 0) this.fault(PROTOCOL_ERROR)
    this.greeted += size
    return from + size
  }

  private fill(held: Buffer, buf: Buffer, from: number, to: number): number {
    const taken = buf.copy(held, this.filled, from, to)
    this.filled += taken
    if (this.filled < held.length) return from + taken
    const size = this.sizeOf(held, 0, held.length)
    if (size > held.length) {
      this.held = Buffer.allocUnsafe(size)
      held.copy(this.held)
    } else {
      this.held = undefined
      if (size > 0) this.frame(held, 0)
    }
    return from + taken
  }

  /** Octets of the frame at `at` that are needed to go on with it; 0: it is longer than frames may be. */
  private sizeOf(buf: Buffer, at: number, to: number): number {
    if (to - at < FRAME_HEAD) return FRAME_HEAD
    const length = lengthAt(buf, at)
    if (length > MOST_PAYLOAD) {
      this.fault(FRAME_SIZE_ERROR)
      return 0
    }
    if (buf[at + 3] !== DATA) return FRAME_HEAD + length
    return FRAME_HEAD + ((buf[at + 4]! & PADDED) !== 0 ? Math.min(1, length) : 0)
  }

  /** A frame of which all that is needed is there; where what follows begins. */
  private frame(buf: Buffer, at: number): number {
    const length = lengthAt(buf, at)
    const type = buf[at + 3]!
    const flags = buf[at + 4]!
    const stream = numberAt(buf, at + 5) & LARGEST_WINDOW
    const from = at + FRAME_HEAD
    if (this.isFirst && (type !== SETTINGS || (flags & ACK) !== 0)) this.fault(PROTOCOL_ERROR)
    else if (this.block !== undefined && (type !== CONTINUATION || stream !== this.blockOf)) this.fault(PROTOCOL_ERROR)
    if (this.isDead) return from + length
    this.isFirst = false
    if (type === DATA) return this.beginData(buf, from, length, flags, stream)
    if (type === HEADERS) this.readHeaders(buf, from, length, flags, stream)
    else {
      this.taker.beside(FRAME_HEAD + length)
      if (!this.isDead) this.readOther(type, buf, from, length, flags, stream)
    }
    return from + length
  }

  private beginData(buf: Buffer, from: number, length: number, flags: number, stream: number): number {
    const isPadded = (flags & PADDED) !== 0
    const padding = isPadded ? (buf[from] ?? 0) : 0
    const head = isPadded ? 1 : 0
    if (stream === 0 || padding + head > length || (isPadded && length === 0)) {
      this.fault(PROTOCOL_ERROR)
      return from
    }
    this.left = length - head - padding
    this.padding = padding
    const isEnd = (flags & END_STREAM) !== 0
    if (this.left === 0 && !isEnd) this.taker.beside(FRAME_HEAD + length)
    this.isData = true
    if (!this.isDead) this.taker.data(stream, length, this.left, isEnd)
    return from + head
  }

  private readData(buf: Buffer, from: number, to: number): number {
    const size = Math.min(this.left, to - from)
    this.left -= size
    if (size > 0) this.taker.dataPiece(buf, from, from + size)
    const padding = this.left > 0 ? 0 : Math.min(this.padding, to - from - size)
    this.padding -= padding
    if (this.left + this.padding === 0) {
      this.isData = false
      if (!this.isDead) this.taker.dataEnds()
    }
    return from + size + padding
  }

  private readHeaders(buf: Buffer, from: number, length: number, flags: number, stream: number): void {
    const isPadded = (flags & PADDED) !== 0
    const hasParent = (flags & WITH_PRIORITY) !== 0
    const begin = from + (isPadded ? 1 : 0) + (hasParent ? 5 : 0)
    const isWhole = begin <= from + length
    const end = from + length - (isPadded && isWhole ? buf[from]! : 0)
    const parent = hasParent && isWhole ? numberAt(buf, begin - 5) & LARGEST_WINDOW : -1
    if (!isWhole) this.fault(FRAME_SIZE_ERROR)
    else if (stream === 0 || begin > end) this.fault(PROTOCOL_ERROR)
    else if (length > HEAD_ROOM) this.taker.beside(length - HEAD_ROOM)
    if (this.isDead) return
    const isEnd = (flags & END_STREAM) !== 0
    if ((flags & END_HEADERS) !== 0) {
      this.taker.head(stream, buf, begin, end, isEnd, parent)
      return
    }
    this.block = [Buffer.from(buf.subarray(begin, end))]
    this.blockSize = end - begin
    this.blockOf = stream
    this.blockEnds = isEnd
    this.blockParent = parent
  }

  private readOther(type: number, buf: Buffer, from: number, length: number, flags: number, stream: number): void {
    const { taker } = this
    const isOfStream = type === PRIORITY || type === RST_STREAM || type === CONTINUATION
    const isOfAll = type === SETTINGS || type === PING || type === GOAWAY
    if ((isOfStream && stream === 0) || (isOfAll && stream !== 0)) this.fault(PROTOCOL_ERROR)
    else if (type === SETTINGS) this.readSettings(buf, from, length, (flags & ACK) !== 0)
    else if (type === CONTINUATION) this.readContinuation(buf, from, length, (flags & END_HEADERS) !== 0)
    else if (type === PUSH_PROMISE) this.fault(PROTOCOL_ERROR)
    else if (type === GOAWAY) {
      if (length < 8) this.fault(FRAME_SIZE_ERROR)
      else taker.goaway(numberAt(buf, from) & LARGEST_WINDOW)
    } else if (length !== SIZES[type] && SIZES[type] !== undefined) this.fault(FRAME_SIZE_ERROR)
    else if (type === PRIORITY) taker.priority(stream, numberAt(buf, from) & LARGEST_WINDOW)
    else if (type === RST_STREAM) taker.reset(stream, numberAt(buf, from))
    else if (type === PING) {
      if ((flags & ACK) === 0) taker.ping(buf, from)
    } else if (type === WINDOW_UPDATE) taker.windowUpdate(stream, numberAt(buf, from) & LARGEST_WINDOW)
  }

  private readSettings(buf: Buffer, from: number, length: number, isAck: boolean): void {
    if (length % 6 !== 0 || (isAck && length > 0)) this.fault(FRAME_SIZE_ERROR)
    if (isAck || this.isDead) return
    for (let at = from; at < from + length && !this.isDead; at += 6) {
      const id = (buf[at]! << 8) | buf[at + 1]!
      const value = numberAt(buf, at + 2)
      const fault = settingFault(id, value, this.isServer)
      if (fault !== 0) this.fault(fault)
      else this.taker.setting(id, value)
    }
    if (!this.isDead) this.taker.settled()
  }

  private readContinuation(buf: Buffer, from: number, length: number, isLast: boolean): void {
    const { block } = this
    if (block === undefined) {
      this.fault(PROTOCOL_ERROR)
      return
    }
    block.push(Buffer.from(buf.subarray(from, from + length)))
    this.blockSize += length
    if (this.blockSize > MOST_BLOCK || block.length > MOST_PARTS) this.fault(ENHANCE_YOUR_CALM)
    else if (isLast) {
      this.block = undefined
      const whole = Buffer.concat(block)
      this.taker.head(this.blockOf, whole, 0, whole.length, this.blockEnds, this.blockParent)
    }
  }

  private fault(code: number): void {
    if (this.isDead) return
    this.stop()
    this.taker.fault(code)
  }
}

/** Payloads that have one size. */
const SIZES: Readonly<Record<number, number>> = { [PRIORITY]: 5, [RST_STREAM]: 4, [PING]: 8, [WINDOW_UPDATE]: 4 }

/** The error that a value of a setting is, or 0 (RFC 9113 6.5.2). */
function settingFault(id: number, value: number, isServer: boolean): number {
  // A server has nothing to say about being pushed to.
  if (id === SETTING.push) return value > (isServer ? 1 : 0) ? PROTOCOL_ERROR : 0
  if (id === SETTING.window) return value > LARGEST_WINDOW ? FLOW_CONTROL_ERROR : 0
  if (id === SETTING.payload) return value < MOST_PAYLOAD || value > 0xff_ffff ? PROTOCOL_ERROR : 0
  return 0
}

const lengthAt = (buf: Buffer, at: number): number => (buf[at]! << 16) | (buf[at + 1]! << 8) | buf[at + 2]!

const numberAt = (buf: Buffer, at: number): number =>
  ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0
