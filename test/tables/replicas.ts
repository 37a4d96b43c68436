// Tables of weights and replica counts.
import { atDesired } from '../../src/rollout/replicas.ts'
import { basicCounts, type Counts } from '../../src/rollout/replicas-basic.ts'
import { routedCounts } from '../../src/rollout/replicas-routed.ts'
import {
  canaryOf,
  type ScaleShape,
  type Sized,
  type SpecShape,
  type StatusShape,
  type WeightsShape,
  wantedReplicas,
} from '../../src/rollout/shape.ts'
import {
  activeCanaryScale,
  canaryScale,
  currentSetWeight,
  desiredWeight,
  maxTrafficWeight,
  stepIndex,
} from '../../src/rollout/weight.ts'
import type { Row, Table } from '../kit/vector-table.ts'

function inputOf(row: Row) {
  const sets = (row['sets'] ?? {}) as { new?: Sized | null; stable?: Sized | null; others?: readonly Sized[] }
  return {
    spec: row['spec'] as SpecShape,
    status: row['status'] as StatusShape,
    weights: row['weights'] as WeightsShape,
    newRS: sets.new,
    stableRS: sets.stable,
    otherRSs: sets.others,
  }
}

function isOneSet(row: Row): boolean {
  const { newRS, stableRS } = inputOf(row)
  return newRS != null && newRS.hash === stableRS?.hash
}

export const basic: Table = {
  name: 'replicas-basic',
  answer: row => basicCounts(inputOf(row)),
  // Of a set in both roles only the first number is used.
  want: row => (isOneSet(row) ? { ...(row.want as Counts), stable: 0 } : row.want),
  exceptions(row) {
    const replicas = wantedReplicas(row['spec'] as SpecShape)
    if (!isOneSet(row) || inputOf(row).newRS!.spec < replicas || (row.want as Counts).new >= replicas) return undefined
    const reason = 'a promoted set that is too large shrinks to its size; the reference may go below it for a pass'
    return { reason, want: { new: replicas, stable: 0 } }
  },
}

export const routed: Table = { name: 'replicas-routed', answer: row => routedCounts(inputOf(row)) }

export const reached: Table = { name: 'at-desired', answer: row => atDesired(inputOf(row)) }

/** The step in force in the words of the table: nothing that says nothing. */
function shownScale(scale: ScaleShape | undefined) {
  return scale
    ? Object.fromEntries(Object.entries(scale).filter(([, value]) => value !== null && value !== false))
    : null
}

export const weights: Table = {
  name: 'desired-weight',
  answer(row) {
    const input = inputOf(row)
    const { spec, status } = input
    const index = stepIndex(spec, status)
    return {
      maxWeight: maxTrafficWeight(spec),
      setWeight: currentSetWeight(spec, status),
      desiredWeight: desiredWeight(input),
      setCanaryScale: shownScale(activeCanaryScale(spec, status)),
      canary: canaryScale(input),
      stepIndex: index,
      atStep: index !== null && index < (canaryOf(spec).steps?.length ?? 0),
    }
  },
}
