// Prometheus metrics under the names of Argo's controller (argo-behaviour 10.2). What tells of objects is read from the
// cache when somebody asks; only counts and durations are kept.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EventNote, KindRef, KubeObject } from '../contract.ts'
import type { Load } from '../kube/queue.ts'
import type { ApiRequest, Lookup, Transport } from '../ports.ts'
import type { Attempt } from '../rollout/duration.ts'
import { FAMILIES } from './metric-families.ts'
import { collectProcessMetrics } from './process-metrics.ts'
import { queueMetrics } from './queue-metrics.ts'
import { requestLabels } from './request-labels.ts'
import { createSeriesBook } from './series-book.ts'

export type Metrics = Readonly<{
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
  contentType: string
  /** A pass over an object: how long it took, in seconds, and whether it failed. */
  reconciled(kind: Counted, object: Named, seconds: number, failed: boolean): void
  /** An Event about an object. */
  event(about: KubeObject, note: EventNote): void
  /** An attempt to release a version is over. */
  ended(attempt: Attempt): void
  /** A key has been worked on: seconds that it waited, and that the work took. */
  worked(queue: string, waited: number, took: number, failed: boolean): void
  /** Counts the requests that pass. */
  counting(inner: Transport): Transport
  /** Drops what is kept about a deleted object, a while later: so that its end is scraped, too. */
  forget(kind: Counted, object: Named): void
}>

/** The kinds whose passes are counted, as their metrics call them. */
type Counted = 'rollout' | 'analysis_run' | 'experiment'
type Named = Readonly<{ namespace: string; name: string }>

const SECONDS = [0.01, 0.15, 0.25, 0.5, 1]
/** argo: its words. */
const HELP: Readonly<Record<Counted, readonly [subject: string, object: string]>> = {
  rollout: ['Rollout', 'rollout'],
  analysis_run: ['Analysis Run', 'analysis run'],
  experiment: ['Experiments', 'experiment'],
}

/** What is asked at each scrape. */
export type Source = Readonly<{
  cache: Lookup & Readonly<{ isWatched(kind: KindRef): boolean }>
  loads(): Readonly<Record<string, Load>>
}>

/** Until there is a source, only process metrics and counts are told. `now` counts milliseconds from anywhere. */
export function createMetrics(
  version: string,
  source: () => Source | undefined,
  now: () => number = () => performance.now(),
): Metrics {
  const registry = new Registry()
  collectProcessMetrics(registry)
  const object = ['namespace', 'name'] as const
  const passes = Object.fromEntries(
    Object.entries(HELP).map(([kind, [subject, thing]]) => [
      kind,
      {
        time: new Histogram({
          name: `${kind}_reconcile`,
          help: `${subject} reconciliation performance.`,
          labelNames: object,
          buckets: SECONDS,
          registers: [registry],
        }),
        errors: new Counter({
          name: `${kind}_reconcile_error`,
          help: `Error occurring during the ${thing}`,
          labelNames: object,
          registers: [registry],
        }),
      },
    ]),
  )
  const events = new Counter({
    name: 'rollout_events_total',
    help: 'Count of rollout events',
    labelNames: [...object, 'type', 'reason'] as const,
    registers: [registry],
  })
  const requests = new Counter({
    name: 'controller_clientset_k8s_request_total',
    help: 'Number of kubernetes requests executed during application reconciliation.',
    labelNames: ['kind', ...object, 'verb', 'status_code'] as const,
    registers: [registry],
  })
  const info = new Gauge({
    name: 'argo_rollouts_controller_info',
    help: 'Running Argo-rollouts version',
    labelNames: ['version'] as const,
    registers: [registry],
  })
  info.set({ version }, 1)
  buildInfo(registry, version)
  gauges(registry, source)
  const durations = attemptHistograms(registry)
  const queues = queueMetrics(registry, () => source()?.loads())
  const book = createSeriesBook(now)
  const count = (request: ApiRequest, status: number): void => {
    const labels = requestLabels(request, status)
    requests.inc(labels)
    const about = `${labels.kind} ${labels.namespace}/${labels.name}`
    if (OWNED.has(labels.kind)) book.note(about, `${labels.verb} ${status}`, () => requests.remove(labels))
  }

  return {
    ended({ status, totalSeconds, progressionSeconds, manualPauseSeconds }) {
      durations.total.observe({ status }, totalSeconds)
      durations.progression.observe({ status }, progressionSeconds)
      durations.manualPause.observe({ status }, manualPauseSeconds)
    },
    worked: queues.worked,
    text() {
      book.purge()
      return registry.metrics()
    },
    contentType: registry.contentType,
    reconciled(kind, { namespace, name }, seconds, failed) {
      const { time, errors } = passes[kind]!
      time.observe({ namespace, name }, seconds)
      if (failed) errors.inc({ namespace, name })
    },
    event({ kind, metadata: { namespace = '', name } }, { type, reason }) {
      if (kind !== 'Rollout') return
      const labels = { namespace, name, type, reason }
      events.inc(labels)
      book.note(`rollouts ${namespace}/${name}`, `event ${type} ${reason}`, () => events.remove(labels))
    },
    counting: inner => ({
      async stream(request) {
        const stream = await inner.stream(request)
        count(request, stream.status)
        return stream
      },
      async request(request) {
        const response = await inner.request(request)
        count(request, response.status)
        return response
      },
    }),
    forget(kind, { namespace, name }) {
      const { time, errors } = passes[kind]!
      const about = `${PLURAL[kind]} ${namespace}/${name}`
      book.note(about, 'passes', () => {
        time.remove({ namespace, name })
        errors.remove({ namespace, name })
      })
      book.forget(about)
    },
  }
}

const PLURAL: Readonly<Record<Counted, string>> = {
  rollout: 'rollouts',
  analysis_run: 'analysisruns',
  experiment: 'experiments',
}
/** Kinds whose objects come and go with releases: what is counted by their names goes with them. */
const OWNED: ReadonlySet<string> = new Set(Object.values(PLURAL))

/** argo: the platform's words are Go's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

function buildInfo(registry: Registry, version: string): void {
  const info = new Gauge({
    name: 'build_info',
    help: "A metric with a constant '1' value labeled by the version that runs and by what runs it.",
    labelNames: ['version', 'goversion', 'goarch', 'commit'] as const,
    registers: [registry],
  })
  const goarch = ARCHITECTURES[process.arch] ?? process.arch
  info.set({ version, goversion: `node ${process.version}`, goarch, commit: '' }, 1)
}

const HOURS = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800]

/** How long attempts took, by how they ended. */
function attemptHistograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, labelNames: ['status'] as const, buckets, registers: [registry] })
  return {
    total: histogram('rollout_duration_seconds', 'Seconds from the start of a release to its end.', HOURS),
    progression: histogram(
      'rollout_progression_duration_seconds',
      'Seconds of a release without the pauses of people.',
      HOURS.filter(seconds => seconds <= 3600),
    ),
    manualPause: histogram('rollout_manual_pause_duration_seconds', 'Seconds that people paused a release.', [
      0,
      ...HOURS,
    ]),
  }
}

function gauges(registry: Registry, source: () => Source | undefined): void {
  for (const { name, help, labels, samples } of FAMILIES) {
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset()
        const cache = source()?.cache
        if (!cache) return
        // Whoever keeps to a namespace, or to one controller, does not watch every kind that is told of.
        const list: Lookup['list'] = (kind, namespace) => (cache.isWatched(kind) ? cache.list(kind, namespace) : [])
        for (const [values, value] of samples({ ...cache, list })) this.set(values, value)
      },
    })
  }
}
