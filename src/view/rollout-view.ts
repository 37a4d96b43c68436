// The one model of a rollout that the terminal, watch mode and the page all show. Objects in, view out, nothing else.
import type { ObjectMeta } from '../contract.ts'
import { clientPhase } from '../rollout/phase.ts'
import { currentSetWeight, maxTrafficWeight, stepIndex } from '../rollout/weight.ts'
import { type AnalysisRunInfo, analysisRunInfo } from './analysis-view.ts'
import { type ExperimentInfo, experimentInfo } from './experiment-view.ts'
import { iconOf } from './icon.ts'
import { ownedBy } from './owned.ts'
import { hashOf, type ReplicaSetInfo, replicaSetInfo, rolesOf } from './replica-set-view.ts'
import type { ContainerShape, RolloutShape, World } from './shape.ts'

export type ContainerInfo = Readonly<{ name: string; image: string }>

/** RolloutInfo of the dashboard's API. Weights and the step are text, as the API has them. */
export type RolloutInfo = Readonly<{
  objectMeta: ObjectMeta
  status: string
  message: string
  icon: string
  /** `Canary`, `BlueGreen`, or empty when the spec names neither. */
  strategy: string
  /** `1/4`; empty without steps or before the first reconcile. */
  step: string
  setWeight: string
  actualWeight: string
  ready: number
  current: number
  desired: number
  updated: number
  available: number
  /** RFC 3339, or `Never`. */
  restartedAt: string
  generation: string
  replicaSets: readonly ReplicaSetInfo[]
  experiments: readonly ExperimentInfo[]
  analysisRuns: readonly AnalysisRunInfo[]
  containers: readonly ContainerInfo[]
  initContainers: readonly ContainerInfo[]
  steps: readonly Readonly<Record<string, unknown>>[]
}>

/** A world with nothing in it, for views of the Rollout alone. */
export const NOTHING: World = { replicaSets: [], pods: [], experiments: [], analysisRuns: [] }

const containerInfo = (containers: readonly ContainerShape[] | null | undefined): readonly ContainerInfo[] =>
  (containers ?? []).map(({ name, image }) => ({ name, image: image ?? '' }))

function strategyOf(rollout: RolloutShape): string {
  const { canary, blueGreen } = rollout.spec.strategy ?? {}
  return blueGreen ? 'BlueGreen' : canary ? 'Canary' : ''
}

function stepOf({ spec, status }: RolloutShape): string {
  const count = spec.strategy?.canary?.steps?.length ?? 0
  const index = status?.currentStepIndex
  return count === 0 || index === undefined || index === null ? '' : `${index}/${count}`
}

/** The weight that the canary really has. argo: the whole past the last step, 0 while no pod is available; without
 * traffic routing it follows from counts; with it, from the recorded weights. */
function actualWeight(rollout: RolloutShape, replicaSets: readonly ReplicaSetInfo[]): number {
  const { spec, status } = rollout
  const whole = maxTrafficWeight(spec)
  const index = stepIndex(spec, status)
  if (index === null || index >= (spec.strategy?.canary?.steps?.length ?? 0)) return whole
  const available = status?.availableReplicas ?? 0
  if (available === 0) return 0
  if (spec.strategy?.canary?.trafficRouting) {
    return status?.canary?.weights?.canary?.weight ?? currentSetWeight(spec, status)
  }
  const canary = replicaSets.find(rs => rs.canary)
  return Math.trunc(((canary?.available ?? 0) * whole) / available)
}

/** Reads a rollout with all that belongs to it. Newest revision first. */
export function rolloutInfo(rollout: RolloutShape, world: World): RolloutInfo {
  const { metadata, spec, status } = rollout
  const { phase, message } = clientPhase(rollout, world.workload !== undefined)
  const strategy = strategyOf(rollout)
  const replicaSets = ownedBy(metadata.uid, world.replicaSets)
    .map(rs => replicaSetInfo(rs, rolesOf(rollout, hashOf(rs)), world.pods))
    .toSorted((a, b) => b.revision - a.revision)
  const template = world.workload?.spec?.template ?? world.workload?.template ?? spec.template
  const isCanary = strategy === 'Canary'
  return {
    objectMeta: metadata,
    status: phase,
    message,
    icon: iconOf(phase),
    strategy,
    step: isCanary ? stepOf(rollout) : '',
    setWeight: isCanary ? `${currentSetWeight(spec, status)}` : '',
    actualWeight: isCanary ? `${actualWeight(rollout, replicaSets)}` : '',
    ready: status?.readyReplicas ?? 0,
    current: status?.replicas ?? 0,
    desired: spec.replicas ?? 1,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    restartedAt: status?.restartedAt || 'Never',
    generation: status?.observedGeneration ?? '',
    replicaSets,
    experiments: ownedBy(metadata.uid, world.experiments)
      .map(experiment => experimentInfo(experiment, world, hash => rolesOf(rollout, hash)))
      .toSorted((a, b) => b.revision - a.revision),
    analysisRuns: ownedBy(metadata.uid, world.analysisRuns)
      .map(analysisRunInfo)
      .toSorted((a, b) => b.revision - a.revision),
    containers: containerInfo(template?.spec?.containers),
    initContainers: containerInfo(template?.spec?.initContainers),
    steps: spec.strategy?.canary?.steps ?? [],
  }
}
