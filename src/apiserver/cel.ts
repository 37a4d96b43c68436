// The rules of `x-kubernetes-validations`. Only the one that our definitions use is understood: `self == oldSelf`.
import { sameJson } from '../contract.ts'
import type { Cause } from './model.ts'
import { below, child, fieldSchema, isObject, listType, type Schema } from './schema-node.ts'
import { NOTHING_OLD, oldMember, sameKey, valueCauses } from './schema-value.ts'

type Rule = Readonly<{ rule: string; message?: string; optionalOldSelf?: boolean; reason?: string; fieldPath?: string }>

const ownRules = (schema: Schema): readonly Rule[] =>
  (schema['x-kubernetes-validations'] as readonly Rule[] | undefined) ?? []

const NESTED = ['items', 'additionalProperties', 'not'] as const
const NESTED_LISTS = ['allOf', 'anyOf', 'oneOf'] as const

const found = new WeakMap<Schema, readonly Rule[]>()

/** All rules in a schema, in any depth. Schemas are frozen, so the answer is kept. */
export function rulesOf(schema: Schema): readonly Rule[] {
  const known = found.get(schema)
  if (known) return known
  const parts = [
    ...Object.values(below(schema, 'properties') ?? {}),
    ...NESTED.map(key => schema[key]),
    ...NESTED_LISTS.flatMap(key => (schema[key] as readonly unknown[] | undefined) ?? []),
  ]
  const rules = [...ownRules(schema), ...parts.filter(isObject).flatMap(rulesOf)]
  found.set(schema, rules)
  return rules
}

const isImmutability = ({ rule, optionalOldSelf, fieldPath }: Rule): boolean =>
  /^\s*(?:self\s*==\s*oldSelf|oldSelf\s*==\s*self)\s*$/.test(rule) && !optionalOldSelf && fieldPath === undefined

/** Does the rule compare with the old object, so that it says nothing about a new one? */
export const isUpdateOnly = (rule: Rule): boolean => /\boldSelf\b/.test(rule.rule) && !rule.optionalOldSelf

/** The rules of a schema that cannot be evaluated here. A definition that has any should be refused. */
export const unsupportedRules = (schema: Schema): string[] =>
  rulesOf(schema)
    .filter(rule => !isImmutability(rule))
    .map(({ rule }) => rule)

/**
 * The rules that an update breaks. A rule applies where the old and the new object have a value at its place; a value
 * of the wrong type cannot be judged and breaks it, even when it was there before.
 */
export function ruleCauses(schema: Schema, value: unknown, old: unknown, path = ''): Cause[] {
  if (old === NOTHING_OLD || rulesOf(schema).length === 0) return []
  const rules = ownRules(schema).filter(isImmutability)
  const type = rules.length > 0 ? valueCauses(schema, value, NOTHING_OLD, path).find(isTypeFault) : undefined
  const causes = rules.flatMap(({ rule, message = `failed rule: ${rule}` }): Cause[] => {
    if (!type && sameJson(value, old)) return []
    const text = type ? `"object": invalid data at ${type.field} evaluating rule: ${message}` : message
    return [{ reason: 'FieldValueInvalid', field: path, message: `Invalid value: ${text}` }]
  })
  return [...causes, ...partCauses(schema, value, old, path)]
}

const isTypeFault = ({ reason }: Cause): boolean => reason === 'FieldValueTypeInvalid'

function partCauses(schema: Schema, value: unknown, old: unknown, path: string): Cause[] {
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, member]) => {
      const known = fieldSchema(schema, name)
      return known ? ruleCauses(known, member, oldMember(schema, old, name), child(path, name)) : []
    })
  }
  const items = below(schema, 'items')
  if (!Array.isArray(value) || !Array.isArray(old) || !items || listType(schema) !== 'map') return []
  return value.flatMap((element, index) =>
    ruleCauses(items, element, sameKey(schema, old, element), `${path}[${index}]`),
  )
}
