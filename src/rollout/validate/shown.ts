// Values of errors as Go prints them: members in declared order, those that say nothing left out.
import { compileTypes } from '../go-json.ts'
import { POD_TEMPLATE_TYPES } from '../go-json-order.ts'
import { STEP_TYPES } from '../go-json-order-steps.ts'

const types = compileTypes(`${POD_TEMPLATE_TYPES.trim()}\n${STEP_TYPES.trim()}`)

/** The value in the order of its type (`[]T`: a list of them); null when there is none, as it is when it does not fit. */
export function shown(type: string, value: unknown): unknown {
  if (value === undefined || value === null) return null
  const isList = type.startsWith('[]')
  const codec = types.get(isList ? type.slice(2) : type)
  if (!codec) return value
  const one = (item: unknown): unknown => JSON.parse(codec.write(item))
  try {
    return isList ? (value as readonly unknown[]).map(one) : one(value)
  } catch {
    return value
  }
}
