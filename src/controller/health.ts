// The two small HTTP servers of the controller: metrics, and health for probes.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { gzipSync } from 'node:zlib'
import { UserError } from '../errors.ts'

export type HealthOptions = Readonly<{
  /** Is this process to be kept alive? */
  isAlive(): boolean
  /** Has it read the cluster, so that it could work? */
  isReady(): boolean
}>

export type Served = Readonly<{ port: number; close(): Promise<void> }>

type Answer = Readonly<{ status: number; type?: string; text: string }>

/** Prometheus asks for gzip; what tells of a thousand rollouts is megabytes without. */
const WORTH_PACKING = 4096

const takesGzip = ({ headers }: IncomingMessage): boolean =>
  /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(headers['accept-encoding'] ?? ''))

/** Serves `answer` for GET and HEAD on all addresses. Raises UserError PIN7102 when the port is taken. */
export async function serve(port: number, what: string, answer: (path: string) => Promise<Answer>): Promise<Served> {
  const server: Server = createServer((request, response) => {
    const { method = 'GET', url = '/' } = request
    const reply = ({ status, type = 'text/plain; charset=utf-8', text }: Answer) => {
      const isPacked = text.length > WORTH_PACKING && takesGzip(request)
      response.writeHead(status, { 'content-type': type, ...(isPacked ? { 'content-encoding': 'gzip' } : {}) })
      response.end(method === 'HEAD' ? undefined : isPacked ? gzipSync(text, { level: 1 }) : text)
    }
    if (method !== 'GET' && method !== 'HEAD') return reply({ status: 405, text: 'only GET\n' })
    answer(new URL(url, 'http://here').pathname).then(reply, () => reply({ status: 500, text: 'internal error\n' }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint = `Give another port with --${what}.`
      reject(new UserError('PIN7102', `cannot listen on port ${port}: ${error.code ?? error.message}`, hint))
    })
    server.listen(port, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

const NOT_FOUND: Answer = { status: 404, text: 'not found\n' }

/** /healthz and /readyz. */
export const serveHealth = (port: number, { isAlive, isReady }: HealthOptions): Promise<Served> =>
  serve(port, 'healthzPort', async path => {
    if (path === '/healthz') return isAlive() ? { status: 200, text: 'ok' } : { status: 503, text: 'not alive\n' }
    if (path === '/readyz') return isReady() ? { status: 200, text: 'ok' } : { status: 503, text: 'still reading\n' }
    return NOT_FOUND
  })

/** /metrics. */
export const serveMetrics = (port: number, metrics: Readonly<{ text(): Promise<string>; contentType: string }>) =>
  serve(port, 'metricsPort', async path =>
    path === '/metrics' ? { status: 200, type: metrics.contentType, text: await metrics.text() } : NOT_FOUND,
  )
