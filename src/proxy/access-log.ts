// One line of JSON for a request, in batches, never in anybody's way: what the disk does not take in time is dropped and
// counted. Queries and headers are left out: they hold secrets.
import { closeSync, fstatSync, openSync, statSync, write } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import type { Asked } from './asked.ts'
import { pathOf } from './match.ts'
import type { SeriesName } from './series.ts'

/** Where lines go (`-`: standard output), and the share of requests that get one, 0 to 1. */
export type AccessLogSpec = Readonly<{ file: string; sample: number }>

/** What is known of a request at its begin. `client`: the address of the peer, or of whom the PROXY protocol names. */
export type Note = Readonly<{ client: string; method: string; host: string; path: string }> & {
  /** The trace id, where traces are begun. */
  trace?: string
}

export type AccessLog = Readonly<{
  /** Undefined: this one gets no line. */
  begin(asked: Asked, client: string): Note | undefined
  /** `status` 0: the client left before an answer; `ms` milliseconds. */
  end(note: Note, series: SeriesName, status: number, ms: number): void
  /** Writes what is left, as far as it is taken within a second. */
  close(): Promise<void>
}>

const EVERY_MS = 200
const MOST_WAITING = 1024 * 1024
/** The name is looked at this often, in milliseconds. */
const LOOK_MS = 1000
/** A pipe that is full is tried again so soon. */
const FULL_MS = 10
const CLOSE_MS = 1000
const NOTHING = Buffer.alloc(0)
const NEWLINE = 10

/** Opens the log. Raises UserError PIN4008 when the file cannot be written. */
export function openAccessLog({ file, sample }: AccessLogSpec, now: () => number = Date.now): AccessLog {
  const target = openTarget(file)
  // A fixed sequence instead of chance: of 100 requests at 0.05 exactly 5 get a line.
  let owed = 0
  let waiting: string[] = []
  let size = 0
  let dropped = 0
  /** What the file has not taken yet of the batch under way. */
  let batch = NOTHING
  let isWriting = false

  const flush = (): void => {
    if (isWriting) return
    if (batch.length === 0) {
      if (waiting.length === 0 && dropped === 0) return
      if (dropped > 0) waiting.push(`${JSON.stringify({ time: new Date(now()).toISOString(), dropped })}\n`)
      batch = Buffer.from(waiting.join(''))
      dropped = 0
      waiting = []
      size = 0
    }
    isWriting = true
    write(target.fd(), batch, 0, batch.length, null, (error, taken) => {
      isWriting = false
      if (!error) {
        batch = batch.subarray(taken)
        if (batch.length > 0) flush()
      } else if (error.code === 'EAGAIN') setTimeout(flush, FULL_MS).unref()
      else {
        dropped += linesOf(batch)
        batch = NOTHING
      }
    })
  }
  const timer = setInterval(flush, EVERY_MS).unref()
  return {
    begin(asked, client) {
      owed += sample
      if (owed < 1) return undefined
      owed -= 1
      return { client, method: asked.method(), host: asked.host(), path: pathOf(asked.target()) }
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
    async close() {
      clearInterval(timer)
      const end = performance.now() + CLOSE_MS
      while (isWriting || batch.length > 0 || waiting.length > 0 || dropped > 0) {
        flush()
        if (performance.now() > end) break
        await sleep(5)
      }
      if (!isWriting) target.close()
    },
  }
}

const linesOf = (batch: Buffer): number => batch.reduce((lines, octet) => lines + (octet === NEWLINE ? 1 : 0), 0)

type Target = Readonly<{ fd(): number; close(): void }>

/** A file by its name: where it was renamed or deleted (logs are rotated), another one is begun. */
function openTarget(file: string): Target {
  if (file === '-') return { fd: () => 1, close: () => {} }
  let fd = open(file)
  let { ino } = fstatSync(fd)
  let looked = performance.now()
  return {
    fd() {
      if (performance.now() - looked < LOOK_MS) return fd
      looked = performance.now()
      try {
        if (statSync(file, { throwIfNoEntry: false })?.ino === ino) return fd
        const next = openSync(file, 'a')
        closeSync(fd)
        fd = next
        ino = fstatSync(fd).ino
      } catch {
        // The old one still takes lines.
      }
      return fd
    },
    close: () => closeSync(fd),
  }
}

function open(file: string): number {
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
