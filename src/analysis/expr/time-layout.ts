// Points in time as Go reads them: by a layout that shows how the reference time (Mon Jan 2 15:04:05 2006) would be written.
import { timeQuote } from '../../api/duration.ts'

/** What a text says of a time. `offset`: minutes from UTC, where the text names them. */
export type Parts = Readonly<{
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  fraction: string
  offset?: number
}>

type Draft = { -readonly [K in keyof Parts]: Parts[K] } & { half?: 'am' | 'pm'; range?: string }

/** Reads one element: the length that it takes; undefined when it is not there. */
type Reader = (text: string, into: Draft) => number | undefined

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October']
MONTHS.push('November', 'December')
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const short = (names: readonly string[]): readonly string[] => names.map(name => name.slice(0, 3))

/** A number of one or two digits; `isFixed`: of two. */
const number =
  (isFixed: boolean, put: (value: number, into: Draft) => void): Reader =>
  (text, into) => {
    const digits = (isFixed ? /^\d\d/ : /^\d\d?/).exec(text)?.[0]
    if (digits !== undefined) put(Number(digits), into)
    return digits?.length
  }

const ranged =
  (what: 'month' | 'hour' | 'minute' | 'second', least: number, most: number) => (value: number, into: Draft) => {
    into[what] = value
    if (value < least || value > most) into.range ??= what
  }

const name =
  (names: readonly string[], put: (index: number, into: Draft) => void): Reader =>
  (text, into) => {
    const index = names.findIndex(one => text.slice(0, one.length).toLowerCase() === one.toLowerCase())
    if (index >= 0) put(index, into)
    return index < 0 ? undefined : names[index]!.length
  }

const month = (index: number, into: Draft) => {
  into.month = index + 1
}
const day = (value: number, into: Draft) => {
  into.day = value
}
const nothing = () => {}

const half =
  (upper: boolean): Reader =>
  (text, into) => {
    const given = text.slice(0, 2)
    const known = upper ? ['AM', 'PM'] : ['am', 'pm']
    if (!known.includes(given)) return undefined
    into.half = given.toLowerCase() as 'am' | 'pm'
    return 2
  }

const offset =
  (form: RegExp, mayBeUtc: boolean): Reader =>
  (text, into) => {
    if (mayBeUtc && text.startsWith('Z')) {
      into.offset = 0
      return 1
    }
    const [all, sign, hours = '0', minutes = '0'] = form.exec(text) ?? []
    if (all === undefined) return undefined
    if (Number(hours) > 24) into.range ??= 'time zone offset hour'
    if (Number(minutes) >= 60) into.range ??= 'time zone offset minute'
    into.offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
    return all.length
  }

/** A zone by its letters: Go knows no length for them, but in GMT+3. */
const zone: Reader = (text, into) => {
  const letters = /^(?:UTC|GMT[+-]\d{1,2}|ChST|MeST|[A-Z]{3}T|[A-Z]{4}T|WITA|[A-Z]{3}(?![A-Z])|[+-]\d\d)/.exec(
    text,
  )?.[0]
  if (letters === undefined) return undefined
  into.offset = letters.startsWith('GMT') ? Number(letters.slice(3)) * 60 : 0
  return letters.length
}

const fraction =
  (digits: number, isOptional: boolean): Reader =>
  (text, into) => {
    const found = (isOptional ? /^[.,]\d+/ : new RegExp(`^[.,]\\d{${digits}}`)).exec(text)?.[0]
    if (found === undefined) return isOptional ? 0 : undefined
    into.fraction = found.slice(0, 10)
    return found.length
  }

const year =
  (size: 2 | 4): Reader =>
  (text, into) => {
    const digits = (size === 2 ? /^\d\d/ : /^\d{4}/).exec(text)?.[0]
    if (digits === undefined) return undefined
    const value = Number(digits)
    into.year = size === 4 ? value : value >= 69 ? value + 1900 : value + 2000
    return size
  }

const second = (isFixed: boolean): Reader => number(isFixed, ranged('second', 0, 59))

/** Elements of layouts; the first that fits stands. */
const ELEMENTS: readonly (readonly [RegExp, Reader])[] = [
  [/^January/, name(MONTHS, month)],
  [/^Jan(?![a-z])/, name(short(MONTHS), month)],
  [/^Monday/, name(DAYS, nothing)],
  [/^Mon(?![a-z])/, name(short(DAYS), nothing)],
  [/^MST/, zone],
  [/^01/, number(true, ranged('month', 1, 12))],
  [/^02/, number(true, day)],
  [/^03/, number(true, ranged('hour', 0, 12))],
  [/^04/, number(true, ranged('minute', 0, 59))],
  [/^05/, second(true)],
  [/^06/, year(2)],
  [/^15/, number(false, ranged('hour', 0, 23))],
  [/^1/, number(false, ranged('month', 1, 12))],
  [/^2006/, year(4)],
  [/^_2(?!006)/, (text, into) => (text.startsWith(' ') ? one(text, into) : number(false, day)(text, into))],
  [/^2/, number(false, day)],
  [/^3/, number(false, ranged('hour', 0, 12))],
  [/^4/, number(false, ranged('minute', 0, 59))],
  [/^5/, second(false)],
  [/^PM/, half(true)],
  [/^pm/, half(false)],
  [/^-07:00/, offset(/^([+-])(\d\d):(\d\d)/, false)],
  [/^-0700/, offset(/^([+-])(\d\d)(\d\d)/, false)],
  [/^-07/, offset(/^([+-])(\d\d)/, false)],
  [/^Z07:00/, offset(/^([+-])(\d\d):(\d\d)/, true)],
  [/^Z0700/, offset(/^([+-])(\d\d)(\d\d)/, true)],
  [/^Z07/, offset(/^([+-])(\d\d)/, true)],
]

function one(text: string, into: Draft): number | undefined {
  const size = number(false, day)(text.slice(1), into)
  return size === undefined ? undefined : size + 1
}

type Element = Readonly<{ text: string; read: Reader }>

/** The element with which a layout begins. */
function elementOf(layout: string): Element | undefined {
  const digits = /^[.,](0+|9+)(?!\d)/.exec(layout)?.[0]
  if (digits !== undefined) return { text: digits, read: fraction(digits.length - 1, digits[1] === '9') }
  const [form, read] = ELEMENTS.find(([pattern]) => pattern.test(layout)) ?? []
  return form && read ? { text: form.exec(layout)![0], read } : undefined
}

/** The part of `value` behind `prefix`; `failedAt`: where it does not begin with it. Blanks may be more. */
function skip(value: string, prefix: string): Readonly<{ rest: string; isFound: boolean }> {
  let [rest, wanted] = [value, prefix]
  while (wanted !== '') {
    if (wanted.startsWith(' ')) {
      if (rest !== '' && !rest.startsWith(' ')) return { rest, isFound: false }
      ;[rest, wanted] = [rest.replace(/^ +/, ''), wanted.replace(/^ +/, '')]
      continue
    }
    if (rest[0] !== wanted[0]) return { rest, isFound: false }
    ;[rest, wanted] = [rest.slice(1), wanted.slice(1)]
  }
  return { rest, isFound: true }
}

/** A text read by a layout, or Go's words for why it cannot be. */
export function parseTime(layout: string, value: string): Parts | string {
  const mismatch = (wanted: string, found: string): string =>
    `parsing time ${timeQuote(value)} as ${timeQuote(layout)}: cannot parse ${timeQuote(found)} as ${timeQuote(wanted)}`
  const draft: Draft = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: '' }
  let [pattern, rest] = [layout, value]
  for (;;) {
    let size = 0
    while (size < pattern.length && !elementOf(pattern.slice(size))) size++
    const prefix = pattern.slice(0, size)
    const skipped = skip(rest, prefix)
    if (!skipped.isFound) return mismatch(prefix, skipped.rest)
    rest = skipped.rest
    const element = elementOf(pattern.slice(size))
    if (!element) break
    const taken = element.read(rest, draft)
    if (taken === undefined) return mismatch(element.text, rest)
    rest = rest.slice(taken)
    pattern = pattern.slice(size + element.text.length)
    // A fraction may follow seconds, though the layout does not show it.
    if (/^0?5$/.test(element.text) && !/^[.,](0|9)/.test(pattern))
      rest = rest.slice(fraction(0, true)(rest, draft) ?? 0)
    if (draft.range !== undefined) return `parsing time ${timeQuote(value)}: ${draft.range} out of range`
  }
  if (rest !== '') return `parsing time ${timeQuote(value)}: extra text: ${timeQuote(rest)}`
  return finished(draft) ?? `parsing time ${timeQuote(value)}: day out of range`
}

function finished({ half: part, range: _none, ...parts }: Draft): Parts | undefined {
  const hour = part === 'pm' && parts.hour < 12 ? parts.hour + 12 : part === 'am' && parts.hour === 12 ? 0 : parts.hour
  const last = new Date(0)
  last.setUTCFullYear(parts.year, parts.month, 0)
  return parts.day < 1 || parts.day > last.getUTCDate() ? undefined : { ...parts, hour }
}
