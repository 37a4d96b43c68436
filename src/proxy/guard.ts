// Requests that two parsers could read differently are refused here, before anything is chosen or dialled.
// Node's own parser refuses most; this adds what it lets through.
import type { IncomingMessage } from 'node:http'
import type { Framing } from './headers.ts'

/** A request as the engine needs it, or why it is refused. */
export type Admitted = Readonly<{ host: string; target: string; framing: Framing }>
export type Refused = Readonly<{ status: 400 | 501; why: string }>

const HOST = /^(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/
const LOOK_ALIKE = /^(?:content[^a-z]length|transfer[^a-z]encoding|host[^a-z])$/

/** Checks the head of a request. */
export function admit(req: IncomingMessage): Admitted | Refused {
  const raw = req.rawHeaders
  let hosts = 0
  let host = ''
  let coding: string | undefined
  let length: string | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const value = raw[i + 1]!
    if (name === 'host') {
      hosts++
      host = value
    } else if (name === 'transfer-encoding') {
      if (coding !== undefined) return refuse('Transfer-Encoding appears twice')
      coding = value
    } else if (name === 'content-length') {
      if (length !== undefined) return refuse('Content-Length appears twice')
      length = value
    } else if (name === 'connection') {
      if (/(^|,)\s*(content-length|transfer-encoding|host)\s*(,|$)/i.test(value))
        return refuse('Connection names a header that it must not remove')
    } else if (name !== 'content-length' && name !== 'transfer-encoding' && LOOK_ALIKE.test(name)) {
      return refuse('a header looks like a framing header but is not')
    }
  }
  if (hosts > 1) return refuse('Host appears twice')
  if (hosts === 0 && req.httpVersion !== '1.0') return refuse('Host is missing')
  if (host !== '' && !HOST.test(host)) return refuse('Host is not a name with an optional port')
  if (coding !== undefined) {
    if (length !== undefined) return refuse('both Content-Length and Transfer-Encoding')
    if (req.httpVersion === '1.0') return refuse('Transfer-Encoding in HTTP/1.0')
    if (coding.toLowerCase() !== 'chunked') return { status: 501, why: 'a transfer coding other than chunked' }
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return refuse('Content-Length is not a number')
  const framing = coding !== undefined ? 'chunked' : length === undefined || Number(length) === 0 ? 'none' : 'length'
  return admitTarget(req, host, framing)
}

function admitTarget(req: IncomingMessage, host: string, framing: Framing): Admitted | Refused {
  const target = req.url ?? ''
  if (target.startsWith('/') && !target.includes('#')) return { host, target, framing }
  if (target === '*' && req.method === 'OPTIONS') return { host, target, framing }
  // Absolute form: the authority in the target wins over Host (RFC 9112, 3.2.2).
  const absolute = /^http:\/\/([^/?#@]+)(\/[^#]*)?$/i.exec(target)
  if (absolute?.[1] && HOST.test(absolute[1])) return { host: absolute[1], target: absolute[2] ?? '/', framing }
  return refuse('the request target is not a path')
}

const refuse = (why: string): Refused => ({ status: 400, why })
