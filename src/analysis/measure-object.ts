// A measurement by an object of the cluster: made, looked at until it is over, deleted when nobody wants to know.
import type { AnalysisRun, Measurement } from '../api/analysis.ts'
import type { KubeObject, Millis, ObjectProvider, Ref } from '../contract.ts'
import type { Kube, Lookup } from '../ports.ts'
import type { Providers } from './measure.ts'
import { lastMeasurement, resultOf, timestamp } from './phases.ts'
import type { Task } from './plan.ts'

type Ports = Readonly<{ kube: Kube; now(): Millis }>
type Open = Readonly<{ startedAt: string; metadata?: Readonly<Record<string, string>> }>

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
    return { ...open, phase: 'Inconclusive', finishedAt: timestamp(now) }
  }
  const verdict = provider.read(await ports.kube.get(ref))
  return verdict ? { ...open, ...verdict, finishedAt: timestamp(now), ...resumed(task) } : running(open, now)
}

/** The metrics whose running measurement is over by what the cache shows of its object: no need to wait for the next look. */
export function metricsThatAreOver(
  run: AnalysisRun,
  known: Providers,
  cache: Pick<Lookup, 'get'>,
): ReadonlySet<string> {
  const names = run.spec.metrics.filter(({ name, provider: blocks }) => {
    const provider = known[Object.entries(blocks).find(([, config]) => config != null)?.[0] ?? '']
    const last = lastMeasurement(resultOf(run, name))
    if (!provider || !('object' in provider) || !last || last.finishedAt) return false
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
