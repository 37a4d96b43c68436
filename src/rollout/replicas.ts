// The sizes that a canary wants, and whether they are reached: what lets setWeight and setCanaryScale steps end.
import { basicCounts } from './replicas-basic.ts'
import { routedCounts } from './replicas-routed.ts'
import {
  canaryOf,
  isRouted,
  type Sets,
  type Sized,
  type SpecShape,
  type StatusShape,
  type WeightsShape,
} from './shape.ts'

/** Slack of a percentage: 29 of 100 is 28.999999999999996 in doubles. */
const SLACK = 1e-10

/** Whether `available` of `wanted` pods are enough by replicaProgressThreshold; undefined when none is set. */
function meetsThreshold(spec: SpecShape, available: number, wanted: number): boolean | undefined {
  const threshold = canaryOf(spec).replicaProgressThreshold
  const value = threshold?.value ?? 0
  if (!threshold || value < 0) return undefined
  // argo: any other type counts pods, also a misspelt one.
  if (threshold.type !== 'Percent') return available >= value
  return wanted === 0 || (available / wanted) * 100 + SLACK >= value
}

/** A threshold is set, and `available` of `wanted` pods reach it: that counts as all of them. */
export const hasReachedThreshold = (
  { spec }: Readonly<{ spec: SpecShape }>,
  available: number,
  wanted: number,
): boolean => meetsThreshold(spec, available, wanted) ?? false

/** Whether the new set has come far enough: exactly there, or the threshold's share of it. */
function newIsThere(spec: SpecShape, newRS: Sized | null | undefined, wanted: number): boolean {
  if (!newRS) return false
  return meetsThreshold(spec, newRS.available, wanted) ?? (newRS.spec === wanted && newRS.available === wanted)
}

/** Whether the wanted sizes are reached. The stable set must have its pods, but they need not be available; without
 * traffic routing no other set may still serve. */
export function atDesired(
  input: Readonly<{ spec: SpecShape; status: StatusShape; weights?: WeightsShape }> & Sets,
): boolean {
  const { spec, newRS, stableRS, otherRSs } = input
  const routed = isRouted(spec)
  const wish = routed ? routedCounts(input) : basicCounts(input)
  if (!newIsThere(spec, newRS, wish.new)) return false
  if (!routed || !canaryOf(spec).dynamicStableScale) {
    if (!stableRS || stableRS.spec !== wish.stable || (stableRS.replicas ?? 0) !== wish.stable) return false
  }
  return routed || (otherRSs ?? []).every(set => set.available === 0)
}
