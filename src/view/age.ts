// Lengths of time as people read them in tables: 45s, 5m12s, 3h20m, 41d.
import type { Millis } from '../contract.ts'

const pair = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`

/** A length of time in at most two units, ever coarser as it grows; kubectl's rules.
 * A little below zero (clocks differ) is `0s`, more is `<invalid>`. */
export function humanDuration(length: Millis): string {
  const seconds = Math.trunc(length / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 192) return pair(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.trunc(days / 365)
  return days < 2920 ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

/** The age of something that began at `since` (RFC 3339); empty when it has not begun. */
export function ageOf(since: string | null | undefined, now: Millis): string {
  const began = Date.parse(since ?? '')
  return Number.isNaN(began) ? '' : humanDuration(now - began)
}
