// An Experiment as people see it: its ReplicaSets and the analysis that judges them.
import { experimentMs } from '../api/duration.ts'
import type { Millis, ObjectMeta } from '../contract.ts'
import { ageOf, humanDuration } from './age.ts'
import { type AnalysisRunInfo, analysisRunInfo } from './analysis-view.ts'
import { iconOf } from './icon.ts'
import { ownedBy } from './owned.ts'
import { hashOf, NO_ROLES, type ReplicaSetInfo, type Roles, replicaSetInfo, revisionOf } from './replica-set-view.ts'
import type { ExperimentShape, World } from './shape.ts'

export type ExperimentInfo = Readonly<{
  objectMeta: ObjectMeta
  icon: string
  revision: number
  status: string
  message: string
  replicaSets: readonly ReplicaSetInfo[]
  analysisRuns: readonly AnalysisRunInfo[]
}>

/** Reads an experiment with what it owns. `roles` tells the part of a set by its pod hash, where it has one. */
export function experimentInfo(
  experiment: ExperimentShape,
  world: World,
  roles: (hash: string) => Roles = () => NO_ROLES,
): ExperimentInfo {
  const { uid } = experiment.metadata
  const status = experiment.status?.phase ?? ''
  return {
    objectMeta: experiment.metadata,
    icon: iconOf(status),
    revision: revisionOf(experiment.metadata),
    status,
    message: experiment.status?.message ?? '',
    replicaSets: ownedBy(uid, world.replicaSets).map(rs => replicaSetInfo(rs, roles(hashOf(rs)), world.pods)),
    analysisRuns: ownedBy(uid, world.analysisRuns).map(analysisRunInfo),
  }
}

/** What a list of experiments shows of one, by column. */
export function experimentRow(experiment: ExperimentShape, now: Millis): readonly string[] {
  const { spec, status, metadata } = experiment
  const length = experimentMs(spec?.duration ?? undefined)
  const began = Date.parse(status?.availableAt ?? '')
  const isOver = ['Successful', 'Failed', 'Error', 'Inconclusive'].includes(status?.phase ?? '')
  const left = length === undefined || Number.isNaN(began) || isOver ? undefined : began + length - now
  const remaining = left === undefined ? '-' : humanDuration(Math.max(0, left))
  return [
    metadata.name,
    status?.phase || 'Pending',
    spec?.duration || '-',
    remaining,
    ageOf(metadata.creationTimestamp, now),
  ]
}
