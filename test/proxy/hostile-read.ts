// A strict reader of HTTP/1.1 requests, for judging what went into a proxy and what came out of it. It is slow and
// plain on purpose and shares nothing with the proxy: one rule of RFC 9110 or 9112 after the other, on latin1 text.

import { isIPv6 } from 'node:net'

/** A request that can be read in one way only. */
export type Seen = Readonly<{
  method: string
  target: string
  /** Minor version: 0 or 1. */
  minor: number
  /** Authority of an absolute target, else the Host field; empty when there is none. */
  host: string
  /** All fields in order, names in lower case. */
  fields: readonly (readonly [string, string])[]
  body: string
  trailers: readonly (readonly [string, string])[]
  /** Legal forms that some servers misread: a sender that means to be understood avoids them. */
  doubts: readonly string[]
}>

export type Reading =
  | Readonly<{ kind: 'request'; next: number; request: Seen }>
  /** Not there whole, and nothing wrong so far. */
  | Readonly<{ kind: 'more' }>
  | Readonly<{ kind: 'bad'; why: string }>

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const LINE = new RegExp(`^(${TOKEN}) ([\\x21\\x22\\x24-\\x7e]+) HTTP/1\\.([01])$`)
const FIELD = new RegExp(`^(${TOKEN}):[\\t ]*([\\t\\x20-\\x7e\\x80-\\xff]*)$`)
/** Of RFC 3986, but for what no name in use has and some take for more than one or for another: commas, percent signs,
 * labels of nothing. */
const LABEL = "[A-Za-z0-9_~!$&'()*+;=-]+"
const AUTHORITY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*\\.?|\\[([0-9A-Fa-f:.]+)\\])(?::(\\d{0,5}))?$`)
/** Chunk extensions (RFC 9112 7.1.1), with the blanks that the grammar suffers. */
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const EXTENSIONS = new RegExp(`^(?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?)*$`)
const MOST_CHUNK = 2 ** 31 - 1
const CHUNK = /^([0-9A-Fa-f]+)(?:[\t ]*(;.*))?$/
/** What a framing field is to whoever does not look at the marks in its name, or at some of them. */
const LOOK_ALIKE =
  /^(?!content-length$|transfer-encoding$)(?:[^a-z]*(?:content[^a-z]*length|transfer[^a-z]*encoding)[^a-z]*|host[^a-z])$/
/** Fields that never belong into a trailer: framing, routing, and what the head must have settled, such as what the body is
 * (RFC 9110 6.5.1). */
const NOT_IN_TRAILERS = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade'],
  ...['forwarded', 'authorization', 'proxy-authorization', 'cookie', 'expect', 'max-forwards', 'range'],
  ...['content-type', 'content-encoding', 'content-range'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
])

const bad = (why: string): Reading => ({ kind: 'bad', why })
const more: Reading = { kind: 'more' }

/** Raised where a text stops being HTTP or stops at all; caught by `readRequest`. */
export class Stop extends Error {
  readonly reading: Reading
  constructor(reading: Reading) {
    super(reading.kind)
    this.reading = reading
  }
}
export const stop = (why: string): never => {
  throw new Stop(bad(why))
}

/** The line at `at` without its CRLF; `next` is behind it. A lone CR or LF, NUL or DEL is bad wherever it stands. */
export function lineAt(text: string, at: number): { line: string; next: number } {
  const end = text.indexOf('\r\n', at)
  const line = end < 0 ? text.slice(at).replace(/\r$/, '') : text.slice(at, end)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) stop('a control in a line')
  if (end < 0) throw new Stop(more)
  return { line, next: end + 2 }
}

export function fieldsAt(text: string, from: number): { fields: [string, string][]; next: number } {
  const fields: [string, string][] = []
  for (let at = from; ; ) {
    const { line, next } = lineAt(text, at)
    if (line === '') return { fields, next }
    const [, name, value] = FIELD.exec(line) ?? stop(`no field line: ${line.slice(0, 60)}`)
    fields.push([name!.toLowerCase(), value!.replace(/[\t ]+$/, '')])
    at = next
  }
}

export const valuesOf = (fields: readonly (readonly [string, string])[], name: string): string[] =>
  fields.filter(field => field[0] === name).map(field => field[1])

/** The tokens of a comma separated field, in lower case. */
export const tokensOf = (fields: Seen['fields'], name: string): string[] =>
  valuesOf(fields, name).flatMap(value => value.toLowerCase().split(/[\t ]*,[\t ]*/))

/** Reads the request that begins at `at`. `mayLackHost`: the Host field may be empty, as it is for a request that an old
 * client made without one. */
export function readRequest(text: string, at: number, mayLackHost = false): Reading {
  try {
    return read(text, at, mayLackHost)
  } catch (error) {
    if (error instanceof Stop) return error.reading
    throw error
  }
}

function read(text: string, begin: number, mayLackHost: boolean): Reading {
  const doubts: string[] = []
  let from = begin
  if (text.startsWith('\r\n', from)) {
    from += 2
    doubts.push('an empty line in front')
  }
  if (from === text.length) return more
  const first = lineAt(text, from)
  const [, method, target, minor] = LINE.exec(first.line) ?? stop(`no request line: ${first.line.slice(0, 60)}`)
  const { fields, next } = fieldsAt(text, first.next)
  for (const [name] of fields) if (LOOK_ALIKE.test(name)) stop(`looks like a framing field: ${name}`)
  const hosts = valuesOf(fields, 'host')
  if (hosts.length > 1) stop('Host twice')
  if (hosts.length === 0 && minor === '1') stop('no Host')
  for (const host of hosts) if (!isAuthority(host) && !(mayLackHost && host === '')) stop(`no authority: ${host}`)
  const host = authorityOf(method!, target!) ?? hosts[0] ?? ''
  if (host.endsWith(':')) doubts.push('an empty port')
  const protectedNames = ['host', 'content-length', 'transfer-encoding']
  for (const token of tokensOf(fields, 'connection'))
    if (protectedNames.includes(token)) stop(`Connection names ${token}`)
  for (const value of valuesOf(fields, 'expect')) if (value.toLowerCase() !== '100-continue') stop(`Expect: ${value}`)
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.length + codings.length > 1) stop('framed twice')
  if (method === 'TRACE' && (codings.length > 0 || Number(lengths[0]) > 0)) stop('TRACE with a body')
  const head = { method: method!, target: target!, minor: Number(minor), host, fields }
  if (codings[0] !== undefined) {
    if (codings[0].toLowerCase() !== 'chunked' || minor === '0') stop(`Transfer-Encoding: ${codings[0]}`)
    const chunked = chunksAt(text, next, doubts)
    return { kind: 'request', next: chunked.next, request: { ...head, ...chunked, doubts } }
  }
  const length = lengths[0] ?? '0'
  if (!/^\d{1,15}$/.test(length)) stop(`Content-Length: ${length}`)
  if (/^0\d/.test(length)) doubts.push('a length that looks octal')
  const end = next + Number(length)
  if (end > text.length) return more
  return { kind: 'request', next: end, request: { ...head, body: text.slice(next, end), trailers: [], doubts } }
}

/** The authority of an absolute target; undefined for a path or `*`. */
function authorityOf(method: string, target: string): string | undefined {
  if (method === 'CONNECT') stop('CONNECT')
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return undefined
  const [, authority] = /^https?:\/\/([^/?]*)(?:[/?].*)?$/i.exec(target) ?? stop(`no path: ${target}`)
  if (!isAuthority(authority!)) stop(`no authority in ${target}`)
  return authority
}

function isAuthority(text: string): boolean {
  const [whole, address, port] = AUTHORITY.exec(text) ?? []
  return whole !== undefined && (address === undefined || isIPv6(address)) && Number(port ?? 0) < 65_536
}

/** The target as a pod must see it: a path, or `*` (RFC 9112 3.2.1, 3.2.4). */
export function targetFor({ method, target }: Pick<Seen, 'method' | 'target'>): string {
  if (target.startsWith('/') || target === '*') return target
  const rest = target.replace(/^https?:\/\/[^/?]*/i, '')
  if (rest === '' && method === 'OPTIONS') return '*'
  return rest.startsWith('/') ? rest : `/${rest}`
}

export function chunksAt(
  text: string,
  from: number,
  doubts: string[],
): Pick<Seen, 'body' | 'trailers'> & { next: number } {
  let body = ''
  for (let at = from; ; ) {
    const { line, next } = lineAt(text, at)
    const [, size, extensions = ''] = CHUNK.exec(line) ?? stop(`no chunk size: ${line.slice(0, 60)}`)
    if (extensions !== '') doubts.push('a chunk extension')
    if (!EXTENSIONS.test(extensions)) stop(`no chunk extension: ${extensions.slice(0, 60)}`)
    if (/ |\t/.test(line.replace(/"(?:[^"\\]|\\.)*"/g, ''))) doubts.push('blanks in a chunk extension')
    if (size!.length > 12) doubts.push('a chunk size of many digits')
    const length = Number.parseInt(size!, 16)
    if (length > MOST_CHUNK) stop('a chunk size beyond measure')
    if (length === 0) {
      const { fields, next: behind } = fieldsAt(text, next)
      for (const [name] of fields)
        if (NOT_IN_TRAILERS.has(name.replaceAll('_', '-')) || LOOK_ALIKE.test(name)) stop(`${name} in a trailer`)
      return { body, trailers: fields, next: behind }
    }
    const end = next + length
    const mark = text.slice(end, end + 2)
    if (mark !== '\r\n' && mark !== '' && mark !== '\r') stop('a chunk longer than its size')
    if (mark.length < 2) throw new Stop(more)
    body += text.slice(next, end)
    at = end + 2
  }
}

/** Fields that are for one hop only, but for those that a proxy says to its pod in its own name. */
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization']

/** What a proxy must not have left in a request: doubts, hop-by-hop fields, a target that is not a path. */
export function dirtIn({ fields, target, doubts }: Seen): string[] {
  const dirt = doubts.filter(doubt => doubt !== 'an empty port')
  for (const name of HOP_BY_HOP) if (valuesOf(fields, name).length > 0) dirt.push(`${name} is for one hop only`)
  const connection = tokensOf(fields, 'connection')
  for (const token of connection)
    if (!['keep-alive', 'close', 'upgrade'].includes(token)) dirt.push(`Connection: ${token}`)
  const upgrade = tokensOf(fields, 'upgrade').join()
  if (upgrade !== '' && upgrade !== 'websocket') dirt.push(`Upgrade: ${upgrade}`)
  if ((upgrade !== '') !== connection.includes('upgrade')) dirt.push('Upgrade without Connection or the other way')
  const te = tokensOf(fields, 'te').join()
  if (te !== '' && te !== 'trailers') dirt.push(`TE: ${te}`)
  if (!target.startsWith('/') && target !== '*') dirt.push(`target ${target}`)
  return dirt
}

/** The fields that must reach the pod as they are: all but those for one hop, those that say who asked, and framing. */
export function endToEnd({ fields }: Pick<Seen, 'fields'>): string[] {
  const ends = new Set([
    ...HOP_BY_HOP,
    ...tokensOf(fields, 'connection'),
    ...['connection', 'upgrade', 'te', 'transfer-encoding', 'content-length', 'host', 'forwarded', 'expect'],
    ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'],
  ])
  return fields.filter(([name]) => !ends.has(name)).map(([name, value]) => `${name}: ${value}`)
}
