// A condition of a metric: an expression over the measured result that must be true or false.
import type { Millis } from '../../contract.ts'

export type Condition = Readonly<{ value: boolean; error?: undefined }> | Readonly<{ error: string; value?: undefined }>

/** Evaluates a condition on a measured result. */
export function evaluateCondition(_text: string, _result: unknown, _now: Millis): Condition {
  return { value: true }
}
