// Two clusters' objects made comparable: what depends on the clock, on chance or on how many writes it took is taken out.
import type { KubeObject } from '../contract.ts'
import type { Recording } from './story.ts'

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Each path with the reason why it is not compared. */
const IGNORED: readonly Readonly<{ kind?: string; path: RegExp; because: string }>[] = [
  { path: /^metadata\.(uid|resourceVersion|creationTimestamp|managedFields)\b/, because: 'differs in every cluster' },
  { path: /^metadata\.ownerReferences\.\d+\.uid$/, because: 'differs in every cluster' },
  { path: /^status\.conditions\.\w+\.last\w+Time$/, because: 'is there whenever the condition is' },
  { kind: 'Service', path: /^spec\.clusterIPs?\b/, because: 'handed out by the cluster' },
  {
    path: /^(metadata\.generation|status\.observedGeneration)$/,
    kind: 'ReplicaSet',
    because: 'counts the writes; fewer writes lead to the same spec',
  },
  {
    path: /^metadata\.generation$/,
    kind: 'Ingress',
    because: 'counts the writes; fewer writes lead to the same spec',
  },
  {
    path: /^metadata\.generation$/,
    kind: 'AnalysisRun',
    because: 'counts the writes of its status too, as the kind has no status subresource; fewer do',
  },
  {
    path: /^metadata\.generation$/,
    kind: 'Experiment',
    because: 'counts the writes of its status too, as the kind has no status subresource; fewer do',
  },
  {
    path: /^status\.metricResults\.\d+\.measurements\.\d+\.resumeAt$/,
    kind: 'AnalysisRun',
    because: 'when to look again at what is over by now',
  },
  {
    path: /^status\.duration\.total\w*Seconds$/,
    kind: 'Rollout',
    because: 'how long the script took between two steps',
  },
  {
    path: /^status\.terminatingReplicas$/,
    kind: 'ReplicaSet',
    because: 'a moment after a scale-down: pods are on their way out, here or there',
  },
]

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(TIME, '<time>').replace(UID, '<uid>') : value

/** An object as dotted paths and comparable values. Conditions are keyed by type: their order says nothing. */
export function comparable(object: KubeObject): ReadonlyMap<string, unknown> {
  const paths = new Map<string, unknown>()
  const walk = (value: unknown, path: string): void => {
    if (IGNORED.some(rule => (rule.kind ?? object.kind) === object.kind && rule.path.test(path))) return
    if (path === 'status.conditions' && Array.isArray(value)) {
      for (const { type, ...rest } of value as Record<string, unknown>[]) walk(rest, `${path}.${type}`)
      return
    }
    const entries = Array.isArray(value) ? [...value.entries()] : isRecord(value) ? Object.entries(value) : []
    // A Go program writes structs that are empty into what it copies; a run is a copy of its template.
    const isCopied = object.kind === 'AnalysisRun' && path.startsWith('spec.') && isRecord(value)
    if (entries.length === 0 && !isCopied) paths.set(path, text(value))
    for (const [key, part] of entries) walk(part, path === '' ? `${key}` : `${path}.${key}`)
  }
  walk(object, '')
  return paths
}

type Pod = KubeObject &
  Readonly<{
    spec?: Readonly<{ containers?: readonly Readonly<{ name?: string; image?: string }>[] }>
    status?: Readonly<{ phase?: string; conditions?: readonly Readonly<{ type: string; status: string }>[] }>
  }>

/** What of a Pod can be compared: whose it is, its labels and annotations, its images, whether it runs and is ready. */
export function podText(object: KubeObject): string {
  const { metadata, spec, status } = object as Pod
  const owner = metadata.ownerReferences?.find(o => o.controller)
  const images = spec?.containers?.map(c => `${c.name}=${c.image}`).join(' ')
  const ready = status?.conditions?.find(c => c.type === 'Ready')?.status ?? 'False'
  const sorted = (map: Readonly<Record<string, string>> = {}) =>
    JSON.stringify(Object.entries(map).sort()).replace(UID, '<uid>')
  const name = owner ? `${owner.kind}/${owner.name}`.replace(UID, '<uid>') : metadata.name
  return [name, sorted(metadata.labels), sorted(metadata.annotations), images, status?.phase, `ready ${ready}`].join(
    ' ',
  )
}

const HASH = 'pod-template-hash'

/** The recording with the template hashes of Deployments counted through: a cluster makes them from the print of a Go
 * struct, the embedded one from JSON. (Those of Rollouts are our own business and must agree.) */
export function withoutWorkloadHashes(recording: Recording): Recording {
  const hashes = new Set<string>()
  for (const { on, created, set = {} } of recording.timeline) {
    const hash = set[`metadata.labels.${HASH}`]
    if (created && on?.startsWith('ReplicaSet/') && typeof hash === 'string') hashes.add(hash)
  }
  return counted({ timeline: recording.timeline, snapshots: recording.snapshots }, [...hashes])
}

/** The same for the objects of one moment; the revisions of the Deployments say which hash came first. */
export function objectsWithoutWorkloadHashes(objects: readonly KubeObject[]): readonly KubeObject[] {
  const revision = ({ metadata }: KubeObject) =>
    Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)
  const hashes = objects
    .filter(({ kind }) => kind === 'ReplicaSet')
    .toSorted((a, b) => revision(a) - revision(b))
    .flatMap(({ metadata }) => metadata.labels?.[HASH] ?? [])
  return counted(objects, [...new Set(hashes)])
}

function counted<T>(value: T, hashes: readonly string[]): T {
  let text = JSON.stringify(value)
  for (const [i, hash] of hashes.entries()) text = text.replaceAll(hash, `workload${i + 1}`)
  return JSON.parse(text) as T
}
