// An AnalysisRun as people see it: its verdict, how many measurements went which way, and the Jobs behind them.
import type { ObjectMeta } from '../contract.ts'
import { iconOf } from './icon.ts'
import { revisionOf } from './replica-set-view.ts'
import type { AnalysisRunShape, MeasurementShape } from './shape.ts'

export type JobInfo = Readonly<{
  objectMeta: Readonly<{ name: string; namespace?: string }>
  status: string
  icon: string
  metricName: string
  startedAt: string
}>

export type MeasurementInfo = Readonly<{ value: string; status: string; metricName: string; startedAt: string }>

export type AnalysisRunInfo = Readonly<{
  objectMeta: ObjectMeta
  icon: string
  revision: number
  status: string
  message: string
  successful: number
  failed: number
  inconclusive: number
  error: number
  jobs: readonly JobInfo[]
  nonJobInfo: readonly MeasurementInfo[]
  metrics: readonly Readonly<Record<string, unknown>>[]
  specAndStatus: Readonly<{ spec: unknown; status: unknown }>
}>

const METRIC_FIELDS = ['name', 'successCondition', 'failureCondition', 'count', 'inconclusiveLimit', 'failureLimit']

const metricInfo = (metric: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(METRIC_FIELDS.filter(field => metric[field] !== undefined).map(field => [field, metric[field]]))

type Taken = Readonly<{ metricName: string; measurement: MeasurementShape }>

function jobInfo({ metricName, measurement }: Taken): JobInfo {
  const { 'job-name': name = '', 'job-namespace': namespace } = measurement.metadata ?? {}
  const status = measurement.phase ?? ''
  return {
    objectMeta: { name, ...(namespace === undefined ? {} : { namespace }) },
    status,
    icon: iconOf(status),
    metricName,
    startedAt: measurement.startedAt ?? '',
  }
}

const valueInfo = ({ metricName, measurement }: Taken): MeasurementInfo => ({
  value: measurement.value ?? '',
  status: measurement.phase ?? '',
  metricName,
  startedAt: measurement.startedAt ?? '',
})

const byStart = (a: Readonly<{ startedAt: string }>, b: Readonly<{ startedAt: string }>): number =>
  a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0

/** Reads a run; measurements taken by a Job are told by the job's name in their metadata. */
export function analysisRunInfo(run: AnalysisRunShape): AnalysisRunInfo {
  const results = run.status?.metricResults ?? []
  const taken: readonly Taken[] = results.flatMap(result =>
    (result.measurements ?? []).map(measurement => ({ metricName: result.name ?? '', measurement })),
  )
  const isJob = ({ measurement }: Taken) => measurement.metadata?.['job-name'] !== undefined
  const total = (verdict: 'successful' | 'failed' | 'inconclusive' | 'error') =>
    results.reduce((sum, result) => sum + (result[verdict] ?? 0), 0)
  const status = run.status?.phase ?? ''
  return {
    objectMeta: run.metadata,
    icon: iconOf(status),
    revision: revisionOf(run.metadata),
    status,
    message: run.status?.message ?? '',
    successful: total('successful'),
    failed: total('failed'),
    inconclusive: total('inconclusive'),
    error: total('error'),
    jobs: taken.filter(isJob).map(jobInfo).toSorted(byStart),
    nonJobInfo: taken
      .filter(t => !isJob(t))
      .map(valueInfo)
      .toSorted(byStart),
    metrics: (run.spec?.metrics ?? []).map(metricInfo),
    specAndStatus: { spec: run.spec ?? {}, status: run.status ?? {} },
  }
}
