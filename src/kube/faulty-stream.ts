// What can happen to a watch on its way: cut, frozen, slowed, garbled, repeated.
import type { Millis } from '../contract.ts'
import type { ApiStream, Clock } from '../ports.ts'
import { sleep } from './sleep.ts'

/** Faults of a stream; they begin after that many good lines. */
export type StreamFault =
  /** The connection is reset. */
  | Readonly<{ is: 'cut'; after: number }>
  /** The server ends it in good order. */
  | Readonly<{ is: 'end'; after: number }>
  /** Half a line, then the end. */
  | Readonly<{ is: 'truncate'; after: number }>
  /** A line that is no event; the next ones are good. */
  | Readonly<{ is: 'garbage'; after: number }>
  /** Half open: nothing comes any more, and nobody says so. */
  | Readonly<{ is: 'freeze'; after: number }>
  /** Each line takes so long. */
  | Readonly<{ is: 'drip'; after: number; each: Millis }>
  /** Every line comes so much later. */
  | Readonly<{ is: 'lag'; after: number; by: Millis }>
  /** All lines so far come again, in order. */
  | Readonly<{ is: 'repeat'; after: number }>
  /** An ERROR event, then the end. */
  | Readonly<{ is: 'error'; after: number; status: number; reason: string; message?: string }>
  /** Bookmarks are left out. */
  | Readonly<{ is: 'no-bookmarks'; after: number }>

/** The stream with the fault in it. */
export function bentLines(real: ApiStream, fault: StreamFault, clock: Clock): ApiStream {
  const closing = new AbortController()
  const close = () => {
    closing.abort()
    real.close()
  }
  const closed = () =>
    new Promise<void>(done => {
      if (closing.signal.aborted) done()
      closing.signal.addEventListener('abort', () => done())
    })

  async function* lines(): AsyncGenerator<string> {
    const seen: string[] = []
    for await (const line of delayed(real.lines, fault, clock, closing.signal)) {
      if (closing.signal.aborted) return
      if (seen.length !== fault.after) {
        seen.push(line)
        if (!(fault.is === 'no-bookmarks' && line.includes('"BOOKMARK"'))) yield line
        continue
      }
      seen.push(line)
      if (fault.is === 'cut') throw new Error('connection reset')
      if (fault.is === 'end') return
      if (fault.is === 'freeze') return await closed()
      if (fault.is === 'truncate') return yield line.slice(0, Math.floor(line.length / 2))
      if (fault.is === 'error') return yield errorLine(fault)
      if (fault.is === 'garbage') yield '{"type":"ADD'
      if (fault.is === 'repeat') yield* [...seen]
      if (fault.is !== 'no-bookmarks' || !line.includes('"BOOKMARK"')) yield line
    }
  }
  return { status: real.status, headers: real.headers, lines: lines(), close }
}

function errorLine({ status, reason, message = `injected ${status}` }: Extract<StreamFault, { is: 'error' }>): string {
  const object = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status }
  return JSON.stringify({ type: 'ERROR', object })
}

/** Lines in order, each after its time: `drip` takes time per line, `lag` moves all of them. */
async function* delayed(lines: AsyncIterable<string>, fault: StreamFault, clock: Clock, signal: AbortSignal) {
  if (fault.is !== 'drip' && fault.is !== 'lag') return yield* lines
  if (fault.is === 'drip') {
    for await (const line of lines) {
      await sleep(clock, fault.each, signal)
      yield line
    }
    return
  }
  // Read as they come and note when, so that a burst stays a burst.
  const waiting: { at: Millis; line: string }[] = []
  let isOver = false
  let wake = () => {}
  const read = async () => {
    try {
      for await (const line of lines) {
        waiting.push({ at: clock.now() + fault.by, line })
        wake()
      }
    } finally {
      isOver = true
      wake()
    }
  }
  const reading = read()
  reading.catch(() => {})
  while (!signal.aborted) {
    const next = waiting.shift()
    if (next) {
      await sleep(clock, next.at - clock.now(), signal)
      yield next.line
    } else if (isOver) return await reading
    else
      await new Promise<void>(done => {
        wake = done
        signal.addEventListener('abort', () => done(), { once: true })
      })
  }
}
