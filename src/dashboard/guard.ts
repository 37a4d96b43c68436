// Who may ask: only pages of this very server, under a name that it is known by. Stops other sites that a browser on
// this machine has open from reading or pressing anything.
import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The host of a `Host` header without its port; undefined when it is none. */
function hostOf(header: string | undefined): string | undefined {
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:/@\s]+)(?::\d{1,5})?$/.exec(header ?? '')
  return found?.[1]?.toLowerCase()
}

/** Raises HttpError 403 for a foreign Host (a rebound DNS name), and on changes for a foreign Origin. `known` are
 * further host names that this server goes by. */
export function checkCaller(request: IncomingMessage, known: ReadonlySet<string>): void {
  const { host, origin } = request.headers
  const name = hostOf(host)
  if (name === undefined || !(LOOPBACK.has(name) || known.has(name))) {
    throw new HttpError(403, `this server is not ${host ?? 'named'}: start it with --allow-host to serve that name`)
  }
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers['sec-fetch-site']
  const isForeign =
    (origin !== undefined && origin !== `http://${host}`) || (site !== undefined && site === 'cross-site')
  if (isForeign) throw new HttpError(403, 'changes are only taken from this page')
}

/** Sent with every answer: nothing from elsewhere, no framing, no guessing of types. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}
