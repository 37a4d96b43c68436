// The way out to metric providers: undici with a pool, every body read to its end, one time limit.
import { Agent, request } from 'undici'
import type { HttpReply, HttpRequest, Millis } from '../contract.ts'
import type { Fetch } from '../ports.ts'

const TIMEOUT: Millis = 10_000
/** A metric is a number, not a download. */
const LARGEST = 4 * 1024 * 1024

/** Sends requests of metric providers; `close` ends idle connections. */
export function createFetch(): Readonly<{ fetch: Fetch; close(): Promise<void> }> {
  const dispatcher = new Agent({ connections: 8, maxResponseSize: LARGEST })
  const fetch: Fetch = async ({ method, url, headers, body, timeout = TIMEOUT }: HttpRequest): Promise<HttpReply> => {
    const answer = await request(url, {
      dispatcher,
      method: method as 'GET',
      headersTimeout: timeout,
      bodyTimeout: timeout,
      ...(headers ? { headers: { ...headers } } : {}),
      ...(body === undefined ? {} : { body }),
    })
    const flat = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
    return { status: answer.statusCode, headers: Object.fromEntries(flat), body: await answer.body.text() }
  }
  return { fetch, close: () => dispatcher.close() }
}
