// Plugin steps: who is asked when, and what the status keeps of the answers.
import { test } from 'tap'
import http from '../../adapters/steps/http.ts'
import type { RolloutStatus, StepPluginStatus } from '../../src/api/rollout-status.ts'
import type { Heard, StepPlugin } from '../../src/contract.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import type { Known } from '../../src/rollout/plan.ts'
import { planPlugins } from '../../src/rollout/step-plugins.ts'
import { seenOf } from '../kit/seen-of-vector.ts'

const NOW = Date.parse('2024-05-01T12:00:00Z')
const known = { steps: {}, routers: {}, plugins: { [http.name]: http as StepPlugin<unknown> } } as Known
const plugin = { name: 'pintle/http', config: { url: 'http://gate/' } }
const steps = [{ setWeight: 20 }, { plugin }, { plugin }, { setWeight: 50 }]
const entry = (fields: Partial<StepPluginStatus> = {}): StepPluginStatus => ({
  index: 1,
  name: 'pintle/http',
  operation: 'Run',
  phase: 'Running',
  startedAt: '2024-05-01T11:58:00Z',
  updatedAt: '2024-05-01T11:59:00Z',
  backoff: '30s',
  executions: 1,
  ...fields,
})
const set = (hash: string) => ({ hash, spec: 1, replicas: 1, ready: 1, available: 1, revision: '1', desired: '5' })

function play(
  status: RolloutStatus,
  statuses: readonly StepPluginStatus[],
  heard: Readonly<Record<string, Heard>> = {},
  wanted: object = steps,
) {
  const row = {
    name: '',
    want: null,
    spec: { replicas: 5, strategy: { canary: { steps: wanted } } },
    status: {
      stableRS: 's',
      currentPodHash: 'n',
      currentStepIndex: 1,
      ...status,
      canary: { stepPluginStatuses: [...statuses] },
    },
    sets: { new: set('n'), stable: set('s'), others: [] },
    now: '2024-05-01T12:00:00Z',
  }
  const seen = { ...seenOf(row), heard: new Map(Object.entries(heard)) }
  const { statuses: after, intent, part } = planPlugins(seen, known, NO_INTENT, NOW)
  return { asks: (part.asks ?? []).map(({ key }) => key), after, abort: intent.abort, recheckAt: part.recheckAt }
}

const said = (body: object, status = 200): Heard => ({ status, headers: {}, body: JSON.stringify(body) })
const nothing = { after: [], abort: undefined, recheckAt: undefined }

test('who is asked', async t => {
  const running = entry()
  const early = entry({ updatedAt: '2024-05-01T11:59:40Z' })
  const over = entry({ phase: 'Successful' })
  const rows: readonly (readonly [why: string, asks: string[], status: RolloutStatus, before: StepPluginStatus[]])[] = [
    ['a step that has not begun', ['Run 1'], {}, []],
    ['one whose wait is over', ['Run 1'], {}, [running]],
    ['not one that is to be asked later', [], {}, [early]],
    ['not one that is through', [], {}, [over]],
    ['not one that is switched off', [], {}, [entry({ disabled: true })]],
    [
      'nobody while people hold the rollout',
      [],
      { pauseConditions: [{ reason: 'CanaryPauseStep', startTime: '' }] },
      [],
    ],
    [
      'after an abort all that began, the last first',
      ['Abort 2', 'Abort 1'],
      { abort: true },
      [over, entry({ index: 2 })],
    ],
    [
      'after an abort each only once',
      ['Abort 1'],
      { abort: true },
      [over, entry({ index: 2 }), entry({ index: 2, operation: 'Abort', phase: 'Successful' })],
    ],
    ['at a full promotion the one that still runs', ['Terminate 1'], { promoteFull: true }, [running]],
    ['at a full promotion nobody that is through', [], { promoteFull: true }, [over]],
    ['on the way back at the first step nobody', [], { currentStepIndex: 0 }, [over]],
  ]
  for (const [why, asks, status, before] of rows) t.same(play(status, before).asks, asks, why)
})

test('a plugin that is gone cannot take anything back, which is told once', async t => {
  const gone = entry({ name: 'example/gone' })
  const status = { abort: true }
  const { after, asks } = play(status, [gone], {}, [{ setWeight: 20 }, { plugin: { name: 'example/gone' } }])
  t.same(asks, [])
  t.match(after, [gone, { operation: 'Abort', phase: 'Failed', message: /^there is no step plugin "example\/gone"/ }])
})

test('what an answer leaves', async t => {
  const at = '2024-05-01T12:00:00Z'
  const asked = { ...entry(), updatedAt: at, executions: 2 }
  const { backoff: _b, ...done } = asked
  t.same(play({}, [], { 'Run 1': said({ status: { ticket: 7 } }) }), {
    ...nothing,
    asks: [],
    after: [entry({ startedAt: at, updatedAt: at, status: { ticket: 7 } })],
    recheckAt: NOW + 30_000,
  })
  t.same(play({}, [entry()], { 'Run 1': said({ requeueAfterSeconds: 90 }) }).after, [{ ...asked, backoff: '90s' }])
  t.same(play({}, [entry()], { 'Run 1': said({ requeueAfterSeconds: 3 }) }).after, [asked], 'not too often')
  t.same(play({}, [entry()], { 'Run 1': said({ phase: 'Successful' }) }).after, [
    { ...done, phase: 'Successful', finishedAt: at },
  ])
  t.match(play({}, [entry()], { 'Run 1': said({ phase: 'Failed', message: 'no' }) }), {
    abort: 'Step Plugin 2 (pintle/http) failed: no',
    after: [{ phase: 'Failed', message: 'no', finishedAt: at }],
  })
  t.match(play({}, [entry()], { 'Run 1': { error: 'connect ECONNREFUSED' } }), {
    abort: undefined,
    after: [{ phase: 'Error', message: 'connect ECONNREFUSED', backoff: '30s' }],
  })
  t.match(play({ abort: true }, [entry()], { 'Abort 1': said({ phase: 'Running' }) }).after, [
    entry(),
    { operation: 'Abort', phase: 'Failed', message: 'Abort cannot take its time' },
  ])
})
