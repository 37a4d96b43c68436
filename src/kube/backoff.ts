// How long to wait after the n-th failure in a row.
import type { Millis } from '../contract.ts'
import type { Random } from '../ports.ts'

export type BackoffRule = Readonly<{
  base: Millis
  max: Millis
  /** Share of the delay that chance adds: 1 means up to twice as long. */
  jitter: number
  /** Failures further apart than this count as first ones again. */
  resetAfter: Millis
}>

/** Watches and lists (client-go's numbers): 0.8 s to 30 s, doubling, up to 100 % jitter, forgotten after 2 minutes. */
export const WATCH_BACKOFF: BackoffRule = { base: 800, max: 30_000, jitter: 1, resetAfter: 120_000 }

export type Backoff = Readonly<{
  /** Counts a failure and says how long to wait. */
  next(now: Millis): Millis
  reset(): void
  failures(): number
}>

export function createBackoff(rule: BackoffRule, random: Random): Backoff {
  let failures = 0
  let last = Number.NEGATIVE_INFINITY
  return {
    next(now) {
      if (now - last > rule.resetAfter) failures = 0
      last = now
      const delay = Math.min(rule.max, rule.base * 2 ** Math.min(failures, 30))
      failures += 1
      return delay * (1 + rule.jitter * random())
    },
    reset() {
      failures = 0
    },
    failures: () => failures,
  }
}
