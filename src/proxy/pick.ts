// The weighted choice: exact, deterministic for a seed, cheap, and without a pattern that users could fall into.
//
// Every side has a lag: what it should have had so far less what it got, in units of the route's total; the lags sum
// to zero. The side that would fall a whole request behind is due and taken; a side that is ahead is left out; in
// between there is freedom, and where in its stretch a side is served is drawn from a seeded sequence.
// So each prefix is exact, and yet a client that always sends five requests does not always hit the same side.
//
// Bounds: with weights that stand still, or two sides however their weights move, every side is less than one request
// away from the sum of its shares, after every single request. When weights of three or more sides move, less than two.
// (A golden-ratio sequence needs no lags but strays by up to four requests; plain smooth weights have a fixed pattern.)

/** The memory of one route's choice. It lives through weight changes; only functions of this file touch it. */
export type Lags = { total: number; readonly lag: Map<string, Lag>; seed: number }

/** One side's lag in the memory that it belongs to. */
export type Lag = { units: number; readonly of: unknown }

/** A side of the choice: `weight` counts in units of the total that is passed along. */
export type Side = Readonly<{ key: string; weight: number }> & {
  /** Its lag, once looked up: a note of `pick`, for speed. */
  lag?: Lag
}

/** Beyond any deadline of a side that may be served. */
const LATER = 1e12

/** A fresh memory. `seed` is any integer; processes should differ so that they do not move in step. */
export const newLags = (seed: number): Lags => ({ total: 1, lag: new Map(), seed: seed >>> 0 })

function lagOf(lags: Lags, key: string): Lag {
  const known = lags.lag.get(key)
  if (known) return known
  const fresh = { units: 0, of: lags }
  lags.lag.set(key, fresh)
  return fresh
}

/** Index of the side that takes the next request. Sides of weight 0 never, a side of weight `total` always.
 * The weights must be integers that sum to `total` (at least 1). */
export function pick(lags: Lags, sides: readonly Side[], total: number): number {
  if (lags.total !== total) reweigh(lags, total)
  let due = -1
  let soonest = Infinity
  let live = 0
  let free = 0
  for (let i = 0; i < sides.length; i++) {
    const side = sides[i]!
    if (side.weight === 0) continue
    if (side.lag?.of !== lags) side.lag = lagOf(lags, side.key)
    const next = side.lag.units + side.weight
    side.lag.units = next
    live++
    if (next > 0) free++
    // Requests until this side would be a whole one behind. Nobody is free only after weights of many sides moved.
    const left = next > 0 ? (total - next) / side.weight : LATER - next
    if (left < soonest) {
      soonest = left
      due = i
    }
  }
  const chosen = live === 2 && free === 2 && soonest > 0 ? draw(lags, sides, total) : due
  sides[chosen]!.lag!.units -= total
  return chosen
}

/** Both candidates may be taken. Each stretch of a side is one request long; it is served at an even place in it:
 * of what is left of the stretch, this request is `step`. Only two sides are drawn for: more could fall due at once. */
function draw(lags: Lags, sides: readonly Side[], total: number): number {
  let small = -1
  let other = -1
  for (let i = 0; i < sides.length; i++) {
    const { lag, weight } = sides[i]!
    if (weight === 0 || lag!.units <= 0) continue
    if (small < 0 || weight < sides[small]!.weight) {
      other = small
      small = i
    } else other = i
  }
  const { lag, weight } = sides[small]!
  const { units } = lag!
  const step = Math.min(weight, units)
  return random(lags) * (total - (units - step)) < step ? small : other
}

/** Carries lags over to another total, rounding each by less than a unit; they still sum to zero. */
export function reweigh(lags: Lags, total: number): void {
  let sum = 0
  let last: Lag | undefined
  for (const lag of lags.lag.values()) {
    lag.units = Math.trunc((lag.units / lags.total) * total)
    sum += lag.units
    last = lag
  }
  if (last !== undefined) last.units -= sum
  lags.total = total
}

/** Forgets sides that are gone; what they were owed or owing goes to the rest, who owe or are owed it. */
export function keepOnly(lags: Lags, keys: ReadonlySet<string>): void {
  let left = 0
  for (const [key, lag] of lags.lag) {
    if (keys.has(key)) continue
    left += lag.units
    lags.lag.delete(key)
  }
  if (left === 0) return
  const [heir] = [...lags.lag.values()].sort((a, b) => (left > 0 ? a.units - b.units : b.units - a.units))
  if (heir) heir.units += left
}

/** The next of a sequence of places in [0, 1) of which every stretch gets its share, from any place on: steps of the
 * golden ratio. For a memory that nothing is picked with. */
export function nextPlace(lags: Lags): number {
  lags.seed = (lags.seed + 0x9e3779b9) >>> 0
  return lags.seed / 0x1_0000_0000
}

/** A number in [0, 1): a small mixing generator, enough to break patterns. */
function random(lags: Lags): number {
  lags.seed = (lags.seed + 0x9e3779b9) >>> 0
  let x = lags.seed
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return ((x ^ (x >>> 16)) >>> 0) / 0x1_0000_0000
}
