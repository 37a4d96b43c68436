// What happens to headers on the way: hop-by-hop ones end here, the pod learns who asked. Raw lists in, raw lists out.
import type { IncomingMessage } from 'node:http'
import { headerOf } from './match.ts'

/** Whom to believe: a peer for which this is true may name those before it in X-Forwarded-*. */
export type Trusts = (peer: string) => boolean

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'transfer-encoding',
  'upgrade',
])
const FORWARDED = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'])

/** Names that a Connection header declares to be for this hop only, in lower case. */
function namedByConnection(raw: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length !== 10 || raw[i]!.toLowerCase() !== 'connection') continue
    for (const token of raw[i + 1]!.split(',')) {
      const name = token.trim().toLowerCase()
      if (name === 'keep-alive' || name === 'close' || name === 'upgrade' || name === '') continue
      named ??= new Set()
      named.add(name)
    }
  }
  return named
}

/** How the body of a request is framed. */
export type Framing = 'none' | 'length' | 'chunked'

/** Headers for the pod: name, value, name, value. `host` replaces Host when the target named its own authority. */
export function requestHeaders(req: IncomingMessage, framing: Framing, host: string, trusts: Trusts): string[] {
  const raw = req.rawHeaders
  const named = namedByConnection(raw)
  const peer = (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  const trusted = trusts(peer)
  const out: string[] = ['Host', host]
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (name === 'host' || HOP_BY_HOP.has(name) || named?.has(name)) continue
    if (FORWARDED.has(name) && (!trusted || name === 'x-forwarded-for')) continue
    out.push(raw[i]!, raw[i + 1]!)
  }
  const { headers } = req
  // Trailers are worth announcing to the pod only if the client takes them; the rest of TE is for this hop.
  if (/(^|,)\s*trailers\s*(,|;|$)/i.test(headerOf(headers, 'te') ?? '')) out.push('TE', 'trailers')
  if (framing === 'chunked') out.push('Transfer-Encoding', 'chunked')
  const before = trusted ? headers['x-forwarded-for'] : undefined
  out.push('X-Forwarded-For', before === undefined ? peer : `${before}, ${peer}`)
  if (!trusted || headers['x-forwarded-proto'] === undefined) out.push('X-Forwarded-Proto', 'http')
  if (!trusted || headers['x-forwarded-host'] === undefined) out.push('X-Forwarded-Host', host)
  if (!trusted || headers['x-forwarded-port'] === undefined)
    out.push('X-Forwarded-Port', `${req.socket.localPort ?? ''}`)
  return out
}

/** Headers for the client. The framing is redone by the engine, so Transfer-Encoding goes too. */
export function responseHeaders(raw: readonly string[], close: boolean): string[] {
  const named = namedByConnection(raw)
  const out: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (HOP_BY_HOP.has(name) || named?.has(name)) continue
    out.push(raw[i]!, raw[i + 1]!)
  }
  if (close) out.push('Connection', 'close')
  return out
}

/** Trailers as pairs, without those that would change framing or routing. */
export function trailerPairs(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (HOP_BY_HOP.has(name) || name === 'content-length' || name === 'host' || name === 'trailer') continue
    pairs.push([raw[i]!, raw[i + 1]!])
  }
  return pairs
}
