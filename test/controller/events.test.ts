// Events tell when something happened, once each, in order, also when the API server is slow or away.
import { test } from 'tap'
import type { Action, KubeObject } from '../../src/contract.ts'
import { createRecorder } from '../../src/controller/events.ts'
import { ApiError, UnreachableError } from '../../src/kube/errors.ts'
import type { Log } from '../../src/ports.ts'
import { virtualClock } from '../../src/sim/clock.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const LINE = { method: 'POST', path: '/api/v1/namespaces/shop/events' } as const
const app = (name: string): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name, namespace: 'shop', uid: `uid-${name}` },
})
const note = (message: string) => ({ type: 'Normal', reason: 'RolloutUpdated', message }) as const
const settle = () => new Promise(done => setImmediate(done))

/** A recorder, and a server that does with each write what `answer` says. */
function recording(answer: (action: Action) => void | Promise<void> = () => {}) {
  const clock = virtualClock(START)
  const written: { verb: string; message?: string; first?: string; last?: string; count?: number }[] = []
  const warned: unknown[] = []
  const log: Log = { debug() {}, info() {}, warn: fields => void warned.push(fields), error() {} }
  const kube = {
    get: async () => Promise.reject(new Error('not asked for')),
    list: async () => Promise.reject(new Error('not asked for')),
    async perform(action: Action) {
      await answer(action)
      const body = (action.verb === 'create' ? action.object : action.verb === 'patch' ? action.patch : {}) as never
      const { message, firstTimestamp: first, lastTimestamp: last, count } = body
      written.push({ verb: action.verb, message, first, last, count })
      return undefined
    },
  }
  return { clock, written, warned, events: createRecorder(kube, clock, log) }
}

test('an event bears the time at which it happened, however late it is written', async t => {
  let open = (): void => {}
  const opened = new Promise<void>(done => {
    open = done
  })
  const { clock, written, events } = recording(() => opened)
  events.record(app('web'), note('one'))
  clock.advanceTo(START + 3_000)
  events.record(app('web'), note('two'))
  clock.advanceTo(START + 60_000)
  open()
  await settle()
  t.same(
    written.map(({ message, first }) => [message, first]),
    [
      ['one', '2026-01-01T00:00:00Z'],
      ['two', '2026-01-01T00:00:03Z'],
    ],
  )
})

test('the same event again is counted on the first', async t => {
  const { clock, written, events } = recording()
  events.record(app('web'), note('one'))
  clock.advanceTo(START + 5_000)
  events.record(app('web'), note('one'))
  await settle()
  t.match(written, [
    { verb: 'create', count: 1 },
    { verb: 'patch', count: 2, last: '2026-01-01T00:00:05Z' },
  ])
})

test('an event that was cleared away meanwhile is written anew', async t => {
  const { written, events } = recording(action => {
    if (action.verb === 'patch') throw new ApiError(404, 'NotFound', 'events "web.1" not found', LINE)
  })
  events.record(app('web'), note('one'))
  events.record(app('web'), note('one'))
  await settle()
  t.match(written, [
    { verb: 'create', count: 1 },
    { verb: 'create', count: 1 },
  ])
})

test('an event that was refused is not taken for written: the next of its kind is an event of its own', async t => {
  let isRefused = true
  const { written, events } = recording(() => {
    if (isRefused) throw new ApiError(403, 'Forbidden', 'exceeded quota', LINE)
  })
  events.record(app('web'), note('one'))
  await settle()
  isRefused = false
  events.record(app('web'), note('one'))
  await settle()
  t.match(written, [{ verb: 'create', count: 1 }])
})

test('while the API server is away nothing is lost, and what it took before it went is not told twice', async t => {
  let isAway = true
  const taken = new Set<string>()
  const { clock, written, events } = recording(action => {
    if (action.verb !== 'create') return
    const { name } = action.object.metadata
    if (taken.has(name)) throw new ApiError(409, 'AlreadyExists', `events "${name}" already exists`, LINE)
    // The first reaches it, its answer does not come back.
    if (isAway && taken.size > 0) throw new UnreachableError('connection refused', LINE)
    taken.add(name)
    if (isAway) throw new UnreachableError('connection reset', LINE)
  })
  for (const message of ['one', 'two', 'three']) events.record(app('web'), note(message))
  await settle()
  isAway = false
  for (let at = 0; at < 5; at += 1) {
    clock.advanceTo(clock.now() + 10_000)
    await settle()
  }
  t.equal(taken.size, 3)
  t.same(
    written.map(({ message, first }) => [message, first]),
    [
      ['two', '2026-01-01T00:00:00Z'],
      ['three', '2026-01-01T00:00:00Z'],
    ],
    'the first was there already',
  )
})

test('a stop waits for the last events, but not for a server that does not answer', async t => {
  const { clock, warned, events } = recording(() => new Promise(() => {}))
  for (const message of ['one', 'two']) events.record(app('web'), note(message))
  let isStopped = false
  void events.stop(5_000).then(() => {
    isStopped = true
  })
  clock.advanceTo(START + 4_000)
  await settle()
  t.notOk(isStopped)
  clock.advanceTo(START + 6_000)
  await settle()
  t.ok(isStopped)
  t.same(warned, [{ events: 2 }])
})

test('events of one object are written in their order, those of another do not wait for them', async t => {
  const { written, events } = recording(action =>
    action.verb === 'create' && (action.object as { message?: string }).message === 'stuck'
      ? new Promise(() => {})
      : undefined,
  )
  events.record(app('web'), note('stuck'))
  events.record(app('web'), note('behind'))
  events.record(app('shop'), note('free'))
  await settle()
  t.same(
    written.map(({ message }) => message),
    ['free'],
  )
})
