// A request that came as an HTTP/2 stream: checked as strictly as HTTP/1.1, and seen by the choice like any other.
import type { Asked } from '../asked.ts'
import { isAuthority } from '../engine/octets.ts'
import { forwardedElement, isTraceparent, type Marks, newTraceparent } from '../marks.ts'
import { ENDS_HERE, isGrpc, looksFraming } from './fields.ts'
import { type Field, PodFields } from './pod-fields.ts'
import { fieldOf, lengthOf, requestFault } from './wire/heads.ts'
import type { HeaderList } from './wire/hpack-decode.ts'

const TARGET = /^\/[\x21\x22\x24-\x7e]*$/

/** All of a request's head but its path. */
type Common = Readonly<{
  method: string
  host: string
  headers: ReadonlyMap<string, string>
  fields: readonly Field[]
  length: number | undefined
  trailers: boolean
  isGrpc: boolean
  timeout: number | undefined
  list: HeaderList
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
    return name === 'host' ? host : headers.get(name)
  }

  /** Its headers without pseudo-headers and what ends at this hop, names in lower case. */
  get fields(): readonly Field[] {
    return this.common.fields
  }

  /** As it came. */
  get list(): HeaderList {
    return this.common.list
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

/** Why a request is not served: malformed by HTTP/2's own rules, which ends the stream, or refused with an answer. */
export type Refusal = Readonly<{ status: number; why: string; isMalformed: boolean }>
const refused = (why: string, status = 400): Refusal => ({ status, why, isMalformed: false })
const malformed = (why: string): Refusal => ({ status: 400, why, isMalformed: true })

/** Reads the heads of one connection. Most of them differ from the one before in nothing but the path (HPACK lives on that):
 * what was made of the rest is used again. */
export class HeadReader {
  private readonly caller: H2Caller
  private list: HeaderList = []
  private common: Common | undefined
  private last: H2Request | undefined

  constructor(caller: H2Caller) {
    this.caller = caller
  }

  /** Reads a head, or says why it is refused. `list`: null when it was too long. `isBare`: no body follows. */
  read(list: HeaderList | null, isBare: boolean): H2Request | Refusal {
    if (list === null) return refused('the request head is too long', 431)
    // An unchanged list has an unchanged meaning.
    if (list !== this.list || this.last === undefined) {
      this.last = undefined
      const asked = this.readNew(list)
      if (!(asked instanceof H2Request)) return asked
      this.last = asked
    }
    if (isBare && (this.last.length ?? 0) > 0) return malformed('Content-Length without a body')
    if (!isBare && this.last.method() === 'TRACE') return refused('a TRACE with a body')
    return this.last
  }

  private readNew(list: HeaderList): H2Request | Refusal {
    if (this.common === undefined || !isSameButPath(list, this.list)) {
      this.common = undefined
      const common = readCommon(list, this.caller)
      if ('why' in common) return common
      this.common = common
    }
    const { common } = this
    // A head that is long is not kept.
    if (list.length > MOST_KEPT) this.common = undefined
    this.list = this.common ? list : []
    return asking(common, fieldOf(list, ':path') ?? '')
  }
}

const MOST_KEPT = 64

function isSameButPath(list: HeaderList, before: HeaderList): boolean {
  if (list.length !== before.length) return false
  for (let i = 0; i < list.length; i += 2)
    if (list[i] !== before[i] || (list[i + 1] !== before[i + 1] && list[i] !== ':path')) return false
  return true
}

function asking(common: Common, target: string): H2Request | Refusal {
  if (target === '') return malformed('an empty :path')
  if (!TARGET.test(target) && !(target === '*' && common.method === 'OPTIONS'))
    return refused('the request target is not a path')
  return new H2Request(common, target)
}

function readCommon(list: HeaderList, caller: H2Caller): Common | Refusal {
  const fault = requestFault(list)
  if (fault !== undefined) return malformed(fault)
  const method = fieldOf(list, ':method')!
  if (method === 'CONNECT') return refused('CONNECT is not served here')
  if (!METHOD.test(method)) return malformed('the method is not a token')
  if (!SCHEME.test(fieldOf(list, ':scheme')!)) return malformed('the scheme is none')
  const headers = new Map<string, string>()
  const fields: Field[] = []
  for (let i = 0; i < list.length; i += 2) {
    const [name, value] = [list[i]!, list[i + 1]!]
    const before = headers.get(name)
    if (name === 'host' && before !== undefined) return refused('more than one Host')
    if (looksFraming(name)) return refused('a header looks like a framing header but is not')
    if (name === 'expect' && value.toLowerCase() !== '100-continue') return refused('an unknown expectation', 417)
    // A cookie may come in crumbs (RFC 9113 8.2.3).
    headers.set(name, before === undefined ? value : before + (name === 'cookie' ? '; ' : ', ') + value)
    if (!name.startsWith(':') && name !== 'host' && name !== 'cookie' && !ENDS_HERE.has(name))
      fields.push([name, value])
  }
  const cookie = headers.get('cookie')
  if (cookie !== undefined) fields.push(['cookie', cookie])
  const authority = headers.get(':authority')
  const host = authority ?? headers.get('host') ?? ''
  const octets = Buffer.from(host, 'latin1')
  if (!isAuthority(octets, 0, octets.length)) return refused('the authority is not a name with an optional port')
  if (authority !== undefined && authority.toLowerCase() !== (headers.get('host') ?? authority).toLowerCase())
    return refused(':authority and Host differ')
  const length = lengthOf(list)
  if (length === -1) return refused('Content-Length is not a plain number')
  const grpc = isGrpc(headers.get('content-type'))
  const head = {
    method,
    host,
    headers,
    fields,
    length,
    list,
    trailers: headers.has('te'),
    isGrpc: grpc,
    timeout: grpc ? timeoutOf(headers.get('grpc-timeout')) : undefined,
    forPods: new PodFields([]),
  }
  head.forPods = new PodFields(fieldsFor(new H2Request(head, ''), caller, undefined))
  return head
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** Grpc-timeout in milliseconds ("gRPC over HTTP2", Timeout: 1 to 8 digits and a unit); undefined for anything else. */
function timeoutOf(value: string | undefined): number | undefined {
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
