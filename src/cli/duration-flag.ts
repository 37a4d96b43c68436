// Flags that are a length of time.
import { parseGoDuration } from '../api/duration.ts'
import type { Millis } from '../contract.ts'
import { UserError } from '../errors.ts'

/** Milliseconds of a flag such as `30s` or `1h30m`; a bare number counts seconds. Raises UserError PIN1003, which names the
 * flag where it is given; that flag takes no negative time. */
export function durationFlag(value: unknown, flag?: string): Millis {
  const text = String(value ?? '0')
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const { ms, error } = parseGoDuration(text)
  if (ms !== undefined && (ms >= 0 || flag === undefined)) return ms
  const what = flag === undefined ? (error ?? '') : `bad ${flag} ${text}`
  throw new UserError('PIN1003', what, 'Write a duration such as 30s, 10m or 1h30m.')
}
