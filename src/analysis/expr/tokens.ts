// Splits the text of a condition into tokens.
import { ExprError, fail } from './errors.ts'
import { readEscaped, utf8 } from './escapes.ts'

export type TokenKind = 'Identifier' | 'Number' | 'String' | 'Bytes' | 'Operator' | 'Bracket' | 'EOF'
export type Token = Readonly<{ kind: TokenKind; value: string; bytes?: Uint8Array }>

const WORDS = new Set(['in', 'or', 'and', 'matches', 'contains', 'startsWith', 'endsWith', 'not', 'let', 'if', 'else'])
/** Operators of two signs; the reference takes some together that mean nothing. */
const DOUBLE = /[&!=*<>][&=*]|\|\||\.\.|\?[.?]|::|##/y
const SINGLE = '#,:;?%*+-/|^!<>=.&'

const isLetter = (char: string | undefined): boolean => char !== undefined && /[\p{L}_$]/u.test(char)
const isAlphanumeric = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{Nd}_$]/u.test(char)
const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9'

const NUMBER = new RegExp(
  ['0[xX][0-9a-fA-F_]*', '0[oO][0-7_]*', '0[bB][01_]*', '[0-9_]*']
    .map(whole => {
      const digits = /\[[^\]]*\]\*$/.exec(whole)![0]
      return `\\.?${whole}(?:\\.(?!\\.)${digits})?(?:[eE][+-]?${digits})?`
    })
    .join('|'),
  'y',
)
const POINTER = /[\p{L}\p{Nd}_$]+/uy
const NAME = /[\p{L}_$][\p{L}\p{Nd}_$]*/uy

/** The tokens of a text, an EOF last; where the text cannot be read further, why. */
export function tokenize(text: string): Readonly<{ tokens: readonly Token[]; failure?: ExprError }> {
  const tokens: Token[] = []
  try {
    scanAll(text, tokens)
  } catch (error) {
    if (error instanceof ExprError) return { tokens, failure: error }
    throw error
  }
  return { tokens }
}

function scanAll(text: string, tokens: Token[]): void {
  let at = 0
  while (at < text.length) {
    const char = text[at]!
    if (/\s/.test(char)) {
      at++
      continue
    }
    const comment = commentEnd(text, at)
    if (comment !== undefined) {
      at = comment
      continue
    }
    const { token, end } = scan(text, at, char)
    tokens.push(token)
    at = end
    // Behind # stands a name, whatever it begins with.
    POINTER.lastIndex = at
    const pointer = token.value.startsWith('#') && token.kind === 'Operator' ? POINTER.exec(text)?.[0] : undefined
    if (pointer === undefined) continue
    tokens.push({ kind: 'Identifier', value: pointer })
    at += pointer.length
  }
  tokens.push({ kind: 'EOF', value: '' })
}

function commentEnd(text: string, at: number): number | undefined {
  if (text.startsWith('//', at)) {
    const end = text.indexOf('\n', at)
    return end < 0 ? text.length : end
  }
  if (!text.startsWith('/*', at)) return undefined
  const end = text.indexOf('*/', at + 2)
  return end < 0 ? fail('unclosed comment') : end + 2
}

type Scanned = Readonly<{ token: Token; end: number }>

function scan(text: string, at: number, char: string): Scanned {
  const next = text[at + 1]
  if (char === '"' || char === "'") return scanString(text, at)
  if (char === '`') return scanRaw(text, at)
  if (char === 'b' && (next === '"' || next === "'")) return scanBytes(text, at + 1)
  if (isDigit(char) || (char === '.' && isDigit(next))) return scanNumber(text, at)
  if (isLetter(char)) {
    NAME.lastIndex = at
    const value = NAME.exec(text)![0]
    return { token: { kind: WORDS.has(value) ? 'Operator' : 'Identifier', value }, end: at + value.length }
  }
  if ('()[]{}'.includes(char)) return { token: { kind: 'Bracket', value: char }, end: at + 1 }
  DOUBLE.lastIndex = at
  const double = DOUBLE.exec(text)?.[0]
  if (double) return { token: { kind: 'Operator', value: double }, end: at + 2 }
  if (SINGLE.includes(char)) return { token: { kind: 'Operator', value: char }, end: at + 1 }
  const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return fail(`unrecognized character: U+${code} '${char}'`)
}

function scanNumber(text: string, at: number): Scanned {
  NUMBER.lastIndex = at
  const value = NUMBER.exec(text)![0]
  const end = at + value.length
  const after = text[end]
  if (isAlphanumeric(after)) fail(`bad number syntax: ${JSON.stringify(value + after)}`)
  return { token: { kind: 'Number', value }, end }
}

function scanString(text: string, at: number): Scanned {
  const { value, end } = readEscaped(text, at, false)
  return { token: { kind: 'String', value: value as string }, end }
}

function scanBytes(text: string, at: number): Scanned {
  const { value, end } = readEscaped(text, at, true)
  const bytes = typeof value === 'string' ? utf8(value) : value
  return { token: { kind: 'Bytes', value: text.slice(at, end), bytes }, end }
}

function scanRaw(text: string, at: number): Scanned {
  let value = ''
  for (let i = at + 1; ; ) {
    const end = text.indexOf('`', i)
    if (end < 0) return fail('literal not terminated')
    value += text.slice(i, end)
    // Two in a row stand for one.
    if (text[end + 1] !== '`') return { token: { kind: 'String', value }, end: end + 1 }
    value += '`'
    i = end + 2
  }
}
