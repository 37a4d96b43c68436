// Prometheus metrics under the names of Argo's controller (argo-behaviour 10.2). What tells of objects is read from the
// cache when somebody asks; only counts and durations are kept.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AnalysisRun } from '../api/analysis.ts'
import type { Rollout } from '../api/rollout.ts'
import type { EventNote, KubeObject } from '../contract.ts'
import type { ApiRequest, Lookup, Transport } from '../ports.ts'
import { findCondition } from '../rollout/conditions.ts'
import { ANALYSIS_RUN, ROLLOUT } from '../rollout/observe.ts'

export type Metrics = Readonly<{
  /** The text that Prometheus scrapes. */
  text(): Promise<string>
  contentType: string
  /** A pass over an object: how long it took, in seconds, and whether it failed. */
  reconciled(kind: 'rollout' | 'analysis_run' | 'experiment', object: Named, seconds: number, failed: boolean): void
  /** An Event about an object. */
  event(about: KubeObject, note: EventNote): void
  /** Counts the requests that pass. */
  counting(inner: Transport): Transport
  /** Drops what is kept about a deleted object. */
  forget(object: Named): void
}>

type Named = Readonly<{ namespace: string; name: string }>

const SECONDS = [0.01, 0.15, 0.25, 0.5, 1]
const KEPT = { rollout: 'rollout', analysis_run: 'analysis_run', experiment: 'experiment' } as const
const HELP = { rollout: 'Rollout', analysis_run: 'AnalysisRun', experiment: 'Experiment' } as const

/** `cache` is asked at each scrape; until there is one, only process metrics are told. */
export function createMetrics(version: string, cache: () => Lookup | undefined): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const object = ['namespace', 'name'] as const
  const passes = Object.fromEntries(
    Object.values(KEPT).map(kind => [
      kind,
      {
        time: new Histogram({
          name: `${kind}_reconcile`,
          help: `${HELP[kind]} reconciliation performance.`,
          labelNames: object,
          buckets: SECONDS,
          registers: [registry],
        }),
        errors: new Counter({
          name: `${kind}_reconcile_error`,
          help: `Error occurring during the ${kind}`,
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

  return {
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
    forget({ namespace, name }) {
      for (const { time, errors } of Object.values(passes)) {
        time.remove({ namespace, name })
        errors.remove({ namespace, name })
      }
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

type Sample = readonly [labels: Record<string, string>, value: number]
type Family = Readonly<{ name: string; help: string; labels: readonly string[]; samples(cache: Lookup): Sample[] }>

const rolloutsOf = (cache: Lookup) => cache.list(ROLLOUT, '') as readonly Rollout[]
const runsOf = (cache: Lookup) => cache.list(ANALYSIS_RUN, '') as readonly AnalysisRun[]
const named = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace ?? '', name: metadata.name })

const count = (name: string, help: string, value: (rollout: Rollout) => number): Family => ({
  name: `rollout_info_replicas_${name}`,
  help: `The number of ${help} replicas per rollout.`,
  labels: ['namespace', 'name'],
  samples: cache => rolloutsOf(cache).map(rollout => [named(rollout), value(rollout)]),
})

const FAMILIES: readonly Family[] = [
  {
    name: 'rollout_info',
    help: 'Information about rollout.',
    labels: ['namespace', 'name', 'strategy', 'traffic_router', 'phase'],
    samples: cache =>
      rolloutsOf(cache).map(rollout => [
        {
          ...named(rollout),
          strategy: strategyOf(rollout),
          traffic_router: routerOf(rollout),
          phase: rolloutPhase(rollout),
        },
        1,
      ]),
  },
  count('available', 'available', ({ status }) => status?.availableReplicas ?? 0),
  count('unavailable', 'unavailable', ({ spec, status }) => (spec.replicas ?? 1) - (status?.availableReplicas ?? 0)),
  count('desired', 'desired', ({ spec }) => spec.replicas ?? 1),
  count('updated', 'updated', ({ status }) => status?.updatedReplicas ?? 0),
  {
    name: 'rollout_phase',
    help: '[DEPRECATED - use rollout_info] Information on the state of the rollout.',
    labels: ['namespace', 'name', 'strategy', 'phase'],
    samples: cache =>
      rolloutsOf(cache).flatMap(rollout =>
        PHASES.map(
          (phase): Sample => [
            { ...named(rollout), strategy: strategyOf(rollout), phase },
            Number(rolloutPhase(rollout) === phase),
          ],
        ),
      ),
  },
  {
    name: 'analysis_run_info',
    help: 'Information about analysis run.',
    labels: ['namespace', 'name', 'phase'],
    samples: cache => runsOf(cache).map(run => [{ ...named(run), phase: String(run.status?.phase ?? '') }, 1]),
  },
]

const PHASES = ['Completed', 'Progressing', 'Paused', 'Timeout', 'Error', 'Abort', 'InvalidSpec'] as const

/** argo: its metrics have a vocabulary of their own, from the Progressing condition. */
export function rolloutPhase({ status }: Rollout): string {
  if (findCondition(status?.conditions, 'InvalidSpec')) return 'InvalidSpec'
  const reason = findCondition(status?.conditions, 'Progressing')?.reason ?? ''
  return PHASE_OF[reason] ?? 'Progressing'
}

const PHASE_OF: Readonly<Record<string, string>> = {
  NewReplicaSetAvailable: 'Completed',
  RolloutPaused: 'Paused',
  ReplicaSetCreateError: 'Error',
  ProgressDeadlineExceeded: 'Timeout',
  RolloutAborted: 'Abort',
}

const strategyOf = ({ spec }: Rollout): string =>
  spec.strategy?.blueGreen ? 'blueGreen' : spec.strategy?.canary ? 'canary' : 'none'

const ROUTERS: Readonly<Record<string, string>> = {
  alb: 'ALB',
  ambassador: 'Ambassador',
  istio: 'Istio',
  nginx: 'Nginx',
  smi: 'SMI',
  appMesh: 'AppMesh',
}

function routerOf({ spec }: Rollout): string {
  const routing = spec.strategy?.canary?.trafficRouting as Readonly<Record<string, unknown>> | null | undefined
  const known = Object.keys(ROUTERS).find(name => routing?.[name] != null)
  return known === undefined ? '' : ROUTERS[known]!
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
