// Reads the head of a request, strictly and in place.
// Whatever two parsers could read differently is refused here, before anything is chosen or dialled.
import { BAD, END, field, MORE, nextField, trimField } from './fields.ts'
import { cutNamed } from './named.ts'
import { isAuthority, isName, lengthOf, lower, resembles, skipBlanks, spellsFraming, TOKEN, VALUE } from './octets.ts'
import { CAME, CHUNKED, head, isTrace, LENGTH, MOST_HEAD, NONE, refuse } from './request-head.ts'
import { readLine } from './request-line.ts'

const MOST_LINES = 128

const N = {
  te: lower('te'),
  host: lower('host'),
  expect: lower('expect'),
  upgrade: lower('upgrade'),
  forwarded: lower('forwarded'),
  connection: lower('connection'),
  keepAlive: lower('keep-alive'),
  contentLength: lower('content-length'),
  forwardedFor: lower('x-forwarded-for'),
  forwardedHost: lower('x-forwarded-host'),
  forwardedPort: lower('x-forwarded-port'),
  forwardedProto: lower('x-forwarded-proto'),
  proxyConnection: lower('proxy-connection'),
  transferEncoding: lower('transfer-encoding'),
  proxyAuthenticate: lower('proxy-authenticate'),
  proxyAuthorization: lower('proxy-authorization'),
  close: lower('close'),
  chunked: lower('chunked'),
  websocket: lower('websocket'),
  trailers: lower('trailers'),
  continue: lower('100-continue'),
}

let hosts = 0
let lengths = 0
let codings = 0
let asksUpgrade = false
let isWebSocket = false
/** Connection named fields beyond the usual: they are looked for in a second pass. */
let names = false
let closes = false
let trusted = false

/** Reads the head that begins at `from`. 1: it is in `head`; 0: it is not there whole; else the status to refuse with,
 * negated, and `head.why`. `isTrusted`: the forwarding fields of this peer are kept. */
export function readRequest(buf: Buffer, from: number, to: number, isTrusted: boolean): number {
  const line = readLine(buf, from, to)
  if (line !== 1) return line
  hosts = 0
  lengths = 0
  codings = 0
  asksUpgrade = false
  isWebSocket = false
  names = false
  closes = false
  trusted = isTrusted
  head.framing = NONE
  head.length = 0
  head.keepAlive = head.minor === 1
  head.expect = false
  head.trailers = false
  head.came = 0
  head.cuts.clear()
  let at = head.fieldsFrom
  let lines = 0
  for (;;) {
    const kind = nextField(buf, at, to)
    if (kind === END) break
    if (kind === MORE) return to - from > MOST_HEAD ? refuse(431, 'the head is too long') : 0
    if (kind === BAD) return refuse(400, 'a malformed field line')
    if (++lines > MOST_LINES) return refuse(431, 'too many fields')
    const verdict = known(buf, at, field.nameTo - at)
    if (verdict < 0) return verdict
    at = field.next
  }
  head.end = field.next
  if (head.end - from > MOST_HEAD) return refuse(431, 'the head is too long')
  return settle(buf)
}

/** Fields that mean something to a proxy; by the length of the name, then by its letters. What looks like a forwarding field is
 * dropped: many a pod reads X_Forwarded_For as the real one, as CGI makes them equal. */
function known(buf: Buffer, at: number, size: number): number {
  switch (size) {
    case 2:
      return isName(buf, at, N.te) ? te(buf, at) : 1
    case 4:
      return isName(buf, at, N.host) ? host(buf, at) : 1
    case 6:
      return isName(buf, at, N.expect) ? expect(buf) : 1
    case 7:
      return isName(buf, at, N.upgrade) ? upgrade(buf, at) : 1
    case 9:
      return isName(buf, at, N.forwarded) ? forwarded(at, CAME.forwarded) : 1
    case 10:
      if (isName(buf, at, N.connection)) return connection(buf, at)
      return isName(buf, at, N.keepAlive) ? cut(at) : 1
    case 14:
      return isName(buf, at, N.contentLength) ? contentLength(buf) : unknown(buf, at, size)
    case 15:
      if (isName(buf, at, N.forwardedFor)) return forwarded(at, CAME.for)
      return resembles(buf, at, N.forwardedFor) ? cut(at) : unknown(buf, at, size)
    case 16:
      if (isName(buf, at, N.forwardedHost)) return forwarded(at, CAME.host)
      if (isName(buf, at, N.forwardedPort)) return forwarded(at, CAME.port)
      if (isName(buf, at, N.proxyConnection) || resembles(buf, at, N.forwardedHost)) return cut(at)
      return resembles(buf, at, N.forwardedPort) ? cut(at) : unknown(buf, at, size)
    case 17:
      if (isName(buf, at, N.forwardedProto)) return forwarded(at, CAME.proto)
      if (isName(buf, at, N.transferEncoding)) return transferEncoding(buf)
      return resembles(buf, at, N.forwardedProto) ? cut(at) : unknown(buf, at, size)
    case 18:
      return isName(buf, at, N.proxyAuthenticate) ? cut(at) : unknown(buf, at, size)
    case 19:
      return isName(buf, at, N.proxyAuthorization) ? cut(at) : unknown(buf, at, size)
    default:
      return unknown(buf, at, size)
  }
}

const unknown = (buf: Buffer, at: number, size: number): number => (spellsFraming(buf, at, size) ? lookAlike() : 1)
const lookAlike = (): number => refuse(400, 'a header looks like a framing header but is not')

function cut(at: number): number {
  return head.cuts.add(at, field.next) ? 1 : refuse(431, 'too many fields')
}

function forwarded(at: number, bit: number): number {
  if (!trusted) return cut(at)
  head.came |= bit
  return 1
}

function te(buf: Buffer, at: number): number {
  trimField(buf)
  if (hasToken(buf, field.valueFrom, field.valueTo, N.trailers)) head.trailers = true
  return cut(at)
}

function host(buf: Buffer, at: number): number {
  trimField(buf)
  if (++hosts > 1) return refuse(400, 'Host appears twice')
  const { valueFrom, valueTo } = field
  if (!isAuthority(buf, valueFrom, valueTo)) return refuse(400, 'Host is not a name with an optional port')
  if (head.isAbsolute) return cut(at)
  head.hostFrom = valueFrom
  head.hostTo = valueTo
  return 1
}

function expect(buf: Buffer): number {
  trimField(buf)
  const { valueFrom, valueTo } = field
  if (valueTo - valueFrom !== 12 || !isName(buf, valueFrom, N.continue)) return refuse(417, 'an unknown expectation')
  head.expect = true
  return 1
}

function upgrade(buf: Buffer, at: number): number {
  trimField(buf)
  if (hasToken(buf, field.valueFrom, field.valueTo, N.websocket)) isWebSocket = true
  return cut(at)
}

function contentLength(buf: Buffer): number {
  if (++lengths > 1) return refuse(400, 'Content-Length appears twice')
  trimField(buf)
  const length = lengthOf(buf, field.valueFrom, field.valueTo)
  // A leading zero is legal, but some servers read such a number as octal.
  const isPlain = buf[field.valueFrom] !== 48 || field.valueTo - field.valueFrom === 1
  if (length < 0 || !isPlain) return refuse(400, 'Content-Length is not a plain number')
  head.length = length
  return 1
}

function transferEncoding(buf: Buffer): number {
  if (++codings > 1) return refuse(400, 'Transfer-Encoding appears twice')
  trimField(buf)
  const { valueFrom, valueTo } = field
  if (valueTo - valueFrom === 7 && isName(buf, valueFrom, N.chunked)) return 1
  if (isCodings(buf, valueFrom, valueTo)) return refuse(501, 'a transfer coding other than chunked')
  return refuse(400, 'Transfer-Encoding does not tell where the body ends')
}

/** A coding alone, or several of which the last one and no other is chunked? Else the length of the body is anybody's
 * guess, which is not 501 but 400 (RFC 9112 6.3). */
function isCodings(buf: Buffer, from: number, to: number): boolean {
  let count = 0
  let i = from
  for (;;) {
    const first = i
    while (i < to && TOKEN[buf[i]!] === 1) i++
    if (i === first) return false
    count++
    const isChunked = i - first === 7 && isName(buf, first, N.chunked)
    const end = i
    i = Math.min(skipBlanks(buf, i), to)
    if (i === to) return end === to && (isChunked || count === 1)
    if (isChunked || buf[i] !== 44) return false
    i = Math.min(skipBlanks(buf, i + 1), to)
  }
}

/** Connection: its own tokens, and names of fields that are for this hop only (RFC 9110 7.6.1). */
function connection(buf: Buffer, at: number): number {
  trimField(buf)
  let i = field.valueFrom
  const end = field.valueTo
  while (i < end) {
    while (i < end && (buf[i] === 32 || buf[i] === 9 || buf[i] === 44)) i++
    const from = i
    while (i < end && TOKEN[buf[i]!] === 1) i++
    const size = i - from
    while (i < end && (buf[i] === 32 || buf[i] === 9)) i++
    if (i < end && buf[i] !== 44) return refuse(400, 'Connection is malformed')
    if (size === 0) continue
    if (size === 5 && isName(buf, from, N.close)) closes = true
    else if (size === 7 && isName(buf, from, N.upgrade)) asksUpgrade = true
    else if (size === 10 && isName(buf, from, N.keepAlive)) {
      if (head.minor === 0) head.keepAlive = true
    } else if (
      (size === 4 && isName(buf, from, N.host)) ||
      (size === 14 && isName(buf, from, N.contentLength)) ||
      (size === 17 && isName(buf, from, N.transferEncoding))
    )
      return refuse(400, 'Connection names a header that it must not remove')
    else names = true
  }
  return cut(at)
}

/** Is `token` in the comma separated list, whatever its case? Parameters do not count. */
function hasToken(buf: Buffer, from: number, to: number, token: Uint8Array): boolean {
  let i = from
  while (i < to) {
    while (i < to && (buf[i] === 32 || buf[i] === 9 || buf[i] === 44)) i++
    const first = i
    while (i < to && TOKEN[buf[i]!] === 1) i++
    if (i - first === token.length && isName(buf, first, token)) return true
    while (i < to && buf[i] !== 44) i++
  }
  return false
}

/** What can be said only when the whole head is known. */
function settle(buf: Buffer): number {
  if (hosts === 0) {
    if (head.minor === 1) return refuse(400, 'Host is missing')
    if (!head.isAbsolute) {
      head.hostFrom = head.end
      head.hostTo = head.end
    }
  }
  if (codings > 0) {
    if (lengths > 0) return refuse(400, 'both Content-Length and Transfer-Encoding')
    if (head.minor === 0) return refuse(400, 'Transfer-Encoding in HTTP/1.0')
    head.framing = CHUNKED
  } else if (head.length > 0) head.framing = LENGTH
  if (head.framing !== NONE && isTrace()) return refuse(400, 'a TRACE with a body')
  if (closes) head.keepAlive = false
  head.upgrade = asksUpgrade && isWebSocket && head.isGet && head.minor === 1
  if (head.upgrade && head.framing !== NONE) return refuse(400, 'an upgrade with a body')
  if (names && !cutNamed(buf, head.fieldsFrom, head.end, head.cuts)) return refuse(431, 'too many fields')
  return 1
}

/** May what is new of a head in pieces, [from, to), tell more than that it goes on? A line may end there, and with it the
 * head; or it has an octet that no head has. Whoever speaks another protocol of lines waits for an answer by then. */
export function mayTell(buf: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (VALUE[buf[i]!] === 0) return true
  return false
}
