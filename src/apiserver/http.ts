// The API server on loopback HTTP: the same routes, with limits on bodies and on slow readers of watches.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UserError } from '../errors.ts'
import type { Answer } from './exchange.ts'
import { StatusError } from './model.ts'
import { refusal } from './refusal.ts'
import { respond } from './routes.ts'
import type { ApiServer } from './server.ts'

export type HttpOptions = Readonly<{
  /** Loopback only: this server lets everybody in who has the token, and gives them everything. */
  host: '127.0.0.1' | '::1' | 'localhost'
  /** 0: any free port. */
  port: number
  /** Requests must carry it as bearer token, when given. */
  token?: string
}>

export type HttpServer = Readonly<{
  url: string
  port: number
  /** Ends open watches and connections. */
  close(): Promise<void>
}>

// A web page may point a name of its own at this machine; its requests carry that name.
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i
const LONGEST_BODY = 3 * 1024 * 1024
const MOST_DRAINED = 64 * 1024 * 1024
// A watch whose client reads no faster than this ends; the client starts again where it stopped.
const MOST_UNREAD = 16 * 1024 * 1024

/** Starts to listen. Raises UserError PIN7001 when the port is taken and PIN7002 when it cannot be used. */
export const serveHttp = async (server: ApiServer, { host, port, token }: HttpOptions): Promise<HttpServer> => {
  const web = createServer((request, response) => {
    response.on('error', () => {})
    void serve(server, token, request, response)
  })
  // Watches stay open for an hour and clients keep connections: neither is a fault.
  web.requestTimeout = 0
  web.keepAliveTimeout = 120_000
  await new Promise<void>((resolve, reject) => {
    web.once('error', error => reject(refusedPort(error, port)))
    web.listen(port, host, resolve)
  })
  const bound = (web.address() as AddressInfo).port
  return {
    url: `http://${host === '::1' ? '[::1]' : host}:${bound}`,
    port: bound,
    close: () =>
      new Promise(resolve => {
        web.close(() => resolve())
        web.closeAllConnections()
      }),
  }
}

const refusedPort = (error: NodeJS.ErrnoException, port: number): Error => {
  if (error.code === 'EADDRINUSE') {
    return new UserError('PIN7001', `port ${port} is in use`, 'Choose another port, or stop what listens there.')
  }
  return new UserError('PIN7002', `cannot listen on port ${port}: ${error.message}`, 'Choose another port.')
}

const serve = async (
  server: ApiServer,
  token: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  if (!LOOPBACK.test(request.headers.host ?? '')) {
    request.resume()
    return write(response, refusal(new StatusError(403, 'Forbidden', 'this server answers on loopback names only')))
  }
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
    request.resume()
    return write(response, refusal(new StatusError(401, 'Unauthorized', 'Unauthorized')))
  }
  const body = await bodyOf(request)
  if (body === undefined) return
  if (body instanceof StatusError) {
    response.shouldKeepAlive = false
    return write(response, refusal(body))
  }
  const url = new URL(request.url ?? '/', 'http://localhost')
  const answer = respond(server, {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    body,
    contentType: request.headers['content-type'] ?? '',
    accept: request.headers.accept ?? '',
  })
  if (answer.watch) streamWatch(answer, answer.watch, response)
  else write(response, answer)
}

// The text, a refusal, or undefined when the client went away.
const bodyOf = (request: IncomingMessage): Promise<string | StatusError | undefined> =>
  new Promise(resolve => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= LONGEST_BODY) chunks.push(chunk)
      else resolve(tooLarge())
      // The rest is read and dropped, so that the client gets to see the refusal; but not for ever.
      if (length > MOST_DRAINED) request.destroy()
    })
    request.on('end', () => resolve(Buffer.concat(chunks).toString()))
    request.on('close', () => resolve(undefined))
    request.on('error', () => resolve(undefined))
  })

const tooLarge = (): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${LONGEST_BODY}`)

const write = (response: ServerResponse, { status, headers, body }: Answer): void => {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { ...headers, 'content-length': length, 'cache-control': 'no-cache, private' })
  response.end(body)
}

const streamWatch = (
  { status, headers }: Answer,
  watch: NonNullable<Answer['watch']>,
  response: ServerResponse,
): void => {
  response.writeHead(status, { ...headers, 'cache-control': 'no-cache, private' })
  response.flushHeaders()
  let stop: (() => void) | undefined
  response.on('close', () => stop?.())
  stop = watch({
    line(text) {
      if (response.writableEnded || response.destroyed) return
      response.write(`${text}\n`)
      if (response.writableLength <= MOST_UNREAD) return
      stop?.()
      response.destroy()
    },
    end: () => response.end(),
  })
  if (response.destroyed) stop()
}

/** A kubeconfig for a server on loopback, as YAML text. */
export const kubeconfigFor = (url: string, token = 'pintle'): string => `apiVersion: v1
kind: Config
current-context: pintle
clusters:
  - name: pintle
    cluster:
      server: ${url}
      insecure-skip-tls-verify: true
users:
  - name: pintle
    user:
      token: ${token}
contexts:
  - name: pintle
    context:
      cluster: pintle
      user: pintle
      namespace: default
`
