// Sizes of the new and the stable set in a canary with traffic routing: the router splits, so sizes only must carry.
import type { Counts } from './replicas-basic.ts'
import { canaryOf, type Sets, type SpecShape, type StatusShape, type WeightsShape, wantedReplicas } from './shape.ts'
import { canaryScale, maxTrafficWeight, weightToReplicas } from './weight.ts'

/** Wanted spec.replicas of the two sets. `weights` are those recorded in status; only dynamicStableScale looks at them,
 * so that nobody shrinks below the traffic that is still served. */
export function routedCounts(
  input: Readonly<{ spec: SpecShape; status: StatusShape; weights?: WeightsShape }> & Sets,
): Counts {
  const { spec, status, weights } = input
  const replicas = wantedReplicas(spec)
  const { dynamicStableScale, minPodsPerReplicaSet } = canaryOf(spec)
  const atLeastMin = (count: number) =>
    count === 0 ? 0 : Math.max(count, Math.min(minPodsPerReplicaSet ?? 1, replicas))
  const toReplicas = (weight: number) => weightToReplicas(spec, weight)

  const scale = canaryScale(input)
  const canary = scale.replicas ?? atLeastMin(toReplicas(scale.weight))
  if (!dynamicStableScale) return { new: canary, stable: replicas }

  const stable = toReplicas(maxTrafficWeight(spec) - scale.weight)
  if (!weights) return { new: atLeastMin(canary), stable: atLeastMin(stable) }
  const served = { canary: toReplicas(weights.canary?.weight ?? 0), stable: toReplicas(weights.stable?.weight ?? 0) }
  return {
    new: atLeastMin(status?.abort ? Math.max(canary, served.canary) : canary),
    stable: atLeastMin(Math.max(stable, served.stable)),
  }
}
