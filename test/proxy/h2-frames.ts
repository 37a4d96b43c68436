// Frames of HTTP/2 by name, for tests that send them one by one, and what came of them.

import { h2cPod } from './h2-kit.ts'
import { asking, code, END_HEADERS, END_STREAM, frame, GET, literals, type RawClient, TYPE } from './h2-raw.ts'
import { pod, type proxy } from './kit.ts'

export type Fields = readonly (readonly [name: string, value: string])[]
type Octets = Buffer | string

export const PADDED = 0x8
export const WITH_PRIORITY = 0x20
/** A head that is the whole request. */
export const BARE = END_HEADERS | END_STREAM
export const LARGEST = 2 ** 31 - 1
export const HEAD = literals(GET)

/** GET with more fields, or without one. */
export const and = (...more: Fields): Buffer => asking(1, [...GET, ...more])
export const without = (name: string, ...more: Fields): Buffer =>
  asking(1, [...GET.filter(([n]) => n !== name), ...more])
/** POST, whose body is to come. */
export const posting = (stream: number, ...more: Fields): Buffer =>
  frame(TYPE.headers, END_HEADERS, stream, literals([[':method', 'POST'], ...GET.slice(1), ...more]))
export const to = (path: string, stream = 1): Buffer =>
  asking(stream, [...GET.filter(([n]) => n !== ':path'), [':path', path]])

export const head = (flags: number, payload: Octets, stream = 1): Buffer => frame(TYPE.headers, flags, stream, payload)
export const more = (flags: number, payload: Octets, stream = 1): Buffer =>
  frame(TYPE.continuation, flags, stream, payload)
export const data = (flags: number, payload: Octets, stream = 1): Buffer => frame(TYPE.data, flags, stream, payload)
export const trailers = (...fields: Fields): Buffer => head(BARE, literals(fields))
export const window = (stream: number, by: number): Buffer => frame(TYPE.window, 0, stream, code(by))
/** What a stream depends on, as RFC 7540 had it. */
export const dependence = (on: number): Buffer => Buffer.concat([code(on), Buffer.from([15])])
export const priority = (stream: number, on: number): Buffer => frame(TYPE.priority, 0, stream, dependence(on))
export const reset = (stream: number, why = 8): Buffer => frame(TYPE.reset, 0, stream, code(why))
export const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(TYPE.settings, 0, 0, Buffer.concat(pairs.flatMap(([id, value]) => [Buffer.from([0, id]), code(value)])))
export const ping = (octets: string): Buffer => frame(TYPE.ping, 0, 0, octets)
export const padded = (octets: Octets, padding: number): Buffer =>
  Buffer.concat([Buffer.from([padding]), Buffer.from(octets as string, 'latin1'), Buffer.alloc(padding)])
export const x = (octets: number): Buffer => Buffer.alloc(octets, 'x')

/** The code with which a stream was reset, in the frames from `from` on. */
export const resetOf = (client: RawClient, stream: number, from = 0): number | undefined =>
  client.heard
    .slice(from)
    .find(f => f.type === TYPE.reset && f.stream === stream)
    ?.payload.readUInt32BE()

/** Has a whole answer of 200 come? 0x88 is that. */
export function isServed(client: RawClient, stream: number): boolean {
  const own = client.heard.filter(f => f.stream === stream && f.type <= TYPE.headers)
  return own[0]?.payload.subarray(0, 8).includes(0x88) === true && own.some(f => (f.flags & END_STREAM) !== 0)
}

/** Pods of both kinds. They answer at once with as many octets as the path says, never where it is /hold, and else with what
 * they have seen, which is noted. */
export async function pods(t: Parameters<typeof proxy>[0]) {
  const seen: string[] = []
  const note = (...parts: readonly unknown[]): string => {
    const text = parts.map(part => part || '-').join(' ')
    seen.push(text)
    return text
  }
  const h1 = await pod(t, (req, res) => {
    if (req.url === '/hold') return
    const size = Number(req.url?.slice(1))
    if (size > 0 || req.url === '/0') return void res.end(x(size))
    let body = ''
    req.on('data', part => {
      body += part
    })
    req.on('end', () => res.end(note(req.method, req.url, req.headers['x-a'], body, req.trailers['x-end'])))
  })
  const h2c = await h2cPod(t, (stream, { ':method': method, ':path': path, 'x-a': a }) => {
    if (path === '/hold') return
    const size = Number(path?.slice(1))
    if (size > 0 || path === '/0') {
      stream.respond({ ':status': 200 })
      return void stream.end(x(size))
    }
    let [body, end] = ['', undefined as unknown]
    stream.on('trailers', got => {
      end = got['x-end']
    })
    stream.on('data', part => {
      body += part
    })
    stream.on('end', () => {
      if (stream.aborted || stream.destroyed) return
      const text = note(method, path, a, body, end)
      stream.respond({ ':status': 200 })
      stream.end(method === 'HEAD' ? '' : text)
    })
  })
  return { urls: [h1.url, h2c.url], seen }
}
