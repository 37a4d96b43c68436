// The 32 bit FNV-1a hash, and the letters that Kubernetes writes hashes with.

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a over the UTF-8 bytes of a text, going on from `from`; the text must be well formed. Unsigned 32 bit. */
export function fnv1a(text: string, from = OFFSET): number {
  let hash = from
  const add = (byte: number) => {
    hash = Math.imul(hash ^ byte, PRIME)
  }
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, PRIME)
      continue
    }
    if (code < 0x800) {
      add(0xc0 | (code >> 6))
    } else {
      if (code >= 0xd800 && code < 0xdc00) {
        code = text.codePointAt(i) ?? code
        i++
        add(0xf0 | (code >> 18))
        add(0x80 | ((code >> 12) & 0x3f))
      } else add(0xe0 | (code >> 12))
      add(0x80 | ((code >> 6) & 0x3f))
    }
    add(0x80 | (code & 0x3f))
  }
  return hash >>> 0
}

/** FNV-1a over a count as eight bytes: 32 bit little endian, then four zeros. */
export function fnv1aCount(count: number, from: number): number {
  let hash = from
  for (const shift of [0, 8, 16, 24]) hash = Math.imul(hash ^ ((count >>> shift) & 0xff), PRIME)
  for (let zero = 0; zero < 4; zero++) hash = Math.imul(hash, PRIME)
  return hash >>> 0
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** A hash as people see it: its decimal digits in letters that make no words (0-9 become 4 5 6 7 8 9 b c d f). */
export const encodeHash = (hash: number): string =>
  Array.from(String(hash), digit => LETTERS.charAt(digit.charCodeAt(0) % LETTERS.length)).join('')
