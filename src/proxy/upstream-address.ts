// Fixed addresses of pods as people write them: http://HOST:PORT, or h2c://HOST:PORT for HTTP/2 without TLS.
import { isIPv6 } from 'node:net'

/** An address to dial; IPv6 without brackets. */
export type UpstreamAddress = Readonly<{ host: string; port: number; isH2c: boolean }>

const FORM = /^(http|h2c):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\/?$/

/** How one is written, for messages. */
export const UPSTREAM_FORM = 'http://host:port or h2c://host:port, without path, query or user'

/** Reads one; without a port it is 80. Undefined: it is none. */
export function upstreamAddress(text: string): UpstreamAddress | undefined {
  const [whole, scheme, bracketed, name, digits = '80'] = FORM.exec(text) ?? []
  const port = Number(digits)
  if (whole === undefined || port < 1 || port > 65_535) return undefined
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined
  return { host: (bracketed ?? name ?? '').toLowerCase(), port, isH2c: scheme === 'h2c' }
}
