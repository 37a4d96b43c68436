// The wire: HTTP/1.1 requests and watches to a real API server, over undici.
import type { Dispatcher } from 'undici'
import type { ApiRequest, ApiResponse, Clock, Transport } from '../ports.ts'
import type { Access } from './access.ts'
import { UnreachableError, unanswered } from './errors.ts'
import { linesOf } from './lines.ts'
import { createPools } from './pools.ts'
import { REQUEST_TIMEOUT, retryTransport } from './retry.ts'

export type UndiciOptions = Readonly<{
  /** `name/version (os/arch)`. */
  userAgent?: string
  /** Connections for requests; watches have one each. */
  connections?: number
}>

export type UndiciTransport = Transport & Readonly<{ close(): Promise<void> }>

const monotonic: Clock = {
  now: () => performance.now(),
  at: (time, run) => {
    const timer = setTimeout(run, Math.max(0, time - performance.now()))
    return () => clearTimeout(timer)
  },
}

const BEFORE_SENDING =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/
const BAD_CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/

/** No token could be had, so nothing was sent. */
class TokenError extends Error {}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '')

/** Errors that come before anything was sent: a write that meets them has not happened. */
function isBeforeSending(error: unknown): boolean {
  if (error instanceof TokenError) return true
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isBeforeSending)
  const { syscall } = error as { syscall?: string }
  return syscall === 'connect' || syscall === 'getaddrinfo' || BEFORE_SENDING.test(codeOf(error))
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

const headersOf = (headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  )

function pathWithQuery(base: string, { path, query = {} }: ApiRequest): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? base + path : `${base}${path}?${search}`
}

/** A transport to a real API server. Rejects with UnreachableError and AmbiguousError; statuses are answers. Reads are
 * repeated once when their connection fails, 429 and 503 as Retry-After says, a 401 once with a new token. */
export function undiciTransport(access: Access, options: UndiciOptions = {}): UndiciTransport {
  const { userAgent = `pintle (${process.platform}/${process.arch})`, connections = 16 } = options
  const { origin, host, pathname } = new URL(access.server)
  const base = pathname.replace(/\/+$/, '')
  const pools = createPools(access, connections)

  const tokenOf = async (refused?: string): Promise<string | undefined> => {
    try {
      return await access.token?.(refused)
    } catch (error) {
      throw new TokenError(`no token: ${messageOf(error)}`, { cause: error })
    }
  }

  const send = async (request: ApiRequest, kind: 'requests' | 'watches', signal: AbortSignal) => {
    const timeout = request.timeout ?? REQUEST_TIMEOUT
    const { [kind]: pool } = await pools.current()
    const attempt = (token: string | undefined) =>
      pool.request({
        origin,
        method: request.method,
        path: pathWithQuery(base, request),
        headers: {
          accept: request.accept ?? 'application/json',
          'user-agent': userAgent,
          ...(request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...access.headers,
        },
        body: request.body ?? null,
        signal,
        // The whole request has a timer of its own; undici's defaults must not cut a long list short.
        headersTimeout: timeout,
        bodyTimeout: kind === 'watches' ? 0 : timeout,
      })
    const token = await tokenOf()
    const answer = await attempt(token)
    if (answer.statusCode !== 401 || token === undefined) return answer
    const renewed = await tokenOf(token).catch(() => token)
    if (renewed === token) return answer
    await answer.body.dump()
    return attempt(renewed)
  }

  const failure = (error: unknown, request: ApiRequest, isTimeout: boolean): unknown => {
    if (request.method === 'GET' && request.signal?.aborted) return error
    // The server's CA may have been replaced a moment ago.
    if (BAD_CERTIFICATE.test(codeOf(error))) pools.suspect()
    const reason = isTimeout ? `no answer within ${request.timeout ?? REQUEST_TIMEOUT} ms` : messageOf(error)
    const details = { cause: error, isTimeout }
    if (isBeforeSending(error)) return new UnreachableError(`${host}: ${reason}`, request, details)
    return unanswered(`${host}: ${reason}`, request, details)
  }

  /** Runs `work` with a signal that fires when the time is over, and when the caller's does, also later: a watch goes
   * on after it has been opened, until `release`. */
  const timed = async <T>(request: ApiRequest, work: (signal: AbortSignal) => Promise<T>) => {
    const controller = new AbortController()
    let isTimeout = false
    const abort = () => controller.abort(request.signal?.reason)
    const release = () => request.signal?.removeEventListener('abort', abort)
    const timer = setTimeout(() => {
      isTimeout = true
      controller.abort(new Error('time-out'))
    }, request.timeout ?? REQUEST_TIMEOUT)
    if (request.signal?.aborted) abort()
    request.signal?.addEventListener('abort', abort)
    try {
      return { result: await work(controller.signal), release }
    } catch (error) {
      release()
      throw failure(error, request, isTimeout)
    } finally {
      clearTimeout(timer)
    }
  }

  const request = async (wanted: ApiRequest): Promise<ApiResponse> => {
    const { result, release } = await timed(wanted, async signal => {
      const { statusCode, headers, body } = await send(wanted, 'requests', signal)
      return { status: statusCode, headers: headersOf(headers), body: await body.text() }
    })
    release()
    return result
  }

  const stream: Transport['stream'] = async wanted => {
    const { result, release } = await timed(wanted, signal => send(wanted, 'watches', signal))
    const { statusCode, headers, body } = result
    body.on('error', () => {}) // closing early is no error; who reads the lines hears of the others
    body.once('close', release)
    return { status: statusCode, headers: headersOf(headers), lines: linesOf(body), close: () => body.destroy() }
  }

  return { ...retryTransport({ request, stream }, { clock: monotonic }), close: () => pools.close() }
}
