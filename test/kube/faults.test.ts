// The fault matrix of the watching side: whatever happens on the wire, the cache ends up with the server's objects,
// listeners hear exactly what happened, and the server is not stormed.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { type Cache, createCache } from '../../src/kube/cache.ts'
import { type Fault, type FaultPlan, faultyTransport, randomFaults } from '../../src/kube/faulty.ts'
import { compareVersions } from '../../src/kube/versions.ts'
import type { ApiRequest, Log } from '../../src/ports.ts'
import { seeded, type VirtualClock, virtualClock } from '../../src/sim/clock.ts'
import { runTo } from '../../src/sim/settle.ts'
import { type Scripted, scripted } from './scripted.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
const path = (name: string) => `/api/v1/namespaces/shop/pods/${name}`
const pod = (name: string, rank = 0): KubeObject => ({ ...POD, metadata: { name, namespace: 'shop' }, spec: { rank } })
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

type World = Readonly<{
  clock: VirtualClock
  server: Scripted
  cache: Cache
  told: string[]
  /** What a listener that only adds up the changes believes. */
  believed: Map<string, KubeObject>
  run(seconds: number): Promise<void>
}>

function world(plan: FaultPlan, options: { seed?: number; streaming?: boolean; oblivious?: boolean } = {}): World {
  const clock = virtualClock(0)
  const server = scripted(clock, options)
  const transport = faultyTransport(server.transport, { clock, plan })
  const cache = createCache({ transport, clock, random: seeded(options.seed ?? 1), log: silent })
  const told: string[] = []
  const believed = new Map<string, KubeObject>()
  cache.onChange(({ type, object }) => {
    const { name, uid = '', resourceVersion } = object.metadata
    const known = believed.get(name)
    told.push(`${type} ${name} ${uid}`)
    if (type === 'DELETED') believed.delete(name)
    else {
      const isBack = known?.metadata.uid === uid && compareVersions(resourceVersion, known.metadata.resourceVersion) < 0
      if (isBack) told.push(`BACK ${name} ${uid}`)
      if (type === 'ADDED' && known) told.push(`TWICE ${name} ${uid}`)
      believed.set(name, object)
    }
  })
  const run = (seconds: number) => runTo(clock, clock.now() + seconds * 1000)
  return { clock, server, cache, told, believed, run }
}

const names = (objects: readonly KubeObject[]) =>
  objects.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort()

/** Runs the same small life over a faulty wire; the fault meets the nth read of the collection. */
async function life({ server, cache, run }: World) {
  server.put(path('a'), pod('a'))
  server.put(path('b'), pod('b'))
  cache.watch(POD)
  await run(1)
  server.put(path('a'), pod('a', 1))
  await run(20)
  server.put(path('c'), pod('c'))
  server.remove(path('b'))
  await run(1)
  server.put(path('b'), pod('b', 2))
  server.put(path('a'), pod('a', 2))
  await run(700)
}

const LIFE = [
  'ADDED a uid-1',
  'ADDED b uid-2',
  'MODIFIED a uid-1',
  'ADDED c uid-3',
  'DELETED b uid-2',
  'ADDED b uid-4',
  'MODIFIED a uid-1',
]

const nthWatch =
  (n: number, fault: Fault): FaultPlan =>
  ({ query }, nth) =>
    query?.['watch'] && nth === n ? fault : undefined

// biome-ignore format: a table reads best as a table
const firstWatch: Record<string, [Fault, lists: number]> = { // the first read is the list; how many reach the server
  'the server refuses the connection': [{ is: 'refuse' }, 1],
  'the connection is reset before headers': [{ is: 'lose' }, 2],
  'the connection is never answered': [{ is: 'stall' }, 1],
  'the connection is reset within the list': [{ is: 'cut', after: 1 }, 2],
  'the connection stalls half open within the list': [{ is: 'freeze', after: 1 }, 2],
  'the list drips': [{ is: 'drip', after: 0, each: 3000 }, 1],
  'the list comes late': [{ is: 'lag', after: 0, by: 8000 }, 1],
  'a line of the list is cut off': [{ is: 'truncate', after: 1 }, 2],
  'a line of the list is garbage': [{ is: 'garbage', after: 1 }, 2],
  'the stream ends before the list does': [{ is: 'end', after: 1 }, 2],
  'the end-of-list bookmark never comes': [{ is: 'no-bookmarks', after: 0 }, 2],
  'objects of the list come twice': [{ is: 'repeat', after: 2 }, 1],
  'an ERROR event 500 within the list': [{ is: 'error', after: 1, status: 500, reason: 'InternalError' }, 2],
  'an ERROR event 410 within the list': [{ is: 'error', after: 1, status: 410, reason: 'Expired' }, 2],
  'HTTP 410': [{ is: 'status', status: 410, reason: 'Expired' }, 1],
  'HTTP 429': [{ is: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 2 }, 1],
  'HTTP 500': [{ is: 'status', status: 500, reason: 'InternalError' }, 1],
  'HTTP 503': [{ is: 'status', status: 503, reason: 'ServiceUnavailable' }, 1],
  'HTTP 401': [{ is: 'status', status: 401, reason: 'Unauthorized' }, 1],
  'HTTP 403': [{ is: 'status', status: 403, reason: 'Forbidden' }, 1],
}

for (const [name, [fault, lists]] of Object.entries(firstWatch)) {
  test(`first list: ${name}`, async t => {
    const w = world(nthWatch(0, fault))
    await life(w)
    t.same(names(w.cache.list(POD, '')), names(w.server.all()), 'the cache holds what the server holds')
    t.same(names([...w.believed.values()]), names(w.server.all()), 'listeners believe the same')
    t.notMatch(w.told.join(), /BACK|TWICE/)
    t.equal(w.server.lists(), lists, 'lists that reached the server')
    t.ok(w.cache.isSynced())
    await w.cache.stop()
    t.equal(w.server.watchers(), 0, 'nothing is left open')
  })
}

// biome-ignore format: a table reads best as a table
const secondWatch: Record<string, [Fault, lists: number]> = { // the list went well; the watch that resumes is spoilt
  'the server refuses the connection': [{ is: 'refuse' }, 1],
  'the connection is reset before headers': [{ is: 'lose' }, 1],
  'the connection is never answered': [{ is: 'stall' }, 1],
  'the connection is reset': [{ is: 'cut', after: 1 }, 1],
  'the connection is half open': [{ is: 'freeze', after: 1 }, 1],
  'events drip': [{ is: 'drip', after: 0, each: 3000 }, 1],
  'events come late': [{ is: 'lag', after: 0, by: 30_000 }, 1],
  'a line is cut off': [{ is: 'truncate', after: 1 }, 1],
  'a line is garbage': [{ is: 'garbage', after: 1 }, 1],
  'events come twice': [{ is: 'repeat', after: 2 }, 1],
  'an ERROR event 500': [{ is: 'error', after: 1, status: 500, reason: 'InternalError' }, 1],
  'an ERROR event 429': [{ is: 'error', after: 1, status: 429, reason: 'TooManyRequests' }, 1],
  'an ERROR event 410': [{ is: 'error', after: 1, status: 410, reason: 'Expired' }, 2],
  'HTTP 410': [{ is: 'status', status: 410, reason: 'Expired' }, 2],
  'HTTP 429': [{ is: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 2 }, 1],
  'HTTP 500': [{ is: 'status', status: 500, reason: 'InternalError' }, 1],
  'HTTP 503': [{ is: 'status', status: 503, reason: 'ServiceUnavailable' }, 1],
}

for (const [name, [fault, lists]] of Object.entries(secondWatch)) {
  test(`resumed watch: ${name}`, async t => {
    const w = world(nthWatch(1, fault))
    w.clock.at(15_000, () => w.server.hangUp())
    await life(w)
    t.same(w.told, LIFE, 'every change is told once, in order')
    t.same(names(w.cache.list(POD, '')), names(w.server.all()))
    t.equal(w.server.lists(), lists, lists === 1 ? 'the version is resumed, nothing is listed anew' : 'listed anew')
    await w.cache.stop()
  })
}

test('an API server that stays away is asked less and less often, at times that differ between instances', async t => {
  const timesOf = async (seed: number) => {
    const times: number[] = []
    const clockOf: { now?: () => number } = {}
    const w = world(
      () => {
        times.push(clockOf.now?.() ?? 0)
        return { is: 'refuse' }
      },
      { seed },
    )
    clockOf.now = w.clock.now
    w.cache.watch(POD)
    await w.run(600)
    await w.cache.stop()
    return times
  }
  const [one, other] = [await timesOf(1), await timesOf(2)]
  const gaps = one.slice(1).map((time, i) => time - one[i]!)
  t.ok(
    gaps.every((gap, i) => gap >= Math.min(30_000, 800 * 2 ** i)),
    'never sooner than the doubling delay',
  )
  t.ok(
    gaps.every((gap, i) => gap <= 2 * Math.min(30_000, 800 * 2 ** i)),
    'nor later than twice that',
  )
  t.ok(one.length < 25, `asked ${one.length} times in ten minutes`)
  t.notSame(one, other, 'jitter tells instances apart')
})

test('Retry-After decides how long to wait', async t => {
  const times: number[] = []
  let now = () => 0
  const w = world((_, nth) => {
    times.push(now())
    return nth === 0 ? { is: 'status', status: 429, reason: 'TooManyRequests', retryAfter: 17 } : undefined
  })
  now = w.clock.now
  w.cache.watch(POD)
  await w.run(60)
  t.same(times, [0, 17_000])
  await w.cache.stop()
})

test('a watch that the server keeps ending at once counts as a failure', async t => {
  const w = world((_, nth) => (nth > 0 ? { is: 'end', after: 0 } : undefined))
  w.cache.watch(POD)
  await w.run(1)
  const until = w.clock.now() + 60_000
  const hangUp = () => {
    w.server.hangUp()
    if (w.clock.now() < until) w.clock.at(w.clock.now() + 50, hangUp)
  }
  hangUp()
  await w.run(70)
  t.ok(w.server.reads().length < 12, `read ${w.server.reads().length} times in a minute`)
  t.equal(w.server.lists(), 1)
  await w.cache.stop()
})

test('410 after each list does not make a hot loop', async t => {
  const w = world(
    ({ query }) =>
      query?.['watch'] && !query['sendInitialEvents'] ? { is: 'status', status: 410, reason: 'Expired' } : undefined,
    { streaming: false },
  )
  w.cache.watch(POD)
  await w.run(60)
  t.ok(w.server.lists() < 12, `listed ${w.server.lists()} times in a minute`)
  await w.cache.stop()
})

test('a server without streaming lists is read page by page, and remembered', async t => {
  const w = world(() => undefined, { streaming: false })
  for (let i = 0; i < 1200; i++) w.server.put(path(`p${i}`), pod(`p${i}`))
  w.cache.watch(POD)
  await w.run(1)
  t.equal(w.cache.list(POD, 'shop').length, 1200)
  t.equal(w.server.reads().filter(({ request }) => request.query?.['continue']).length, 2, 'three pages')
  w.cache.watch({ apiVersion: 'v1', kind: 'Service' })
  await w.run(1)
  t.equal(w.server.reads().filter(({ request }) => request.query?.['sendInitialEvents']).length, 1)
  await w.cache.stop()
})

test('a request that the server refuses does not turn streaming lists off for the others', async t => {
  const bad: Fault = { is: 'status', status: 400, reason: 'BadRequest', message: 'no such field' }
  const w = world(({ query }) => (query?.['fieldSelector'] ? bad : undefined))
  w.cache.watch(POD, { fieldSelector: 'spec.nope=1' })
  await w.run(5)
  t.match(w.cache.health()[0], { problem: 'no such field', synced: false })
  w.cache.watch({ apiVersion: 'v1', kind: 'Service' })
  await w.run(1)
  t.equal(w.server.reads().filter(({ request }) => request.query?.['sendInitialEvents']).length, 1)
  await w.cache.stop()
})

test('a server too old to know streaming lists is found out by its silence', async t => {
  const w = world(() => undefined, { oblivious: true })
  w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(9)
  t.notOk(w.cache.isSynced())
  await w.run(4)
  t.ok(w.cache.isSynced())
  t.same(w.told, ['ADDED a uid-1'])
  await w.cache.stop()
})

test('a server that always ends streaming lists too early is read page by page', async t => {
  const w = world(({ query }) => (query?.['sendInitialEvents'] ? { is: 'end', after: 0 } : undefined))
  w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(5)
  t.ok(w.cache.isSynced())
  t.equal(w.server.lists(), 2, 'one try of either kind')
  await w.cache.stop()
})

test('a bookmark that goes back in version makes a new list and nothing else', async t => {
  const w = world(() => undefined)
  w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(1)
  w.server.put(path('a'), pod('a', 1))
  await w.run(1)
  w.server.say(w.server.bookmark(2))
  await w.run(10)
  t.same(w.told, ['ADDED a uid-1', 'MODIFIED a uid-1'])
  t.equal(w.server.lists(), 2)
  await w.cache.stop()
})

test('events of an older version change nothing', async t => {
  const w = world(() => undefined)
  const old = w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(1)
  w.server.put(path('a'), pod('a', 1))
  await w.run(1)
  w.server.say(JSON.stringify({ type: 'MODIFIED', object: old }))
  w.server.say(JSON.stringify({ type: 'ADDED', object: old }))
  await w.run(1)
  t.same(w.told, ['ADDED a uid-1', 'MODIFIED a uid-1'])
  t.same(names(w.cache.list(POD, 'shop')), names(w.server.all()))
  w.server.remove(path('a'))
  w.server.say(JSON.stringify({ type: 'MODIFIED', object: old }))
  await w.run(1)
  t.same(w.cache.list(POD, 'shop'), [], 'what is deleted stays deleted')
  await w.cache.stop()
})

test('an object deleted and made again while nobody watched is told as two things', async t => {
  let isDown = false
  const w = world(() => (isDown ? { is: 'refuse' } : undefined))
  w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(1)
  isDown = true
  w.server.hangUp()
  await w.run(1)
  w.server.remove(path('a'))
  w.server.put(path('a'), pod('a', 1))
  w.server.compact()
  isDown = false
  await w.run(60)
  t.same(w.told, ['ADDED a uid-1', 'DELETED a uid-1', 'ADDED a uid-2'])
  t.equal(w.server.lists(), 2, 'the log was gone, so this came from a list')
  await w.cache.stop()
})

test('pages that expire half way are read again, in one piece', async t => {
  const w = world(
    ({ query }: ApiRequest) => {
      if (query?.['continue'] === 't0') w.server.compact()
      return undefined
    },
    { streaming: false },
  )
  for (let i = 0; i < 1200; i++) w.server.put(path(`p${i}`), pod(`p${i}`))
  w.cache.watch(POD)
  await w.run(1)
  t.equal(w.cache.list(POD, '').length, 1200)
  t.same(
    w.server.reads().map(({ request: { query = {} } }) => [query['watch'], query['limit'], query['continue']]),
    [
      [true, undefined, undefined],
      [undefined, 500, undefined],
      [undefined, 500, 't0'],
      [undefined, undefined, undefined],
      [true, undefined, undefined],
    ],
  )
  await w.cache.stop()
})

test('an API server restored from a backup is believed after a full list', async t => {
  const w = world(() => undefined)
  w.server.put(path('a'), pod('a'))
  w.server.put(path('b'), pod('b'))
  w.cache.watch(POD)
  await w.run(1)
  const restore = w.server.backup()
  w.server.put(path('a'), pod('a', 1))
  w.server.put(path('c'), pod('c'))
  w.server.remove(path('b'))
  await w.run(1)
  restore()
  await w.run(60)
  t.same(names(w.cache.list(POD, '')), names(w.server.all()))
  w.server.put(path('a'), pod('a', 3))
  await w.run(1)
  t.match(w.cache.get({ ...POD, namespace: 'shop', name: 'a' }), { spec: { rank: 3 } })
  await w.cache.stop()
})

test('a watch at a version in a silent server’s future ends with a new list', async t => {
  const w = world(({ query }) => (query?.['sendInitialEvents'] ? undefined : { is: 'freeze', after: 0 }))
  w.server.put(path('a'), pod('a'))
  w.cache.watch(POD)
  await w.run(1)
  w.server.hangUp()
  await w.run(1)
  w.server.put(path('a'), pod('a', 1))
  await w.run(310)
  t.same(w.told, ['ADDED a uid-1', 'MODIFIED a uid-1'])
  await w.cache.stop()
})

test('a kind that nobody has installed is empty until it comes', async t => {
  let isInstalled = false
  const w = world(() => (isInstalled ? undefined : { is: 'status', status: 404, reason: 'NotFound' }))
  w.cache.watch(POD)
  await w.run(1)
  t.ok(w.cache.isSynced())
  t.same(w.cache.list(POD, ''), [])
  t.match(w.cache.health()[0]?.problem, 'the server serves no Pod in v1')
  isInstalled = true
  w.server.put(path('a'), pod('a'))
  await w.run(61)
  t.same(w.told, ['ADDED a uid-1'])
  t.equal(w.cache.health()[0]?.problem, undefined)
  await w.cache.stop()
})

test('a forbidden kind is a problem that health names, and heals', async t => {
  let isForbidden = true
  const w = world(() =>
    isForbidden ? { is: 'status', status: 403, reason: 'Forbidden', message: 'no pods for you' } : undefined,
  )
  w.cache.watch(POD)
  await w.run(1)
  t.notOk(w.cache.isSynced())
  t.match(w.cache.health()[0], { problem: 'no pods for you', synced: false })
  isForbidden = false
  await w.run(60)
  t.match(w.cache.health()[0], { problem: undefined, synced: true })
  await w.cache.stop()
})

test('ten thousand changes in one burst are all told', async t => {
  const w = world(() => undefined)
  w.cache.watch(POD)
  await w.run(1)
  for (let i = 0; i < 10_000; i++) w.server.put(path(`p${i % 100}`), pod(`p${i % 100}`, i))
  await w.run(1)
  t.equal(w.told.length, 10_000)
  t.same(names(w.cache.list(POD, '')), names(w.server.all()))
  await w.cache.stop()
})

test('a listener that throws disturbs neither the cache nor the others', async t => {
  const w = world(() => undefined)
  w.cache.onChange(() => {
    throw new Error('mine')
  })
  const late: string[] = []
  w.cache.watch(POD)
  await life(w)
  w.cache.onChange(({ type, object }) => late.push(`${type} ${object.metadata.name}`))
  t.same(w.told, LIFE)
  t.same(late.sort(), ['ADDED a', 'ADDED b', 'ADDED c'], 'who comes late is told what is there')
  await w.cache.stop()
})

for (const streaming of [true, false]) {
  test(`soak: an hour of random faults (${streaming ? 'streaming' : 'paged'} lists)`, async t => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seeded(seed)
      let isBad = true
      const faults = randomFaults(random, 0.4)
      const w = world((request, nth) => (isBad ? faults(request, nth) : undefined), { seed, streaming })
      w.cache.watch(POD)
      for (let step = 0; step < 240; step++) {
        const name = `p${Math.floor(random() * 12)}`
        if (random() < 0.3) w.server.remove(path(name))
        else w.server.put(path(name), pod(name, step))
        if (random() < 0.05) w.server.hangUp()
        if (random() < 0.03) w.server.compact()
        await w.run(random() * 30)
      }
      isBad = false
      await w.run(300)
      t.same(names(w.cache.list(POD, '')), names(w.server.all()), `seed ${seed}: cache and server agree`)
      t.same(names([...w.believed.values()]), names(w.server.all()), `seed ${seed}: listeners agree`)
      t.notMatch(w.told.join(), /BACK|TWICE/, `seed ${seed}: never back in time`)
      await w.cache.stop()
      t.equal(w.server.watchers(), 0, `seed ${seed}: nothing is left open`)
    }
  })
}
