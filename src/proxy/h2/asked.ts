// A request that came as an HTTP/2 stream: checked as strictly as HTTP/1.1, and seen by the choice like any other.
import type { IncomingHttpHeaders } from 'node:http2'
import type { Asked } from '../asked.ts'
import { isAuthority } from '../engine/octets.ts'
import { forwardedElement, isTraceparent, type Marks, newTraceparent } from '../marks.ts'
import { ENDS_HERE, isGrpc } from './fields.ts'
import { type Field, PodFields } from './pod-fields.ts'

const TARGET = /^\/[\x21\x22\x24-\x7e]*$/

/** All of a request's head but its path. */
type Common = Readonly<{
  method: string
  host: string
  headers: IncomingHttpHeaders
  fields: readonly Field[]
  length: number | undefined
  trailers: boolean
  isGrpc: boolean
  timeout: number | undefined
  /** What pods get of it where no route has anything of its own to say. */
  forPods: PodFields
}>

/** What a stream asks for. */
export class H2Request implements Asked {
  private readonly common: Common
  private readonly path: string

  constructor(common: Common, path: string) {
    this.common = common
    this.path = path
  }

  method(): string {
    return this.common.method
  }

  target(): string {
    return this.path
  }

  host(): string {
    return this.common.host
  }

  header(name: string): string | undefined {
    const { host, headers } = this.common
    if (name.startsWith(':')) return undefined
    const value = name === 'host' ? host : headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Its headers without pseudo-headers and what ends at this hop, names in lower case. */
  get fields(): readonly Field[] {
    return this.common.fields
  }

  /** Content-Length. */
  get length(): number | undefined {
    return this.common.length
  }

  /** Trailers are welcome (TE: trailers). */
  get trailers(): boolean {
    return this.common.trailers
  }

  get isGrpc(): boolean {
    return this.common.isGrpc
  }

  /** Milliseconds that a gRPC call may take by the word of its client. */
  get timeout(): number | undefined {
    return this.common.timeout
  }

  /** The fields for pods; `cookie`: one that is the proxy's own and stays here. */
  fieldsFor(caller: H2Caller, cookie: string | undefined): PodFields {
    return cookie === undefined ? this.common.forPods : new PodFields(fieldsFor(this, caller, cookie))
  }
}

/** Reads the heads of one connection. Most of them differ from the one before in nothing but the path (HPACK lives on that):
 * what was made of the rest is used again. */
export class HeadReader {
  private readonly caller: H2Caller
  private list: readonly string[] = []
  private common: Common | undefined

  constructor(caller: H2Caller) {
    this.caller = caller
  }

  /** Reads a head; a text says why it is refused. nghttp2 has checked its grammar. `list`: names and values in turn. */
  read(headers: IncomingHttpHeaders, list: readonly string[]): H2Request | string {
    if (this.common === undefined || !isSameButPath(list, this.list)) {
      this.common = undefined
      const common = readCommon(headers, this.caller)
      if (typeof common === 'string') return common
      // A head that is long is not kept.
      if (list.length <= MOST_KEPT) {
        this.common = common
        this.list = list
      }
      return asking(common, headers[':path'])
    }
    return asking(this.common, headers[':path'])
  }
}

const MOST_KEPT = 64

function isSameButPath(list: readonly string[], before: readonly string[]): boolean {
  if (list.length !== before.length) return false
  for (let i = 0; i < list.length; i += 2)
    if (list[i] !== before[i] || (list[i + 1] !== before[i + 1] && list[i] !== ':path')) return false
  return true
}

function asking(common: Common, target = ''): H2Request | string {
  if (!TARGET.test(target) && !(target === '*' && common.method === 'OPTIONS'))
    return 'the request target is not a path'
  return new H2Request(common, target)
}

function readCommon(headers: IncomingHttpHeaders, caller: H2Caller): Common | string {
  const method = headers[':method'] ?? ''
  const authority = headers[':authority']
  const host = authority ?? headers.host ?? ''
  if (method === 'CONNECT' || headers[':protocol'] !== undefined) return 'CONNECT is not served here'
  const octets = Buffer.from(host, 'latin1')
  if (!isAuthority(octets, 0, octets.length)) return 'the authority is not a name with an optional port'
  if (authority !== undefined && headers.host !== undefined && headers.host.toLowerCase() !== authority.toLowerCase())
    return ':authority and Host differ'
  const length = headers['content-length']
  if (length !== undefined && !/^(0|[1-9]\d{0,14})$/.test(length)) return 'Content-Length is not a plain number'
  const fields: Field[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || name === 'host' || ENDS_HERE.has(name) || value === undefined) continue
    if (/[^!#$%&'*+.^_`|~0-9a-z-]/.test(name)) return 'a malformed field name'
    for (const one of Array.isArray(value) ? value : [value]) {
      if (/[\0\r\n]/.test(one)) return 'a malformed field value'
      fields.push([name, one])
    }
  }
  const grpc = isGrpc(headers['content-type'])
  const head = {
    method,
    host,
    headers,
    fields,
    length: length === undefined ? undefined : Number(length),
    trailers: headers.te === 'trailers',
    isGrpc: grpc,
    timeout: grpc ? timeoutOf(headers['grpc-timeout']) : undefined,
    forPods: new PodFields([]),
  }
  head.forPods = new PodFields(fieldsFor(new H2Request(head, ''), caller, undefined))
  return head
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** Grpc-timeout in milliseconds ("gRPC over HTTP2", Timeout: 1 to 8 digits and a unit); undefined for anything else. */
function timeoutOf(value: string | string[] | undefined): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(value)) ?? []
  return digits === undefined ? undefined : Number(digits) * UNITS[unit!]!
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
function fieldsFor(asked: H2Request, caller: H2Caller, cookie: string | undefined): [string, string][] {
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
  fields: PodFields,
  { trace }: Marks,
): Readonly<{ fields: PodFields; traceparent: string | undefined }> {
  if (trace === undefined) return { fields, traceparent: undefined }
  const given = fields.list.filter(([name]) => name === 'traceparent')
  const [, value = ''] = given[0] ?? []
  if (given.length === 1 && isTraceparent(value)) return { fields, traceparent: value }
  const others = fields.list.filter(([name]) => name !== 'traceparent' && name !== 'tracestate')
  const traceparent = newTraceparent(trace)
  return { fields: new PodFields([...others, ['traceparent', traceparent]]), traceparent }
}

const withoutCookie = (value: string, cookie: string): string =>
  value
    .split(';')
    .filter(part => part.split('=', 1)[0]!.trim() !== cookie)
    .join(';')
    .trim()
