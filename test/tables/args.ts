// Table of the arguments of analyses: from a rollout, an experiment and templates into a metric, secrets included.
import { ArgumentError, redacted, resolveMetric, STAND_IN, withSecrets } from '../../src/analysis/args.ts'
import type { AnalysisArgument, AnalysisTemplate, Metric } from '../../src/api/analysis.ts'
import type { Experiment } from '../../src/api/experiment.ts'
import type { KubeObject } from '../../src/contract.ts'
import { experimentArguments } from '../../src/experiment/arguments.ts'
import type { ExperimentSeen } from '../../src/experiment/observe.ts'
import { argumentsFrom } from '../../src/rollout/run-arguments.ts'
import { mergeArguments, type RunSource, specOfTemplates } from '../../src/rollout/run-spec.ts'
import type { Row, Table } from '../kit/vector-table.ts'

type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>

function secrets(row: Row) {
  const given = row['args'] as readonly AnalysisArgument[]
  const held = row['secrets'] as Secrets
  const hidden: string[] = []
  const args = withSecrets(given, (name, key) => {
    if (!held[name]) throw new ArgumentError(`secrets "${name}" not found`)
    const value = held[name][key]
    if (value === undefined) throw new ArgumentError(`key '${key}' does not exist in secret '${name}'`)
    hidden.push(value)
    return value
  })
  const metric = row['metric'] as Metric
  return {
    metric: resolveMetric(metric, args),
    checked: resolveMetric(
      metric,
      withSecrets(given, () => STAND_IN),
    ),
    redacted: [...new Set(hidden)].sort(),
  }
}

const problemOr = <T>(found: { problem: string } | T): { error: string } | T =>
  typeof found === 'object' && found !== null && 'problem' in found ? { error: found.problem } : (found as T)

/** One run of several templates; a template named twice counts once. */
function templates(row: Row) {
  const specsOf = (field: string) => {
    const named = (row[field] ?? []) as readonly AnalysisTemplate[]
    const isFirst = ({ metadata }: AnalysisTemplate, at: number) =>
      named.findIndex(other => other.metadata.name === metadata.name) === at
    return named.filter(isFirst).map(({ spec }) => spec)
  }
  const found = specOfTemplates([...specsOf('templates'), ...specsOf('clusterTemplates')], row as RunSource)
  if ('problem' in found) return { error: found.problem }
  const { metrics } = found.spec
  return { spec: { ...found.spec, metrics: metrics.length === 0 ? null : metrics } }
}

function rollout(row: Row) {
  const hashes = { stable: String(row['stableHash']), latest: String(row['latestHash']) }
  return problemOr(argumentsFrom(row['rollout'] as KubeObject, hashes, row['args'] as []))
}

function experiment(row: Row) {
  const { spec, status = {} } = row['experiment'] as Experiment
  const running = spec.templates.filter(({ name }) => name !== 'norun')
  const setOf = (name: string) => ({
    metadata: { name: `exp-${name}`, labels: { 'rollouts-pod-template-hash': `hash-${name}` } },
  })
  const sets = new Map(running.map(({ name }) => [name, setOf(name)]))
  const found = experimentArguments({ experiment: { spec }, status, sets } as unknown as ExperimentSeen, [
    { name: 'x', value: String(row['value']) },
  ])
  return 'problem' in found ? { error: found.problem } : { value: found.args[0]?.value }
}

function answer(row: Row) {
  if (row['kind'] === 'merge') {
    return problemOr(mergeArguments(row['args'] as [], row['templateArgs'] as []))
  }
  if (row['kind'] === 'templates') return templates(row)
  if (row['kind'] === 'rollout') return rollout(row)
  if (row['kind'] === 'experiment') return experiment(row)
  if (row['kind'] === 'redact') return { message: redacted(String(row['message']), [String(row['secret'])]) }
  if (row['kind'] === 'secrets') return secrets(row)
  return { metric: resolveMetric(row['metric'] as Metric, row['args'] as readonly AnalysisArgument[]) }
}

export const args: Table = {
  name: 'args',
  answer(row) {
    try {
      return answer(row)
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error
      const { error: wanted = '' } = row.want as { error?: string }
      // A placeholder that swallowed the end of a field: only the beginning of the text is wanted.
      const isCut = wanted.startsWith('failed to resolve') && !wanted.endsWith('}}')
      return { error: isCut ? error.message.slice(0, wanted.length) : error.message }
    }
  },
}
