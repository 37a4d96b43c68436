// Texts against a structural schema: length, pattern, format.
import type { Cause } from './model.ts'
import { isFormat } from './schema-format.ts'
import type { Schema } from './schema-node.ts'

/** What is wrong with a text; empty: nothing. Lengths count characters. */
export function textCauses(schema: Schema, value: string, path: string): Cause[] {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema as { minLength?: number; maxLength?: number }
  const causes: Cause[] = []
  const length = [...value].length
  if (length > maxLength) {
    const message = `Too long: may not be more than ${maxLength} bytes`
    causes.push({ reason: 'FieldValueTooLong', field: path, message })
  }
  const invalid = (text: string): Cause => ({
    reason: 'FieldValueInvalid',
    field: path,
    message: `Invalid value: ${JSON.stringify(value)}: ${path} in body should ${text}`,
  })
  if (length < minLength) causes.push(invalid(`be at least ${minLength} chars long`))
  const pattern = schema['pattern']
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) causes.push(invalid(`match '${pattern}'`))
  const format = schema['format']
  if (typeof format !== 'string' || isFormat(format, value)) return causes
  const quoted = JSON.stringify(value)
  const message = `Invalid value: ${quoted}: ${path} in body must be of type ${format}: ${quoted}`
  return [...causes, { reason: 'FieldValueTypeInvalid', field: path, message }]
}
