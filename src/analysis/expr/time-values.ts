// Times and lengths of time in conditions.
import { parseGoDuration } from '../../api/duration.ts'
import { fail } from './errors.ts'
import { asText, fetch } from './operators.ts'
import { type Parts, parseTime } from './time-layout.ts'
import {
  type Instant,
  instant,
  isInstant,
  isSpan,
  printed,
  type Span,
  span,
  spanText,
  typeName,
  type Value,
} from './values.ts'

const SECOND = 1_000_000_000n
const MINUTE = 60n * SECOND

/** duration("1h30m"). */
export function durationOf(value: Value): Span {
  const parsed = parseGoDuration(asText(value))
  return parsed.ms === undefined ? fail(parsed.error) : span(BigInt(Math.round(parsed.ms * 1e6)))
}

/** The layouts that date() tries where it is given none. */
const LAYOUTS = [
  '2006-01-02',
  '15:04:05',
  '2006-01-02 15:04:05',
  '2006-01-02T15:04:05Z07:00',
  '02 Jan 06 15:04 MST',
  'Monday, 02-Jan-06 15:04:05 MST',
  'Mon, 02 Jan 2006 15:04:05 MST',
]

/** date(text), date(text, layout), date(text, layout, timezone). */
export function dateOf(args: readonly Value[]): Instant {
  const text = asText(args[0] ?? null)
  if (args.length === 1) {
    for (const layout of LAYOUTS) {
      const parts = parseTime(layout, text)
      if (typeof parts !== 'string') return instantOf(parts)
    }
    return fail(`invalid date ${text}`)
  }
  const layout = asText(args[1] ?? null)
  const zone = args.length > 2 ? asText(args[2] ?? null) : undefined
  if (zone !== undefined) offsetAt(0, zone)
  const parts = parseTime(layout, text)
  if (typeof parts === 'string') return fail(parts)
  const found = instantOf(parts)
  return zone === undefined || parts.offset !== undefined ? found : inZone(found, zone)
}

const zoneMinutes = (zone: string): number =>
  (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)))

function instantOf({ year, month, day, hour, minute, second, fraction, offset = 0 }: Parts): Instant {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  const nanos = BigInt(fraction.slice(1).padEnd(9, '0').slice(0, 9))
  return instant(BigInt(date.getTime()) * 1_000_000n + nanos - BigInt(offset) * MINUTE, offset)
}

/** The same clock reading in a zone of the time-zone database. */
function inZone(local: Instant, zone: string): Instant {
  const guess = Number(local.ns / 1_000_000n)
  const first = offsetAt(guess, zone)
  const offset = offsetAt(guess - first * 60_000, zone)
  return instant(local.ns - BigInt(offset) * MINUTE, offset)
}

function offsetAt(ms: number, zone: string): number {
  try {
    const format = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    const name = format.formatToParts(new Date(ms)).find(part => part.type === 'timeZoneName')?.value ?? 'GMT'
    return name === 'GMT' ? 0 : zoneMinutes(name.slice(3))
  } catch {
    return fail(`unknown time zone ${zone}`)
  }
}

const ratio = (ns: bigint, unit: bigint): number => Number(ns / unit) + Number(ns % unit) / Number(unit)

function spanMethod({ ns }: Span, name: string): Value | undefined {
  switch (name) {
    case 'Hours':
      return ratio(ns, 60n * MINUTE)
    case 'Minutes':
      return ratio(ns, MINUTE)
    case 'Seconds':
      return ratio(ns, SECOND)
    case 'Milliseconds':
      return ns / 1_000_000n
    case 'Microseconds':
      return ns / 1000n
    case 'Nanoseconds':
      return ns
    case 'Abs':
      return span(ns < 0n ? -ns : ns)
    case 'String':
      return spanText(ns)
    default:
      return undefined
  }
}

function instantMethod(time: Instant, name: string, args: readonly Value[]): Value | undefined {
  const other = args[0] ?? null
  const local = new Date(Number(time.ns / 1_000_000n) + time.offset * 60_000)
  const ns = isInstant(other) || isSpan(other) ? other.ns : 0n
  switch (name) {
    case 'Year':
      return BigInt(local.getUTCFullYear())
    case 'Month':
      return BigInt(local.getUTCMonth() + 1)
    case 'Day':
      return BigInt(local.getUTCDate())
    case 'Hour':
      return BigInt(local.getUTCHours())
    case 'Minute':
      return BigInt(local.getUTCMinutes())
    case 'Second':
      return BigInt(local.getUTCSeconds())
    case 'Weekday':
      return BigInt(local.getUTCDay())
    case 'Unix':
      return time.ns / SECOND
    case 'UnixMilli':
      return time.ns / 1_000_000n
    case 'UnixNano':
      return time.ns
    case 'Add':
      return instant(time.ns + ns, time.offset)
    case 'Sub':
      return span(time.ns - ns)
    case 'Before':
      return time.ns < ns
    case 'After':
      return time.ns > ns
    case 'Equal':
      return time.ns === ns
    case 'UTC':
      return instant(time.ns)
    case 'String':
      return printed(time)
    default:
      return undefined
  }
}

/** Calls a method of a time or a duration. Throws ExprError for all else. */
export function callMethod(base: Value, name: string, args: readonly Value[]): Value {
  if (base === null) return fail(`cannot fetch ${name} from <nil>`)
  const result = isSpan(base) ? spanMethod(base, name) : isInstant(base) ? instantMethod(base, name, args) : undefined
  if (result !== undefined) return result
  const field = fetch(base, name)
  return fail(`invalid operation: cannot call ${field === null ? 'nil' : `non-function of type ${typeName(field)}`}`)
}
