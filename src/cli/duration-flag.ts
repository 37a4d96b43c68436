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
  const fault = flag !== undefined && (ms === undefined || ms < 0) ? `bad ${flag} ${text}` : error
  if (ms === undefined || fault !== undefined)
    throw new UserError('PIN1003', fault ?? '', 'Write a duration such as 30s, 10m or 1h30m.')
  return ms
}
