// Pieces of JSON text exactly as Go's encoder writes them.
import { goEscaped } from '../api/go-quote.ts'

/** A JSON string; lone surrogates become U+FFFD. */
export function stringText(value: string): string {
  return goEscaped(JSON.stringify(value.isWellFormed() ? value : value.toWellFormed()))
}

/** A number as an API server serves it: integers exactly, others as the shortest double. */
export const numberText = (value: number | bigint): string => String(value)

/** Code units in the order of their UTF-8: surrogates stand for what comes after all single units. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit)

const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** The keys of an object in the order of their UTF-8 bytes. */
export const sortedKeys = (value: object): string[] => Object.keys(value).sort(compareUtf8)

/** Any JSON value, compact, keys sorted, nulls kept. */
export function rawText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return stringText(value)
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(rawText).join()}]`
  const fields = value as Readonly<Record<string, unknown>>
  return `{${sortedKeys(fields)
    .map(key => `${stringText(key)}:${rawText(fields[key])}`)
    .join()}}`
}
