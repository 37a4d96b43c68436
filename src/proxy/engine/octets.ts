// What single octets may be, as tables: names, values, targets, hosts, digits. RFC 9110 5.6.2, RFC 9112, RFC 3986.

import { isIPv6 } from 'node:net'

const MOST_PORT = 65_535

const table = (allowed: (octet: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, octet) => (allowed(octet) ? 1 : 0))

const isLetter = (c: number): boolean => (c | 32) >= 97 && (c | 32) <= 122
const isDigit = (c: number): boolean => c >= 48 && c <= 57
const among = (text: string) => {
  const set = new Set(Buffer.from(text))
  return (c: number) => set.has(c)
}
const tokenMarks = among("!#$%&'*+-.^_`|~")
// Of RFC 3986, but for percent signs and commas: no name in use has them, and what decodes or splits it finds another.
const hostMarks = among("._~!$&'()*+;=-")
const ipv6Marks = among(':.')

/** Of a field name or a method. */
export const TOKEN = table(c => isLetter(c) || isDigit(c) || tokenMarks(c))
/** Of a field value: everything but controls; the tab is no control here. */
export const VALUE = table(c => c === 9 || (c >= 32 && c !== 127))
/** Of a request target: what can be seen in ASCII, without the fragment's mark, which never leaves a client. */
export const TARGET = table(c => c > 32 && c < 127 && c !== 35)
/** Of a host name, outside of brackets. */
export const HOST = table(c => isLetter(c) || isDigit(c) || hostMarks(c))
/** Of an IPv6 address, inside of brackets. */
export const IPV6 = table(c => isDigit(c) || ((c | 32) >= 97 && (c | 32) <= 102) || ipv6Marks(c))
/** The value of a hexadecimal digit; 255 for what is none. */
export const HEX = Uint8Array.from({ length: 256 }, (_, c) =>
  isDigit(c) ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : 255,
)

/** A lower-case name for `isName`. */
export const lower = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.toLowerCase(), 'latin1'))

/** Do the octets at `at` spell `name`, whatever their case? The caller has compared the lengths and that they are token
 * octets: then folding by bit 5 is right for letters and does not confuse the hyphen with anything. */
export function isName(buf: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if ((buf[at + i]! | 32) !== name[i]) return false
  return true
}

/** The name but for its hyphens, each of which is something else: some servers take `Content_Length` for the real one.
 * The caller has compared the lengths. */
export function resembles(buf: Uint8Array, at: number, name: Uint8Array): boolean {
  let isOther = false
  for (let i = 0; i < name.length; i++) {
    const c = buf[at + i]! | 32
    if (c === name[i]) continue
    if (name[i] !== 45 || (c >= 97 && c <= 122)) return false
    isOther = true
  }
  return isOther
}

const HOST_NAME = lower('host')
const CONTENT_LENGTH = lower('contentlength')
const TRANSFER_ENCODING = lower('transferencoding')

/** Do the letters of a name of `size` octets spell a framing field, whatever stands between and around them, or Host with a
 * mark behind it? If it is not that field, then it looks like it: some servers map the marks in names, or drop them. */
export function spellsFraming(buf: Uint8Array, at: number, size: number): boolean {
  if (size === 5) return isName(buf, at, HOST_NAME) && !isLetter(buf[at + 4]!)
  if (size < CONTENT_LENGTH.length) return false
  const first = buf[at]! | 32
  // Most names are told by their first letter.
  if (isLetter(first) && first !== CONTENT_LENGTH[0] && first !== TRANSFER_ENCODING[0]) return false
  return hasLetters(buf, at, size, CONTENT_LENGTH) || hasLetters(buf, at, size, TRANSFER_ENCODING)
}

function hasLetters(buf: Uint8Array, at: number, size: number, letters: Uint8Array): boolean {
  let count = 0
  for (let i = at; i < at + size; i++) {
    const c = buf[i]! | 32
    if (isLetter(c) && c !== letters[count++]) return false
  }
  return count === letters.length
}

/** Is [from, to) an authority: a name or a bracketed IPv6 address, with an optional port? An empty one is none, and so is
 * a name with an empty label, but for the last. */
export function isAuthority(buf: Buffer, from: number, to: number): boolean {
  let i = from
  if (buf[i] === 91) {
    i++
    const first = i
    while (i < to && IPV6[buf[i]!] === 1) i++
    if (i >= to || buf[i] !== 93 || !isIPv6(buf.toString('latin1', first, i))) return false
    i++
  } else {
    let dot = from - 1
    for (; i < to && HOST[buf[i]!] === 1; i++) {
      if (buf[i] !== 46) continue
      if (i - dot === 1) return false
      dot = i
    }
    if (i === from) return false
  }
  if (i === to) return true
  if (buf[i] !== 58 || to - i > 6) return false
  let port = 0
  for (i++; i < to; i++) {
    const digit = buf[i]! - 48
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= MOST_PORT
}

/** Index of the first octet from `at` on that is neither space nor tab. */
export function skipBlanks(buf: Uint8Array, at: number): number {
  let i = at
  while (buf[i] === 32 || buf[i] === 9) i++
  return i
}

/** `to`, moved left over spaces and tabs, not further than `from`. */
export function trimBlanks(buf: Uint8Array, from: number, to: number): number {
  let i = to
  while (i > from && (buf[i - 1] === 32 || buf[i - 1] === 9)) i--
  return i
}

/** A Content-Length of 1 to 15 digits; -1 for anything else (no sign, no list, no blank). */
export function lengthOf(buf: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > 15) return -1
  let n = 0
  for (let i = from; i < to; i++) {
    const digit = buf[i]! - 48
    if (digit < 0 || digit > 9) return -1
    n = n * 10 + digit
  }
  return n
}
