// The rules of the scale subresource: the numbers and the selector that it shows must be what they seem.
import type { Cause, ScaleRule } from './model.ts'
import { isObject, typeOf } from './schema-node.ts'

/** What the scale subresource finds wrong in an object; empty: nothing. */
export function scaleCauses(scale: ScaleRule | undefined, object: unknown): Cause[] {
  if (!scale) return []
  return [
    ...countCauses(object, scale.specReplicas),
    ...countCauses(object, scale.statusReplicas),
    ...(scale.selector === undefined ? [] : accessorCauses(object, scale.selector, 'string', '""')),
  ]
}

const invalid = (path: string, value: string, text: string): Cause => ({
  reason: 'FieldValueInvalid',
  field: dotted(path),
  message: `Invalid value: ${value}: ${text}`,
})

const dotted = (path: string): string => (path.startsWith('.') ? path : `.${path}`)

const LARGEST = 2 ** 31 - 1

function countCauses(object: unknown, path: string): Cause[] {
  const causes = accessorCauses(object, path, 'int64', '0')
  const count = read(object, path).value
  if (causes.length > 0 || typeof count !== 'number') return causes
  if (count < 0) return [invalid(path, String(count), 'should be a non-negative integer')]
  if (count > LARGEST) return [invalid(path, String(count), `should be less than or equal to ${LARGEST}`)]
  return []
}

const GO_TYPE: Readonly<Record<string, string>> = {
  null: '<nil>',
  integer: 'int64',
  number: 'float64',
  boolean: 'bool',
  string: 'string',
  array: '[]interface {}',
  object: 'map[string]interface {}',
}

function accessorCauses(object: unknown, path: string, wanted: string, zero: string): Cause[] {
  const { value, isStuck } = read(object, path)
  if (value === undefined) return []
  const found = GO_TYPE[typeOf(value)] ?? ''
  const expected = isStuck ? 'map[string]interface{}' : wanted
  if (found === expected) return []
  return [
    invalid(
      path,
      zero,
      `${dotted(path)} accessor error: ${goText(value)} is of the type ${found}, expected ${expected}`,
    ),
  ]
}

// The real server prints the value as Go does.
function goText(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isObject(value)) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, member]) => `${key}:${goText(member)}`).join(' ')}]`
}

/** The value at a path; `isStuck` when something on the way is no object. */
function read(object: unknown, path: string): { value: unknown; isStuck: boolean } {
  let here: unknown = object
  for (const step of dotted(path).slice(1).split('.')) {
    if (here === undefined) return { value: undefined, isStuck: false }
    if (!isObject(here)) return { value: here, isStuck: true }
    here = here[step]
  }
  return { value: here, isStuck: false }
}
