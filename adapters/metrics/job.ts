// job: a Kubernetes Job is the measurement; complete is a success, failed is a failure.
import * as z from 'zod'
import { defineObjectProvider, type KubeObject, type ObjectVerdict } from '#contract'

const texts = z.record(z.string(), z.string())
const config = z.looseObject({
  metadata: z.looseObject({ labels: texts.nullish(), annotations: texts.nullish() }).nullish(),
  spec: z.looseObject({ template: z.looseObject({ metadata: z.looseObject({ labels: texts.nullish() }).nullish() }) }),
})
type Config = z.infer<typeof config>

const RUN_UID = 'analysisrun.argoproj.io/uid'
/** argo: the metric's part is cut so that the whole name has at most so many characters: Pods carry it as a label. */
const LONGEST = 63

/** Containers that wait for this do not start without somebody's help. */
const STUCK = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName'])

type Container = Readonly<{ name: string; state?: { waiting?: { reason?: string; message?: string } } }>
type PodStatus = Readonly<{ initContainerStatuses?: readonly Container[]; containerStatuses?: readonly Container[] }>

/** What keeps a Pod of the Job from ever starting, in argo's words. */
function stuckText({ metadata, ...pod }: KubeObject): string | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = (pod['status'] ?? {}) as PodStatus
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
    const { reason = '', message = '' } = state?.waiting ?? {}
    if (STUCK.has(reason)) return `Pod ${metadata.name}, container ${name} has terminal error (${reason}): ${message}\n`
  }
  return undefined
}

type Condition = Readonly<{ type?: string; status?: string }>

function verdictOf(job: KubeObject, pods: readonly KubeObject[] = []): ObjectVerdict | undefined {
  const { conditions = [] } = (job['status'] ?? {}) as { conditions?: readonly Condition[] }
  for (const { type, status } of conditions) {
    if (status !== 'True') continue
    if (type === 'Complete') return { phase: 'Successful' }
    // argo: no message, the Job and its Pods tell more.
    if (type === 'Failed') return { phase: 'Failed' }
  }
  for (const pod of pods) {
    const message = stuckText(pod)
    if (message !== undefined) return { phase: 'Inconclusive', message }
  }
  return undefined
}

export default defineObjectProvider<Config>({
  name: 'job',
  config,
  rbac: [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  ],
  kind: { apiVersion: 'batch/v1', kind: 'Job' },

  object({ metadata, spec }, { run, metric, nth }) {
    const { uid, namespace, name } = run
    const room = LONGEST - uid.length - `${nth}`.length - 2
    const label = { [RUN_UID]: uid }
    const { template } = spec
    const pod = { ...template.metadata, labels: { ...template.metadata?.labels, ...label } }
    return {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name: `${uid}.${metric.slice(0, Math.max(0, room))}.${nth}`,
        namespace,
        labels: { ...metadata?.labels, ...label },
        annotations: {
          ...metadata?.annotations,
          'analysisrun.argoproj.io/name': name,
          'analysisrun.argoproj.io/namespace': namespace,
          'analysisrun.argoproj.io/metric-name': metric,
        },
      },
      spec: { ...spec, template: { ...template, metadata: pod } },
    }
  },

  metadata: ({ metadata }) => ({ 'job-name': metadata.name, 'job-namespace': metadata.namespace ?? '' }),
  /** From the metadata back to the Job's name. */
  nameOf: metadata => metadata['job-name'],
  read: verdictOf,
  podLabels: ({ spec }) => (spec as { selector?: { matchLabels?: Record<string, string> } }).selector?.matchLabels,
})
