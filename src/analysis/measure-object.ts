// A measurement by an object of the cluster: made, looked at until it is over, deleted when nobody wants to know.
import type { AnalysisRun, AnalysisRunStatus, Measurement, Metric } from '../api/analysis.ts'
import type { KubeObject, Millis, ObjectProvider, Ref } from '../contract.ts'
import type { Kube, Lookup } from '../ports.ts'
import { selectorText } from '../rollout/selector.ts'
import type { Providers } from './measure.ts'
import { lastMeasurement, resultOf, timestamp } from './phases.ts'
import type { Task } from './plan.ts'

type Ports = Readonly<{ kube: Kube; now(): Millis }>
type Open = Readonly<{ startedAt: string; metadata?: Readonly<Record<string, string>> }>

const POD = { apiVersion: 'v1', kind: 'Pod' } as const
/** The longest time between two looks, milliseconds. */
const LONGEST_WAIT = 10_000

/** Begins, goes on with or ends the measurement of a task. What goes wrong is thrown, and becomes an Error measurement. */
export async function measureByObject(
  provider: ObjectProvider<unknown>,
  config: unknown,
  run: AnalysisRun,
  task: Task,
  ports: Ports,
): Promise<Measurement> {
  const now = ports.now()
  const startedAt = task.unfinished?.startedAt ?? timestamp(now)
  if (task.verb === 'run') {
    const object = await begin(provider, config, run, task, ports.kube)
    return running({ startedAt, metadata: provider.metadata(object) }, now)
  }
  const { metadata = {} } = task.unfinished ?? {}
  const open: Open = { startedAt, metadata }
  const name = provider.nameOf(metadata)
  if (name === undefined) throw new Error(`the measurement does not say which ${provider.kind.kind} it waits for`)
  const ref: Ref = { ...provider.kind, namespace: run.metadata.namespace ?? '', name }
  if (task.verb === 'terminate') {
    await ports.kube.perform({ verb: 'delete', ref, propagation: 'Foreground', why: 'the run is terminated' })
    return { ...open, phase: 'Inconclusive', message: 'Metric Terminated', finishedAt: timestamp(now) }
  }
  const verdict = await look(provider, await ports.kube.get(ref), ports.kube)
  return verdict ? { ...open, ...verdict, finishedAt: timestamp(now), ...resumed(task) } : running(open, now)
}

/** How the object stands, by itself or by its Pods. */
async function look(provider: ObjectProvider<unknown>, object: KubeObject, kube: Kube) {
  const verdict = provider.read(object)
  const matchLabels = verdict ? undefined : provider.podLabels?.(object)
  if (matchLabels === undefined) return verdict
  const { namespace = '' } = object.metadata
  const { items } = await kube.list(POD, { namespace, labelSelector: selectorText({ matchLabels }) })
  return provider.read(object, items)
}

/** What measures this metric, if that is an object. */
function objectProviderOf({ provider: blocks }: Metric, known: Providers): ObjectProvider<unknown> | undefined {
  const provider = known[Object.entries(blocks).find(([, config]) => config != null)?.[0] ?? '']
  return provider && 'object' in provider ? provider : undefined
}

/** The objects of measurements that `next` does not keep any more. */
export function forgottenObjects(run: AnalysisRun, next: AnalysisRunStatus, known: Providers): readonly Ref[] {
  return run.spec.metrics.flatMap(metric => {
    const provider = objectProviderOf(metric, known)
    if (!provider) return []
    const namesIn = (one: AnalysisRun) =>
      (resultOf(one, metric.name)?.measurements ?? []).flatMap(({ metadata }) => provider.nameOf(metadata ?? {}) ?? [])
    const kept = new Set(namesIn({ ...run, status: next }))
    const gone = namesIn(run).filter(name => !kept.has(name))
    return gone.map(name => ({ ...provider.kind, namespace: run.metadata.namespace ?? '', name }))
  })
}

/** The metrics whose running measurement is over by what the cache shows of its object: no need to wait for the next look. */
export function metricsThatAreOver(
  run: AnalysisRun,
  known: Providers,
  cache: Pick<Lookup, 'get'>,
): ReadonlySet<string> {
  const names = run.spec.metrics.filter(metric => {
    const provider = objectProviderOf(metric, known)
    const last = lastMeasurement(resultOf(run, metric.name))
    if (!provider || !last || last.finishedAt) return false
    const object = cache.get({
      ...provider.kind,
      namespace: run.metadata.namespace ?? '',
      name: provider.nameOf(last.metadata ?? {}) ?? '',
    })
    return object !== undefined && provider.read(object) !== undefined
  })
  return new Set(names.map(metric => metric.name))
}

/** argo: the time of the last look stays in the measurement. */
const resumed = ({ unfinished }: Task) => (unfinished?.resumeAt ? { resumeAt: unfinished.resumeAt } : {})

/** argo: looks thin out with the root of the time that has passed. */
function running(open: Open, now: Millis): Measurement {
  const elapsed = Math.max(0, now - Date.parse(open.startedAt)) / 1000
  const wait = Math.min(LONGEST_WAIT, Math.max(1, Math.sqrt(2 * elapsed)) * 1000)
  return { ...open, phase: 'Running', resumeAt: timestamp(now + wait) }
}

async function begin(
  provider: ObjectProvider<unknown>,
  config: unknown,
  run: AnalysisRun,
  task: Task,
  kube: Kube,
): Promise<KubeObject> {
  const { name, namespace = '', uid = '' } = run.metadata
  const result = resultOf(run, task.metric)
  const nth = (result?.count ?? 0) + (result?.error ?? 0) + 1
  const object = provider.object(config, { run: { uid, name, namespace }, metric: task.metric, nth })
  const owner = { apiVersion: run.apiVersion, kind: run.kind, name, uid, controller: true, blockOwnerDeletion: true }
  const owned = { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } }
  try {
    const why = `measures ${task.metric}`
    return (await kube.perform({ verb: 'create', object: owned, why })) ?? owned
  } catch (error) {
    if ((error as { reason?: unknown }).reason !== 'AlreadyExists') throw error
    // Ours, from a pass whose end was lost: its name holds our uid.
    return await kube.get({ ...provider.kind, namespace, name: object.metadata.name })
  }
}
