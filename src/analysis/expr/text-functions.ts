// The built-in functions on texts.
import { fail } from './errors.ts'
import { utf8 } from './escapes.ts'
import { type Fields, goJsonValue, toGoJson } from './json-functions.ts'
import { asText } from './operators.ts'
import { isList, itemsOf, named, type Value } from './values.ts'

type Call = (args: readonly Value[]) => Value

const text = (value: Value | undefined): string => asText(value ?? null)
const countOf = (value: Value | undefined): number => (typeof value === 'bigint' ? Number(value) : -1)

const SPACE = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
/** What Go takes for blanks at both ends of a text. */
export const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g')

function trim(args: readonly Value[]): Value {
  const value = text(args[0])
  if (args.length < 2) return value.replace(EDGES, '')
  const set = new Set(Array.from(text(args[1])))
  const chars = Array.from(value)
  const start = chars.findIndex(char => !set.has(char))
  return start < 0 ? '' : chars.slice(start, chars.findLastIndex(char => !set.has(char)) + 1).join('')
}

/** Parts of a text; `limit` below zero is none. */
function split(value: string, separator: string, limit: number, keep: boolean): Value {
  if (limit === 0) return named('[]string', [])
  const all = separator === '' ? Array.from(value) : value.split(separator)
  const parts =
    limit > 0 && all.length > limit ? [...all.slice(0, limit - 1), all.slice(limit - 1).join(separator)] : all
  const kept = keep ? parts.map((part, at) => (at < parts.length - 1 ? part + separator : part)) : parts
  return named('[]string', kept)
}

function replace(args: readonly Value[]): Value {
  const [value, from, to] = [text(args[0]), text(args[1]), text(args[2])]
  const limit = args.length > 3 ? countOf(args[3]) : -1
  if (limit < 0) return from === '' ? betweenAll(value, to, -1) : value.replaceAll(from, () => to)
  if (from === '') return betweenAll(value, to, limit)
  const parts = value.split(from)
  const used = parts.slice(0, limit + 1)
  return [used.join(to), ...parts.slice(limit + 1)].join(from)
}

function betweenAll(value: string, to: string, limit: number): string {
  const places = ['', ...Array.from(value)]
  return places.map((char, at) => char + (limit < 0 || at < limit ? to : '')).join('')
}

function repeat(args: readonly Value[]): Value {
  const [value, count] = [text(args[0]), countOf(args[1])]
  if (count < 0) return fail(`invalid argument for repeat (expected positive integer, got ${args[1]})`)
  if (utf8(value).length * count >= 1_000_000) return fail('memory budget exceeded')
  return value.repeat(count)
}

/** Places are counted in bytes. */
const place = (value: string, at: number): Value => (at < 0 ? -1n : BigInt(utf8(value.slice(0, at)).length))

function join(args: readonly Value[]): Value {
  const [list = null, glue = ''] = args
  if (!isList(list)) return fail('invalid argument for join')
  return itemsOf(list)
    .map(item => text(item))
    .join(text(glue))
}

/** Upper and lower case character by character: a sharp s stays one. */
const mapped = (value: string, change: (char: string) => string): string =>
  Array.from(value, char => (Array.from(change(char)).length === 1 ? change(char) : char)).join('')

function fromBase64(value: string): Value {
  const wrong = /[^A-Za-z0-9+/=\r\n]/.exec(value)
  if (wrong) return fail(`illegal base64 data at input byte ${wrong.index}`)
  const clean = value.replace(/[\r\n]/g, '')
  if (clean.length % 4 !== 0) return fail(`illegal base64 data at input byte ${Math.floor(clean.length / 4) * 4}`)
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(clean), char => char.charCodeAt(0)))
  } catch {
    return fail('illegal base64 data at input byte 0')
  }
}

/** Functions by name. */
export const TEXT_FUNCTIONS: Readonly<Record<string, Call>> = {
  trim,
  trimPrefix: ([value, start = ' ']) =>
    text(value).startsWith(text(start)) ? text(value).slice(text(start).length) : text(value),
  trimSuffix: ([value, end = ' ']) =>
    text(value).endsWith(text(end)) && end !== '' ? text(value).slice(0, -text(end).length) : text(value),
  upper: ([value]) => mapped(text(value), char => char.toUpperCase()),
  lower: ([value]) => mapped(text(value), char => char.toLowerCase()),
  split: args => split(text(args[0]), text(args[1]), args.length > 2 ? countOf(args[2]) : -1, false),
  splitAfter: args => split(text(args[0]), text(args[1]), args.length > 2 ? countOf(args[2]) : -1, true),
  replace,
  repeat,
  join,
  indexOf: ([value, part]) => place(text(value), text(value).indexOf(text(part))),
  lastIndexOf: ([value, part]) => place(text(value), text(value).lastIndexOf(text(part))),
  hasPrefix: ([value, part]) => text(value).startsWith(text(part)),
  hasSuffix: ([value, part]) => text(value).endsWith(text(part)),
  toJSON: ([value = null]) => toGoJson(value),
  fromJSON: ([value]) => goJsonValue(text(value)) as Fields,
  toBase64: ([value]) => btoa(Array.from(utf8(text(value)), byte => String.fromCharCode(byte)).join('')),
  fromBase64: ([value]) => fromBase64(text(value)),
}
