// Floats as text without exponents, the way measurements show them.

/** The shortest digits of a number, written out in full. */
export function decimal(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [digits = '', exponent] = String(value).split('e')
  if (exponent === undefined) return digits
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)\.?(\d*)$/.exec(digits) ?? []
  const power = Number(exponent)
  if (power > 0) return sign + whole + fraction.padEnd(power, '0')
  return `${sign}0.${'0'.repeat(-power - 1)}${whole}${fraction}`
}
