// Runs a scenario: requests in order, watches beside them; the answers become a transcript without chance in it.
import type { ApiStream, Transport } from '../../../src/ports.ts'
import { normalised } from './normalise.ts'

type Json = Record<string, unknown>
/** The body of an earlier answer, by the sentence of its step. */
export type Past = (say: string) => Json & { metadata: Json }

type Request = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `{ns}` stands for the scenario's own namespace. */
  path: string
  query?: Readonly<Record<string, string | number | boolean>> | ((past: Past) => Record<string, string>)
  /** An object, or text to send as it is. */
  body?: string | object | ((past: Past) => unknown)
  type?: string
  accept?: string
  /** Asked again until the answer has this status: what controllers of a real cluster do takes a moment. */
  until?: number
  /** Controllers of a real cluster write this object, too: its version and status are nobody's promise. */
  busy?: boolean
  /** Only this part of the body is compared. */
  bodyOf?: string
  /** Only the status of the answer is compared. */
  quietBody?: boolean
}>
type Open = Readonly<{ open: string; path: string; query?: Request['query'] }>
/** Reads so many events of a watch; bookmarks that no step asks for do not count. */
type Read = Readonly<{ read: string; count: number; bookmarks?: boolean }>
/** The watch ends by itself. */
type Ends = Readonly<{ ends: string }>

export type Step = Readonly<{ say: string }> & (Request | Open | Read | Ends)
export type Scenario = Readonly<{ name: string; steps: readonly Step[] }>
export type Transcript = Readonly<Record<string, unknown>>

type Watcher = Readonly<{ stream: ApiStream; lines: AsyncIterator<string> }>

const PATIENCE = 10_000

const within = async <T>(promise: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came: ${what}`)), PATIENCE)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const shown = ({ busy, bodyOf }: Request, body: unknown): unknown => {
  if (bodyOf !== undefined) return (body as Json)[bodyOf]
  return busy ? quiet(body as Json) : body
}

const quiet = ({ status: _, ...body }: Json): Json => {
  const { resourceVersion: __, ...metadata } = (body['metadata'] ?? {}) as Json
  return { ...body, metadata }
}

/** Runs the steps in a namespace of their own, which must exist. */
export const runScenario = async (transport: Transport, scenario: Scenario, ns: string): Promise<Transcript> => {
  const answers = new Map<string, unknown>()
  const transcript: Record<string, unknown> = {}
  const watchers = new Map<string, Watcher>()
  const past: Past = say => {
    if (!answers.has(say)) throw new Error(`no step says: ${say}`)
    return answers.get(say) as ReturnType<Past>
  }
  const place = <T>(value: T): T => JSON.parse(JSON.stringify(value ?? null).replaceAll('{ns}', ns)) as T
  const queryOf = (query: Request['query']) => place(typeof query === 'function' ? query(past) : (query ?? {}))

  const send = async (step: Request) => {
    const body = typeof step.body === 'function' ? step.body(past) : step.body
    const request = {
      method: step.method,
      path: place(step.path),
      query: queryOf(step.query),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? place(body) : JSON.stringify(place(body)) }),
      ...(body === undefined ? {} : { contentType: step.type ?? 'application/json' }),
      ...(step.accept === undefined ? {} : { accept: step.accept }),
    }
    for (let tries = 0; ; tries += 1) {
      const answer = await transport.request(request)
      if (step.until === undefined || answer.status === step.until || tries > 200) return answer
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  const read = async ({ read, count, bookmarks }: Read): Promise<unknown[]> => {
    const events: unknown[] = []
    while (events.length < count) {
      const next = await within(watchers.get(read)!.lines.next(), `${scenario.name}: ${read}`)
      if (next.done) return [...events, 'END']
      const event = parsed(next.value)
      if (bookmarks || (event as Json)['type'] !== 'BOOKMARK') events.push(event)
    }
    return events
  }

  try {
    for (const step of scenario.steps) {
      if ('open' in step) {
        const query = { ...queryOf(step.query), watch: true }
        const stream = await transport.stream({ method: 'GET', path: place(step.path), query })
        watchers.set(step.open, { stream, lines: stream.lines[Symbol.asyncIterator]() })
        transcript[step.say] = { status: stream.status }
      } else if ('read' in step) {
        transcript[step.say] = await read(step)
      } else if ('ends' in step) {
        const next = await within(watchers.get(step.ends)!.lines.next(), `${scenario.name}: ${step.ends}`)
        transcript[step.say] = next.done ? 'END' : parsed(next.value)
      } else {
        const { status, headers, body } = await send(step)
        const { warning, 'retry-after': wait } = headers
        answers.set(step.say, parsed(body))
        transcript[step.say] = {
          status,
          ...(warning === undefined ? {} : { warning }),
          ...(wait === undefined ? {} : { 'retry-after': wait }),
          ...(step.quietBody ? {} : { body: shown(step, parsed(body)) }),
        }
      }
    }
  } finally {
    for (const { stream } of watchers.values()) stream.close()
  }
  return normalised(transcript, ns) as Transcript
}
