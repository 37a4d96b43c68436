// The arguments of an experiment's analyses: {{templates.NAME.podTemplateHash}} and the like put in.
import { ArgumentError, substitute } from '../analysis/args.ts'
import { parseGoDuration } from '../api/duration.ts'
import type { ExperimentAnalysis } from '../api/experiment.ts'
import { timestamp } from '../rollout/part.ts'
import { hashOf } from '../rollout/sets.ts'
import type { ExperimentSeen } from './observe.ts'

type Argument = Readonly<{ name: string; value?: string }>

/** The arguments with the experiment's own values, or which one cannot be had. argo: valueFrom is dropped. */
export function experimentArguments(
  seen: ExperimentSeen,
  args: ExperimentAnalysis['args'],
): Readonly<{ args: Argument[] } | { problem: string }> {
  try {
    return {
      args: (args ?? []).map(({ name, value }) =>
        value == null ? { name } : { name, value: substitute(value, () => valuesOf(seen)) },
      ),
    }
  } catch (error) {
    if (error instanceof ArgumentError) return { problem: error.message }
    throw error
  }
}

function valuesOf({ experiment, status, sets }: ExperimentSeen): ReadonlyMap<string, string> {
  return new Map([
    ...timesOf(experiment.spec.duration, status.availableAt),
    ...[...sets].flatMap(([name, rs]) => [
      [`templates.${name}.podTemplateHash`, hashOf(rs)] as const,
      [`templates.${name}.replicaset.name`, rs.metadata.name] as const,
    ]),
  ])
}

/** argo: a duration that cannot be read is an error of every value, once the experiment is available. */
function timesOf(duration: string | undefined, availableAt: string | undefined): (readonly [string, string])[] {
  if (availableAt === undefined) return []
  const begin = ['experiment.availableAt', availableAt] as const
  if (!duration) return [begin]
  const { ms, error } = parseGoDuration(duration)
  if (ms === undefined) throw new ArgumentError(error)
  return [begin, ['experiment.finishedAt', timestamp(Math.floor((Date.parse(availableAt) + ms) / 1000) * 1000)]]
}
