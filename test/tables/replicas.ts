// Tables of weights and replica counts.
import { atDesired } from '../../src/rollout/replicas.ts'
import { basicCounts } from '../../src/rollout/replicas-basic.ts'
import { routedCounts } from '../../src/rollout/replicas-routed.ts'
import { canaryOf, type Sized, type SpecShape, type StatusShape, type WeightsShape } from '../../src/rollout/shape.ts'
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

export const basic: Table = { name: 'replicas-basic', answer: row => basicCounts(inputOf(row)) }

export const routed: Table = { name: 'replicas-routed', answer: row => routedCounts(inputOf(row)) }

export const reached: Table = { name: 'at-desired', answer: row => atDesired(inputOf(row)) }

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
      setCanaryScale: activeCanaryScale(spec, status) ?? null,
      canary: canaryScale(input),
      stepIndex: index,
      atStep: index !== null && index < (canaryOf(spec).steps?.length ?? 0),
    }
  },
}
