// A vector's rollout and sets as the reading that the planner gets.
import type { ReplicaSet } from '../../src/api/kube.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import type { RolloutStatus } from '../../src/api/rollout-status.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import type { Row } from './vector-table.ts'

type VectorSet = Readonly<{
  hash: string
  spec: number
  replicas?: number
  ready?: number
  available?: number
  created?: string
  revision?: string
  desired?: string
  deadline?: string
  failure?: Readonly<Record<string, unknown>>
  generation?: number
  observedGeneration?: number
  /** When, or just that it is being deleted. */
  deleted?: string | boolean | null
  annotations?: Readonly<Record<string, string>>
}>

function setOf(name: string, set: VectorSet): ReplicaSet {
  const annotations = {
    ...(set.revision === undefined ? {} : { 'rollout.argoproj.io/revision': set.revision }),
    ...(set.desired === undefined ? {} : { 'rollout.argoproj.io/desired-replicas': set.desired }),
    ...(set.deadline === undefined ? {} : { 'scale-down-deadline': set.deadline }),
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${set.hash}`,
      labels: { 'rollouts-pod-template-hash': set.hash },
      annotations,
      ...(set.created === undefined ? {} : { creationTimestamp: set.created }),
      ...(set.generation === undefined ? {} : { generation: set.generation }),
      ...(set.deleted ? { deletionTimestamp: String(set.deleted) } : {}),
    },
    spec: { replicas: set.spec },
    status: {
      replicas: set.replicas ?? 0,
      readyReplicas: set.ready ?? 0,
      availableReplicas: set.available ?? 0,
      ...(set.observedGeneration === undefined ? {} : { observedGeneration: set.observedGeneration }),
      ...(set.failure ? { conditions: [{ type: 'ReplicaFailure', status: 'True', ...set.failure }] } : {}),
    },
  } as unknown as ReplicaSet
}

type Sets = Readonly<{ new?: VectorSet | null; stable?: VectorSet | null; others?: readonly VectorSet[] }>

/** The reading of a vector that has `rollout`, or `spec` and `status`, and maybe `sets`. */
export function seenOf(row: Row): Observed {
  const given = row['rollout'] as Rollout | undefined
  const rollout = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'demo', ...given?.metadata },
    spec: (given?.spec ?? row['spec']) as Rollout['spec'],
    status: (given?.status ?? row['status'] ?? {}) as RolloutStatus,
  } as Rollout
  const { name } = rollout.metadata
  const sets = (row['sets'] ?? {}) as Sets
  const newRS = sets.new ? setOf(name, sets.new) : undefined
  const isNew = sets.new?.hash === sets.stable?.hash
  const stableRS = sets.stable ? (isNew ? newRS : setOf(name, sets.stable)) : undefined
  // A set of an experiment belongs to the Experiment, so the rollout never claims it.
  const isOwn = ({ annotations }: VectorSet) => annotations?.['experiment.argoproj.io/name'] === undefined
  const otherRSs = (sets.others ?? []).filter(isOwn).map(set => setOf(name, set))
  const allRSs = [...new Set([newRS, stableRS, ...otherRSs])].filter(rs => rs !== undefined)
  return {
    rollout,
    status: rollout.status ?? {},
    spec: rollout.spec,
    replicas: rollout.spec.replicas ?? 1,
    hash: sets.new?.hash ?? '',
    newRS,
    stableRS,
    otherRSs,
    olderRSs: allRSs.filter(rs => rs !== newRS),
    allRSs,
    runs: [],
  } as unknown as Observed
}

export const nowOf = (row: Row): number => Date.parse((row['now'] as string | undefined) ?? '2024-05-01T10:00:00Z')
