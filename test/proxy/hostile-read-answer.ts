// A strict reader of HTTP/1.1 answers, for judging what a client got: the counterpart of hostile-read.ts.
import { chunksAt, fieldsAt, lineAt, Stop, stop, tokensOf, valuesOf } from './hostile-read.ts'

/** An answer that can be read in one way only. */
export type Got = Readonly<{
  status: number
  minor: number
  fields: readonly (readonly [string, string])[]
  body: string
  trailers: readonly (readonly [string, string])[]
  /** Statuses of the interim answers before it. */
  interim: readonly number[]
  /** Does the body end with the connection? */
  untilClose: boolean
  doubts: readonly string[]
}>

export type AnswerReading =
  | Readonly<{ kind: 'answer'; next: number; answer: Got }>
  | Readonly<{ kind: 'more' }>
  | Readonly<{ kind: 'bad'; why: string }>

const LINE = /^HTTP\/1\.([01]) ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/

/** Reads the answer to a `method` request that begins at `at`. `ended`: nothing more will come. */
export function readAnswer(text: string, at: number, method: string, ended: boolean): AnswerReading {
  try {
    return read(text, at, method, ended)
  } catch (error) {
    if (error instanceof Stop && error.reading.kind !== 'request') return error.reading
    throw error
  }
}

function read(text: string, begin: number, method: string, ended: boolean): AnswerReading {
  const interim: number[] = []
  for (let from = begin; ; ) {
    if (from === text.length) return { kind: 'more' }
    const first = lineAt(text, from)
    const [, minor, digits] = LINE.exec(first.line) ?? stop(`no status line: ${first.line.slice(0, 60)}`)
    const status = Number(digits)
    const { fields, next } = fieldsAt(text, first.next)
    const lengths = valuesOf(fields, 'content-length')
    const codings = valuesOf(fields, 'transfer-encoding')
    const doubts: string[] = []
    if (lengths.length + codings.length > 1) stop('framed twice')
    if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) stop(`Content-Length: ${lengths[0]}`)
    if (/^0\d/.test(lengths[0] ?? '')) doubts.push('a length that looks octal')
    if (codings[0] !== undefined && (codings[0].toLowerCase() !== 'chunked' || minor === '0'))
      stop(`Transfer-Encoding: ${codings[0]}`)
    for (const token of tokensOf(fields, 'connection'))
      if (token === 'content-length' || token === 'transfer-encoding') stop(`Connection names ${token}`)
    const isBare = status < 200 || status === 204
    if (isBare && lengths.length + codings.length > 0) doubts.push(`framing with ${status}`)
    if (status < 200 && status !== 101) {
      interim.push(status)
      from = next
      continue
    }
    const head = { status, minor: Number(minor), fields, interim, trailers: [], untilClose: false, doubts }
    const whole = (end: number, more: Partial<Got>): AnswerReading => {
      return { kind: 'answer', next: end, answer: { ...head, body: '', ...more } }
    }
    if (isBare || status === 304 || method === 'HEAD') return whole(next, {})
    if (codings.length > 0) {
      const { next: end, body, trailers } = chunksAt(text, next, doubts)
      return whole(end, { body, trailers })
    }
    if (lengths[0] !== undefined) {
      const end = next + Number(lengths[0])
      return end > text.length ? { kind: 'more' } : whole(end, { body: text.slice(next, end) })
    }
    return ended ? whole(text.length, { body: text.slice(next), untilClose: true }) : { kind: 'more' }
  }
}

const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'upgrade']

/** What a proxy must not have left in an answer. */
export function dirtInAnswer({ fields, doubts, minor, status }: Got): string[] {
  const dirt = [...doubts]
  for (const [name] of fields) if (HOP_BY_HOP.includes(name)) dirt.push(`${name} is for one hop only`)
  for (const token of tokensOf(fields, 'connection'))
    if (!['keep-alive', 'close'].includes(token)) dirt.push(`Connection: ${token}`)
  if (minor !== 1) dirt.push('in the name of HTTP/1.0')
  if (status === 101) dirt.push('a change of protocols')
  return dirt
}
