// A request that came as an HTTP/2 stream: checked as strictly as HTTP/1.1, and seen by the choice like any other.
import type { IncomingHttpHeaders } from 'node:http2'
import type { Asked } from '../asked.ts'
import { isAuthority } from '../engine/octets.ts'
import { forwardedElement, isTraceparent, type Marks, newTraceparent } from '../marks.ts'
import { ENDS_HERE } from './fields.ts'

/** What a stream asks for. `fields` are its headers without pseudo-headers and what ends at this hop, names in lower case. */
export type H2Request = Asked &
  Readonly<{
    fields: readonly (readonly [name: string, value: string])[]
    length: number | undefined
    /** Trailers are welcome (TE: trailers). */
    trailers: boolean
  }>

const TARGET = /^\/[\x21\x22\x24-\x7e]*$/
/** Reads the headers of a stream; a text says why they are refused. nghttp2 has checked their grammar. */
export function readStream(headers: IncomingHttpHeaders): H2Request | string {
  const method = headers[':method'] ?? ''
  const target = headers[':path'] ?? ''
  const authority = headers[':authority']
  const host = authority ?? headers.host ?? ''
  if (method === 'CONNECT' || headers[':protocol'] !== undefined) return 'CONNECT is not served here'
  if (!TARGET.test(target) && !(target === '*' && method === 'OPTIONS')) return 'the request target is not a path'
  const octets = Buffer.from(host, 'latin1')
  if (!isAuthority(octets, 0, octets.length)) return 'the authority is not a name with an optional port'
  if (authority !== undefined && headers.host !== undefined && headers.host.toLowerCase() !== authority.toLowerCase())
    return ':authority and Host differ'
  const length = headers['content-length']
  if (length !== undefined && !/^(0|[1-9]\d{0,14})$/.test(length)) return 'Content-Length is not a plain number'
  const fields: [string, string][] = []
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || name === 'host' || ENDS_HERE.has(name) || value === undefined) continue
    if (/[^!#$%&'*+.^_`|~0-9a-z-]/.test(name)) return 'a malformed field name'
    for (const one of Array.isArray(value) ? value : [value]) {
      if (/[\0\r\n]/.test(one)) return 'a malformed field value'
      fields.push([name, one])
    }
  }
  return {
    method: () => method,
    target: () => target,
    host: () => host,
    header(name) {
      const value = name === 'host' ? host : headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    fields,
    trailers: headers.te === 'trailers',
    length: length === undefined ? undefined : Number(length),
  }
}

/** The caller of a connection, for the forwarding fields. */
export type H2Caller = Readonly<{
  peer: string
  port: number
  proto: 'http' | 'https'
  trusted: boolean
  /** Forwarded is written too. */
  forwarded: boolean
}>

const FORWARDED = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'])

/** The fields for the pod: without what an untrusted peer claims, and what only looks like it, with who asked. */
export function fieldsFor(asked: H2Request, caller: H2Caller, cookie: string | undefined): [string, string][] {
  const { peer, port, proto, trusted, forwarded } = caller
  const came = (name: string): boolean => trusted && asked.header(name) !== undefined
  const out: [string, string][] = []
  for (const [name, value] of asked.fields) {
    if (FORWARDED.has(name)) {
      if (!trusted || name === 'x-forwarded-for' || (forwarded && name === 'forwarded')) continue
    } else if (FORWARDED.has(name.replaceAll(/[^a-z-]/g, '-'))) continue
    const kept = name === 'cookie' && cookie !== undefined ? withoutCookie(value, cookie) : value
    if (kept !== '') out.push([name, kept])
  }
  const before = came('x-forwarded-for') ? `${asked.header('x-forwarded-for')}, ` : ''
  out.push(['x-forwarded-for', before + peer])
  if (!came('x-forwarded-proto')) out.push(['x-forwarded-proto', proto])
  if (!came('x-forwarded-host')) out.push(['x-forwarded-host', asked.host()])
  if (!came('x-forwarded-port')) out.push(['x-forwarded-port', `${port}`])
  const hops = came('forwarded') ? `${asked.header('forwarded')}, ` : ''
  if (forwarded) out.push(['forwarded', hops + forwardedElement(peer, proto, asked.host())])
  return out
}

/** The fields with a trace that begins here, where they bring none, and its id. What is no traceparent goes, and its state
 * with it. */
export function tracedFields(
  fields: readonly (readonly [string, string])[],
  { trace }: Marks,
): Readonly<{ fields: readonly (readonly [string, string])[]; traceparent: string | undefined }> {
  if (trace === undefined) return { fields, traceparent: undefined }
  const given = fields.filter(([name]) => name === 'traceparent')
  const [, value = ''] = given[0] ?? []
  if (given.length === 1 && isTraceparent(value)) return { fields, traceparent: value }
  const others = fields.filter(([name]) => name !== 'traceparent' && name !== 'tracestate')
  const traceparent = newTraceparent(trace)
  return { fields: [...others, ['traceparent', traceparent]], traceparent }
}

const withoutCookie = (value: string, cookie: string): string =>
  value
    .split(';')
    .filter(part => part.split('=', 1)[0]!.trim() !== cookie)
    .join(';')
    .trim()
