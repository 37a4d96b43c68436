// Numbers as Go reads and writes them.
import { fail } from './errors.ts'

/** A float as Go prints it: shortest digits, an exponent below 0.0001 and from 1000000. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  // Number prints as a decimal from 1e-6 to 1e21.
  if (power >= -4 && power < 21 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

const DECIMAL = /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?$/
const HEX = /^([+-]?)0[xX]([\da-fA-F_]*)(?:\.([\da-fA-F_]*))?[pP]([+-]?\d+)$/
const BAD_UNDERSCORE = /__|^[+-]?_|_$|_[.eE]|[.eE+-]_/

function hexFloat(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', power] = HEX.exec(text) ?? []
  if (power === undefined) return undefined
  const digits = (whole + fraction).replaceAll('_', '')
  if (digits === '') return undefined
  const size = Number(BigInt(`0x${digits}`)) * 2 ** (Number(power) - 4 * fraction.replaceAll('_', '').length)
  return sign === '-' ? -size : size
}

/** The float that a text stands for; an error text when it is none. */
export function parseFloat64(text: string): number | Readonly<{ error: string }> {
  const bad = (why: string) => ({ error: `strconv.ParseFloat: parsing ${JSON.stringify(text)}: ${why}` })
  const special = /^([+-]?)(inf|infinity)$/i.exec(text)
  if (special) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^nan$/i.test(text)) return Number.NaN
  const hex = hexFloat(text)
  if (hex !== undefined) return hex
  if (!DECIMAL.test(text) || BAD_UNDERSCORE.test(text)) return bad('invalid syntax')
  const value = Number(text.replaceAll('_', ''))
  return Number.isFinite(value) ? value : bad('value out of range')
}

/** The whole number that decimal digits stand for; an error text when they stand for none of 64 bits. */
export function parseInt64(text: string): bigint | Readonly<{ error: string }> {
  const bad = (why: string) => ({ error: `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}` })
  if (!/^[+-]?\d+$/.test(text)) return bad('invalid syntax')
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value ? value : bad('value out of range')
}

const LOWEST = -(2n ** 63n)

/** A float as a whole number, cut towards zero; out of range as most processors do it. */
export function truncated(value: number): bigint {
  if (!Number.isFinite(value)) return LOWEST
  const whole = BigInt(Math.trunc(value))
  return BigInt.asIntN(64, whole) === whole ? whole : LOWEST
}

/** A whole number from a text, or the error thrown. */
export function needInt64(text: string): bigint {
  const value = parseInt64(text)
  return typeof value === 'bigint' ? value : fail(value.error)
}

/** A float from a text, or the error thrown. */
export function needFloat64(text: string): number {
  const value = parseFloat64(text)
  return typeof value === 'number' ? value : fail(value.error)
}

/** x as a fraction of [0.5, 1) and a power of two. */
function parts(x: number): readonly [fraction: number, exponent: number] {
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(x))) + 1)
  let fraction = x * 2 ** -exponent
  for (; Math.abs(fraction) < 0.5; exponent--) fraction *= 2
  for (; Math.abs(fraction) >= 1; exponent++) fraction /= 2
  return [fraction, exponent]
}

/** x ** y to the last bit as Go has it: by repeated squaring of the fraction. */
export function goPower(x: number, y: number): number {
  if (x === 1 || (x === -1 && !Number.isNaN(y) && !Number.isFinite(y))) return 1
  const [size, whole] = [Math.abs(y), Math.floor(Math.abs(y))]
  const isPlain = x === 0 || !Number.isFinite(x) || !Number.isFinite(y) || (x < 0 && whole !== size) || whole >= 2 ** 31
  // Where nothing is rounded on the way the engine's own answer is the same.
  if (isPlain || y === 0 || y === 1 || Math.abs(y) === 0.5) return x ** y
  const rest = size - whole > 0.5 ? size - whole - 1 : size - whole
  let count = whole + (size - whole > 0.5 ? 1 : 0)
  let [result, exponent] = [rest === 0 ? 1 : Math.exp(rest * Math.log(x)), 0]
  let [square, power] = parts(x)
  for (; count !== 0; count = Math.floor(count / 2)) {
    if (Math.abs(power) > 4096) {
      exponent += power
      break
    }
    if (count % 2 === 1) {
      result *= square
      exponent += power
    }
    square *= square
    power *= 2
    if (square < 0.5) {
      square *= 2
      power--
    }
  }
  if (y < 0) [result, exponent] = [1 / result, -exponent]
  // In two steps, since 2 ** exponent alone may leave the range.
  const half = Math.trunc(exponent / 2)
  return result * 2 ** half * 2 ** (exponent - half)
}
