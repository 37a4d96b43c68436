// One line of JSON for a request, in batches, never in anybody's way: what the disk does not take in time is dropped and
// counted. Queries and headers are left out: they hold secrets.
import { openSync, write } from 'node:fs'
import { UserError } from '../errors.ts'
import type { Asked } from './asked.ts'
import { pathOf } from './match.ts'
import type { SeriesName } from './series.ts'

/** Where lines go (`-`: standard output), and the share of requests that get one, 0 to 1. */
export type AccessLogSpec = Readonly<{ file: string; sample: number }>

/** What is known of a request at its begin. */
export type Note = Readonly<{ method: string; host: string; path: string }> & {
  /** The trace id, where traces are begun. */
  trace?: string
}

export type AccessLog = Readonly<{
  /** Undefined: this one gets no line. */
  begin(asked: Asked): Note | undefined
  /** `status` 0: the client left before an answer; `ms` milliseconds. */
  end(note: Note, series: SeriesName, status: number, ms: number): void
  /** Writes what is left. */
  close(): void
}>

const EVERY_MS = 200
const MOST_WAITING = 1024 * 1024

/** Opens the log. Raises UserError PIN4008 when the file cannot be written. */
export function openAccessLog({ file, sample }: AccessLogSpec, now: () => number = Date.now): AccessLog {
  const fd = open(file)
  // A fixed sequence instead of chance: of 100 requests at 0.05 exactly 5 get a line.
  let owed = 0
  let waiting: string[] = []
  let size = 0
  let dropped = 0
  let isWriting = false

  const flush = (): void => {
    if (isWriting || waiting.length === 0) return
    if (dropped > 0) waiting.push(`${JSON.stringify({ time: new Date(now()).toISOString(), dropped })}\n`)
    dropped = 0
    const text = waiting.join('')
    waiting = []
    size = 0
    isWriting = true
    write(fd, text, error => {
      isWriting = false
      if (error) dropped++
    })
  }
  const timer = setInterval(flush, EVERY_MS).unref()
  return {
    begin(asked) {
      owed += sample
      if (owed < 1) return undefined
      owed -= 1
      return { method: asked.method(), host: asked.host(), path: pathOf(asked.target()) }
    },
    end(note, { route, role, hash }, status, ms) {
      if (size > MOST_WAITING) {
        dropped++
        return
      }
      const time = new Date(now()).toISOString()
      const line = `${JSON.stringify({ time, ...note, status, ms: Math.round(ms * 1000) / 1000, route, role, hash })}\n`
      waiting.push(line)
      size += line.length
    },
    close() {
      clearInterval(timer)
      flush()
    },
  }
}

function open(file: string): number {
  if (file === '-') return 1
  try {
    return openSync(file, 'a')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError(
      'PIN4008',
      `cannot write the access log ${file}: ${why}`,
      'Name a file that this user may write.',
    )
  }
}
