// Regular expressions of conditions: RE2's language on the engine at hand, less what RE2 has not.
import { fail } from './errors.ts'

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

const bad = (what: string, part: string): never => fail(`error parsing regexp: ${what}: \`${part}\``)

type Flags = Readonly<{ i: boolean; m: boolean; s: boolean }>

/** Translates an RE2 pattern. Throws ExprError where RE2 would refuse it. */
function translate(pattern: string): string {
  let result = ''
  let flags: Flags = { i: false, m: false, s: false }
  const groups: Flags[] = []
  let closing = ''
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at)
    const group = /^\(\?([imsU-]*)(:|\))/.exec(rest)
    if (group) {
      const next = applied(flags, group[1] ?? '', group[0])
      if (group[2] === ':') {
        groups.push(flags)
        result += open(flags, next)
      } else {
        // Flags hold to the end of the enclosing group.
        result += open(flags, next)
        if (groups.length === 0) closing += ')'
        else return bad('missing argument to repetition operator', group[0])
      }
      flags = next
      at += group[0].length
    } else if (rest.startsWith('(?P<') || rest.startsWith('(?<')) {
      const name = /^\(\?P?<(\w+)>/.exec(rest)
      if (!name) return bad('invalid or unsupported Perl syntax', rest.slice(0, rest[2] === 'P' ? 4 : 4))
      groups.push(flags)
      result += `(?<${name[1]}>`
      at += name[0].length
    } else if (rest.startsWith('(?')) return bad('invalid or unsupported Perl syntax', rest.slice(0, 3))
    else {
      const piece = one(rest, flags)
      if (rest[0] === '(') groups.push(flags)
      if (rest[0] === ')') flags = groups.pop() ?? bad('unexpected )', pattern)
      result += piece.text
      at += piece.length
    }
  }
  if (groups.length > 0) bad('missing closing )', pattern)
  return result + closing
}

function applied(flags: Flags, text: string, whole: string): Flags {
  const next = { ...flags }
  let value = true
  for (const char of text) {
    if (char === '-') value = false
    else if (char === 'U') bad('invalid or unsupported Perl syntax', whole)
    else next[char as keyof Flags] = value
  }
  return next
}

/** Only case is left to the engine's own flags; the others are written out. */
const open = (before: Flags, after: Flags): string => (before.i === after.i ? '(?:' : after.i ? '(?i:' : '(?-i:')

type Piece = Readonly<{ text: string; length: number }>

function one(rest: string, flags: Flags): Piece {
  const char = String.fromCodePoint(rest.codePointAt(0)!)
  switch (char) {
    case '\\':
      return escapeOf(rest)
    case '[':
      return classOf(rest)
    case '.':
      return { text: flags.s ? '[\\s\\S]' : '[^\\n]', length: 1 }
    case '^':
      return { text: flags.m ? '(?:^|(?<=\\n))' : '^', length: 1 }
    case '$':
      return { text: flags.m ? '(?=\\n|$)' : '$', length: 1 }
    case '*':
    case '+':
    case '?':
      return repetition(rest, char)
    case '{':
    case '}':
    case ']': {
      const counts = /^\{\d+(?:,\d*)?\}\??/.exec(rest)?.[0]
      if (!counts) return { text: `\\${char}`, length: 1 }
      const largest = Math.max(...counts.match(/\d+/g)!.map(Number))
      if (largest > 1000) bad('invalid repeat count', counts)
      return { text: counts, length: counts.length }
    }
    default:
      return { text: char === '/' ? '\\/' : char, length: char.length }
  }
}

function repetition(rest: string, char: string): Piece {
  const text = rest[1] === '?' ? `${char}?` : char
  const more = rest.slice(text.length)
  if (/^[*+]/.test(more)) bad('invalid nested repetition operator', text + more[0])
  return { text, length: text.length }
}

function escapeOf(rest: string): Piece {
  const char = rest[1]
  if (char === undefined) return fail('error parsing regexp: trailing backslash at end of expression: ``')
  if (char === 'A') return { text: '(?<![\\s\\S])', length: 2 }
  if (char === 'z') return { text: '(?![\\s\\S])', length: 2 }
  if (char === 'Q') {
    const end = rest.indexOf('\\E')
    const literal = end < 0 ? rest.slice(2) : rest.slice(2, end)
    return { text: literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), length: end < 0 ? rest.length : end + 2 }
  }
  const property = /^\\[pP](?:\{(\^?)(\w+)\}|(\w))/.exec(rest)
  if (property) {
    const letter = (rest[1] === 'P') !== (property[1] === '^') ? 'P' : 'p'
    const name = property[2] ?? property[3] ?? ''
    const full = /^[A-Z][a-z]?$/.test(name) ? name : `Script=${name}`
    return { text: `\\${letter}{${full}}`, length: property[0].length }
  }
  const code = /^\\x(?:\{([\da-fA-F]+)\}|([\da-fA-F]{2}))/.exec(rest)
  if (code) return { text: `\\u{${code[1] ?? code[2]}}`, length: code[0].length }
  if (char === 'a') return { text: '\\x07', length: 2 }
  // ASCII only, as RE2 has it.
  if (char === 's') return { text: '[\\t\\n\\f\\r ]', length: 2 }
  if (char === 'S') return { text: '[^\\t\\n\\f\\r ]', length: 2 }
  if ('dDwWbBfnrtv'.includes(char)) return { text: `\\${char}`, length: 2 }
  if (/[A-Za-z0-9]/.test(char)) return bad('invalid escape sequence', `\\${char}`)
  return { text: /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char, length: 2 }
}

function classOf(rest: string): Piece {
  let at = rest[1] === '^' ? 2 : 1
  let text = rest.slice(0, at)
  for (let isFirst = true; ; isFirst = false) {
    const char = rest[at]
    if (char === undefined) return bad('missing closing ]', rest)
    if (char === ']' && !isFirst) return { text: `${text}]`, length: at + 1 }
    const named = /^\[:(\^?)(\w+):\]/.exec(rest.slice(at))
    if (named) {
      const set = CLASSES[named[2] ?? ''] ?? bad('invalid character class range', named[0])
      if (named[1]) return bad('invalid character class range', named[0])
      text += set
      at += named[0].length
    } else if (char === '\\') {
      const piece = escapeOf(rest.slice(at))
      const isSpace = rest[at + 1] === 's'
      text += isSpace ? '\\t\\n\\f\\r ' : piece.text
      at += piece.length
    } else {
      text +=
        '[]&!#$%*+,./:;<=>?@^`{|}~-()'.includes(char) && char !== '-'
          ? `\\${char}`.replace(/^\\([&!#%,:;<=>@`~])$/, '$1')
          : char
      at++
    }
  }
}

const compiled = (pattern: string): RegExp => {
  const source = translate(pattern)
  try {
    return new RegExp(source, 'u')
  } catch {
    return bad('invalid pattern', pattern)
  }
}

/** The pattern of a `matches`. Throws ExprError. */
export const compileRegExp = (pattern: string): RegExp => compiled(pattern)
