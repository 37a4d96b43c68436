// One watch connection from its opening to its end, guarded against silence.
import type { KubeObject, Millis } from '../contract.ts'
import type { ApiRequest, ApiStream, Clock, Transport } from '../ports.ts'
import { errorOfResponse, errorOfStatus, parseJson } from './errors.ts'

export type WatchEvent = Readonly<{ type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }>

/** Nothing was heard for too long; the connection is taken for dead. */
export class SilenceError extends Error {
  constructor(length: Millis) {
    super(`nothing heard for ${Math.round(length / 1000)} s`)
    this.name = 'SilenceError'
  }
}

/** A line that is no watch event: cut off or corrupted. The watch has to be resumed before it. */
export class GarbledError extends Error {
  constructor(line: string) {
    super(`unreadable watch event: ${line.slice(0, 80)}`)
    this.name = 'GarbledError'
  }
}

export type WatchPorts = Readonly<{
  transport: Transport
  clock: Clock
  signal: AbortSignal
  /** The longest silence to bear right now, in milliseconds; asked again at every line. */
  patience: () => Millis
  /** The server has accepted the watch. */
  onOpen?: () => void
}>

const OPENING: Millis = 30_000

/** Waits for promises, but not beyond the patience or the signal. One timer, moved on by looking at the last line:
 * a busy watch must not pay for a timer per event. */
function createGuard({ clock, signal, patience }: WatchPorts) {
  let heard = clock.now()
  let fail: (error: unknown) => void = () => {}
  let cancel = () => {}
  const arm = (limit: Millis) => {
    cancel()
    cancel = clock.at(heard + limit, () => {
      const now = patience()
      if (clock.now() - heard < now) return arm(now)
      fail(new SilenceError(now))
    })
  }
  const abort = () => fail(signal.reason)
  signal.addEventListener('abort', abort)
  return {
    arm,
    heard: () => {
      heard = clock.now()
    },
    wait: <T>(promise: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        fail = reject
        if (signal.aborted) reject(signal.reason)
        promise.then(resolve, reject)
      }),
    end: () => {
      cancel()
      signal.removeEventListener('abort', abort)
    },
  }
}

function eventOf(line: string, request: ApiRequest): WatchEvent {
  const event = parseJson(line) as { type?: unknown; object?: KubeObject } | undefined
  const { type, object } = event ?? {}
  if (type === 'ERROR') throw errorOfStatus(object, request)
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK'
  if (!known || !object?.metadata) throw new GarbledError(line)
  return { type, object }
}

async function errorOf(stream: ApiStream, lines: AsyncIterator<string>, request: ApiRequest): Promise<Error> {
  const body: string[] = []
  for (let next = await lines.next(); !next.done && body.length < 1000; next = await lines.next()) body.push(next.value)
  return errorOfResponse({ status: stream.status, headers: stream.headers, body: body.join('\n') }, request)
}

/** Opens a watch and hands over its events until the server ends it. Rejects with ApiError (HTTP status or ERROR
 * event), GarbledError, SilenceError, or the signal's reason. An event that was handed over is never repeated here. */
export async function readWatch(
  ports: WatchPorts,
  request: ApiRequest,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const guard = createGuard(ports)
  guard.arm(OPENING)
  const opening = ports.transport.stream({ ...request, signal: ports.signal, timeout: OPENING })
  let stream: ApiStream
  try {
    stream = await guard.wait(opening)
  } catch (error) {
    guard.end()
    opening.then(
      late => late.close(),
      () => {},
    )
    throw error
  }
  const lines = stream.lines[Symbol.asyncIterator]()
  try {
    guard.heard()
    guard.arm(ports.patience())
    if (stream.status !== 200) throw await guard.wait(errorOf(stream, lines, request))
    ports.onOpen?.()
    for (;;) {
      const next = await guard.wait(lines.next())
      if (next.done) return
      guard.heard()
      if (next.value !== '') onEvent(eventOf(next.value, request))
    }
  } finally {
    guard.end()
    stream.close()
    lines.return?.().catch(() => {})
  }
}
