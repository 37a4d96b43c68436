// Table of duration texts in spec fields.
import { experimentMs, metricDuration, pauseSeconds, runTtl } from '../../src/api/duration.ts'
import type { Row, Table } from '../kit/vector-table.ts'

const COMPLETED = ['Successful', 'Failed', 'Error', 'Inconclusive']

/** Seconds as Go gives them: the whole ones, and then the nanoseconds. */
export function inSeconds(ms: number): number {
  const ns = BigInt(Math.round(ms * 1e6))
  return Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9
}

function pause(value: unknown) {
  const seconds = pauseSeconds(value as string | number | undefined)
  if (seconds === undefined) return { never: true }
  if (seconds >= 0) return { seconds }
  const error = `spec.strategy.steps[0].pause.duration: Invalid value: ${seconds}: Duration needs to be greater than 0`
  return { by: 'validation', error }
}

function metric(field: 'interval' | 'initialDelay', value: unknown) {
  const { ms, error } = metricDuration(0, field, (value ?? undefined) as string | undefined)
  if (error !== undefined) return { by: 'validation', error }
  return { seconds: ms === undefined ? null : inSeconds(ms) }
}

function experiment(value: unknown) {
  const ms = experimentMs((value ?? undefined) as string | undefined)
  return ms === undefined ? { never: true } : { seconds: inSeconds(ms) }
}

function timeToLive({ value, phase, completedAt }: Row) {
  if (completedAt === false || !COMPLETED.includes(String(phase))) return { never: true }
  const seconds = runTtl((value ?? undefined) as Parameters<typeof runTtl>[0], String(phase))
  return seconds === undefined ? { never: true } : { deletedAfterSeconds: Math.max(0, seconds + 1) }
}

export const durations: Table = {
  name: 'durations',
  elsewhere({ want }) {
    const { by } = want as { by?: string }
    return by === 'schema' || by === 'decoding' ? 'refused by the schema, before a duration is read' : undefined
  },
  answer(row) {
    const { field, value } = row
    if (field === 'spec.strategy.canary.steps[0].pause.duration') return pause(value ?? undefined)
    if (field === 'spec.metrics[0].interval') return metric('interval', value)
    if (field === 'spec.metrics[0].initialDelay') return metric('initialDelay', value)
    if (field === 'spec.duration') return experiment(value)
    return timeToLive(row)
  },
}
