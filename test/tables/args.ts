// Table of the arguments of analyses: what is put into a metric, secrets included.
import { ArgumentError, redacted, resolveMetric, STAND_IN, withSecrets } from '../../src/analysis/args.ts'
import type { AnalysisArgument, Metric } from '../../src/api/analysis.ts'
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
    redacted: hidden,
  }
}

function answer(row: Row) {
  if (row['kind'] === 'redact') return { message: redacted(String(row['message']), [String(row['secret'])]) }
  if (row['kind'] === 'secrets') return secrets(row)
  return { metric: resolveMetric(row['metric'] as Metric, row['args'] as readonly AnalysisArgument[]) }
}

export const args: Table = {
  name: 'args',
  elsewhere: ({ kind }) =>
    ['resolve', 'secrets', 'redact'].includes(String(kind)) ? undefined : 'arguments before there is a run',
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
