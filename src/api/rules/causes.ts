// Collects what is wrong with an object, in the words of the real server.

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
  /** An unsupported or, when absent, a required value; nothing for a supported one. */
  oneOf(field: string, value: unknown, supported: readonly string[]): void
  duplicate(field: string, value: unknown): void
  notFound(field: string, value: unknown): void
  internal(field: string, why: string): void
  tooMany(field: string, count: number, limit: number): void
  /** A whole number that must not be negative; absent is fine. */
  notNegative(field: string, value: unknown): void
  between(field: string, value: unknown, low: number, high: number): void
}>

const text = (value: unknown): string => JSON.stringify(value === undefined ? null : value)

/** An empty collection of causes. With `repeats` the same cause may stand in it twice. */
export function collectCauses(options: Readonly<{ repeats?: boolean; dialect?: Dialect }> = {}): Causes {
  const list: Cause[] = []
  const add = (reason: Cause['reason'], field: string, message: string): void => {
    // Two labels with one fault are one cause.
    const isKnown = !options.repeats && list.some(cause => cause.field === field && cause.message === message)
    if (!isKnown) list.push({ reason, field, message })
  }
  const invalid = (field: string, value: unknown, why: string): void =>
    add('FieldValueInvalid', field, `Invalid value: ${text(value)}${why === '' ? '' : `: ${why}`}`)
  const unsupported = (field: string, value: unknown, supported: readonly string[]): void => {
    const words = supported.map(text).join(', ')
    add('FieldValueNotSupported', field, `Unsupported value: ${text(value ?? '')}: supported values: ${words}`)
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
    duplicate: (field, value) => add('FieldValueDuplicate', field, `Duplicate value: ${text(value)}`),
    internal: (field, why) => add('InternalError', field, `Internal error: ${why}`),
    notFound: (field, value) => add('FieldValueNotFound', field, `Not found: ${text(value)}`),
    tooMany: (field, count, limit) =>
      add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${limit} items`),
    notNegative(field, value) {
      if (typeof value === 'number' && value < 0) invalid(field, value, 'must be greater than or equal to 0')
    },
    between(field, value, low, high) {
      if (typeof value === 'number' && value >= low && value <= high) return
      invalid(field, value, `must be between ${low} and ${high}, inclusive`)
    },
  }
}
