// Lengths of time in two or three digits, as kubectl shows them: 45s, 5m3s, 2d3h.

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

const two = (big: number, unit: string, small: number, part: string): string =>
  small === 0 ? `${big}${unit}` : `${big}${unit}${small}${part}`

/** A length of time, in milliseconds, for people. Up to two seconds below zero count as now (clocks differ). */
export function shortHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * minute) return `${seconds}s`
  const minutes = Math.floor(seconds / minute)
  if (minutes < 10) return two(minutes, 'm', seconds % minute, 's')
  if (seconds < 3 * hour) return `${minutes}m`
  const hours = Math.floor(seconds / hour)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(seconds / day)
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (seconds < 2 * year) return `${days}d`
  const years = Math.floor(seconds / year)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

/** How long ago an RFC 3339 time was at `now` (milliseconds); `<unknown>` when there is none. */
export function ageText(time: unknown, now: number): string {
  if (typeof time !== 'string' || time === '') return '<unknown>'
  const then = Date.parse(time)
  return Number.isNaN(then) ? '<invalid>' : shortHumanDuration(now - then)
}
