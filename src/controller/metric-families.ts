// What metrics tell of objects: their phases, sizes and kinds, under the names of Argo's controller (argo-behaviour 10.2).
import { isNamed } from '../analysis/check-spec.ts'
import { resultOf } from '../analysis/phases.ts'
import type { AnalysisRun, AnalysisTemplate, Metric } from '../api/analysis.ts'
import type { Experiment } from '../api/experiment.ts'
import type { Rollout } from '../api/rollout.ts'
import type { KubeObject } from '../contract.ts'
import type { Lookup } from '../ports.ts'
import { findCondition } from '../rollout/conditions.ts'
import { ANALYSIS_RUN, EXPERIMENT, ROLLOUT } from '../rollout/observe.ts'
import { ANALYSIS_TEMPLATE, CLUSTER_TEMPLATE } from '../rollout/templates.ts'

/** One line of a metric. */
export type Sample = readonly [labels: Record<string, string>, value: number]
/** One metric that is read from the cache at each scrape. */
export type Family = Readonly<{
  name: string
  help: string
  labels: readonly string[]
  samples(cache: Lookup): Sample[]
}>

const rolloutsOf = (cache: Lookup) => cache.list(ROLLOUT, '') as readonly Rollout[]
const runsOf = (cache: Lookup) => cache.list(ANALYSIS_RUN, '') as readonly AnalysisRun[]
const named = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace ?? '', name: metadata.name })

const experimentsOf = (cache: Lookup) => cache.list(EXPERIMENT, '') as readonly Experiment[]
const templatesOf = (cache: Lookup) =>
  [ANALYSIS_TEMPLATE, CLUSTER_TEMPLATE].flatMap(kind => cache.list(kind, '') as readonly AnalysisTemplate[])

const count = (name: string, help: string, value: (rollout: Rollout) => number): Family => ({
  name: `rollout_info_replicas_${name}`,
  help: `The number of ${help} replicas per rollout.`,
  labels: ['namespace', 'name'],
  samples: cache => rolloutsOf(cache).map(rollout => [named(rollout), value(rollout)]),
})

/** The phases of runs, metrics and experiments. */
const RUN_PHASES = ['Pending', 'Error', 'Failed', 'Successful', 'Running', 'Inconclusive']

/** One line a phase, 1 for the one that it is in; none yet counts as Pending. */
const phaseSamples = (labels: Record<string, string>, current: string): Sample[] =>
  RUN_PHASES.map(phase => [{ ...labels, phase }, Number(phase === (current || 'Pending'))])

type Phased = KubeObject & Readonly<{ status?: Readonly<{ phase?: string }> }>

function phaseFamilies(
  kind: string,
  [subject, thing]: readonly [string, string],
  list: (cache: Lookup) => readonly Phased[],
): readonly Family[] {
  const labels = ['namespace', 'name', 'phase']
  const phaseOf = ({ status }: Phased) => status?.phase ?? ''
  return [
    {
      name: `${kind}_info`,
      help: `Information about ${subject}.`,
      labels,
      samples: cache => list(cache).map(one => [{ ...named(one), phase: phaseOf(one) }, 1]),
    },
    {
      name: `${kind}_phase`,
      help: `Information on the state of the ${thing} (DEPRECATED - use ${kind}_info)`,
      labels,
      samples: cache => list(cache).flatMap(one => phaseSamples(named(one), phaseOf(one))),
    },
  ]
}

/** argo: what its metrics call the providers. */
const TYPES: Readonly<Record<string, string>> = {
  prometheus: 'Prometheus',
  job: 'Job',
  kayenta: 'Kayenta',
  web: 'Web',
  datadog: 'Datadog',
  wavefront: 'Wavefront',
  newRelic: 'NewRelic',
  cloudWatch: 'CloudWatch',
  graphite: 'Graphite',
  influxdb: 'Influxdb',
  skywalking: 'skywalking',
  plugin: 'RPCPlugin',
}

const typeOf = ({ provider }: Metric): string => {
  const configs = provider as Readonly<Record<string, unknown>>
  const known = Object.keys(TYPES).find(name => configs[name] != null)
  return known === undefined ? 'Unknown Provider' : TYPES[known]!
}

function metricPhases(run: AnalysisRun, metric: Metric): Sample[] {
  const isDry = run.spec.dryRun?.some(rule => isNamed(rule.metricName, metric.name)) === true
  const labels = { ...named(run), metric: metric.name, type: typeOf(metric), dry_run: String(isDry) }
  return phaseSamples(labels, resultOf(run, metric.name)?.phase ?? '')
}

export const FAMILIES: readonly Family[] = [
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
  // argo: of the pods that there are, not of those that there should be.
  count('unavailable', 'unavailable', ({ status }) => (status?.replicas ?? 0) - (status?.availableReplicas ?? 0)),
  count('desired', 'desired', ({ spec }) => spec.replicas ?? 1),
  count('updated', 'updated', ({ status }) => status?.updatedReplicas ?? 0),
  {
    name: 'rollout_phase',
    help: 'Information on the state of the rollout (DEPRECATED - use rollout_info)',
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
  ...phaseFamilies('analysis_run', ['analysis run', 'Analysis Run'], runsOf),
  ...phaseFamilies('experiment', ['Experiment', 'experiment'], experimentsOf),
  {
    name: 'analysis_run_metric_type',
    help: 'Information on the type of a specific metric in the Analysis Runs',
    labels: ['namespace', 'name', 'metric', 'type'],
    samples: cache =>
      runsOf(cache).flatMap(run =>
        run.spec.metrics.map((metric): Sample => [{ ...named(run), metric: metric.name, type: typeOf(metric) }, 1]),
      ),
  },
  {
    name: 'analysis_run_metric_phase',
    help: 'Information on the duration of a specific metric in the Analysis Run',
    labels: ['namespace', 'name', 'metric', 'type', 'dry_run', 'phase'],
    samples: cache => runsOf(cache).flatMap(run => run.spec.metrics.flatMap(metric => metricPhases(run, metric))),
  },
  {
    name: 'analysis_template_info',
    help: 'Information about analysis templates.',
    labels: ['namespace', 'name'],
    samples: cache => templatesOf(cache).map(template => [named(template), 1]),
  },
  {
    name: 'analysis_template_metric_info',
    help: 'Information on metrics in analysis templates.',
    labels: ['namespace', 'name', 'type', 'metric'],
    samples: cache =>
      templatesOf(cache).flatMap(template =>
        (template.spec.metrics ?? []).map(
          (metric): Sample => [{ ...named(template), type: typeOf(metric), metric: metric.name }, 1],
        ),
      ),
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
  // argo: of several the last of this order.
  const known = Object.keys(ROUTERS).findLast(name => routing?.[name] != null)
  return known === undefined ? '' : ROUTERS[known]!
}
