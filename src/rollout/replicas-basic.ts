// Sizes of the new and the stable set in a canary without traffic routing: the split of pods is the weight.
import { maxSurge, maxUnavailable } from './limits.ts'
import { type Sets, type Sized, type SpecShape, type StatusShape, wantedReplicas } from './shape.ts'
import { canaryScale, maxTrafficWeight } from './weight.ts'

export type { Sized } from './shape.ts'

/** Wanted spec.replicas of the two sets. */
export type Counts = Readonly<{ new: number; stable: number }>

/** The split of the pods that comes nearest to a weight: floor and ceil of the canary's share, of `replicas` and, with
 * surge, of one more. Nobody gets zero pods by rounding, save where there is no choice. */
export function nearestSplit(replicas: number, weight: number, whole: number, surge: number): Counts {
  if (replicas === 0) return { new: 0, stable: 0 }
  const share = (replicas * weight) / whole
  const up = Math.ceil(share)
  const down = Math.floor(share)
  const zeroIsFine = weight === whole || weight === 0 || (replicas === 1 && surge === 0)
  // argo: an exact half drops the lower candidate. The order of the division matters to the last bit.
  const isHalf = (total: number) => (total * (weight / whole)) % 1 === 0.5
  const floorFits = (total: number) => !isHalf(total) && (down !== 0 || zeroIsFine)

  const candidates: (readonly [canary: number, total: number])[] = []
  if (up < replicas || zeroIsFine) candidates.push([up, replicas])
  if (floorFits(replicas)) candidates.push([down, replicas])
  if (surge > 0) candidates.push([up, replicas + 1])
  if (surge > 0 && floorFits(replicas + 1)) candidates.push([down, replicas + 1])

  // argo: no candidate leaves the canary at zero (2 replicas at 75 without surge).
  let best: Counts = { new: 0, stable: replicas }
  let error = Number.POSITIVE_INFINITY
  for (const [canary, total] of candidates) {
    const off = Math.abs((canary * whole) / total - weight)
    if (off >= error) continue
    best = { new: canary, stable: total - canary }
    error = off
  }
  return best
}

/** The sizes that the weight asks for, whatever stands now. */
export function basicWish(spec: SpecShape, status: StatusShape, newRS?: Sized | null, stableRS?: Sized | null): Counts {
  const replicas = wantedReplicas(spec)
  if (!stableRS || stableRS.hash === newRS?.hash) return { new: replicas, stable: 0 }
  const { weight } = canaryScale({ spec, status, newRS, stableRS })
  return nearestSplit(replicas, weight, maxTrafficWeight(spec), maxSurge(spec))
}

/** One pass towards the wish, within maxSurge and maxUnavailable: stable up, new up, then one of the two down once the
 * other sets are gone. */
export function basicCounts(input: Readonly<{ spec: SpecShape; status: StatusShape }> & Sets): Counts {
  const { spec, status } = input
  const stableRS = input.stableRS ?? undefined
  const newRS = input.newRS ?? undefined
  const others = (input.otherRSs ?? []).reduce((sum, set) => sum + set.spec, 0)
  const wish = basicWish(spec, status, newRS, stableRS)
  const limit = wantedReplicas(spec) + maxSurge(spec)
  // A set that is new and stable at once is sized as the new one.
  const apart = stableRS !== undefined && stableRS.hash !== newRS?.hash ? stableRS : undefined
  let room = limit - (newRS?.spec ?? 0) - (apart?.spec ?? 0) - others
  const grow = (set: Sized | undefined, want: number) => {
    if (!set) return 0
    const more = set.spec < want && room > 0 ? Math.min(room, want - set.spec) : 0
    room -= more
    return set.spec + more
  }
  const stable = grow(apart, wish.stable)
  const grown = { new: grow(newRS, wish.new), stable }
  if (others > 0) return grown
  return shrink(input, wish, grown, limit)
}

/** Pods of a set that are sure to serve while something goes down. */
function counted(set: Sized | undefined, whateverAvailable: boolean): number {
  if (!set) return 0
  return whateverAvailable ? set.spec : Math.min(set.spec, set.available)
}

function shrink(
  { spec, newRS, stableRS }: Readonly<{ spec: SpecShape }> & Sets,
  wish: Counts,
  grown: Counts,
  limit: number,
): Counts {
  const fresh = newRS ?? undefined
  const old = stableRS ?? undefined
  const apart = old?.hash === fresh?.hash ? undefined : old
  const needed = wantedReplicas(spec) - maxUnavailable(spec)
  const growsNew = !fresh || wish.new >= fresh.spec
  // argo: pods of one set in both roles count twice here.
  const spare = counted(fresh, !growsNew) + counted(old, growsNew) - needed
  if (spare <= 0) return grown
  if (!growsNew) {
    const to = grown.new > wish.new ? Math.max(wish.new, grown.new - spare) : grown.new
    const fit = fitLimits(to, fresh, grown.stable, apart, needed, limit)
    return { new: fit.drain, stable: fit.keep }
  }
  if (!apart) return grown
  const to = grown.stable > wish.stable ? Math.max(wish.stable, grown.stable - spare) : grown.stable
  const fit = fitLimits(to, apart, grown.new, fresh, needed, limit)
  return { new: fit.keep, stable: fit.drain }
}

/** Cuts both sides to the surge limit, the kept side first, and gives back what availability needs. */
function fitLimits(
  drain: number,
  drainRS: Sized | undefined,
  keep: number,
  keepRS: Sized | undefined,
  needed: number,
  limit: number,
): Readonly<{ drain: number; keep: number }> {
  if (!keepRS) return { drain, keep }
  const over = Math.max(0, drain + keep - limit)
  const cut = keep - over
  const available = Math.min(drainRS?.available ?? 0, drain) + Math.min(keepRS.available, cut)
  const lost = Math.max(0, keepRS.available - cut)
  const back = cut + Math.min(lost, Math.max(0, needed - available))
  return { drain: drain - Math.max(0, drain + back - limit), keep: back }
}
