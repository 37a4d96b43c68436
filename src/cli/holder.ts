// The object that holds a rollout's pod template: the Rollout itself, or what its workloadRef names.
import type { KubeObject } from '../contract.ts'
import { refOf } from '../contract.ts'
import type { RolloutShape } from '../rollout/verb.ts'
import type { Cluster } from './command.ts'

/** Reads the holder. Raises ApiError 404 when the workload is gone. */
export async function holderOf(cluster: Cluster, rollout: KubeObject): Promise<KubeObject> {
  const ref = (rollout as unknown as RolloutShape).spec.workloadRef
  if (!ref) return rollout
  const { apiVersion = 'apps/v1', kind = 'Deployment', name = '' } = ref
  return cluster.kube.get({ apiVersion, kind, name, namespace: cluster.namespace })
}

/** Sends a JSON patch of the template. */
export async function patchHolder(
  cluster: Cluster,
  holder: KubeObject,
  patch: readonly unknown[],
): Promise<KubeObject> {
  const ref = { ...refOf(holder), namespace: holder.metadata.namespace ?? cluster.namespace }
  return (await cluster.kube.perform({ verb: 'patch', ref, type: 'json', patch, why: 'asked for' })) as KubeObject
}
