// Prometheus metrics under the names of Argo's controller (argo-behaviour 10.2). What tells of objects is read from the
// cache when somebody asks; only counts and durations are kept.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { EventNote, KubeObject } from '../contract.ts'
import type { ApiRequest, Lookup, Transport } from '../ports.ts'
import type { Attempt } from '../rollout/duration.ts'
import { FAMILIES } from './metric-families.ts'
import { collectProcessMetrics } from './process-metrics.ts'

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
  /** Drops what is kept about a deleted object. */
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

/** `cache` is asked at each scrape; until there is one, only process metrics are told. */
export function createMetrics(version: string, cache: () => Lookup | undefined): Metrics {
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
  gauges(registry, cache)
  const durations = attemptHistograms(registry)
  const queues = queueMetrics(registry)

  return {
    ended({ status, totalSeconds, progressionSeconds, manualPauseSeconds }) {
      durations.total.observe({ status }, totalSeconds)
      durations.progression.observe({ status }, progressionSeconds)
      durations.manualPause.observe({ status }, manualPauseSeconds)
    },
    worked(name, waited, took, failed) {
      queues.adds.inc({ name })
      queues.waited.observe({ name }, waited)
      queues.took.observe({ name }, took)
      if (failed) queues.retries.inc({ name })
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    reconciled(kind, { namespace, name }, seconds, failed) {
      const { time, errors } = passes[kind]!
      time.observe({ namespace, name }, seconds)
      if (failed) errors.inc({ namespace, name })
    },
    event({ kind, metadata }, { type, reason }) {
      if (kind === 'Rollout') events.inc({ namespace: metadata.namespace ?? '', name: metadata.name, type, reason })
    },
    counting: inner => ({
      async stream(request) {
        const stream = await inner.stream(request)
        requests.inc(labelsOf(request, stream.status))
        return stream
      },
      async request(request) {
        const response = await inner.request(request)
        requests.inc(labelsOf(request, response.status))
        return response
      },
    }),
    forget(kind, { namespace, name }) {
      const { time, errors } = passes[kind]!
      time.remove({ namespace, name })
      errors.remove({ namespace, name })
    },
  }
}

const VERBS = { GET: 'Get', POST: 'Create', PUT: 'Update', PATCH: 'Patch', DELETE: 'Delete' } as const

/** Kind (plural), namespace, name and verb from a request's path; `Unknown` and `N/A` as client metrics have them. */
function labelsOf({ method, path, query }: ApiRequest, status: number) {
  const parts = path.split('/').filter(part => part !== '')
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2
  const [kind = 'Unknown', name] = isNamespaced ? rest.slice(2) : rest
  const verb = method !== 'GET' ? VERBS[method] : query?.['watch'] ? 'Watch' : name === undefined ? 'List' : 'Get'
  // Events have names that nobody will ever ask for again.
  const shown = name === undefined || kind === 'events' ? 'N/A' : name
  const namespace = isNamespaced ? (rest[1] ?? 'N/A') : 'N/A'
  return { kind, namespace, name: shown, verb, status_code: String(status) }
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

/** argo: the names of client-go. */
function queueMetrics(registry: Registry) {
  const about = { labelNames: ['name'] as const, registers: [registry] }
  const buckets = [1e-4, 1e-3, 1e-2, 0.1, 1, 10]
  return {
    adds: new Counter({ ...about, name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue' }),
    retries: new Counter({
      ...about,
      name: 'workqueue_retries_total',
      help: 'Total number of retries handled by workqueue',
    }),
    waited: new Histogram({
      ...about,
      name: 'workqueue_queue_duration_seconds',
      help: 'How long in seconds an item stays in workqueue before being requested.',
      buckets,
    }),
    took: new Histogram({
      ...about,
      name: 'workqueue_work_duration_seconds',
      help: 'How long in seconds processing an item from workqueue takes.',
      buckets,
    }),
  }
}

function gauges(registry: Registry, cache: () => Lookup | undefined): void {
  for (const { name, help, labels, samples } of FAMILIES) {
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset()
        const now = cache()
        if (now) for (const [values, value] of samples(now)) this.set(values, value)
      },
    })
  }
}
