// Collects what is wrong with an object, in the words of the real server.
import { goEscaped, goQuote } from '../go-quote.ts'

/** Why a field is refused; the causes of a 422. */
export type Cause = Readonly<{
  reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueDuplicate'
    | 'FieldValueNotFound'
    | 'InternalError'
  /** Dotted path such as `spec.replicas` or `spec.containers[0].name`. */
  field: string
  /** The text behind the path, e.g. `Invalid value: -1: must be greater than or equal to 0`. */
  message: string
}>

/** Whose words are used where releases of Kubernetes differ. */
export type Dialect = '1.34' | '1.37'

export type Causes = Readonly<{
  list: Cause[]
  dialect: Dialect
  /** `value` is shown as JSON. */
  invalid(field: string, value: unknown, why: string): void
  /** One cause for each fault of a name or text. */
  faults(field: string, value: unknown, faults: readonly string[]): void
  required(field: string, why?: string): void
  forbidden(field: string, why: string): void
  /** `supported` in the order of the message. */
  unsupported(field: string, value: unknown, supported: readonly string[]): void
  /** An unsupported value; nothing for a supported one. */
  oneOf(field: string, value: unknown, supported: readonly string[]): void
  /** The same, but an empty or absent value is a required one. */
  oneOfRequired(field: string, value: unknown, supported: readonly string[]): void
  duplicate(field: string, value: unknown): void
  notFound(field: string, value: unknown, why?: string): void
  internal(field: string, why: string): void
  tooMany(field: string, count: number, limit: number): void
  tooLong(field: string, limit: number): void
  /** A whole number that must not be negative; absent is fine. */
  notNegative(field: string, value: unknown): void
  between(field: string, value: unknown, low: number, high: number): void
}>

/** How a value is shown. Integers that a double cannot hold are bigints here. */
function text(value: unknown): string {
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'bigint') return String(value)
  return goEscaped(JSON.stringify(value === undefined ? null : value))
}

/** A text that is shown as JSON: one of a type of its own, such as an operator. */
export const asJson = (value: unknown): unknown => ({ toJSON: () => value })

/** A sentence as an older release has it. */
const OLD_WORDS = (why: string): string =>
  why
    .replace(/(must be no more than \d+) bytes/, '$1 characters')
    .replace(/a valid label key (must)/, 'a qualified name $1')

const isNumeric = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** An empty collection of causes. With `repeats` the same cause may stand in it twice. */
export function collectCauses(options: Readonly<{ repeats?: boolean; dialect?: Dialect }> = {}): Causes {
  const list: Cause[] = []
  const add = (reason: Cause['reason'], field: string, said: string): void => {
    const message = options.dialect === '1.34' ? OLD_WORDS(said) : said
    // Two labels with one fault are one cause.
    const isKnown = !options.repeats && list.some(cause => cause.field === field && cause.message === message)
    if (!isKnown) list.push({ reason, field, message })
  }
  const invalid = (field: string, value: unknown, why: string): void =>
    add('FieldValueInvalid', field, `Invalid value: ${text(value)}${why === '' ? '' : `: ${why}`}`)
  const unsupported = (field: string, value: unknown, supported: readonly string[]): void => {
    const words = supported.map(text).join(', ')
    add('FieldValueNotSupported', field, `Unsupported value: ${text(asJson(value ?? ''))}: supported values: ${words}`)
  }
  return {
    list,
    dialect: options.dialect ?? '1.37',
    invalid,
    unsupported,
    faults(field, value, faults) {
      for (const fault of faults) invalid(field, value, fault)
    },
    required: (field, why = '') => add('FieldValueRequired', field, `Required value${why === '' ? '' : `: ${why}`}`),
    forbidden: (field, why) => add('FieldValueForbidden', field, `Forbidden: ${why}`),
    oneOf(field, value, supported) {
      if (!supported.includes(value as string)) unsupported(field, value, supported)
    },
    oneOfRequired(field, value, supported) {
      if (value === undefined || value === '') add('FieldValueRequired', field, 'Required value')
      else if (!supported.includes(value as string)) unsupported(field, value, supported)
    },
    duplicate: (field, value) => add('FieldValueDuplicate', field, `Duplicate value: ${text(value)}`),
    internal: (field, why) => add('InternalError', field, `Internal error: ${why}`),
    notFound: (field, value, why) =>
      add('FieldValueNotFound', field, `Not found: ${text(value)}${why === undefined ? '' : `: ${why}`}`),
    tooMany: (field, count, limit) =>
      add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${limit} items`),
    tooLong: (field, limit) => add('FieldValueTooLong', field, `Too long: may not be more than ${limit} bytes`),
    notNegative(field, value) {
      if (isNumeric(value) && value < 0) invalid(field, value, 'must be greater than or equal to 0')
    },
    between(field, value, low, high) {
      if (isNumeric(value) && value >= low && value <= high) return
      invalid(field, value, `must be between ${low} and ${high}, inclusive`)
    },
  }
}
