// Duration texts such as 1h30m, and the lengths of time that spec fields stand for.

const UNIT: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const LIMIT = 2n ** 63n

/** A length of time, or why the text is none. `ms` may have a fraction and a sign. */
export type ParsedDuration =
  | { readonly ms: number; readonly error?: undefined }
  | { readonly error: string; readonly ms?: undefined }

/** Go's duration text: an optional sign and one or more of number and unit (h, m, s, ms, us, µs, ns), at most 292
 * years. Source: the error texts of Go's time package, which users know from the reference. */
export function parseGoDuration(text: string): ParsedDuration {
  const parsed = nanoseconds(text)
  return typeof parsed === 'string'
    ? { error: parsed }
    : { ms: Number(parsed / 1_000_000n) + Number(parsed % 1_000_000n) / 1e6 }
}

/** Nanoseconds, or the error text. */
function nanoseconds(text: string): bigint | string {
  const invalid = `time: invalid duration ${timeQuote(text)}`
  const isNegative = text.startsWith('-')
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0n
  if (body === '') return invalid
  let sum = 0n
  for (let rest = body; rest !== ''; ) {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)
    const [all = '', whole = '', fraction = ''] = number ?? []
    if ((whole === '' && fraction === '') || BigInt(whole || '0') > LIMIT) return invalid
    rest = rest.slice(all.length)
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? ''
    if (unit === '') return `time: missing unit in duration ${timeQuote(text)}`
    const factor = UNIT[unit]
    if (factor === undefined || !Object.hasOwn(UNIT, unit)) {
      return `time: unknown unit ${timeQuote(unit)} in duration ${timeQuote(text)}`
    }
    rest = rest.slice(unit.length)
    sum += BigInt(whole || '0') * factor + (BigInt(fraction || '0') * factor) / 10n ** BigInt(fraction.length)
    if (sum > LIMIT) return invalid
  }
  // The smallest 64-bit number has no positive counterpart: only the negative text reaches it.
  if (!isNegative && sum === LIMIT) return invalid
  return isNegative ? -sum : sum
}

/** Text in quotes as Go's time package writes it: bytes that are not plain ASCII in hexadecimal. */
export const timeQuote = (text: string): string => `"${[...text].map(quotedCharacter).join('')}"`

function quotedCharacter(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  if (character >= ' ' && character < '\u0080') return character
  const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`
  return [...new TextEncoder().encode(character)].map(hex).join('')
}

/** Seconds of a pause step: a number, digits in quotes, or a duration text cut to whole seconds. Undefined: for
 * ever. -1: unreadable, refused by validation. // argo: -0.5s is 0 and passes */
export function pauseSeconds(duration: number | string | null | undefined): number | undefined {
  if (duration === undefined || duration === null) return undefined
  if (typeof duration === 'number') return duration
  if (/^[+-]?\d+$/.test(duration)) return wholeNumber(duration)
  const { ms } = parseGoDuration(duration)
  const seconds = ms === undefined ? -1 : Math.trunc(ms / 1000) + 0
  // argo: more than 32 bits can hold is the least of them, so it is refused.
  return Math.abs(seconds) < 2 ** 31 ? seconds : -(2 ** 31)
}

/** Decimal digits as a number, -1 beyond 32 bits. */
function wholeNumber(digits: string): number {
  const value = Number(digits)
  return value >= -(2 ** 31) && value < 2 ** 31 ? value + 0 : -1
}

/** Milliseconds of an experiment. Undefined: it does not end by itself. // argo: so also for unreadable text */
export const experimentMs = (duration: string | undefined): number | undefined =>
  duration === undefined ? undefined : parseGoDuration(duration).ms

/** Milliseconds of a metric's interval or initialDelay, undefined when unset. The error is the message of the run. */
export function metricDuration(
  index: number,
  field: 'interval' | 'initialDelay',
  value: string | undefined,
): { ms: number | undefined; error?: undefined } | { error: string; ms?: undefined } {
  if (value === undefined || value === '') return { ms: undefined }
  const parsed = parseGoDuration(value)
  if (parsed.error === undefined) return parsed
  // argo: the message calls the field by an older name.
  const name = field === 'interval' ? 'interval' : 'startDelay'
  return { error: `metrics[${index}]: invalid ${name} string: ${parsed.error}` }
}

type TtlStrategy = Readonly<{
  secondsAfterCompletion?: number
  secondsAfterFailure?: number
  secondsAfterSuccess?: number
}>

/** Seconds that an ended run is kept; it goes when more than that have passed. Undefined: it stays. */
export function runTtl(ttl: TtlStrategy | undefined, phase: string): number | undefined {
  if (phase === 'Successful') return ttl?.secondsAfterSuccess ?? ttl?.secondsAfterCompletion
  if (phase === 'Failed') return ttl?.secondsAfterFailure ?? ttl?.secondsAfterCompletion
  return ttl?.secondsAfterCompletion
}
