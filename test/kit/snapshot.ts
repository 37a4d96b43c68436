// Objects of a story's snapshot as views read them. Recorded pods are trimmed: what the kubelet said of their
// containers is put back from their conditions.
import type { KubeObject } from '../../src/contract.ts'
import type {
  AnalysisRunShape,
  ExperimentShape,
  PodShape,
  ReplicaSetShape,
  RolloutShape,
  World,
} from '../../src/view/shape.ts'

const ofKind = (objects: readonly KubeObject[], kind: string): readonly KubeObject[] =>
  objects.filter(object => object.kind === kind)

/** The first Rollout of a snapshot. */
export const rolloutOf = (objects: readonly KubeObject[]): RolloutShape =>
  ofKind(objects, 'Rollout')[0] as unknown as RolloutShape

/** A recorded pod with the container statuses that were trimmed off it. */
export function withContainers(pod: KubeObject): KubeObject {
  const { spec, status } = pod as unknown as PodShape
  if (status?.containerStatuses !== undefined) return pod
  const isReady = status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True') ?? false
  const containerStatuses = (spec.containers ?? []).map(({ name, image }) => {
    const reason = image?.includes('does-not-exist') === true ? 'ImagePullBackOff' : 'ContainerCreating'
    const state = status?.phase === 'Running' ? { running: {} } : { waiting: { reason } }
    return { name, ready: isReady, restartCount: 0, image, state }
  })
  return { ...pod, status: { ...status, containerStatuses } }
}

/** All that a view needs beside the Rollout. */
export function worldOf(objects: readonly KubeObject[]): World {
  return {
    replicaSets: ofKind(objects, 'ReplicaSet') as unknown as readonly ReplicaSetShape[],
    pods: ofKind(objects, 'Pod').map(withContainers) as unknown as readonly PodShape[],
    experiments: ofKind(objects, 'Experiment') as unknown as readonly ExperimentShape[],
    analysisRuns: ofKind(objects, 'AnalysisRun') as unknown as readonly AnalysisRunShape[],
  }
}
