// From flags to a cluster. Everything heavy is imported on first use.
import type { KindRef, KubeObject } from '../contract.ts'
import type { Access, Cluster, Dial, Io, KindName, Target } from './command.ts'

const ARGO = 'argoproj.io/v1alpha1'

/** API version and kind of the kinds that commands know. */
export const KINDS: Readonly<Record<KindName, KindRef>> = {
  Rollout: { apiVersion: ARGO, kind: 'Rollout' },
  Experiment: { apiVersion: ARGO, kind: 'Experiment' },
  AnalysisRun: { apiVersion: ARGO, kind: 'AnalysisRun' },
  AnalysisTemplate: { apiVersion: ARGO, kind: 'AnalysisTemplate' },
  ClusterAnalysisTemplate: { apiVersion: ARGO, kind: 'ClusterAnalysisTemplate' },
  ReplicaSet: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  Pod: { apiVersion: 'v1', kind: 'Pod' },
}

/** Reads kubeconfig and opens a connection pool. */
export const dialCluster: Dial = async (target): Promise<Access> => {
  const { loadKubeconfig } = await import('../kube/kubeconfig.ts')
  const { undiciTransport } = await import('../kube/undici.ts')
  const access = await loadKubeconfig(target)
  const transport = undiciTransport(access)
  return { transport, namespace: access.namespace ?? 'default', close: transport.close }
}

/** Whether an error says that something does not exist. */
export const isNotFound = (error: unknown): error is Error & { code: 404 } =>
  error instanceof Error && (error as { code?: unknown }).code === 404

/** Opens the cluster that `target` names. Raises UserError when kubeconfig does not lead to one. */
export async function connect(io: Io, target: Target & Readonly<{ namespace?: string }>): Promise<Cluster> {
  const { createKube } = await import('../kube/kube.ts')
  const access = await (io.dial ?? dialCluster)(target)
  const namespace = target.namespace ?? access.namespace
  const kube = createKube(access.transport, { clock: io.clock, fieldManager: 'pintle-cli' })
  const refOf = (kind: KindName, name: string) => ({ ...KINDS[kind], namespace, name })

  return {
    namespace,
    transport: access.transport,
    kube,
    close: async () => access.close?.(),
    get: (kind, name) => kube.get(refOf(kind, name)),
    async list(kind, { everywhere = false, name } = {}) {
      try {
        const scope = everywhere ? {} : { namespace }
        const selected = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }
        return (await kube.list(KINDS[kind], { ...scope, ...selected })).items
      } catch (error) {
        if (isNotFound(error) && kind !== 'Rollout') return []
        throw error
      }
    },
    async patch(kind, name, patch, subresource) {
      const where = subresource === undefined ? {} : { subresource }
      const action = {
        verb: 'patch',
        ref: refOf(kind, name),
        type: 'merge',
        patch,
        why: 'asked for',
        ...where,
      } as const
      return (await kube.perform(action)) as KubeObject
    },
    async create(object) {
      const placed = object.metadata.namespace === undefined && object.kind !== 'ClusterAnalysisTemplate'
      const full = placed ? { ...object, metadata: { ...object.metadata, namespace } } : object
      return (await kube.perform({ verb: 'create', object: full, why: 'asked for' })) as KubeObject
    },
  }
}
