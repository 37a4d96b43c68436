// Flags that are a length of time.
import { parseGoDuration } from '../api/duration.ts'
import type { Millis } from '../contract.ts'
import { UserError } from '../errors.ts'

/** Milliseconds of a flag such as `30s` or `1h30m`; a bare number counts seconds. Raises UserError PIN1003. */
export function durationFlag(value: unknown): Millis {
  const text = String(value ?? '0')
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const { ms, error } = parseGoDuration(text)
  if (ms === undefined) throw new UserError('PIN1003', error, 'Write a duration such as 30s, 10m or 1h30m.')
  return ms
}
