// Quantities such as 250m or 1.5Gi: reading them, and the canonical text that the API server writes.
// source: the canonical form of Kubernetes resource quantities.

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const bySize = new Map(Object.entries(decimal).map(([suffix, exponent]) => [exponent, suffix]))

/** A number as `digits / 10^scale`, and the notation it came in. */
export type Quantity = Readonly<{ nano: bigint; notation: 'binary' | 'decimal' | 'exponent' }>

/** Reads a quantity in units of 10^-9, rounded away from zero; undefined when the text is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+|)$/.exec(text.trim())
  if (!parts) return undefined
  const [, sign = '', whole = '', fraction = '', suffix = ''] = parts
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(`${whole}${fraction}` || '0')
  const power = binary.indexOf(suffix)
  const isBinary = suffix !== '' && power > 0
  const isExponent = /^[eE][+-]?\d/.test(suffix)
  const exponent = (isBinary ? 0 : isExponent ? Number(suffix.slice(1)) : (decimal[suffix] ?? 0)) + 9 - fraction.length
  if (Math.abs(exponent) > 60) return undefined
  let value = isBinary ? digits << BigInt(10 * power) : digits
  if (exponent >= 0) value *= 10n ** BigInt(exponent)
  else {
    const unit = 10n ** BigInt(-exponent)
    value = value / unit + (value % unit === 0n ? 0n : 1n)
  }
  return {
    nano: sign === '-' ? -value : value,
    notation: isBinary ? 'binary' : isExponent ? 'exponent' : 'decimal',
  }
}

function inThousands(nano: bigint, suffixOf: (exponent: number) => string): string {
  let exponent = -9
  let value = nano
  while (value % 1000n === 0n && exponent < 18) {
    value /= 1000n
    exponent += 3
  }
  return `${value}${suffixOf(exponent)}`
}

/** The canonical text, as `0.5` becomes `500m` and `2048Mi` becomes `2Gi`; fractions below 10^-3 are rounded up. */
export function canonicalQuantity(quantity: Quantity): string {
  const milli = 1_000_000n
  const rest = quantity.nano % milli
  const nano = rest === 0n ? quantity.nano : quantity.nano - rest + (rest > 0n ? milli : -milli)
  if (nano === 0n) return '0'
  const one = 1_000_000_000n
  // Small binary amounts are written as plain decimals, which avoids rounding.
  const isSmall = nano > -1024n * one && nano < 1024n * one
  if (quantity.notation === 'binary' && !isSmall) {
    let value = nano / one + (nano % one > 0n ? 1n : 0n)
    let power = 0
    while (value % 1024n === 0n && power < binary.length - 1) {
      value /= 1024n
      power++
    }
    return `${value}${binary[power]}`
  }
  if (quantity.notation === 'exponent') return inThousands(nano, exponent => (exponent === 0 ? '' : `e${exponent}`))
  return inThousands(nano, exponent => bySize.get(exponent) ?? '')
}

/** The canonical text of an amount as it was given; what is none stays as it is. */
export function canonicalText(amount: unknown): string {
  const quantity = parseQuantity(String(amount))
  return quantity ? canonicalQuantity(quantity) : String(amount)
}
