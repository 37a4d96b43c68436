// The numbers that a canary reads from its steps: weights, and the scale that a step asks for.
import {
  canaryOf,
  isPromoted,
  isRouted,
  type ScaleShape,
  type Sets,
  type SpecShape,
  type StatusShape,
  wantedReplicas,
} from './shape.ts'

/** What a canary's size is computed from: a count that a step fixes, else a weight. */
export type CanaryScale = Readonly<{ replicas: number | null; weight: number }>

type Input = Readonly<{ spec: SpecShape; status: StatusShape }> & Sets

/** The whole that weights are parts of: 100 unless maxTrafficWeight says otherwise. */
export const maxTrafficWeight = (spec: SpecShape): number => canaryOf(spec).trafficRouting?.maxTrafficWeight ?? 100

/** Pods that a weight stands for, rounded up. Of a whole of nothing no share can be taken: nobody shrinks. */
export function weightToReplicas(spec: SpecShape, weight: number): number {
  const [replicas, whole] = [wantedReplicas(spec), maxTrafficWeight(spec)]
  return whole > 0 ? Math.ceil((replicas * weight) / whole) : replicas
}

/** The step index, 0 when none is recorded; null when there are no steps. */
export function stepIndex(spec: SpecShape, status: StatusShape): number | null {
  const count = canaryOf(spec).steps?.length ?? 0
  return count === 0 ? null : (status?.currentStepIndex ?? 0)
}

/** The weight of the nearest setWeight step at or before `index`; 0 when there is none. */
export function weightAt(spec: SpecShape, index: number): number {
  const steps = canaryOf(spec).steps ?? []
  for (let i = Math.min(index, steps.length - 1); i >= 0; i--) {
    const weight = steps[i]?.setWeight
    if (weight !== undefined && weight !== null) return weight
  }
  return 0
}

/** The weight of the nearest setWeight step strictly before `index`; 0 when there is none. */
export const weightBefore = (spec: SpecShape, index: number): number => weightAt(spec, index - 1)

/** The weight by steps: 0 when aborted, the whole past the last step. */
export function currentSetWeight(spec: SpecShape, status: StatusShape): number {
  if (status?.abort) return 0
  const index = stepIndex(spec, status)
  if (index === null || index >= (canaryOf(spec).steps?.length ?? 0)) return maxTrafficWeight(spec)
  return weightAt(spec, index)
}

/** The weight that the sizes follow: by steps, or on the way back of an aborted canary whose stable set was scaled
 * down (dynamicStableScale), the largest-index setWeight that the pods already back can carry. */
export function desiredWeight({ spec, status, newRS, stableRS }: Input): number {
  const canary = canaryOf(spec)
  if (!status?.abort || !canary.dynamicStableScale || !newRS || !stableRS) return currentSetWeight(spec, status)
  const missing = wantedReplicas(spec) - stableRS.available
  const hasAbortDelay = isRouted(spec) && (canary.abortScaleDownDelaySeconds ?? 0) > 0
  const needed = hasAbortDelay ? missing : Math.max(missing, newRS.available)
  // argo: in file order from the end, not by size.
  for (const { setWeight } of [...(canary.steps ?? [])].reverse()) {
    if (setWeight !== undefined && setWeight !== null && weightToReplicas(spec, setWeight) < needed) return setWeight
  }
  return 0
}

/** The setCanaryScale step in force, undefined when none is: the nearest one at or before the current step unless it
 * follows the traffic weight. Needs traffic routing; an abort ends it unless abortScaleDownDelaySeconds is 0. */
export function activeCanaryScale(spec: SpecShape, status: StatusShape): ScaleShape | undefined {
  const { steps, abortScaleDownDelaySeconds } = canaryOf(spec)
  const index = stepIndex(spec, status)
  if (!steps || index === null || index >= steps.length || !isRouted(spec)) return undefined
  if (status?.abort && abortScaleDownDelaySeconds !== 0) return undefined
  for (let i = index; i >= 0; i--) {
    const scale = steps[i]?.setCanaryScale
    if (scale) return scale.matchTrafficWeight ? undefined : scale
  }
  return undefined
}

/** What the canary's size is computed from. promoteFull wins over an abort. */
export function canaryScale(input: Input): CanaryScale {
  const { spec, status } = input
  if (status?.promoteFull || isPromoted(status)) return { replicas: null, weight: maxTrafficWeight(spec) }
  const scale = activeCanaryScale(spec, status)
  if (scale?.replicas !== undefined && scale.replicas !== null) return { replicas: scale.replicas, weight: 0 }
  return { replicas: null, weight: scale?.weight ?? desiredWeight(input) }
}
