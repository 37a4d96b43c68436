// `list rollouts` and `list experiments`: one line each, in columns that stay put while watching.
import type { Millis } from '../contract.ts'
import { padTo, widthsOf } from './columns.ts'
import { experimentRow } from './experiment-view.ts'
import { NOTHING, rolloutInfo } from './rollout-view.ts'
import type { ExperimentShape, RolloutShape } from './shape.ts'

/** `timestamp` puts the time in front, `namespaces` the namespace. */
export type ListOptions = Readonly<{ now: Millis; timestamp?: boolean; namespaces?: boolean }>

const ROLLOUT_COLUMNS = 'NAME STRATEGY STATUS STEP SET-WEIGHT READY DESIRED UP-TO-DATE AVAILABLE'.split(' ')
// argo: columns have a least width, so that lines of a watch stay aligned.
const ROLLOUT_WIDTHS = [10, 9, 12, 4, 10, 5, 7, 10, 9]

function rolloutRow(rollout: RolloutShape): readonly string[] {
  const info = rolloutInfo(rollout, NOTHING)
  return [
    info.objectMeta.name,
    info.strategy || 'unknown',
    info.status,
    info.step || '-',
    info.setWeight || '-',
    `${info.ready}/${info.current}`,
    `${info.desired}`,
    `${info.updated}`,
    `${info.available}`,
  ]
}

const byName = (a: RolloutShape | ExperimentShape, b: RolloutShape | ExperimentShape): number => {
  const key = ({ metadata }: RolloutShape | ExperimentShape) => `${metadata.namespace ?? ''}/${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

/** Seconds are as fine as it gets. */
const timeText = (now: Millis): string => `${new Date(now).toISOString().slice(0, 19)}Z`

/** The table of rollouts, header first unless `header` is false. */
export function rolloutLines(
  rollouts: readonly RolloutShape[],
  options: ListOptions,
  header = true,
): readonly string[] {
  const { now, timestamp = false, namespaces = false } = options
  const lead = (time: string, namespace: string) => [...(timestamp ? [time] : []), ...(namespaces ? [namespace] : [])]
  const rows = rollouts
    .toSorted(byName)
    .map(rollout => [...lead(timeText(now), rollout.metadata.namespace ?? ''), ...rolloutRow(rollout)])
  const head = [...lead('TIMESTAMP', 'NAMESPACE'), ...ROLLOUT_COLUMNS]
  const least = [...(timestamp ? [20] : []), ...(namespaces ? [9] : []), ...ROLLOUT_WIDTHS]
  return table(head, rows, least, header)
}

/** The table of experiments. */
export function experimentLines(experiments: readonly ExperimentShape[], options: ListOptions): readonly string[] {
  const { now, namespaces = false } = options
  const lead = (namespace: string) => (namespaces ? [namespace] : [])
  const rows = experiments
    .toSorted(byName)
    .map(experiment => [...lead(experiment.metadata.namespace ?? ''), ...experimentRow(experiment, now)])
  return table([...lead('NAMESPACE'), 'NAME', 'STATUS', 'DURATION', 'REMAINING', 'AGE'], rows, [], true)
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  least: readonly number[],
  header: boolean,
): readonly string[] {
  const widths = widthsOf([head, ...rows], least)
  const text = (row: readonly string[]) => row.map((cell, i) => padTo(cell, widths[i] ?? 0)).join('  ')
  return [...(header ? [text(head)] : []), ...rows.map(text)]
}
