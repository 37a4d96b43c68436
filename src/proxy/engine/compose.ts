// Heads as they go on: a request's with who asked, an answer's without what was meant for this hop only.

import { forwardedElement } from '../marks.ts'
import type { AnswerHead } from './answer-head.ts'
import { cutFields } from './cut-fields.ts'
import { CAME, type RequestHead } from './request-head.ts'

/** What is the same for every request of a connection. `trusted`: the peer's own forwarding fields are kept. */
export type Caller = {
  readonly peer: string
  readonly port: number
  readonly trusted: boolean
  readonly proto: 'http' | 'https'
  /** Forwarded is written too. */
  readonly forwarded: boolean
  /** The lines up to the value of X-Forwarded-Host. */
  readonly lines: Buffer
  /** The lines with the host of the last request, and the empty line; clients rarely change the host. */
  whole: Buffer
  /** Length of that host. */
  hostSize: number
}

/** Who asks: `peer` an address, `port` that of the proxy. */
export function callerOf(
  peer: string,
  port: number,
  trusted: boolean,
  proto: Caller['proto'],
  forwarded = false,
): Caller {
  const lines = `X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Port: ${port}\r\nX-Forwarded-Host: `
  return {
    peer,
    port,
    trusted,
    proto,
    forwarded,
    lines: Buffer.from(lines, 'latin1'),
    whole: Buffer.alloc(0),
    hostSize: -1,
  }
}

const TRAILERS = Buffer.from('TE: trailers\r\n')
const UPGRADE = Buffer.from('Connection: Upgrade\r\nUpgrade: websocket\r\n')
const HOST = Buffer.from('Host: ')
const VERSION = Buffer.from(' HTTP/1.1\r\n')

/** Octets that a request's head may grow by, its own forwarding lines and the Host it names aside. */
const GROWTH = 512

/** Room that `composeRequest` may need. */
export const roomFor = (head: RequestHead, caller: Caller): number =>
  head.end - head.begin + caller.lines.length + 2 * caller.peer.length + 3 * (head.hostTo - head.hostFrom) + GROWTH

/** Writes the head for the pod to `out`, which has room for it; its length. `target` replaces the request target; `more`
 * are further lines, with their ends, of at most 128 octets. */
export function composeRequest(
  buf: Buffer,
  head: RequestHead,
  caller: Caller,
  out: Buffer,
  target: string | undefined,
  more?: Buffer,
): number {
  let at = 0
  let from = head.fieldsFrom
  if (head.minor === 1 && !head.isAbsolute && target === undefined) from = head.begin
  else {
    at += buf.copy(out, 0, head.begin, head.methodTo + 1)
    at += target === undefined ? buf.copy(out, at, head.targetFrom, head.targetTo) : out.write(target, at, 'latin1')
    at += VERSION.copy(out, at)
  }
  if (head.isAbsolute || head.hostFrom === head.end) {
    at += HOST.copy(out, at)
    at += buf.copy(out, at, head.hostFrom, head.hostTo)
    at = endLine(out, at)
  }
  const chain = caller.trusted && head.came & CAME.for ? cutFields(buf, head, 'x-forwarded-for').join(', ') : undefined
  const hops = caller.forwarded && caller.trusted && head.came & CAME.forwarded ? cutFields(buf, head, 'forwarded') : []
  at = head.cuts.copy(buf, from, head.end - 2, out, at)
  if (head.trailers) at += TRAILERS.copy(out, at)
  if (head.upgrade) at += UPGRADE.copy(out, at)
  if (more !== undefined) at += more.copy(out, at)
  if (caller.trusted && head.came !== 0) return endLine(out, forwardedLines(buf, head, caller, out, at, chain, hops))
  return at + wholeLines(buf, head, caller).copy(out, at)
}

/** The forwarding lines and the empty line, built anew only for another host. */
function wholeLines(buf: Buffer, head: RequestHead, caller: Caller): Buffer {
  const { lines } = caller
  const { hostFrom, hostTo } = head
  const size = hostTo - hostFrom
  let isSame = size === caller.hostSize
  for (let i = 0; isSame && i < size; i++) isSame = caller.whole[lines.length + i] === buf[hostFrom + i]
  if (isSame) return caller.whole
  const own = caller.forwarded ? forwardedLine(caller, [], buf.toString('latin1', hostFrom, hostTo)) : ''
  const whole = Buffer.allocUnsafe(lines.length + size + 4 + own.length)
  lines.copy(whole)
  buf.copy(whole, lines.length, hostFrom, hostTo)
  const at = endLine(whole, lines.length + size)
  endLine(whole, at + whole.write(own, at, 'latin1'))
  caller.whole = whole
  caller.hostSize = size
  return whole
}

function endLine(out: Buffer, at: number): number {
  out[at] = 13
  out[at + 1] = 10
  return at + 2
}

/** RFC 7239: the hops that a trusted peer names, and the peer itself. */
const forwardedLine = ({ peer, proto }: Caller, hops: readonly string[], host: string): string =>
  `Forwarded: ${[...hops, forwardedElement(peer, proto, host)].join(', ')}\r\n`

function forwardedLines(
  buf: Buffer,
  head: RequestHead,
  caller: Caller,
  out: Buffer,
  from: number,
  chain: string | undefined,
  hops: readonly string[],
): number {
  let at = from
  if (caller.forwarded)
    at += out.write(forwardedLine(caller, hops, buf.toString('latin1', head.hostFrom, head.hostTo)), at, 'latin1')
  at += out.write(`X-Forwarded-For: ${chain === undefined ? '' : `${chain}, `}${caller.peer}\r\n`, at, 'latin1')
  if (!(head.came & CAME.proto)) at += out.write(`X-Forwarded-Proto: ${caller.proto}\r\n`, at, 'latin1')
  if (!(head.came & CAME.port)) at += out.write(`X-Forwarded-Port: ${caller.port}\r\n`, at, 'latin1')
  if (head.came & CAME.host) return at
  return at + out.write(`X-Forwarded-Host: ${buf.toString('latin1', head.hostFrom, head.hostTo)}\r\n`, at, 'latin1')
}

/** What the connection header of an answer must say to the client. */
export const SILENT = 0
export const CLOSE = 1
export const KEEP = 2
const CONNECTION = [Buffer.alloc(0), Buffer.from('Connection: close\r\n'), Buffer.from('Connection: keep-alive\r\n')]

/** Makes an answer's head fit for the client, in place; the new beginning of the message, left or right of the old one.
 * `unpack`: the chunks are taken off the body, so Transfer-Encoding goes too. `lines`: the proxy's own, with their ends,
 * shorter than the headroom in front of what is read. */
export function composeAnswer(
  buf: Buffer,
  answer: AnswerHead,
  says: number,
  unpack: boolean,
  lines: Buffer | undefined,
): number {
  const { cuts } = answer
  if (unpack && answer.codingTo > 0) cuts.insert(answer.codingFrom, answer.codingTo)
  buf[answer.begin + 7] = 49
  const closed = cuts.close(buf, answer.begin)
  let begin = withSpace(buf, closed)
  const size = answer.fieldsFrom - answer.begin + closed - begin
  if (says !== SILENT) begin = insertLines(buf, begin, size, CONNECTION[says]!)
  return lines === undefined ? begin : insertLines(buf, begin, size, lines)
}

/** Puts lines behind the first one, of `size`, which moves to the left; the new beginning. */
function insertLines(buf: Buffer, from: number, size: number, lines: Buffer): number {
  const begin = from - lines.length
  buf.copyWithin(begin, from, from + size)
  lines.copy(buf, begin + size)
  return begin
}

/** Gives a status line that ends with its code the space that belongs behind it (RFC 9112 4): many servers leave it out. The new
 * beginning; there is an octet of room in front of the old one. */
function withSpace(buf: Buffer, begin: number): number {
  const end = begin + STATUS_END
  if (buf[end] !== 13) return begin
  buf.copyWithin(begin - 1, begin, end)
  buf[end - 1] = 32
  return begin - 1
}
/** Behind `HTTP/1.1 200`. */
const STATUS_END = 12

/** An interim answer's head as the client gets it. */
export function composeInterim(buf: Buffer, { begin, end, cuts }: AnswerHead): Buffer {
  const out = Buffer.allocUnsafe(1 + end - begin)
  const to = cuts.copy(buf, begin, end, out, 1)
  out[8] = 49
  return out.subarray(withSpace(out, 1), to)
}

/** Whether a switch was made, said to the client in its own words; the pod's lines on it ended here. */
export function composeSwitch(buf: Buffer, answer: AnswerHead, lines: Buffer | undefined): Buffer {
  const out = Buffer.allocUnsafe(1 + answer.end - answer.begin + UPGRADE.length + (lines?.length ?? 0))
  let at = answer.cuts.copy(buf, answer.begin, answer.end - 2, out, 1)
  at += UPGRADE.copy(out, at)
  if (lines !== undefined) at += lines.copy(out, at)
  return out.subarray(withSpace(out, 1), endLine(out, at))
}

/** An answer in the proxy's own name. */
export function ownAnswer(status: number, text: string, why: string, close: boolean, toHead: boolean): Buffer {
  const body = `pintle proxy: ${why}\n`
  const lines = [
    `HTTP/1.1 ${status} ${text}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(close ? ['Connection: close'] : []),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${toHead ? '' : body}`)
}
