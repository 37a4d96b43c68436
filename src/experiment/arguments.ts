// The arguments of an experiment's analyses: {{templates.NAME.podTemplateHash}} and the like put in.
import { ArgumentError, substitute } from '../analysis/args.ts'
import type { ExperimentAnalysis } from '../api/experiment.ts'
import { timestamp } from '../rollout/part.ts'
import { hashOf } from '../rollout/sets.ts'
import { endOf } from './facts.ts'
import type { ExperimentSeen } from './observe.ts'

type Argument = Readonly<{ name: string; value?: string }>

/** The arguments with the experiment's own values, or which one cannot be had. argo: valueFrom is dropped. */
export function experimentArguments(
  seen: ExperimentSeen,
  args: ExperimentAnalysis['args'],
): Readonly<{ args: Argument[] } | { problem: string }> {
  const values = valuesOf(seen)
  try {
    return {
      args: (args ?? []).map(({ name, value }) =>
        value == null ? { name } : { name, value: substitute(value, values) },
      ),
    }
  } catch (error) {
    if (error instanceof ArgumentError) return { problem: error.message }
    throw error
  }
}

function valuesOf({ experiment, status, sets }: ExperimentSeen): ReadonlyMap<string, string> {
  const end = endOf({ spec: experiment.spec, status })
  return new Map([
    ...(status.availableAt === undefined ? [] : [['experiment.availableAt', status.availableAt] as const]),
    ...(end === undefined ? [] : [['experiment.finishedAt', timestamp(end)] as const]),
    ...[...sets].flatMap(([name, rs]) => [
      [`templates.${name}.podTemplateHash`, hashOf(rs)] as const,
      [`templates.${name}.replicaset.name`, rs.metadata.name] as const,
    ]),
  ])
}
