// Quoted texts of conditions: the escapes that they may have.
import { fail } from './errors.ts'

const encoder = new TextEncoder()

/** The UTF-8 bytes of a text. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const LETTERS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
const HEX: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

type Piece = Readonly<{ text: string; end: number; isByte?: boolean }>

/** Reads the quoted text that begins at `at`; `end` is behind the closing quote. With `bytes`, \x and octal escapes
 * are single bytes. Throws ExprError. */
export function readEscaped(
  text: string,
  at: number,
  bytes: boolean,
): Readonly<{ value: string | Uint8Array; end: number }> {
  const quote = text[at]!
  const parts: number[] = []
  let value = ''
  for (let i = at + 1; ; ) {
    const char = text[i]
    if (char === undefined || char === '\n') return fail('literal not terminated')
    if (char === quote) return { value: bytes ? Uint8Array.from(parts) : value, end: i + 1 }
    const piece: Piece = char === '\\' ? escaped(text, i, quote) : plain(text, i)
    if (!bytes) value += piece.text
    else if (piece.isByte) parts.push(piece.text.codePointAt(0)!)
    else parts.push(...utf8(piece.text))
    i = piece.end
  }
}

function plain(text: string, at: number): Piece {
  const char = String.fromCodePoint(text.codePointAt(at)!)
  return { text: char, end: at + char.length }
}

function escaped(text: string, at: number, quote: string): Piece {
  const char = text[at + 1]
  if (char === undefined) return fail('invalid char escape')
  const letter = LETTERS[char]
  if (letter !== undefined && Object.hasOwn(LETTERS, char)) return { text: letter, end: at + 2 }
  if (char === quote) return { text: quote, end: at + 2 }
  if (char >= '0' && char <= '3') {
    const octal = /^[0-3][0-7]{2}/.exec(text.slice(at + 1))?.[0] ?? fail('invalid char escape')
    return { text: String.fromCodePoint(Number.parseInt(octal, 8)), end: at + 4, isByte: true }
  }
  if (char === 'u' && text[at + 2] === '{') {
    const digits = /^\{([0-9a-fA-F]{1,6})\}/.exec(text.slice(at + 2))?.[1] ?? fail('invalid char escape')
    return { text: point(digits), end: at + 4 + digits.length }
  }
  const length = Object.hasOwn(HEX, char) ? HEX[char]! : fail('invalid char escape')
  const digits = text.slice(at + 2, at + 2 + length)
  if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length < length) fail('invalid char escape')
  return { text: point(digits), end: at + 2 + length, isByte: char === 'x' }
}

function point(digits: string): string {
  const code = Number.parseInt(digits, 16)
  return code > 0x10ffff ? fail('invalid char escape') : String.fromCodePoint(code).toWellFormed()
}
