// One consistent, frozen reading of everything an experiment may depend on.
import type { AnalysisRun } from '../api/analysis.ts'
import type { Experiment, ExperimentStatus } from '../api/experiment.ts'
import type { ReplicaSet, Service } from '../api/kube.ts'
import { controllingRollout, type KubeObject, type OwnerReference, type Ref } from '../contract.ts'
import type { Key, Lookup } from '../ports.ts'
import { ANALYSIS_RUN, EXPERIMENT, REPLICA_SET, ROLLOUT, SERVICE } from '../rollout/observe.ts'

/** On what an experiment creates for a template: the experiment's name, and the template's. */
export const EXPERIMENT_NAME = 'experiment.argoproj.io/name'
export const TEMPLATE_NAME = 'experiment.argoproj.io/template-name'

export type ExperimentSeen = Readonly<{
  experiment: Experiment
  status: ExperimentStatus
  namespace: string
  /** Our ReplicaSets and Services, by the template that they are for. */
  sets: ReadonlyMap<string, ReplicaSet>
  services: ReadonlyMap<string, Service>
  runs: readonly AnalysisRun[]
  /** The rollout whose step this is. */
  rollout: KubeObject | undefined
  look(ref: Ref): KubeObject | undefined
}>

/** Reads all that concerns the experiment `key` from the cache; undefined when it is gone or going. */
export function observeExperiment(key: Key, cache: Lookup): ExperimentSeen | undefined {
  const experiment = cache.get({ ...EXPERIMENT, ...key }) as Experiment | undefined
  if (!experiment || experiment.metadata.deletionTimestamp !== undefined) return undefined
  const { namespace = '', uid = '' } = experiment.metadata
  const owner = controllingRollout(experiment)
  return {
    experiment,
    status: experiment.status ?? {},
    namespace,
    sets: byTemplate(experiment, cache.ownedBy(REPLICA_SET, uid) as readonly ReplicaSet[]),
    services: byTemplate(experiment, cache.ownedBy(SERVICE, uid) as readonly Service[]),
    runs: cache.ownedBy(ANALYSIS_RUN, uid) as readonly AnalysisRun[],
    rollout: owner === undefined ? undefined : cache.get({ ...ROLLOUT, namespace, name: owner }),
    look: ref => cache.get(ref),
  }
}

function byTemplate<T extends KubeObject>(experiment: Experiment, objects: readonly T[]): ReadonlyMap<string, T> {
  const names = new Set(experiment.spec.templates.map(({ name }) => name))
  const mine = objects.flatMap(object => {
    const { annotations = {}, deletionTimestamp } = object.metadata
    const name = annotations[TEMPLATE_NAME]
    const isMine = annotations[EXPERIMENT_NAME] === experiment.metadata.name && deletionTimestamp === undefined
    return isMine && name !== undefined && names.has(name) ? [[name, object] as const] : []
  })
  return new Map(mine)
}

/** The experiment as controlling owner of what it creates. */
export const ownerOf = ({ apiVersion, kind, metadata }: Experiment): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

/** Does this experiment control the object? */
export const isOwnedBy = (experiment: Experiment, object: KubeObject): boolean =>
  object.metadata.ownerReferences?.some(one => one.controller === true && one.uid === experiment.metadata.uid) ?? false
