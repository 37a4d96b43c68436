// Resource quantities ("500m", "1.5Gi", 1e3) in the one text that Kubernetes writes for each.

/** Powers of ten of the decimal suffixes. */
const DECIMAL = new Map([['n', -9], ['u', -6], ['m', -3], ['', 0], ['k', 3], ['M', 6], ['G', 9], ['T', 12], ['P', 15], ['E', 18]]) // biome-ignore format: a table
const DECIMAL_BY_POWER = new Map([...DECIMAL].map(([suffix, power]) => [power, suffix]))
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
/** Integer digits up to which a binary quantity stays as written; none from Pi on. */
const KEPT_DIGITS: Readonly<Record<string, number>> = { Ki: 11, Mi: 8, Gi: 5, Ti: 2 }
const CAP = 2n ** 63n - 1n
const NANO = 10n ** 9n

const GRAMMAR = /^([+-]?)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d+)|([numkMGTPE])?)$/

type Parsed = Readonly<{ minus: boolean; whole: string; fraction: string; suffix: string }> &
  (Readonly<{ form: 'binary' }> | Readonly<{ form: 'decimal' | 'exponent'; power: number }>)

function parse(text: string): Parsed | undefined {
  const match = GRAMMAR.exec(text)
  if (!match || text === '') return undefined
  const [, sign, whole = '', fraction = '', binary, exponent, suffix = ''] = match
  const base = { minus: sign === '-', whole, fraction }
  if (binary) return { ...base, form: 'binary', suffix: binary }
  // argo: an exponent is cut to 32 bits, as Go does.
  if (exponent === undefined) return { ...base, form: 'decimal', suffix, power: DECIMAL.get(suffix) ?? 0 }
  const exact = BigInt(exponent.replace(/^\+/, ''))
  if (BigInt.asIntN(64, exact) !== exact) return undefined
  return { ...base, form: 'exponent', suffix: '', power: Number(BigInt.asIntN(32, exact)) }
}

function isKept(quantity: Parsed, digits: string): boolean {
  if (quantity.form === 'binary') {
    const { suffix, fraction } = quantity
    return fraction === '' && digits.length <= (KEPT_DIGITS[suffix] ?? 0) && BigInt(digits) % 8n !== 0n
  }
  const scale = quantity.power - quantity.fraction.length
  if (digits.length > 18 || digits.startsWith('0') || digits.endsWith('000')) return false
  return scale >= -9 && scale % 3 === 0
}

/** digits x 10^power as text: the power a multiple of three, the digits as short as that allows. */
function decimalText(digits: string, power: number, form: 'decimal' | 'exponent', sign: string): string {
  const short = digits.replace(/0+$/, '')
  const moved = power + digits.length - short.length
  const missing = ((moved % 3) + 3) % 3
  const at = moved - missing
  const number = sign + short + '0'.repeat(missing)
  if (form === 'exponent') return at === 0 ? number : `${number}e${at}`
  // argo: beyond E there is no suffix, and the power is lost ("1000E" is "1").
  return number + (DECIMAL_BY_POWER.get(at) ?? '')
}

/** Digits x 10^power, with what is finer than a nano rounded away from zero. */
function rounded(digits: string, power: number): Readonly<{ digits: string; power: number }> {
  if (power >= -9) return { digits, power }
  const drop = -9 - power
  const head = digits.length > drop ? digits.slice(0, -drop) : '0'
  const isExact = !/[1-9]/.test(digits.slice(-drop))
  return { digits: String(BigInt(head) + (isExact ? 0n : 1n)), power: -9 }
}

function binaryText(digits: string, fraction: number, suffix: string, sign: string): string {
  const factor = 1024n ** BigInt(BINARY.indexOf(suffix))
  const [top, bottom] = [BigInt(digits) * factor * NANO, 10n ** BigInt(fraction)]
  const exact = (top + bottom - 1n) / bottom
  const nanos = exact > CAP * NANO ? CAP * NANO : exact
  let whole = nanos / NANO
  if (nanos % NANO !== 0n || whole < 1024n) return decimalText(String(nanos), -9, 'decimal', sign)
  let times = 0
  while (whole % 1024n === 0n) {
    whole /= 1024n
    times++
  }
  return `${sign}${whole}${BINARY[times] ?? ''}`
}

/** The canonical text of a quantity (already trimmed); undefined when it is none. Canonical text is stable. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parse(text)
  if (!quantity) return undefined
  const { minus, whole, fraction, suffix } = quantity
  if (whole === '' && fraction === '') {
    const isTooFine = quantity.form === 'exponent' && quantity.power < -9
    return isTooFine || suffix === 'Pi' || suffix === 'Ei' ? undefined : '0'
  }
  const digits = (whole.replace(/^0+/, '') || '0') + fraction
  if (isKept(quantity, digits)) return text
  if (!/[1-9]/.test(digits)) return '0'
  const sign = minus ? '-' : ''
  if (quantity.form === 'binary') return binaryText(digits, fraction.length, suffix, sign)
  const near = rounded(digits.replace(/^0+/, ''), quantity.power - fraction.length)
  return decimalText(near.digits, near.power, quantity.form, sign)
}

/** White space that Go trims; escaped characters such as tabs stay, since the text is read as JSON wrote it. */
const EDGES =
  /^[ \u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+|[ \u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+$/g

/** The canonical text of a quantity as it stands in JSON, a string or a number; undefined when it is none. */
export function quantityOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return canonicalQuantity(String(value))
  return typeof value === 'string' ? canonicalQuantity(value.replace(EDGES, '')) : undefined
}

/** The size of a quantity in thousandths, rounded up in size as Kubernetes does on writing; undefined when it is none.
 * Equal quantities have equal thousandths whatever their suffix. */
export function thousandths(value: unknown): string | undefined {
  const text = quantityOf(value)
  const quantity = text === undefined ? undefined : parse(text)
  if (!quantity) return undefined
  const { fraction, minus } = quantity
  const digits = BigInt(quantity.whole + fraction)
  const isBinary = quantity.form === 'binary'
  const power = (isBinary ? 0 : quantity.power) - fraction.length + 3
  const times = isBinary ? 1024n ** BigInt(BINARY.indexOf(quantity.suffix)) : 1n
  // Nobody asks for 1e40 of anything; a text that large stands for itself.
  if (Math.abs(power) > 60) return text
  const raised = digits * times * 10n ** BigInt(Math.max(power, 0))
  const divisor = 10n ** BigInt(Math.max(-power, 0))
  return `${minus ? '-' : ''}${(raised + divisor - 1n) / divisor}`
}
