// The fault matrix of the writing side, driven by a small controller: each parent gets one child, and its mark follows.
import { test } from 'tap'
import type { Action, KubeObject } from '../../src/contract.ts'
import { createCache } from '../../src/kube/cache.ts'
import { AmbiguousError, isAlreadyExists, isConflict, isNotFound } from '../../src/kube/errors.ts'
import { type Fault, type FaultPlan, faultyTransport, randomFaults } from '../../src/kube/faulty.ts'
import { createKube } from '../../src/kube/kube.ts'
import { createQueue } from '../../src/kube/queue.ts'
import { retryTransport } from '../../src/kube/retry.ts'
import { createTracker, overlaid, trackedKube } from '../../src/kube/tracker.ts'
import type { ApiRequest, Log, Lookup } from '../../src/ports.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'
import { runTo } from '../../src/sim/settle.ts'
import { scripted } from './scripted.ts'

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' }
const path = (name: string) => `/api/v1/namespaces/shop/configmaps/${name}`
const config = (name: string, data: object): KubeObject => ({ ...CONFIG, metadata: { name, namespace: 'shop' }, data })
const refTo = (name: string) => ({ ...CONFIG, namespace: 'shop', name })
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const count = (object: KubeObject | undefined) => Number((object?.data as { count?: string } | undefined)?.count ?? 0)

/** Steps of the plan: make the child, then count it up one write at a time to the parent's number. Counting is not
 * idempotent on purpose: a repeated or stale step shows. */
function planFor(name: string, lookup: Lookup): Action[] {
  const parent = lookup.get(refTo(name))
  if (!parent) return []
  const child = lookup.get(refTo(`${name}-child`))
  if (!child) return [{ verb: 'create', object: config(`${name}-child`, { count: '1' }), why: 'a parent needs one' }]
  if (count(child) >= count(parent)) return []
  const patch = { data: { count: String(count(child) + 1), [`step${count(child) + 1}`]: 'done' } }
  return [{ verb: 'patch', ref: refTo(`${name}-child`), type: 'merge', patch, why: 'count up' }]
}

/** Only a 404 says that an object does not exist. */
const absent = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error
}

function world(plan: FaultPlan, seed = 1) {
  const clock = virtualClock(0)
  const server = scripted(clock)
  const faulty = faultyTransport(server.transport, { clock, plan })
  const transport = retryTransport(faulty, { clock })
  const random = seeded(seed)
  const tracker = createTracker({ clock })
  const kube = trackedKube(createKube(transport, { clock }), tracker)
  const cache = createCache({ transport, clock, random, log: silent })
  const errors: unknown[] = []
  cache.watch(CONFIG)
  cache.onChange(tracker.saw)

  const run = async (name: string) => {
    const child = refTo(`${name}-child`)
    const freshness = tracker.freshness(child, cache)
    if (freshness === 'stale') return { recheckAt: clock.now() + 100 }
    const live = freshness === 'read' ? await kube.get(child).catch(absent) : undefined
    const lookup = freshness === 'read' ? overlaid(cache, [[child, live]]) : cache
    for (const action of planFor(name, lookup)) await kube.perform(action)
    return {}
  }
  const queue = createQueue<string>({
    clock,
    random,
    concurrency: 3,
    keyText: key => key,
    run,
    onError: (_, error) => errors.push(error),
  })
  cache.onChange(({ object }) => queue.add(object.metadata.name.replace(/-child$/, '')))
  const writes = () => server.requests.filter(({ request }) => request.method !== 'GET')
  const forward = (seconds: number) => runTo(clock, clock.now() + seconds * 1000)
  const stop = async () => {
    await queue.stop()
    await cache.stop()
  }
  return { clock, server, kube, cache, queue, tracker, errors, writes, forward, stop }
}

const onWrite =
  (n: number, fault: Fault): FaultPlan => {
    let seen = 0
    return ({ method }: ApiRequest) => (method !== 'GET' && seen++ === n ? fault : undefined)
  } // biome-ignore format: one thought

test('without faults each step is written exactly once', async t => {
  const w = world(() => undefined)
  w.server.put(path('a'), config('a', { count: '4' }))
  await w.forward(5)
  t.equal(count(w.server.at(path('a-child'))), 4)
  t.equal(w.writes().length, 4)
  t.same(w.errors, [])
  t.equal(w.tracker.size(), 0, 'nothing is remembered longer than needed')
  await w.stop()
})

// biome-ignore format: a table reads best as a table
const once: Record<string, [Fault, writes: number]> = { // the fault meets one write; writes that reach the server
  'never arrives': [{ is: 'refuse' }, 4],
  'is carried out, but the answer is lost': [{ is: 'lose' }, 4],
  'is carried out, but times out': [{ is: 'stall', commit: true }, 4],
  'times out without being carried out': [{ is: 'stall' }, 4],
  'takes ten seconds': [{ is: 'delay', by: 10_000 }, 4],
  'is refused with 409': [{ is: 'status', status: 409, reason: 'Conflict' }, 4],
  'is put off with 429': [{ is: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 2 }, 4],
  'meets 500': [{ is: 'status', status: 500, reason: 'InternalError' }, 4],
  'meets 503': [{ is: 'status', status: 503, reason: 'ServiceUnavailable', retryAfter: 1 }, 4],
  'meets 504 from a gateway': [{ is: 'status', status: 504 }, 4],
}

for (const [name, [fault, writes]] of Object.entries(once)) {
  for (const nth of [0, 1]) {
    test(`${nth === 0 ? 'a create' : 'a patch'} that ${name} is made once and only once`, async t => {
      const w = world(onWrite(nth, fault))
      w.server.put(path('a'), config('a', { count: '4' }))
      await w.forward(60)
      t.equal(count(w.server.at(path('a-child'))), 4)
      t.equal(w.writes().length, writes)
      t.notOk(w.errors.some(isAlreadyExists), 'no second create was even tried')
      await w.stop()
    })
  }
}

// biome-ignore format: a table reads best as a table
const storms: Record<string, Fault> = {
  '409': { is: 'status', status: 409, reason: 'Conflict' },
  '422': { is: 'status', status: 422, reason: 'Invalid' },
  '403': { is: 'status', status: 403, reason: 'Forbidden' },
  'connection refused': { is: 'refuse' },
}

for (const [name, fault] of Object.entries(storms)) {
  test(`a storm of ${name} is answered with less and less`, async t => {
    let asked = 0
    const w = world(({ method }) => {
      if (method === 'GET') return undefined
      asked += 1
      return fault
    })
    w.server.put(path('a'), config('a', { count: '2' }))
    await w.forward(60)
    t.ok(asked < 25, `${asked} tries in a minute`)
    t.ok(w.queue.failures('a') >= 10, 'the failures in a row are known')
    await w.stop()
  })
}

test('429 with Retry-After is repeated by the transport, at most as long as the request may take', async t => {
  const times: number[] = []
  let now = () => 0
  const w = world(({ method }) => {
    if (method === 'GET') return undefined
    times.push(now())
    return { is: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 4 }
  })
  now = w.clock.now
  const failed = w.kube.perform({ verb: 'create', object: config('x', {}), why: 'test' }).catch(error => error)
  await w.forward(30)
  t.match(await failed, { code: 429, retryAfter: 4000 })
  t.same(times, [0, 4000, 8000, 12_000])
  await w.stop()
})

test('an object that a stranger made first is reported, not overwritten', async t => {
  const w = world(() => undefined)
  w.server.put(path('x'), config('x', { mine: 'yes' }))
  const failed = await w.kube.perform({ verb: 'create', object: config('x', {}), why: 'test' }).catch(error => error)
  t.ok(isAlreadyExists(failed))
  t.notOk(isConflict(failed), 'a conflict is something else')
  t.match(w.server.at(path('x')), { data: { mine: 'yes' } })
  await w.stop()
})

/** Looks at the parent again and again, as events of other objects would make it. */
async function nudge(w: ReturnType<typeof world>, seconds: number) {
  for (let i = 0; i < seconds * 4; i++) {
    w.queue.add('a')
    await w.forward(0.25)
  }
}

for (const lag of [100, 1000, 4000]) {
  test(`a cache that lags ${lag} ms repeats no step`, async t => {
    const w = world(({ query }) => (query?.['watch'] ? { is: 'lag', after: 0, by: lag } : undefined))
    w.server.put(path('a'), config('a', { count: '4' }))
    await nudge(w, 40)
    t.equal(count(w.server.at(path('a-child'))), 4)
    t.equal(w.writes().length, 4)
    t.same(w.errors, [])
    await w.stop()
  })
}

test('a cache that lags 30 s delays each step by 5 s, not by 30, and repeats none', async t => {
  const w = world(({ query }) => (query?.['watch'] ? { is: 'lag', after: 0, by: 30_000 } : undefined))
  w.server.put(path('a'), config('a', { count: '4' }))
  await nudge(w, 120)
  const times = w.writes().map(({ at }) => at)
  t.equal(times.length, 4)
  const gaps = times.slice(1).map((time, i) => time - times[i]!)
  t.ok(
    gaps.every(gap => gap >= 5000 && gap < 6000),
    `gaps of ${gaps.join(', ')} ms`,
  )
  t.equal(count(w.server.at(path('a-child'))), 4)
  t.same(w.errors, [])
  await w.stop()
})

test('a child that somebody deletes is made again', async t => {
  const w = world(() => undefined)
  w.server.put(path('a'), config('a', { count: '2' }))
  await w.forward(1)
  w.server.remove(path('a-child'))
  await w.forward(1)
  t.equal(count(w.server.at(path('a-child'))), 2)
  t.equal(w.writes().length, 4)
  await w.stop()
})

test('a patch with a version meets 409 when the object has moved on', async t => {
  const w = world(() => undefined)
  const old = w.server.put(path('x'), config('x', { by: 'us' }))
  w.server.put(path('x'), config('x', { by: 'user' }))
  const patch = { data: { by: 'us again' } }
  const resourceVersion = old.metadata.resourceVersion!
  const action: Action = { verb: 'patch', ref: refTo('x'), type: 'merge', patch, resourceVersion, why: 'test' }
  t.ok(isConflict(await w.kube.perform(action).catch(error => error)))
  t.match(w.server.at(path('x')), { data: { by: 'user' } })
  await w.stop()
})

test('deleting what is gone succeeds; deleting another object of that name does not', async t => {
  const w = world(() => undefined)
  const { uid } = w.server.put(path('x'), config('x', {})).metadata
  w.server.remove(path('x'))
  t.equal(await w.kube.perform({ verb: 'delete', ref: refTo('x'), why: 'test' }), undefined)
  w.server.put(path('x'), config('x', {}))
  t.ok(isConflict(await w.kube.perform({ verb: 'delete', ref: refTo('x'), uid: uid!, why: 'test' }).catch(e => e)))
  await w.stop()
})

test('a lost answer is called ambiguous', async t => {
  const w = world(onWrite(0, { is: 'lose' }))
  const failed = await w.kube.perform({ verb: 'create', object: config('x', {}), why: 'test' }).catch(error => error)
  t.ok(failed instanceof AmbiguousError)
  t.match(failed, { request: { method: 'POST', path: '/api/v1/namespaces/shop/configmaps' } })
  t.equal(w.tracker.freshness(refTo('x'), w.cache), 'read')
  await w.stop()
})

test('soak: whatever fails, every counter ends at its number and counts each step once', async t => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = seeded(seed)
    let isBad = true
    const faults = randomFaults(random, 0.3)
    const w = world((request, nth) => (isBad ? faults(request, nth) : undefined), seed)
    for (let i = 0; i < 5; i++) w.server.put(path(`p${i}`), config(`p${i}`, { count: '8' }))
    for (let i = 0; i < 60; i++) {
      if (random() < 0.1) w.server.hangUp()
      if (random() < 0.05) w.server.compact()
      await w.forward(random() * 20)
    }
    isBad = false
    await w.forward(120)
    for (let i = 0; i < 5; i++) {
      t.equal(count(w.server.at(path(`p${i}-child`))), 8, `seed ${seed}: p${i} arrived`)
      const bodies = w.writes().map(({ request }) => request.body ?? '')
      const done = new Set(bodies.filter(body => body.includes('step')))
      t.ok(done.size <= 7, `seed ${seed}: no step beyond the number`)
    }
    t.notOk(w.errors.some(isAlreadyExists), `seed ${seed}: no create twice`)
    await w.stop()
  }
})
