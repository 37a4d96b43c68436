// One consistent, frozen reading of everything a plan may depend on. The only part of the core that reads the cache.

import type { AnalysisRun } from '../api/analysis.ts'
import type { Experiment } from '../api/experiment.ts'
import type { LabelSelector, Pod, PodTemplateSpec, ReplicaSet, Service } from '../api/kube.ts'
import type { Rollout, RolloutSpec } from '../api/rollout.ts'
import type { RolloutStatus } from '../api/rollout-status.ts'
import type { Heard, KindRef, KubeObject, Ref } from '../contract.ts'
import type { Key, Lookup } from '../ports.ts'
import type { Stop } from './go-json-tolerant.ts'
import { HASH_LABEL } from './keys.ts'
import { isFreshAbort } from './pauses.ts'
import { hashOfTemplate, readableTemplate } from './pod-hash.ts'
import { selects } from './selector.ts'
import { byCreation, hashOf } from './sets.ts'
import { samePodTemplate } from './template-equal.ts'
import { resolveWorkload } from './workload-ref.ts'

export const ROLLOUT: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
export const REPLICA_SET: KindRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
export const SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' }
export const ANALYSIS_RUN: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }
export const EXPERIMENT: KindRef = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' }

/** The user's spec is wrong; becomes the InvalidSpec condition. */
export type Problem = Readonly<{ message: string }>

export type Observed = Readonly<{
  rollout: Rollout
  /** Where the rollout and all that it names are; '' when the object has none yet. */
  namespace: string
  status: RolloutStatus
  /** The spec with template and selector taken from the referenced workload, if there is one. */
  spec: RolloutSpec
  template: PodTemplateSpec
  /** Why something that the rollout names cannot be read from the API server: nothing may be concluded then. */
  unseen?: string
  /** What makes the rest of the template impossible to read. */
  unreadable?: Stop
  selector: LabelSelector | undefined
  resolvedFromRef: boolean
  workload: KubeObject | undefined
  workloadProblem: Problem | undefined
  /** spec.replicas, 1 when unset. */
  replicas: number
  /** Hash of the template, with the collision count. */
  hash: string
  /** Sets that we own and that match the selector, oldest first. */
  allRSs: readonly ReplicaSet[]
  newRS: ReplicaSet | undefined
  stableRS: ReplicaSet | undefined
  /** All but the new one. */
  olderRSs: readonly ReplicaSet[]
  /** All but the new and the stable one. */
  otherRSs: readonly ReplicaSet[]
  /** Matching sets without a controller: to be adopted. */
  orphanRSs: readonly ReplicaSet[]
  /** Owned sets that no longer match: to be released. */
  strayRSs: readonly ReplicaSet[]
  /** Pods of all sets; only read while a restart is pending, else undefined. */
  pods: readonly Pod[] | undefined
  /** Names of pods that this pass was not allowed to evict; only there when it tried. */
  unevictable?: ReadonlySet<string>
  /** Answers to what this pass asked, by the key of the question; only there when it asked. */
  heard?: ReadonlyMap<string, Heard>
  runs: readonly AnalysisRun[]
  /** Experiments that we own. */
  experiments: readonly Experiment[]
  look(ref: Ref): KubeObject | undefined
  all(kind: KindRef, namespace: string): readonly KubeObject[]
  service(name: string): Service | undefined
}>

/** Reads all that concerns the rollout `key` from the cache; undefined when it is gone or going. */
export function observe(key: Key, cache: Lookup, pods?: readonly Pod[]): Observed | undefined {
  const rollout = cache.get({ ...ROLLOUT, ...key }) as Rollout | undefined
  if (!rollout || rollout.metadata.deletionTimestamp !== undefined) return undefined
  return observeRollout(rollout, cache, pods)
}

/** As `observe`, for an object that need not be in the cache (plan preview). */
export function observeRollout(rollout: Rollout, cache: Lookup, pods?: readonly Pod[]): Observed {
  const { namespace = '', uid = '' } = rollout.metadata
  const status = settledWish(rollout.status ?? {})
  const workload = resolveWorkload(rollout, cache)
  const { selector } = workload
  const claimed = claim(rollout, selector, cache)
  const hash = hashOfTemplate(workload.template, status.collisionCount)
  const { template, stop } = readableTemplate(workload.template)
  const newRS = findNewRS(claimed.owned, hash, template)
  const service = (name: string) => cache.get({ ...SERVICE, namespace, name }) as Service | undefined
  return {
    rollout,
    namespace,
    status,
    spec: { ...rollout.spec, template, selector },
    template,
    ...(stop ? { unreadable: stop } : {}),
    selector,
    resolvedFromRef: workload.resolved,
    workload: workload.object,
    workloadProblem: workload.problem,
    replicas: rollout.spec.replicas ?? 1,
    hash,
    allRSs: claimed.owned,
    newRS,
    ...roles(claimed.owned, newRS, status),
    olderRSs: claimed.owned.filter(rs => rs !== newRS),
    orphanRSs: claimed.orphans,
    strayRSs: claimed.strays,
    pods,
    runs: cache.ownedBy(ANALYSIS_RUN, uid) as readonly AnalysisRun[],
    experiments: cache.ownedBy(EXPERIMENT, uid) as readonly Experiment[],
    look: ref => cache.get(ref),
    all: (kind, inNamespace) => cache.list(kind, inNamespace),
    service,
  }
}

/** Which set the status calls stable, and which sets are neither that nor the new one. */
function roles(sets: readonly ReplicaSet[], newRS: ReplicaSet | undefined, { stableRS: hash }: RolloutStatus) {
  const stableRS = hash ? sets.find(rs => hashOf(rs) === hash) : undefined
  return { stableRS, otherRSs: sets.filter(rs => rs !== newRS && rs !== stableRS) }
}

/** The same reading, had the rollout this status already. */
export const withStatus = (seen: Observed, status: RolloutStatus): Observed => ({
  ...seen,
  rollout: { ...seen.rollout, status },
  status,
  ...roles(seen.allRSs, seen.newRS, status),
})

/** An abort that no pass has seen yet wins over a full promotion: of two wishes at once the safe one is followed. Later, a
 * full promotion of what was aborted is a wish of its own. argo: the full promotion always wins. */
const settledWish = ({ promoteFull, ...status }: RolloutStatus): RolloutStatus =>
  promoteFull === undefined || isFreshAbort(status) ? status : { ...status, promoteFull }

/** Which ReplicaSets are ours: owned by uid and matching; ownerless but matching; owned but not matching. Without a
 * selector, as when the referenced workload is gone, nobody can tell what matches: what is ours stays ours. */
function claim(rollout: Rollout, selector: LabelSelector | undefined, cache: Lookup) {
  const { namespace = '', uid = '' } = rollout.metadata
  const mine = cache.ownedBy(REPLICA_SET, uid) as readonly ReplicaSet[]
  if (!selector) return { owned: mine.toSorted(byCreation), strays: [], orphans: [] }
  const matches = (rs: ReplicaSet) => selects(selector, rs.metadata.labels)
  const orphans = (cache.ownedBy(REPLICA_SET, '') as readonly ReplicaSet[]).filter(
    rs =>
      rs.metadata.namespace === namespace &&
      rs.metadata.deletionTimestamp === undefined &&
      rs.metadata.labels?.[HASH_LABEL] !== undefined &&
      matches(rs),
  )
  return {
    owned: mine.filter(matches).toSorted(byCreation),
    strays: mine.filter(rs => !matches(rs)),
    orphans,
  }
}

/** The set of the wanted template: by hash label, else by equal template. argo: this order makes a takeover of
 * sets that were hashed by another version survivable; such a set keeps its own label. */
function findNewRS(sets: readonly ReplicaSet[], hash: string, template: PodTemplateSpec): ReplicaSet | undefined {
  return (
    sets.find(rs => hashOf(rs) === hash) ??
    sets.find(rs => samePodTemplate(rs.spec.template, template, rs.metadata.annotations))
  )
}
