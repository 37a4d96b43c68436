// JSON as conditions read and write it.
import { goEscaped } from '../../api/go-quote.ts'
import { fail } from './errors.ts'
import {
  type Fields,
  isFields,
  isInstant,
  isList,
  isMap,
  isSpan,
  isStruct,
  itemsOf,
  printed,
  rfc3339,
  sortedKeys,
  typeName,
  type Value,
} from './values.ts'

export type { Fields }

const escaped = (value: string): string => goEscaped(JSON.stringify(value.toWellFormed()))

function floatText(value: number): string {
  return Number.isFinite(value) ? String(value) : fail(`json: unsupported value: ${printed(value)}`)
}

/** A value as JSON with indents of two blanks and sorted keys. Throws ExprError. */
export function toGoJson(value: Value, indent = ''): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return floatText(value)
  if (typeof value !== 'object') return String(value)
  const deeper = `${indent}  `
  const wrapped = (open: string, items: readonly string[], close: string) =>
    items.length === 0 ? open + close : `${open}\n${items.map(item => deeper + item).join(',\n')}\n${indent}${close}`
  if (isList(value))
    return wrapped(
      '[',
      itemsOf(value).map(item => toGoJson(item, deeper)),
      ']',
    )
  if (isInstant(value)) return `"${rfc3339(value)}"`
  if (isSpan(value)) return String(value.ns)
  if (isMap(value)) return fail('json: unsupported type: map[interface {}]interface {}')
  const fields = isStruct(value) ? (value.fields as Fields) : value
  if (!isFields(fields)) return fail(`json: unsupported type: ${typeName(value)}`)
  const pair = (key: string) => `${escaped(key)}: ${toGoJson(fields[key]!, deeper)}`
  return wrapped('{', sortedKeys(fields).map(pair), '}')
}

/** JSON as a value: all numbers are floats. Throws ExprError. */
export function goJsonValue(text: string): Value {
  try {
    return JSON.parse(text) as Value
  } catch {
    return fail(jsonProblem(text))
  }
}

/** What Go says of a text that is no JSON, as far as the first characters tell. */
function jsonProblem(text: string): string {
  const rest = text.replace(/^[ \t\r\n]+/, '')
  const first = Array.from(rest)[0]
  if (first === undefined) return 'unexpected end of JSON input'
  if (!'{["-0123456789tfn'.includes(first)) return `invalid character '${first}' looking for beginning of value`
  const key = first === '{' ? /^\{[ \t\r\n]*([^"}\s])/.exec(rest)?.[1] : undefined
  if (key !== undefined) return `invalid character '${key}' looking for beginning of object key string`
  return 'unexpected end of JSON input'
}
