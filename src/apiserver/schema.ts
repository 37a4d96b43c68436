// What a CRD's schema says of an object: the causes of a refusal. Pure; the order is that of the real server.
import { isUpdateOnly, ruleCauses, rulesOf } from './cel.ts'
import type { Cause } from './model.ts'
import { listCauses } from './schema-lists.ts'
import type { Schema } from './schema-node.ts'
import { NOTHING_OLD, valueCauses } from './schema-value.ts'

export { unsupportedRules } from './cel.ts'
export { pruneAndDefault } from './schema-prune.ts'
export { scaleCauses } from './schema-scale.ts'

/** Mistakes that keep the rules of a schema from being evaluated. */
const BLOCKING = new Set<Cause['reason']>([
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTypeInvalid',
  'FieldValueTooLong',
  'FieldValueTooMany',
])

const UNCHECKED: Cause = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; ' +
    'correct the existing errors to complete validation',
}

/**
 * What is wrong with an object; empty: nothing. `old` on updates: what it has already is not held against the new
 * object, and the rules that compare with `oldSelf` apply.
 */
export function validateSchema(schema: Schema, object: unknown, old?: unknown): Cause[] {
  const isUpdate = old !== undefined
  const causes = valueCauses(schema, object, isUpdate ? old : NOTHING_OLD)
  if (!isUpdate || listCauses(schema, old).length === 0) causes.push(...listCauses(schema, object))
  const rules = rulesOf(schema)
  if (rules.length === 0) return causes
  if (causes.some(cause => BLOCKING.has(cause.reason))) return [...causes, UNCHECKED]
  if (!isUpdate && rules.every(isUpdateOnly)) return causes
  return [...causes, ...ruleCauses(schema, object, isUpdate ? old : NOTHING_OLD)]
}
