// Text as Go writes it in quotes: as a literal, and inside of JSON.

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0')

function literal(char: string): string {
  const short = SHORT[char]
  if (short !== undefined) return short
  const code = char.codePointAt(0) ?? 0
  if (char === ' ' || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) return char
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
}

/** A text as Go's %q prints it: what cannot be printed is escaped. */
export const goQuote = (text: string): string => `"${Array.from(text, literal).join('')}"`

const UNSAFE = /[<>&\u2028\u2029]/g

/** JSON text as Go's encoder leaves it: & < > and the line ends of Unicode escaped too. */
export function goEscaped(json: string): string {
  // A search is much cheaper than a replacement, and hits are rare.
  if (json.search(UNSAFE) < 0) return json
  return json.replace(UNSAFE, char => `\\u${hex(char.charCodeAt(0), 4)}`)
}

/** A text as Go's encoder writes it into JSON. */
export const goJsonText = (text: string): string => goEscaped(JSON.stringify(text))
