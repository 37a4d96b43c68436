// A reply that goes on: server-sent events for browsers, a JSON document a line for others.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../ports.ts'
import { SAFE_HEADERS } from './guard.ts'

export type Stream = Readonly<{
  /** `{"result": …}`, as Argo's dashboard frames it. */
  send(result: unknown): void
  /** A named event, which clients that wait for results do not see. Only with server-sent events. */
  note(event: string, data: unknown): void
  /** Called when the reader has gone. */
  onEnd(run: () => void): void
  end(): void
}>

/** argo: a comment line this often, so that nobody between takes the silence for death: milliseconds. */
const ALIVE = 15_000
/** A reader that is this far behind, in bytes, is cut off; it will come back and see the present. */
const MOST_WAITING = 4 * 1024 * 1024

/** Begins the reply. */
export function openStream(request: IncomingMessage, response: ServerResponse, clock: Clock): Stream {
  const isEvents = (request.headers.accept ?? '').includes('text/event-stream')
  const ends: (() => void)[] = []
  let cancel = () => {}
  response.writeHead(200, {
    ...SAFE_HEADERS,
    'content-type': isEvents ? 'text/event-stream' : 'application/json',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  const write = (text: string) => {
    if (response.writableEnded || response.destroyed) return
    if (response.writableLength > MOST_WAITING) response.destroy()
    else response.write(text)
  }
  const alive = () => {
    write(':\n\n')
    cancel = clock.at(clock.now() + ALIVE, alive)
  }
  if (isEvents) {
    write('retry: 1000\n\n')
    cancel = clock.at(clock.now() + ALIVE, alive)
  }
  response.once('close', () => {
    cancel()
    for (const run of ends) run()
  })
  response.on('error', () => {})
  return {
    send: result => write(isEvents ? `data: ${JSON.stringify({ result })}\n\n` : `${JSON.stringify({ result })}\n`),
    note: (event, data) => {
      if (isEvents) write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    },
    onEnd: run => ends.push(run),
    end: () => response.end(),
  }
}
