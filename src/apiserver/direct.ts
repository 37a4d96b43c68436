// The API server as a Transport without a wire: the same routes, JSON text both ways, nothing but microtasks.
import type { ApiRequest, ApiResponse, ApiStream, Transport } from '../ports.ts'
import type { Answer, Incoming, Sink } from './exchange.ts'
import { respond } from './routes.ts'
import type { ApiServer } from './server.ts'

const MOST_WAITING = 100_000

const incomingOf = ({ method, path, query = {}, body = '', contentType, accept }: ApiRequest): Incoming => {
  const [plain = '', search = ''] = path.split('?')
  const parameters = new URLSearchParams(search)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.append(name, `${value}`)
  return {
    method,
    path: plain,
    query: parameters,
    body,
    contentType: contentType ?? (body === '' ? '' : 'application/json'),
    accept: accept ?? '',
  }
}

const closed = (signal: AbortSignal | undefined): boolean => signal?.aborted === true

const abortion = (signal: AbortSignal | undefined): unknown => signal?.reason ?? new Error('aborted')

/** Lines waiting for their reader; ends by itself when too many wait, as a server does with a slow client. */
const lineQueue = (start: (sink: Sink) => () => void, onEnd: () => void): Pick<ApiStream, 'lines' | 'close'> => {
  const waiting: string[] = []
  let wake: (() => void) | undefined
  let ended = false
  const notify = (): void => {
    wake?.()
    wake = undefined
  }
  let stop = (): void => {}
  const end = (): void => {
    ended = true
    stop()
    onEnd()
    notify()
  }
  stop = start({
    line(text) {
      if (ended) return
      waiting.push(text)
      if (waiting.length > MOST_WAITING) end()
      else notify()
    },
    end,
  })
  if (ended) stop()
  async function* read(): AsyncGenerator<string> {
    try {
      for (;;) {
        const texts = waiting.splice(0)
        for (const text of texts) yield text
        if (waiting.length > 0) continue
        if (ended) return
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    } finally {
      end()
    }
  }
  return { lines: read(), close: end }
}

async function* textLines(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) if (line !== '') yield line
}

/**
 * Speaks to a server in the same process. Every promise resolves in microtasks, so a virtual clock can settle. A request
 * whose signal is aborted rejects with the signal's reason; a stream whose signal aborts later ends.
 */
export const directTransport = (server: ApiServer): Transport => ({
  async request(request): Promise<ApiResponse> {
    if (closed(request.signal)) throw abortion(request.signal)
    const answer: Answer = respond(server, incomingOf(request))
    if (!answer.watch) return { status: answer.status, headers: answer.headers, body: answer.body }
    throw new Error('a watch is a stream, not a request')
  },
  async stream(request): Promise<ApiStream> {
    const { signal } = request
    if (closed(signal)) throw abortion(signal)
    const { status, headers, body, watch } = respond(server, incomingOf(request))
    if (!watch) return { status, headers, lines: textLines(body), close: () => {} }
    const ended = new AbortController()
    const { lines, close } = lineQueue(watch, () => ended.abort())
    signal?.addEventListener('abort', close, { once: true, signal: ended.signal })
    return { status, headers, lines, close }
  },
})
