// Regular expressions of tables. Clients choose what they are tried on, so none may take a time that explodes: V8's second
// engine never goes back, and takes over where the usual one has gone back 50,000 times. It knows no counts (`a{2,5}`),
// which are spelt out for it, and neither lookahead nor backreferences.
import { setFlagsFromString } from 'node:v8'

// The first lets the flag `l` be given, which says whether the second engine could take over.
setFlagsFromString('--enable-experimental-regexp-engine')
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

/** Longest expression with its counts spelt out, in characters. */
const MOST_SPELT = 5000

/** Only good for `test`: groups may be gone. `isBounded`: its time grows with the text only. */
export type Compiled = Readonly<{ regExp: RegExp; isBounded: boolean }>

/** Compiles an expression as JavaScript reads it, without flags. Raises SyntaxError. */
export function compileRegExp(text: string): Compiled {
  const regExp = new RegExp(text)
  if (isLinear(text)) return { regExp, isBounded: true }
  const spelt = spellOut(text)
  if (spelt !== undefined && isLinear(spelt)) return { regExp: new RegExp(spelt), isBounded: true }
  // Where V8 has no second engine there is nothing to choose between.
  return { regExp, isBounded: !isLinear('') }
}

/** What is wrong with an expression, as a table or a Rollout is told; undefined: it can be used. */
export function regExpFault(text: string): string | undefined {
  try {
    if (compileRegExp(text).isBounded) return undefined
    return 'could take for ever: write it without lookahead, backreferences and long counts'
  } catch {
    return 'is not a regular expression'
  }
}

function isLinear(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'l'))
  } catch {
    return false
  }
}

/** What follows an atom: a quantifier with its counts, and whether it is lazy. */
const QUANTIFIER = /^(?:([*+?])|\{(\d{1,6})(,?)(\d{0,6})\})\??/

/** The expression without counts, groups that capture nothing; undefined: too long, or it refers back. */
function spellOut(text: string): string | undefined {
  // References would point to groups that are not there any more.
  if (/\\[1-9k]/.test(text)) return undefined
  let out = ''
  for (let at = 0; at < text.length; ) {
    const end = atomEnd(text, at)
    let atom = text.slice(at, end)
    if (atom.startsWith('(')) {
      const [opening] = /^\((?:\?(?:<?[=!]|:|<[^>]*>))?/.exec(atom)!
      const inner = spellOut(atom.slice(opening.length, -1))
      if (inner === undefined) return undefined
      atom = `${/[=!]$/.test(opening) ? opening : '(?:'}${inner})`
    }
    const [quantifier = '', simple, least, comma, most] = QUANTIFIER.exec(text.slice(end)) ?? []
    out += least === undefined ? atom + (simple ?? '') : repeated(atom, Number(least), comma ? most : least)
    if (out.length > MOST_SPELT) return undefined
    at = end + quantifier.length
  }
  return out
}

/** `most`: '' for no end. */
function repeated(atom: string, least: number, most = ''): string {
  const optional = most === '' ? 0 : Math.max(0, Number(most) - least)
  if (atom.length * (least + optional) > MOST_SPELT) return atom.repeat(MOST_SPELT + 1)
  return atom.repeat(least) + (most === '' ? `${atom}*` : `${atom}?`.repeat(optional))
}

/** Where the atom that begins at `at` ends: a character, an escape, a class, or a group. */
function atomEnd(text: string, at: number): number {
  const escaped = /^\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|.)/s.exec(text.slice(at))
  if (escaped) return at + escaped[0].length
  if (text[at] !== '[' && text[at] !== '(') return at + 1
  let depth = 0
  let inClass = false
  for (let i = at; i < text.length; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (inClass) inClass = c !== ']'
    else if (c === '[') inClass = true
    else if (c === '(') depth++
    else if (c === ')') depth--
    if (c !== '\\' && !inClass && depth === 0) return i + 1
  }
  return text.length
}
