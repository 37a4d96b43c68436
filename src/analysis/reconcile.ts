// One look at an AnalysisRun: decide what to measure, measure it, write down what it means.
import type { AnalysisRun, AnalysisRunStatus } from '../api/analysis.ts'
import { ENDPOINT_SLICE, trustedPlaces } from '../api/endpoint-slice.ts'
import { type EventNote, type KubeObject, refOf } from '../contract.ts'
import type { Clock, Fetch, Key, Kube, Log, Lookup, Result } from '../ports.ts'
import { ArgumentError, redacted, withSecrets } from './args.ts'
import { measure, type Providers } from './measure.ts'
import { forgottenObjects, metricsThatAreOver } from './measure-object.ts'
import { observeRun } from './observe.ts'
import { concludeAnalysis, planAnalysis, refuseArguments, resolveAll, type Taken, type Task } from './plan.ts'
import { patchBetween } from './status-patch.ts'

/** All that a look may touch. */
export type Ports = Readonly<{
  kube: Kube
  cache: Lookup
  clock: Clock
  log: Log
  fetch: Fetch
  /** Records a Kubernetes Event about the run; never waits, never throws. */
  record(about: KubeObject, event: EventNote): void
}>

/** What was loaded, and the controller's own namespace, if it has one. */
export type Knowing = Readonly<{ providers: Providers; home?: string }>

/** One pass over the run of this key. Errors of the API are thrown, all others become measurements or the run's end. */
export async function reconcileAnalysis(key: Key, ports: Ports, known: Knowing): Promise<Result> {
  const run = observeRun(key, ports.cache)
  if (!run) return {}
  const plan = planAnalysis(run, ports.clock.now(), metricsThatAreOver(run, known.providers, ports.cache))
  switch (plan.is) {
    case 'expired':
      await ports.kube.perform({ verb: 'delete', ref: refOf(run), propagation: 'Background', why: plan.why })
      return {}
    case 'over':
      return plan.recheckAt === undefined ? {} : { recheckAt: plan.recheckAt }
    case 'refused':
      return await write(run, plan.status, plan.events, ports)
    case 'measuring':
      return await measureAll(run, plan.tasks, ports, known)
  }
}

async function measureAll(run: AnalysisRun, tasks: readonly Task[], ports: Ports, known: Knowing): Promise<Result> {
  let taken: readonly Taken[]
  try {
    taken = await take(run, tasks, ports, known)
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error
    const refused = refuseArguments(run, error)
    return await write(run, refused.status, refused.events, ports)
  }
  const { status, events, recheckAt } = concludeAnalysis(run, taken, ports.clock.now())
  for (const ref of forgottenObjects(run, status, known.providers)) {
    const why = 'its measurement is not kept any more'
    await ports.kube.perform({ verb: 'delete', ref, propagation: 'Foreground', why })
  }
  await write(run, status, events, ports)
  // What is over is looked at once more, for its time to live.
  // A measurement is due strictly after its interval: a look on the dot would find nothing, and look again at once.
  return recheckAt === undefined ? {} : { recheckAt: Math.max(recheckAt, ports.clock.now()) + 1 }
}

/** All tasks at once, with the secrets read live. */
async function take(run: AnalysisRun, tasks: readonly Task[], ports: Ports, known: Knowing): Promise<readonly Taken[]> {
  if (tasks.length === 0) return []
  const secrets = await readSecrets(run, ports)
  const values: string[] = []
  const args = withSecrets(run.spec.args, (name, key) => {
    const value = secrets.get(name)?.[key]
    if (value === undefined) throw new ArgumentError(`key '${key}' does not exist in secret '${name}'`)
    values.push(value)
    return value
  })
  const metrics = resolveAll(run, args)
  const places = trustedPlaces(run.metadata.namespace ?? '', known.home)
  const slices = () => places.flatMap(place => ports.cache.list(ENDPOINT_SLICE, place))
  const taking = { fetch: ports.fetch, kube: ports.kube, now: ports.clock.now, slices }
  return await Promise.all(
    tasks.map(async task => {
      const metric = metrics.find(one => one.name === task.metric)!
      const found = await measure(run, metric, task, known.providers, taking)
      const { message } = found
      return { task, measurement: message === undefined ? found : { ...found, message: redacted(message, values) } }
    }),
  )
}

type Values = Readonly<Record<string, string>>

/** The secrets that the arguments name, decoded. */
async function readSecrets(run: AnalysisRun, { kube }: Ports): Promise<ReadonlyMap<string, Values>> {
  const names = new Set((run.spec.args ?? []).flatMap(arg => arg.valueFrom?.secretKeyRef?.name ?? []))
  const secrets = new Map<string, Values>()
  for (const name of names) {
    secrets.set(name, await readSecret(kube, run.metadata.namespace ?? '', name))
  }
  return secrets
}

async function readSecret(kube: Kube, namespace: string, name: string): Promise<Values> {
  try {
    const secret = await kube.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    return Object.fromEntries(
      Object.entries((secret['data'] ?? {}) as Values).map(([key, text]) => [key, decoded(text)]),
    )
  } catch (error) {
    if ((error as { reason?: unknown }).reason !== 'NotFound') throw error
    throw new ArgumentError(`secrets "${name}" not found`)
  }
}

const decoded = (base64: string): string =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), char => char.charCodeAt(0)))

async function write(run: AnalysisRun, next: AnalysisRunStatus, events: readonly EventNote[], ports: Ports) {
  const patch = patchBetween(run.status, next)
  if (patch) {
    const why = `the run is ${next.phase}`
    // The kind has no status subresource.
    await ports.kube.perform({ verb: 'patch', ref: refOf(run), type: 'merge', patch: { status: patch }, why })
  }
  for (const event of events) ports.record(run, event)
  return {}
}
