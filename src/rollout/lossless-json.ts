// A JSON reader that keeps integers beyond 2^53: they become bigints, all else is as JSON.parse gives it.

/** Integers that doubles cannot hold but 64 bits can. */
const fits = (value: bigint): boolean => BigInt.asIntN(64, value) === value

/** Reads JSON; an unsafe integer that fits 64 bits is a bigint. Throws SyntaxError. */
export function parseLossless(text: string): unknown {
  const keep = (_key: string, value: unknown, context: { source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context.source ?? ''
    if (!/^-?\d+$/.test(source)) return value
    const exact = BigInt(source)
    return fits(exact) ? exact : value
  }
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown)
}
