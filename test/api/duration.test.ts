// Duration texts in spec fields, and those that the schema refuses before they are read.
import { test } from 'tap'
import { experimentMs, metricDuration, parseGoDuration, pauseSeconds, runTtl } from '../../src/api/duration.ts'
import { inSeconds } from '../tables/durations.ts'
import { submit } from './server-view.ts'
import { table } from './vectors.ts'

type Want = Readonly<{
  seconds?: number | null
  never?: true
  deletedAfterSeconds?: number
  error?: string
  by?: string
}>
type Row = Readonly<{ name: string; field: string; value: unknown; phase?: string; completedAt?: false; want: Want }>

const WEB = { web: { url: 'http://x' } }
const POD = { spec: { containers: [{ name: 'a' }] } }

/** A manifest that has the value at the row's field. */
function manifestOf({ field, value }: Row): { kind: string; spec: unknown } {
  const metric = field.endsWith('interval') ? { interval: value } : { initialDelay: value }
  if (field.endsWith('pause.duration')) {
    return { kind: 'Rollout', spec: { strategy: { canary: { steps: [{ pause: { duration: value } }] } } } }
  }
  if (field.startsWith('spec.metrics')) {
    return { kind: 'AnalysisRun', spec: { metrics: [{ name: 'm', provider: WEB, ...metric }] } }
  }
  if (field === 'spec.ttlStrategy') return { kind: 'AnalysisRun', spec: { metrics: [], ttlStrategy: value } }
  return { kind: 'Experiment', spec: { duration: value, templates: [{ name: 'a', selector: {}, template: POD }] } }
}

function refusal(row: Row): Want | undefined {
  const { kind, spec } = manifestOf(row)
  const got = submit(kind, { apiVersion: 'argoproj.io/v1alpha1', kind, metadata: { name: 'x', namespace: 'y' }, spec })
  return got.want === 'accepted' ? undefined : { by: 'schema', error: got.messages.join('; ') }
}

function reading({ field, value, phase = '', completedAt }: Row): Want {
  const text = (value ?? undefined) as string | undefined
  if (field.endsWith('pause.duration')) {
    const seconds = pauseSeconds(text)
    if (seconds === undefined) return { never: true }
    if (seconds >= 0) return { seconds }
    const path = 'spec.strategy.steps[0].pause.duration'
    return { by: 'validation', error: `${path}: Invalid value: ${seconds}: Duration needs to be greater than 0` }
  }
  if (field.startsWith('spec.metrics')) {
    const { ms, error } = metricDuration(0, field.endsWith('interval') ? 'interval' : 'initialDelay', text)
    return error === undefined ? { seconds: ms === undefined ? null : inSeconds(ms) } : { by: 'validation', error }
  }
  if (field === 'spec.duration') {
    const ms = experimentMs(text)
    return ms === undefined ? { never: true } : { seconds: inSeconds(ms) }
  }
  const isOver = completedAt !== false && ['Successful', 'Failed', 'Error', 'Inconclusive'].includes(phase)
  const kept = isOver ? runTtl((value ?? undefined) as Parameters<typeof runTtl>[0], phase) : undefined
  return kept === undefined ? { never: true } : { deletedAfterSeconds: Math.max(0, kept + 1) }
}

test('every duration of the table is read, or refused, as by the reference', async t => {
  const rows = table<Row[]>('durations')
  if (!rows) {
    t.pass('not judged', { skip: 'no durations.json in the given folder' })
    return
  }
  for (const row of rows) {
    const refused = refusal(row)
    const { by, error = '' } = row.want
    if (by !== 'schema' && by !== 'decoding') {
      t.strictSame(refused ?? reading(row), row.want, row.name)
      continue
    }
    t.ok(refused, `${row.name}: is refused`)
    // The table puts the field before the text, and names the first of several causes.
    const text = error.slice(error.indexOf(': ') + 2)
    if (by === 'schema') t.ok(refused?.error?.includes(text), `${row.name}: ${refused?.error}`)
  }
})

const texts: readonly (readonly [string, number | string])[] = [
  ['1h30m', 5_400_000],
  ['1m1m', 120_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['-1.5h', -5_400_000],
  ['+0', 0],
  ['1µs', 0.001],
  ['1ns', 0.000001],
  ['9223372036854775807ns', 9_223_372_036_854.775],
  ['-9223372036854775808ns', -9_223_372_036_854.775],
  ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
  ['9223372036854775809', 'time: invalid duration "9223372036854775809"'],
  ['9223372036854775809d', 'time: invalid duration "9223372036854775809d"'],
  ['5é\t"', 'time: unknown unit "\\xc3\\xa9\\x09\\"" in duration "5\\xc3\\xa9\\x09\\""'],
  ['', 'time: invalid duration ""'],
  ['-', 'time: invalid duration "-"'],
  ['.', 'time: invalid duration "."'],
  ['5', 'time: missing unit in duration "5"'],
  ['1h 30m', 'time: unknown unit "h " in duration "1h 30m"'],
  ['1d', 'time: unknown unit "d" in duration "1d"'],
  ['1toString', 'time: unknown unit "toString" in duration "1toString"'],
]

test('a duration text gives milliseconds, or the reason why it is none', async t => {
  for (const [text, want] of texts) {
    const { ms, error } = parseGoDuration(text)
    t.equal(error ?? ms, want, JSON.stringify(text))
  }
})

test('a pause in whole seconds keeps to 32 bits', async t => {
  t.equal(pauseSeconds('2147483647'), 2_147_483_647)
  t.equal(pauseSeconds('2147483648'), -1)
  t.equal(pauseSeconds('-2147483648'), -2_147_483_648)
  t.equal(pauseSeconds('-0'), 0)
})

test('a pause of more seconds than 32 bits hold is refused, as by the reference', async t => {
  t.equal(pauseSeconds('596523h14m7s'), 2 ** 31 - 1)
  for (const text of ['596523h14m8s', '-596523h14m8s', '1000000h']) t.equal(pauseSeconds(text), -(2 ** 31), text)
})
