// The head of a pod's answer, read as strictly as a request's: an answer that could be read in two ways is a 502.
import { Cuts } from './cuts.ts'
import { BAD, END, field, MORE, nextField, trimField } from './fields.ts'
import { cutNamed } from './named.ts'
import { isName, lengthOf, lower, TOKEN, VALUE } from './octets.ts'
import { CHUNKED, LENGTH, MOST_HEAD, NONE } from './request-head.ts'

/** The body ends when the pod closes the connection. */
export const UNTIL_CLOSE = 3
const MOST_LINES = 256

const N = {
  te: lower('te'),
  upgrade: lower('upgrade'),
  trailer: lower('trailer'),
  connection: lower('connection'),
  keepAlive: lower('keep-alive'),
  contentLength: lower('content-length'),
  proxyConnection: lower('proxy-connection'),
  transferEncoding: lower('transfer-encoding'),
  proxyAuthenticate: lower('proxy-authenticate'),
  close: lower('close'),
  chunked: lower('chunked'),
  websocket: lower('websocket'),
  timeout: lower('timeout='),
}

/** What was found; one object per thread, valid until the next head is read. */
export type AnswerHead = {
  begin: number
  end: number
  /** Behind the status line. */
  fieldsFrom: number
  minor: number
  status: number
  /** NONE, LENGTH, CHUNKED or UNTIL_CLOSE. */
  framing: number
  length: number
  /** Will the pod take another request on this connection? */
  keepAlive: boolean
  /** Seconds that the pod keeps an idle connection, if it says so; else 0. */
  idleSeconds: number
  /** It switched to WebSocket. */
  isWebSocket: boolean
  /** Where the Transfer-Encoding line is, to be cut when the body is unpacked; 0 and 0 for none. */
  codingFrom: number
  codingTo: number
  readonly cuts: Cuts
}

export const answer: AnswerHead = {
  begin: 0,
  end: 0,
  fieldsFrom: 0,
  minor: 1,
  status: 0,
  framing: NONE,
  length: 0,
  keepAlive: true,
  idleSeconds: 0,
  isWebSocket: false,
  codingFrom: 0,
  codingTo: 0,
  cuts: new Cuts(),
}

let lengths = 0
let codings = 0
let names = false
let closes = false
let upgrades = 0
/** Connection names Upgrade: it is meant for this connection. */
let isSwitch = false
let lengthFrom = 0
let lengthTo = 0

/** Reads the head that begins at `from`. 1: it is in `answer`; 0: not there whole; -1: no proper head.
 * `toHead`: it answers a HEAD, so there is no body (RFC 9112 6.3). */
export function readAnswer(buf: Buffer, from: number, to: number, toHead: boolean): number {
  const line = readLine(buf, from, to)
  if (line !== 1) return line
  lengths = 0
  codings = 0
  names = false
  closes = false
  upgrades = 0
  isSwitch = false
  answer.length = 0
  answer.keepAlive = answer.minor === 1
  answer.idleSeconds = 0
  answer.isWebSocket = false
  answer.codingFrom = 0
  answer.codingTo = 0
  answer.cuts.clear()
  let at = answer.fieldsFrom
  let lines = 0
  for (;;) {
    const kind = nextField(buf, at, to)
    if (kind === END) break
    if (kind === MORE) return to - from > MOST_HEAD ? -1 : 0
    if (kind === BAD || ++lines > MOST_LINES || !known(buf, at, field.nameTo - at)) return -1
    at = field.next
  }
  answer.end = field.next
  if (answer.end - from > MOST_HEAD) return -1
  return settle(buf, toHead)
}

const VERSION = Uint8Array.from(Buffer.from('HTTP/1.'))

/** `HTTP/1.x SSS reason`; the reason may be empty, and its space may be missing then (many servers leave it out). */
function readLine(buf: Buffer, from: number, to: number): number {
  const sure = Math.min(7, to - from)
  for (let i = 0; i < sure; i++) if (buf[from + i] !== VERSION[i]) return -1
  if (to - from < 14) return 0
  const minor = buf[from + 7]! - 48
  if ((minor !== 0 && minor !== 1) || buf[from + 8] !== 32) return -1
  let status = 0
  for (let i = from + 9; i < from + 12; i++) {
    const digit = buf[i]! - 48
    if (digit < 0 || digit > 9) return -1
    status = status * 10 + digit
  }
  if (status < 100 || status > 599) return -1
  let i = from + 12
  if (buf[i] === 32) {
    i++
    while (i < to && VALUE[buf[i]!] === 1) i++
  }
  if (i >= to) return to - from > MOST_HEAD ? -1 : 0
  if (buf[i] !== 13) return -1
  if (i + 1 >= to) return 0
  if (buf[i + 1] !== 10) return -1
  answer.begin = from
  answer.minor = minor
  answer.status = status
  answer.fieldsFrom = i + 2
  return 1
}

function known(buf: Buffer, at: number, size: number): boolean {
  const { cuts } = answer
  switch (size) {
    case 2:
      return isName(buf, at, N.te) ? cuts.add(at, field.next) : true
    case 7:
      if (!isName(buf, at, N.upgrade)) return true
      upgrades++
      trimField(buf)
      if (field.valueTo - field.valueFrom === 9 && isName(buf, field.valueFrom, N.websocket)) answer.isWebSocket = true
      return cuts.add(at, field.next)
    case 10:
      if (isName(buf, at, N.connection)) return connection(buf, at)
      if (!isName(buf, at, N.keepAlive)) return true
      answer.idleSeconds = timeoutOf(buf)
      return cuts.add(at, field.next)
    case 14: {
      if (!isName(buf, at, N.contentLength)) return true
      trimField(buf)
      answer.length = lengthOf(buf, field.valueFrom, field.valueTo)
      // A leading zero is legal, but some clients read such a number as octal.
      if (buf[field.valueFrom] === 48 && field.valueTo - field.valueFrom > 1) return false
      lengthFrom = at
      lengthTo = field.next
      return ++lengths === 1 && answer.length >= 0
    }
    case 16:
      return isName(buf, at, N.proxyConnection) ? cuts.add(at, field.next) : true
    case 17:
      if (!isName(buf, at, N.transferEncoding)) return true
      trimField(buf)
      answer.codingFrom = at
      answer.codingTo = field.next
      return ++codings === 1 && field.valueTo - field.valueFrom === 7 && isName(buf, field.valueFrom, N.chunked)
    case 18:
      return isName(buf, at, N.proxyAuthenticate) ? cuts.add(at, field.next) : true
    default:
      return true
  }
}

/** `Keep-Alive: timeout=5, max=100`: the seconds, or 0. */
function timeoutOf(buf: Buffer): number {
  for (let i = field.valueFrom; i + 8 < field.valueTo; i++) {
    if (!isName(buf, i, N.timeout)) continue
    let seconds = 0
    for (let j = i + 8; j < field.valueTo && seconds < 10_000; j++) {
      const digit = buf[j]! - 48
      if (digit < 0 || digit > 9) break
      seconds = seconds * 10 + digit
    }
    return seconds
  }
  return 0
}

function connection(buf: Buffer, at: number): boolean {
  trimField(buf)
  let i = field.valueFrom
  const end = field.valueTo
  while (i < end) {
    while (i < end && (buf[i] === 32 || buf[i] === 9 || buf[i] === 44)) i++
    const from = i
    while (i < end && TOKEN[buf[i]!] === 1) i++
    const size = i - from
    while (i < end && (buf[i] === 32 || buf[i] === 9)) i++
    if (i < end && buf[i] !== 44) return false
    if (size === 0) continue
    if (size === 5 && isName(buf, from, N.close)) closes = true
    else if (size === 10 && isName(buf, from, N.keepAlive)) {
      if (answer.minor === 0) answer.keepAlive = true
    } else if (
      (size === 14 && isName(buf, from, N.contentLength)) ||
      (size === 17 && isName(buf, from, N.transferEncoding))
    )
      return false
    else if (size === 7 && isName(buf, from, N.upgrade)) isSwitch = true
    else names = true
  }
  return answer.cuts.add(at, field.next)
}

/** How the body ends, once the whole head is known (RFC 9112 6.3). */
function settle(buf: Buffer, toHead: boolean): number {
  const { status } = answer
  if (closes) answer.keepAlive = false
  // Else clients may read it in several ways (RFC 9110 7.8).
  answer.isWebSocket &&= upgrades === 1 && isSwitch && answer.minor === 1
  if (codings > 0 && (lengths > 0 || answer.minor === 0)) return -1
  if (names && !cutNamed(buf, answer.fieldsFrom, answer.end, answer.cuts)) return -1
  if (status < 200 || status === 204) {
    // They must not carry framing (RFC 9110 8.6, RFC 9112 6.1); whoever reads it anyway would be out of step.
    if (lengths > 0 && !answer.cuts.insert(lengthFrom, lengthTo)) return -1
    if (codings > 0 && !answer.cuts.insert(answer.codingFrom, answer.codingTo)) return -1
    // It is cut: whoever unpacks the body must not cut it again.
    answer.codingFrom = 0
    answer.codingTo = 0
    answer.framing = NONE
  } else if (toHead || status === 304) answer.framing = NONE
  else if (codings > 0) answer.framing = CHUNKED
  else if (lengths > 0) answer.framing = answer.length > 0 ? LENGTH : NONE
  else {
    answer.framing = UNTIL_CLOSE
    answer.keepAlive = false
  }
  return 1
}
