// RFC 3339 times as Go reads and writes them: UTC, whole seconds.

const FORM = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|([+-])(\d\d):(\d\d))$/
/** The zero time of Go. */
const ZERO = '0001-01-01T00:00:00Z'

/** A time as JSON text in UTC with the fraction cut off; `null` for the zero time; undefined when it is none. */
export function timeText(value: unknown): string | undefined {
  const match = typeof value === 'string' ? FORM.exec(value) : null
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [offsetHour, offsetMinute] = [Number(match[8] ?? 0), Number(match[9] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 24 || offsetMinute > 60) return undefined
  const time = new Date(0)
  time.setUTCFullYear(year, month - 1, day)
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined
  const offset = (match[7] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  time.setUTCHours(hour, minute - offset, second)
  const text = time.toISOString().replace('.000Z', 'Z')
  return text === ZERO ? 'null' : `"${text}"`
}
