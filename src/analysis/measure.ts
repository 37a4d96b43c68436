// One measurement: ask the provider's question, read the answer, judge it by the metric's conditions.
import type { AnalysisRun, Measurement, Metric } from '../api/analysis.ts'
import { type Address, addressesOf } from '../api/endpoint-slice.ts'
import type { Heard, KubeObject, MetricProvider, Millis, ObjectProvider, Told } from '../contract.ts'
import type { Fetch, Kube } from '../ports.ts'
import { type Condition, evaluateCondition } from './expr/condition.ts'
import { measureByObject } from './measure-object.ts'
import { type Phase, timestamp } from './phases.ts'
import type { Task } from './plan.ts'

/** Metric providers by name, as they were loaded. */
export type Providers = Readonly<Record<string, Provider>>

export type Provider = MetricProvider<unknown> | ObjectProvider<unknown>

type Ports = Readonly<{
  fetch: Fetch
  kube: Kube
  now(): Millis
  /** EndpointSlices that may tell of our own data planes. */
  slices(): readonly KubeObject[]
}>

/** The phase of a measured result. Throws an Error whose text is the measurement's message.
 * argo: success is evaluated first; failure also when success is already true. */
export function judgeMeasurement(metric: Metric, result: unknown, now: Millis): Phase {
  const { successCondition, failureCondition } = metric
  const holds = (name: 'successCondition' | 'failureCondition', text: string | undefined): boolean | undefined => {
    if (!text) return undefined
    const outcome: Condition = evaluateCondition(text, result, now)
    if (outcome.error === undefined) return outcome.value
    const isEmpty = result === null || result === undefined || isEmptyList(result)
    const error = isEmpty ? 'metric result is nil or empty: no data returned from the metric provider' : outcome.error
    throw new Error(`could not evaluate ${name} "${text}": ${error}`)
  }
  const succeeds = holds('successCondition', successCondition)
  const fails = holds('failureCondition', failureCondition)
  if (succeeds === undefined && fails === undefined) return 'Successful'
  if (fails === true) return 'Failed'
  if (succeeds === undefined || succeeds) return 'Successful'
  return fails === undefined ? 'Failed' : 'Inconclusive'
}

const isEmptyList = (result: unknown): boolean =>
  (Array.isArray(result) || ArrayBuffer.isView(result)) && (result as { length?: number }).length === 0

/** The provider that a metric names with its configuration. Throws an Error for the measurement. */
function providerOf(metric: Metric, known: Providers): Readonly<{ provider: Provider; config: unknown }> {
  const [entry] = Object.entries(metric.provider).filter(([, config]) => config !== undefined && config !== null)
  const [name, config] = entry?.[0] === 'plugin' ? (Object.entries(entry[1] as object)[0] ?? []) : (entry ?? [])
  const provider = known[name ?? '']
  if (!provider) {
    const names = Object.keys(known).sort().join(', ')
    throw new Error(`no valid provider in metric '${metric.name}': '${name}' is none of ${names}`)
  }
  const parsed = provider.config.safeParse(config)
  if (parsed.success) return { provider, config: parsed.data }
  const issue = parsed.error.issues[0]
  throw new Error(`${[name, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'invalid'}`)
}

/** Milliseconds that a data plane of our own has for its answer. */
const TIMEOUT: Millis = 5000

async function askProvider(provider: MetricProvider<unknown>, config: unknown, { fetch, slices }: Ports) {
  const { everyone } = provider
  const path = everyone?.path(config)
  if (!everyone || path === undefined) return provider.parse(await fetch(provider.request(config)), config)
  const tell = async ({ from, isServing }: Address): Promise<Told> => {
    const request = { method: 'GET', url: `http://${from}${path}`, timeout: TIMEOUT }
    const heard: Heard = await fetch(request).catch((error: Error) => ({ error: error.message }))
    return { from, isServing, heard }
  }
  return everyone.parse(await Promise.all(addressesOf(slices(), everyone.label, everyone.port).map(tell)), config)
}

/** Takes one measurement of a metric whose arguments are put in; what goes wrong is an Error measurement. */
export async function measure(
  run: AnalysisRun,
  metric: Metric,
  task: Task,
  known: Providers,
  ports: Ports,
): Promise<Measurement> {
  const startedAt = task.unfinished?.startedAt ?? timestamp(ports.now())
  const finish = (fields: Omit<Measurement, 'startedAt' | 'finishedAt'>): Measurement => ({
    ...fields,
    startedAt,
    finishedAt: timestamp(ports.now()),
  })
  try {
    const { provider, config } = providerOf(metric, known)
    if ('object' in provider) return await measureByObject(provider, config, run, task, ports)
    if (task.verb === 'terminate') return finish({ phase: 'Successful', message: 'Metric Terminated' })
    const measured = await askProvider(provider, config, ports)
    const { value, metadata } = measured
    const seen = { value, ...(metadata ? { metadata } : {}) }
    try {
      return finish({ phase: judgeMeasurement(metric, measured.result, ports.now()), ...seen })
    } catch (error) {
      return finish({ phase: 'Error', message: (error as Error).message, ...seen })
    }
  } catch (error) {
    return finish({ phase: 'Error', message: error instanceof Error ? error.message : String(error) })
  }
}
