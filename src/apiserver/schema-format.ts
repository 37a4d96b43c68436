// The text formats of schemas. Formats that are not known here are not checked, as on the real server.

const FORMATS: Readonly<Record<string, (value: string) => boolean>> = {
  'date-time': isDateTime,
  date: isDate,
  byte: value => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value),
  uuid: value => /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(value),
  ipv4: value => /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(value),
}

/** Does the text have this format? */
export const isFormat = (format: string, value: string): boolean =>
  Object.hasOwn(FORMATS, format) ? (FORMATS[format]?.(value) ?? true) : true

/** A day that exists, years 0000 to 9999. */
function isDate(value: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value) ?? []
  if (year === undefined) return false
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1] ?? 0
  return Number(day) >= 1 && Number(day) <= days
}

// source: the real server lower-cases, splits at every t and looks at the first two parts only; it takes any character
// before a fraction, any offset of four digits, and no second 60.
function isDateTime(value: string): boolean {
  const [date = '', time = ''] = value.toLowerCase().split('t')
  const [, hour = '99', minute = '99', second = '99'] =
    /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time) ?? []
  return isDate(date) && hour <= '23' && minute <= '59' && second <= '59'
}
