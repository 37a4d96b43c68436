// The request line, read strictly (RFC 9112 3): method, target and version into `head`.
import { isAuthority, isName, lower, TARGET, TOKEN } from './octets.ts'
import { isPrefaceSoFar } from './preface.ts'
import { head, refuse } from './request-head.ts'

const MOST_TARGET = 16 * 1024
const MOST_METHOD = 32
const HTTP = lower('http://')
const HTTPS = lower('https://')

/** `METHOD target HTTP/1.x`, single spaces (RFC 9112 3). */
export function readLine(buf: Buffer, from: number, to: number): number {
  head.isHead = false
  let i = from
  const end = Math.min(to, from + MOST_METHOD)
  while (i < end && TOKEN[buf[i]!] === 1) i++
  if (i === to) return 0
  if (i === from || buf[i] !== 32) return refuse(400, 'the request does not begin with a method')
  head.begin = from
  head.methodTo = i
  const targetFrom = ++i
  while (i < to && TARGET[buf[i]!] === 1) i++
  if (i - targetFrom > MOST_TARGET) return refuse(414, 'the request target is too long')
  if (i === to) return 0
  if (i === targetFrom || buf[i] !== 32) return refuse(400, 'the request target is malformed')
  const targetTo = i
  if (i + 11 > to) return isVersionSoFar(buf, i + 1, to) ? 0 : refuse(400, 'the HTTP version is malformed')
  if (!isVersionSoFar(buf, i + 1, i + 11)) return refuse(400, 'the HTTP version is malformed')
  const major = buf[i + 6]!
  const minor = buf[i + 8]! - 48
  if (major !== 49 || minor > 1)
    return isPrefaceSoFar(buf, from, to) ? 0 : refuse(505, 'only HTTP/1.0 and HTTP/1.1 are spoken here')
  head.minor = minor
  head.fieldsFrom = i + 11
  readMethod(buf, from, head.methodTo - from)
  return readTarget(buf, targetFrom, targetTo)
}

/** With the line's end; a nought for each digit. */
const VERSION = Buffer.from('HTTP/0.0\r\n')
function isVersionSoFar(buf: Buffer, from: number, to: number): boolean {
  const n = Math.min(VERSION.length, to - from)
  for (let i = 0; i < n; i++) {
    const c = buf[from + i]!
    if (c !== VERSION[i] && !(VERSION[i] === 48 && c > 48 && c <= 57)) return false
  }
  return true
}

const spelled = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const OPTIONS = spelled('OPTIONS')
const CONNECT = spelled('CONNECT')
const TRACE = spelled('TRACE')
let isOptions = false
let isConnect = false

function readMethod(buf: Buffer, at: number, size: number): void {
  const first = buf[at]!
  head.isGet = size === 3 && first === 71 && buf[at + 1] === 69 && buf[at + 2] === 84
  head.isHead = size === 4 && first === 72 && buf[at + 1] === 69 && buf[at + 2] === 65 && buf[at + 3] === 68
  isOptions = size === 7 && first === 79 && isSpelled(buf, at, OPTIONS)
  isConnect = size === 7 && first === 67 && isSpelled(buf, at, CONNECT)
  head.isSafe = head.isGet || head.isHead || isOptions || (size === 5 && first === 84 && isSpelled(buf, at, TRACE))
}

function isSpelled(buf: Buffer, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (buf[at + i] !== text[i]) return false
  return true
}

/** Origin form, `*` with OPTIONS, or absolute form; CONNECT never (RFC 9112 3.2). */
function readTarget(buf: Buffer, from: number, to: number): number {
  if (isConnect) return refuse(400, 'CONNECT is not served here')
  head.targetFrom = from
  head.targetTo = to
  head.target = undefined
  head.isAbsolute = false
  if (buf[from] === 47) return 1
  if (buf[from] === 42 && to - from === 1 && isOptions) return 1
  return readAbsolute(buf, from, to) ? 1 : refuse(400, 'the request target is not a path')
}

/** `http://host/path`: its authority counts, whatever Host says; the path may be missing (RFC 9112 3.2.2). */
function readAbsolute(buf: Buffer, from: number, to: number): boolean {
  const scheme = isName(buf, from, HTTP) ? HTTP : HTTPS
  const host = from + scheme.length
  if (host >= to || !isName(buf, from, scheme)) return false
  let end = host
  while (end < to && buf[end] !== 47 && buf[end] !== 63) end++
  if (!isAuthority(buf, host, end)) return false
  head.isAbsolute = true
  head.hostFrom = host
  head.hostTo = end
  head.targetFrom = end
  // Without path and query OPTIONS asks for the server as a whole (RFC 9112 3.2.4).
  if (end === to && isOptions) head.target = '*'
  else if (buf[end] !== 47) head.target = `/${buf.toString('latin1', end, to)}`
  return true
}
