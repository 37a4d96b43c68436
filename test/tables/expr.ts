// Tables of conditions and what they make of measured results.
import {
  conditionEnvironment,
  evaluateCondition,
  evaluateText,
  timeEnvironment,
} from '../../src/analysis/expr/condition.ts'
import { ExprError } from '../../src/analysis/expr/errors.ts'
import {
  isFields,
  isInstant,
  isList,
  isMap,
  isSpan,
  itemsOf,
  rfc3339,
  spanText,
  struct,
  type Value,
} from '../../src/analysis/expr/values.ts'
import { judgeMeasurement } from '../../src/analysis/measure.ts'
import type { Metric } from '../../src/api/analysis.ts'
import type { Row, Table } from '../kit/vector-table.ts'

const NOW = Date.parse('2024-05-01T12:00:00Z')
const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const floatOf = (value: unknown): number => (typeof value === 'string' ? SPECIAL[value]! : Number(value))

const isFloat = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || (isObject(value) && '$float' in value)

/** A measured result from its marks. Inside of JSON a list is a plain one. */
function resultOf(given: unknown, isTop = true): Value {
  if (typeof given === 'bigint') return Number(given)
  if (Array.isArray(given)) {
    if (isTop && given.every(isFloat)) return Float64Array.from(given, item => resultOf(item, false) as number)
    return given.map(item => resultOf(item, false))
  }
  if (!isObject(given)) return given as Value
  if ('$int' in given) return BigInt(given['$int'] as string)
  if ('$float' in given) return floatOf(given['$float'])
  if ('$nil' in given) return null
  if ('$any' in given) return (given['$any'] as unknown[]).map(item => resultOf(item, false))
  if ('$cloudwatch' in given) {
    return (given['$cloudwatch'] as Record<string, unknown>[]).map(({ Id, Label, Values }) =>
      struct('types.MetricDataResult', {
        Id: Id as string,
        Label: (Label ?? null) as Value,
        Values: Float64Array.from(Values as number[]),
      }),
    )
  }
  return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, resultOf(item, false)]))
}

function floatMark(value: number): unknown {
  if (Number.isNaN(value)) return { $float: 'NaN' }
  if (!Number.isFinite(value)) return { $float: value > 0 ? '+Inf' : '-Inf' }
  return { $float: Object.is(value, -0) ? '-0' : value }
}

function marked(value: Value): unknown {
  if (typeof value === 'bigint') return { $int: Number.isSafeInteger(Number(value)) ? Number(value) : String(value) }
  if (typeof value === 'number') return floatMark(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (isList(value)) return itemsOf(value).map(marked)
  if (isSpan(value)) return { $duration: spanText(value.ns) }
  if (isInstant(value)) return { $time: rfc3339(value) }
  if (isMap(value) && [...value.keys()].every(key => typeof key === 'string'))
    return Object.fromEntries([...value].map(([key, item]) => [key as string, marked(item)]))
  if (isMap(value)) {
    const pairs = [...value].map(([key, item]) => [marked(key), marked(item)])
    return { $pairs: pairs.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) }
  }
  if (isFields(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item)]))
  return value
}

/** A wanted float that JSON wrote without a point is a number all the same. */
const plainNumbers = (want: unknown): unknown =>
  JSON.parse(JSON.stringify(want, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)))

export const conditions: Table = {
  name: 'expr',
  answer(row) {
    const { value, error } = evaluateCondition(String(row['condition']), resultOf(row['result']), NOW)
    return error === undefined ? value : { error }
  },
}

export const values: Table = {
  name: 'expr-values',
  want: ({ want }) => plainNumbers(want),
  answer(row) {
    const env = row['env'] as Record<string, unknown>
    const isTime = row['class'] === 'time'
    try {
      const known = isTime ? timeEnvironment() : conditionEnvironment(resultOf(env['result']))
      const { value } = evaluateText(String(row['expression']), known, NOW)
      if (!isTime) return { value: marked(value) }
      return timeAnswer(value, row)
    } catch (error) {
      if (error instanceof ExprError) return { error: error.message }
      throw error
    }
  },
}

function timeAnswer(value: Value, row: Row): unknown {
  const kinds: Readonly<Record<string, string>> = {
    number: 'float64',
    bigint: 'int',
    string: 'string',
    boolean: 'bool',
  }
  if (!isInstant(value)) {
    const name = value !== null && isSpan(value) ? 'time.Duration' : (kinds[typeof value] ?? '<nil>')
    return { error: `expected time.Time, but got ${name}` }
  }
  const isNow = JSON.stringify(row.want).includes('$now')
  return { value: isNow ? { $now: Math.round(Number(value.ns / 1_000_000n - BigInt(NOW)) / 1000) } : marked(value) }
}

export const verdicts: Table = {
  name: 'evaluate-result',
  answer(row) {
    try {
      return { phase: judgeMeasurement(row['metric'] as Metric, resultOf(row['result']), NOW) }
    } catch (error) {
      return { phase: 'Error', error: (error as Error).message }
    }
  },
}
