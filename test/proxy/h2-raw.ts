// HTTP/2 by hand, for clients that do what no library would: frames as octets (RFC 9113 4), heads as literals without
// Huffman coding (RFC 7541 6.2.2).
import { connect, type Socket } from 'node:net'

type Test = { teardown(end: () => unknown): unknown }

/** Types of frames (RFC 9113 6). */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const
export const END_STREAM = 1
export const END_HEADERS = 4

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** A head as literals, in this order; names and values as they are. */
export function literals(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (octets: string): Buffer[] => [size(octets.length), Buffer.from(octets, 'latin1')]
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), ...text(name), ...text(value)]))
}

/** An integer with a prefix of seven bits (RFC 7541 5.1). */
function size(value: number): Buffer {
  if (value < 127) return Buffer.from([value])
  const out = [127]
  let rest = value - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128)
  return Buffer.from([...out, rest])
}

export const GET = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'shop.test'],
] as const

/** A whole request without a body. */
export const asking = (stream: number, fields: readonly (readonly [string, string])[] = GET): Buffer =>
  frame(TYPE.headers, END_HEADERS | END_STREAM, stream, literals(fields))

export type Frame = { type: number; flags: number; stream: number; payload: Buffer }
export type RawClient = {
  socket: Socket
  send(...frames: Buffer[]): void
  /** Frames that came so far. */
  heard: Frame[]
  isClosed(): boolean
  /** The error code of the last GOAWAY, or undefined. */
  goaway(): number | undefined
}

/** A connection on which HTTP/2 has begun. */
export function rawClient(t: Test, port: number, settings = ''): RawClient {
  const socket = connect(port, '127.0.0.1')
  const heard: Frame[] = []
  let rest = Buffer.alloc(0)
  let isClosed = false
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('data', data => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3)
      if (rest.length < 9 + length) return
      const [type, flags] = [rest[3]!, rest[4]!]
      heard.push({ type, flags, stream: rest.readUInt32BE(5) & 0x7fffffff, payload: rest.subarray(9, 9 + length) })
      rest = rest.subarray(9 + length)
    }
  })
  t.teardown(() => socket.destroy())
  socket.write(Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0, settings)]))
  return {
    socket,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    heard,
    isClosed: () => isClosed,
    goaway: () => heard.findLast(f => f.type === TYPE.goaway)?.payload.readUInt32BE(4),
  }
}

/** The payload of RST_STREAM. */
export const code = (value: number): Buffer => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value)
  return out
}
