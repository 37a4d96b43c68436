// What the proxy may add to requests and answers for those who look at them later: RFC 7239 Forwarded, W3C trace context,
// and which version answered. All of it is off unless asked for.
import { randomFillSync } from 'node:crypto'

export type Marks = Readonly<{
  /** Also write Forwarded (RFC 7239) beside X-Forwarded-*. */
  forwarded?: boolean
  /** Start a trace where a request brings none that is valid; the share of those that are marked as sampled, 0 to 1. */
  trace?: number
  /** Name of a header on answers: the role and the hash of the version that gave it. */
  versionHeader?: string
  /** Server-Timing on answers: the version, and the milliseconds up to the head of its answer. */
  serverTiming?: boolean
}>

/** `for=…` of RFC 7239 section 6: IPv6 in brackets, and then quoted. */
const nodeOf = (peer: string): string => (peer.includes(':') ? `"[${peer}]"` : peer === '' ? 'unknown' : peer)

/** The element of this hop up to the value of its host, whose quote is open; hosts have no character that quotes mind. */
export const forwardedBegin = (peer: string, proto: string): string => `for=${nodeOf(peer)};proto=${proto};host="`

/** The element of this hop. */
export const forwardedElement = (peer: string, proto: string, host: string): string =>
  `${forwardedBegin(peer, proto)}${host}"`

// W3C Trace Context 3.2: version 00 has exactly four parts; later versions may have more.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/

/** Is it a traceparent to be passed on? */
export const isTraceparent = (text: string): boolean =>
  TRACEPARENT.test(text) && !(text.startsWith('00') && text.length !== 55)

/** The trace id in a traceparent. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)

const POOL = 24 * 256
const random = Buffer.alloc(POOL)
let used = POOL
let owed = 0

/** A new traceparent; of a hundred at `sample` 0.05 exactly five say that they are sampled. */
export function newTraceparent(sample: number): string {
  if (used === POOL) {
    randomFillSync(random)
    used = 0
  }
  const trace = random.toString('hex', used, used + 16)
  const span = random.toString('hex', used + 16, used + 24)
  used += 24
  owed += sample
  const isSampled = owed >= 1
  if (isSampled) owed -= 1
  return `00-${trace}-${span}-${isSampled ? '01' : '00'}`
}

/** The lines on an answer of this version, `ms` after the request. */
export function answerMarks(
  { versionHeader, serverTiming }: Marks,
  version: Readonly<{ role: string; hash: string }>,
  ms: number,
): readonly (readonly [name: string, value: string])[] {
  const { role, hash } = version
  return [
    ...(versionHeader === undefined ? [] : [[versionHeader, hash === '' ? role : `${role} ${hash}`] as const]),
    ...(serverTiming
      ? [['Server-Timing', `pintle;desc="${hash === '' ? role : `${role} ${hash}`}";dur=${ms.toFixed(1)}`] as const]
      : []),
  ]
}
