// Fields of answers and trailers in the form of HTTP/2: names in lower case, and nothing that means one connection only.
import type { AnswerHead } from '../engine/answer-head.ts'
import { NO_TRAILERS } from '../engine/chunks.ts'
import { eachField } from '../engine/fields.ts'
import { type HeaderList, neverIndexed } from './wire/hpack-decode.ts'

/** A head that goes on: pseudo-fields first. */
export type Headers = Record<string, string | string[] | number> & { [NEVER_INDEXED]?: ReadonlySet<string> }

/** Names of fields that are not to be put into tables, where their sender said so. */
export const NEVER_INDEXED = Symbol('never indexed')

/** Takes over from a list which of its fields are not to be put into tables. */
export function keepSecret(headers: Headers, list: HeaderList): void {
  const names = neverIndexed(list)
  if (names !== undefined) headers[NEVER_INDEXED] = names
}

/** They mean one connection only, or nothing in HTTP/2 (RFC 9113 8.2.2, RFC 9110 7.6.1). */
export const ENDS_HERE: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
])

const LOOKS_FRAMING =
  /^(?!content-length$)(?:[^a-z]*(?:content[^a-z]*length|transfer[^a-z]*encoding)[^a-z]*|host[^a-z])$/

/** Does a name look like that of a framing field without being one? The engine's `spellsFraming` says the same of octets. */
export const looksFraming = (name: string): boolean => LOOKS_FRAMING.test(name)

const NOT_IN_TRAILERS = new Set([...ENDS_HERE, ...NO_TRAILERS])

/** May a field stand in a trailer? Not where it looks like one that may not, as HTTP/1.1 pods see it. */
const mayTrail = (name: string): boolean =>
  !NOT_IN_TRAILERS.has(name.replaceAll(/[^a-z0-9]/g, '-')) && !looksFraming(name)

/** Adds a field; one that is there already gets another value, as RFC 9110 5.3 has it. */
export function addField(headers: Headers, name: string, value: string): void {
  const before = headers[name]
  if (name === 'set-cookie') headers[name] = [...((before as string[] | undefined) ?? []), value]
  else headers[name] = before === undefined ? value : `${before}, ${value}`
}

/** Does a stream carry gRPC? `type`: its Content-Type. */
export const isGrpc = (type: string | undefined): boolean =>
  type !== undefined && /^application\/grpc(?!-web)(?:[+;]|$)/.test(type)

const MOST_KEPT = 2048
/** The answer's head that was read last, by its octets from the fields on. */
const last = { octets: Buffer.alloc(MOST_KEPT), size: -1, status: 0, headers: {} as Headers }

/** The head of an HTTP/1.1 answer, without what ends here. The next answer may get the same object: it is not to be changed. */
export function headersOf(buf: Buffer, answer: AnswerHead): Headers {
  const { fieldsFrom, end, status } = answer
  const size = end - fieldsFrom
  if (size === last.size && status === last.status && buf.compare(last.octets, 0, size, fieldsFrom, end) === 0)
    return last.headers
  const headers = readHeaders(buf, answer)
  if (size <= MOST_KEPT) {
    buf.copy(last.octets, 0, fieldsFrom, end)
    last.size = size
    last.status = status
    last.headers = headers
  }
  return headers
}

function readHeaders(buf: Buffer, { status, fieldsFrom, end, cuts }: AnswerHead): Headers {
  const headers: Headers = { ':status': status }
  eachField(buf, fieldsFrom, end, (name, value, at) => {
    if (!cuts.has(at) && !ENDS_HERE.has(name)) addField(headers, name, value)
  })
  return headers
}

/** The trailer section of a chunked body, which has been checked. */
export function trailersOf(section: Buffer): Headers {
  const trailers: Headers = {}
  eachField(section, 0, section.length, (name, value) => {
    if (mayTrail(name)) addField(trailers, name, value)
  })
  return trailers
}

/** Trailers of an HTTP/2 peer as they may go on; those that may not are dropped. */
export function passingTrailers(list: HeaderList): Headers {
  const trailers: Headers = {}
  for (let i = 0; i < list.length; i += 2) if (mayTrail(list[i]!)) addField(trailers, list[i]!, list[i + 1]!)
  return trailers
}

let lastList: HeaderList = []
let lastHeaders: Headers = {}

/** The head of an HTTP/2 pod's answer, without what ends here. The next answer may get the same object: it is not to be
 * changed. */
export function headersFrom(list: HeaderList): Headers {
  if (list === lastList) return lastHeaders
  const headers: Headers = {}
  for (let i = 0; i < list.length; i += 2) if (!ENDS_HERE.has(list[i]!)) addField(headers, list[i]!, list[i + 1]!)
  // They must not tell a length (RFC 9110 8.6); some clients reset the stream for it.
  if (/^(1..|204)$/.test(`${headers[':status']}`)) delete headers['content-length']
  keepSecret(headers, list)
  lastList = list
  lastHeaders = headers
  return headers
}
