// The head of an HTTP/1.1 request, as the engine composed it, in the form of HTTP/2.
import { eachField } from '../engine/fields.ts'
import { addField, ENDS_HERE, type Headers, isGrpc } from './fields.ts'

/** All but the request line, and the method. `length` of the body: undefined for chunks, 0 for none. */
type Fields = Readonly<{ headers: Headers; length: number | undefined; size: number }>

/** What a head says; `size` in octets. */
export type RequestFields = Readonly<{ headers: Headers; path: string; length: number | undefined; size: number }>

/** Clients of HTTP/1.0 may name no host, which many servers of HTTP/2 do not put up with. */
const NO_HOST = 'localhost'
const MOST_KEPT = 2048
/** The head that was read last, and what was made of all but its target. Clients say the same again and again. */
const last = {
  octets: Buffer.alloc(MOST_KEPT),
  whole: undefined as RequestFields | undefined,
  method: '',
  begin: 0,
  fields: undefined as Fields | undefined,
}

/** Reads the head that begins at `from`; `to` is behind its end. Its octets have been checked. The headers may be those of
 * the head before: they are not to be changed. */
export function requestFields(buf: Buffer, from: number, to: number): RequestFields {
  const { whole, octets } = last
  if (whole !== undefined && isSame(octets, 0, whole.size, buf, from, to)) return whole
  const lineEnd = buf.indexOf('\r\n', from, 'latin1')
  const [method = '', path = ''] = buf.toString('latin1', from, lineEnd).split(' ', 2)
  const begin = lineEnd + 2
  const { headers, length, size } = recall(method, buf, begin, to) ?? read(method, buf, begin, to)
  const made = { headers, path, length, size: begin - from + size }
  last.whole = undefined
  last.fields = undefined
  if (made.size > MOST_KEPT) return made
  buf.copy(octets, 0, from, from + made.size)
  last.whole = made
  last.method = method
  last.begin = begin - from
  last.fields = { headers, length, size }
  return made
}

function recall(method: string, buf: Buffer, from: number, to: number): Fields | undefined {
  const { fields, octets, begin } = last
  if (fields === undefined || method !== last.method) return undefined
  return isSame(octets, begin, fields.size, buf, from, to) ? fields : undefined
}

/** Do `size` octets of `a` from `begin` on come again at `from`? */
const isSame = (a: Buffer, begin: number, size: number, b: Buffer, from: number, to: number): boolean =>
  size <= to - from && b.compare(a, begin, begin + size, from, from + size) === 0

function read(method: string, buf: Buffer, from: number, to: number): Fields {
  const others: Headers = {}
  let host = ''
  let length: number | undefined = 0
  const end = eachField(buf, from, to, (name, value) => {
    if (name === 'host') host = value
    else if (name === 'te') others['te'] = 'trailers'
    else if (name === 'transfer-encoding') length = undefined
    else if (!ENDS_HERE.has(name)) {
      if (name === 'content-length') length = Number(value)
      // gRPC servers insist on it.
      if (name === 'content-type' && isGrpc(value)) others['te'] = 'trailers'
      addField(others, name, value)
    }
  })
  const headers = { ':method': method, ':authority': host || NO_HOST, ':scheme': 'http', ...others }
  return { headers, length, size: end - from }
}
