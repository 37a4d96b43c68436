// Chunk extensions, octet by octet (RFC 9112 7.1.1): `;name`, `;name=value` or `;name="quoted value"`. They are dropped,
// but what is none may be a line end to somebody else, or the end of the size: it is refused.
import { TOKEN, VALUE } from './octets.ts'

const NAME_FIRST = 0
const NAME = 1
const NAME_BLANK = 2
const VALUE_FIRST = 3
const WORD = 4
const QUOTED = 5
const ESCAPED = 6
const CLOSED = 7
const VALUE_BLANK = 8

/** Where an extension begins, behind its semicolon. */
export const FIRST = NAME_FIRST
export const BAD = -1

/** The state behind octet `c`, or BAD. Blanks around semicolon and equals sign are suffered, as RFC 9110 5.6.3 demands. */
export function follow(state: number, c: number): number {
  const isBlank = c === 32 || c === 9
  switch (state) {
    case NAME_FIRST:
      if (isBlank) return NAME_FIRST
      return TOKEN[c] === 1 ? NAME : BAD
    case NAME:
      if (TOKEN[c] === 1) return NAME
      if (isBlank) return NAME_BLANK
      return behindName(c)
    case NAME_BLANK:
      return isBlank ? NAME_BLANK : behindName(c)
    case VALUE_FIRST:
      if (isBlank) return VALUE_FIRST
      if (c === 34) return QUOTED
      return TOKEN[c] === 1 ? WORD : BAD
    case WORD:
      if (TOKEN[c] === 1) return WORD
      if (isBlank) return VALUE_BLANK
      return c === 59 ? NAME_FIRST : BAD
    case QUOTED:
      if (c === 34) return CLOSED
      if (c === 92) return ESCAPED
      return VALUE[c] === 1 ? QUOTED : BAD
    case ESCAPED:
      return VALUE[c] === 1 ? QUOTED : BAD
    default:
      if (isBlank) return VALUE_BLANK
      return c === 59 ? NAME_FIRST : BAD
  }
}

const behindName = (c: number): number => (c === 61 ? VALUE_FIRST : c === 59 ? NAME_FIRST : BAD)

/** May the line end here? Not behind a blank, and not within quotes. */
export const isWhole = (state: number): boolean => state === NAME || state === WORD || state === CLOSED
