// When a request that failed before its answer began is sent once more: on which terms, and how many in all. A retry helps
// against one bad pod and hurts when all are slow, so there is a budget: a share of what came in, and a few beside it.
import type { Dest } from './compile.ts'
import type { Route } from './table.ts'

/** Seconds that a budget looks back. */
export const BUDGET_SECONDS = 10
/** Beside the share, so many a second always may: else quiet routes could not try again at all. */
const FLOOR = 3

/** The further attempts of the last seconds, of one thread. */
export type Budget = { readonly seconds: Float64Array; readonly counts: Uint32Array }

export const newBudget = (): Budget => ({
  seconds: new Float64Array(BUDGET_SECONDS),
  counts: new Uint32Array(BUDGET_SECONDS),
})

/** Takes one attempt from the budget; false when `percent` of the `requests` of the last ten seconds are used up. `now` in
 * milliseconds. */
export function spend(budget: Budget, percent: number, requests: number, now: number): boolean {
  const second = Math.floor(now / 1000)
  let used = 0
  for (let i = 0; i < BUDGET_SECONDS; i++) if (budget.seconds[i]! > second - BUDGET_SECONDS) used += budget.counts[i]!
  if (used >= FLOOR * BUDGET_SECONDS + (percent / 100) * requests) return false
  const at = second % BUDGET_SECONDS
  if (budget.seconds[at] !== second) {
    budget.seconds[at] = second
    budget.counts[at] = 0
  }
  budget.counts[at]!++
  return true
}

/** On which terms a route's requests are sent once more. */
export type Retry = Readonly<{
  /** Further attempts at a safe request that a pod may have seen. */
  attempts: number
  budgetPercent: number
  budget: Budget
}>

/** Where a failed request of the canary goes instead: `to` is stable, `on` the canary's own answers that count as failures. */
export type Rescue = Readonly<{ to: Dest; on: ReadonlySet<number> }>

export function rescueOf(route: Route, dests: readonly Dest[]): Rescue | undefined {
  const to = dests.find(dest => dest.role === 'stable')
  return route.rescue && to ? { to, on: new Set(route.rescue.on) } : undefined
}

/** Limits of a route in milliseconds; undefined: those of the proxy. */
export type Patience = Readonly<{
  /** For one attempt at a safe request, from its last byte to the head of the answer. */
  attempt: number | undefined
  /** For all attempts. */
  answer: number | undefined
  /** Between two pieces of an answer; 0: none. */
  silence: number | undefined
}>

export function patienceOf({ timeouts }: Route): Patience | undefined {
  if (timeouts === undefined) return undefined
  const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000)
  const { attemptSeconds, answerSeconds, silenceSeconds } = timeouts
  return { attempt: ms(attemptSeconds), answer: ms(answerSeconds), silence: ms(silenceSeconds) }
}
