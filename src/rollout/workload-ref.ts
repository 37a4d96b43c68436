// spec.workloadRef: the template and selector come from a Deployment, ReplicaSet or PodTemplate.
import type { LabelSelector, PodTemplateSpec } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import type { Action, KubeObject } from '../contract.ts'
import type { Lookup } from '../ports.ts'
import { WORKLOAD_GENERATION } from './keys.ts'
import type { Observed, Problem } from './observe.ts'
import { availableReplicas, readyReplicas, revisionOf, specReplicas } from './sets.ts'

export type Workload = Readonly<{
  template: PodTemplateSpec
  selector: LabelSelector | undefined
  resolved: boolean
  object?: KubeObject
  problem?: Problem
}>

const SUPPORTED = new Set(['apps/v1/Deployment', 'apps/v1/ReplicaSet', 'v1/PodTemplate'])
const EMPTY: PodTemplateSpec = { spec: { containers: [] } }

const hasTemplate = (rollout: Rollout): boolean => {
  const metadata = rollout.spec.template?.metadata
  return Object.keys(metadata?.labels ?? {}).length + Object.keys(metadata?.annotations ?? {}).length > 0
}

/** The template that the rollout means, or the problem in finding it.
 * argo: a template beside workloadRef is told from an absent one by its labels and annotations only. */
export function resolveWorkload(rollout: Rollout, cache: Pick<Lookup, 'get'>): Workload {
  const { workloadRef, template, selector } = rollout.spec
  if (!workloadRef) return { template: template ?? EMPTY, selector, resolved: false }
  const failed = (message: string): Workload => ({ template: EMPTY, selector, resolved: false, problem: { message } })
  if (hasTemplate(rollout)) {
    return failed('template must be empty for workload reference rollout')
  }
  const { apiVersion = '', kind = '', name = '' } = workloadRef
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
  if (!SUPPORTED.has(`${apiVersion}/${kind}`)) return failed(`workload of type ${group}/${kind} is not supported`)
  const namespace = rollout.metadata.namespace ?? ''
  const object = cache.get({ apiVersion, kind, namespace, name })
  const plural = { Deployment: 'deployments.apps', ReplicaSet: 'replicasets.apps' }[kind] ?? 'podtemplates'
  // argo: its cache names what it lacks with the namespace.
  if (!object) return failed(`${plural} "${namespace}/${name}" not found`)
  const spec = object['spec'] as { template?: PodTemplateSpec; selector?: LabelSelector } | undefined
  const found = kind === 'PodTemplate' ? (object['template'] as PodTemplateSpec) : spec?.template
  return { template: found ?? EMPTY, selector: selector ?? spec?.selector, resolved: true, object }
}

/** Keeps the annotation that clients compare with status.workloadObservedGeneration. */
export function planWorkloadGeneration(seen: Observed): readonly Action[] {
  if (!seen.resolvedFromRef || !seen.workload) return []
  const generation = `${seen.workload.metadata.generation ?? 0}`
  if (seen.rollout.metadata.annotations?.[WORKLOAD_GENERATION] === generation) return []
  const { apiVersion, kind, metadata } = seen.rollout
  return [
    {
      verb: 'patch',
      ref: { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name },
      type: 'merge',
      patch: { metadata: { annotations: { [WORKLOAD_GENERATION]: generation } } },
      why: `the referenced ${seen.workload.kind} is at generation ${generation}`,
    },
  ]
}

/** Scales the referenced Deployment down as the rollout takes over: `onsuccess` once the first revision is healthy,
 * `progressively` as its pods become ready. argo: revision 1 only. */
export function planWorkloadScale(seen: Observed, isHealthy: boolean): readonly Action[] {
  const { workload, rollout, newRS } = seen
  if (workload?.kind !== 'Deployment' || !newRS || revisionOf(rollout) > 1) return []
  const current = (workload['spec'] as { replicas?: number }).replicas ?? 1
  const wanted = wantedWorkloadReplicas(rollout.spec.workloadRef?.scaleDown ?? 'never', seen, isHealthy)
  if (wanted === undefined || wanted === current) return []
  const { apiVersion, kind, metadata } = workload
  return [
    {
      verb: 'patch',
      ref: { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name },
      type: 'merge',
      patch: { spec: { replicas: wanted } },
      why: `workloadRef.scaleDown is ${rollout.spec.workloadRef?.scaleDown} and ${availableReplicas(newRS)} new pods are available`,
    },
  ]
}

function wantedWorkloadReplicas(mode: string, seen: Observed, isHealthy: boolean): number | undefined {
  if (isHealthy && (mode === 'onsuccess' || mode === 'progressively')) return 0
  if (mode !== 'progressively' || !seen.newRS) return undefined
  const ready = readyReplicas(seen.newRS)
  if (ready === 0 && specReplicas(seen.newRS) >= seen.replicas) return undefined
  return Math.max(0, seen.replicas - ready)
}
