// The cache as a lookup: indexes, overlapping scopes, kinds that come and go; and the tracker beside it.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { createCache } from '../../src/kube/cache.ts'
import { createTracker, overlaid } from '../../src/kube/tracker.ts'
import type { ApiRequest, Log, Lookup, Transport } from '../../src/ports.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'
import { runTo } from '../../src/sim/settle.ts'
import { scripted } from './scripted.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
const path = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/pods/${name}`
const pod = (namespace: string, name: string, owner?: string): KubeObject => ({
  ...POD,
  metadata: {
    name,
    namespace,
    managedFields: [{}],
    ...(owner && {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'X', name: 'other', uid: 'no-controller' },
        { apiVersion: 'v1', kind: 'X', name: 'x', uid: owner, controller: true },
      ],
    }),
  },
})
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

function world(wrap: (inner: Transport) => Transport = inner => inner) {
  const clock = virtualClock(0)
  const server = scripted(clock)
  const cache = createCache({ transport: wrap(server.transport), clock, random: seeded(1), log: silent })
  const told: string[] = []
  cache.onChange(({ type, object }) => told.push(`${type} ${object.metadata.name}`))
  const names = (objects: readonly KubeObject[]) => objects.map(one => one.metadata.name).sort()
  return { clock, server, cache, told, names, run: (seconds = 0) => runTo(clock, clock.now() + seconds * 1000) }
}

test('objects are found by name, namespace and controlling owner, and follow their changes', async t => {
  const { server, cache, names, run } = world()
  server.put(path('a', 'one'), pod('a', 'one', 'owner-1'))
  server.put(path('b', 'two'), pod('b', 'two', 'owner-1'))
  cache.watch(POD)
  await run()
  t.same(names(cache.list(POD, '')), ['one', 'two'])
  t.same(names(cache.list(POD, 'a')), ['one'])
  t.same(names(cache.list(POD, 'nowhere')), [])
  t.same(names(cache.ownedBy(POD, 'owner-1')), ['one', 'two'])
  t.same(names(cache.ownedBy(POD, 'no-controller')), [])
  server.put(path('b', 'two'), pod('b', 'two', 'owner-2'))
  server.remove(path('a', 'one'))
  await run()
  t.same(names(cache.ownedBy(POD, 'owner-1')), [])
  t.same(names(cache.ownedBy(POD, 'owner-2')), ['two'])
  t.same(names(cache.list(POD, 'a')), [])
  t.equal(cache.get({ ...POD, namespace: 'a', name: 'one' }), undefined)
  await cache.stop()
})

test('cached objects are trimmed and cannot be edited', async t => {
  const { server, cache, run } = world()
  server.put(path('a', 'one'), pod('a', 'one', 'owner'))
  cache.watch(POD)
  await run()
  const one = cache.get({ ...POD, namespace: 'a', name: 'one' })!
  t.equal(one.metadata.managedFields, undefined)
  t.throws(() => Object.assign(one.metadata.ownerReferences?.[0] ?? {}, { uid: 'mine' }), TypeError)
  await cache.stop()
})

test('a lookup of a kind that nobody watches is a mistake, not an absence', async t => {
  const { cache } = world()
  t.throws(() => cache.get({ ...POD, namespace: 'a', name: 'b' }), /nobody watches v1 Pod/)
  t.throws(() => cache.list(POD, ''), /nobody watches/)
  t.throws(() => cache.ownedBy(POD, 'x'), /nobody watches/)
})

test('watching the same twice is one watch; it ends with the last user', async t => {
  const { server, cache, told, run } = world()
  server.put(path('a', 'one'), pod('a', 'one'))
  cache.watch(POD)
  cache.watch(POD)
  await run()
  t.equal(server.watchers(), 1)
  cache.unwatch(POD)
  await run()
  t.equal(server.watchers(), 1)
  t.ok(cache.isWatched(POD))
  cache.unwatch(POD)
  await run()
  t.equal(server.watchers(), 0)
  t.notOk(cache.isWatched(POD))
  t.same(told, ['ADDED one'], 'nobody is told that objects are gone which are not')
  cache.watch(POD)
  await run()
  t.equal(cache.list(POD, '').length, 1)
  await cache.stop()
})

test('overlapping scopes show an object once, and until the last scope loses it', async t => {
  const { server, cache, told, names, run } = world()
  server.put(path('a', 'one'), pod('a', 'one'))
  server.put(path('b', 'two'), pod('b', 'two'))
  cache.watch(POD, { namespace: 'a' })
  cache.watch(POD)
  await run()
  t.same(names(cache.list(POD, '')), ['one', 'two'])
  server.put(path('a', 'one'), pod('a', 'one', 'x'))
  await run()
  server.remove(path('a', 'one'))
  await run()
  t.same(told, ['ADDED one', 'ADDED two', 'MODIFIED one', 'DELETED one'])
  cache.unwatch(POD)
  await run()
  t.same(names(cache.list(POD, '')), [], 'only namespace a is left')
  await cache.stop()
})

test('an object that leaves one scope stays while another still shows it', async t => {
  let leave = (_: KubeObject) => {}
  const { server, cache, told, names, run } = world(inner => ({
    request: inner.request,
    async stream(request) {
      const real = await inner.stream(request)
      if (request.query?.['labelSelector'] === undefined) return real
      // The label of the object changes: to a watch by selector that is a deletion.
      const left = new Promise<KubeObject>(done => {
        leave = done
      })
      async function* lines() {
        for await (const line of real.lines) {
          yield line
          if (line.includes('initial-events-end')) break
        }
        yield JSON.stringify({ type: 'DELETED', object: await left })
        await new Promise(done => request.signal?.addEventListener('abort', done))
      }
      return { ...real, lines: lines() }
    },
  }))
  const one = server.put(path('a', 'one'), pod('a', 'one'))
  cache.watch(POD, { labelSelector: 'x=y' })
  cache.watch(POD)
  await run()
  leave({ ...one, metadata: { ...one.metadata, resourceVersion: '9' } })
  await run()
  t.same(names(cache.list(POD, '')), ['one'])
  t.same(told, ['ADDED one'])
  await cache.stop()
})

test('synced waits for every kind, or for one', async t => {
  const held: (() => void)[] = []
  const { cache, run } = world(inner => ({
    request: inner.request,
    stream: async (request: ApiRequest) => {
      if (request.path.endsWith('services')) await new Promise<void>(done => held.push(done))
      return inner.stream(request)
    },
  }))
  const service = { apiVersion: 'v1', kind: 'Service' }
  cache.watch(POD)
  cache.watch(service)
  const order: string[] = []
  void cache.synced().then(() => order.push('all'))
  void cache.synced(POD).then(() => order.push('pods'))
  await run()
  t.same(order, ['pods'])
  t.same([cache.isSynced(), cache.isSynced(POD), cache.isSynced(service)], [false, true, false])
  for (const go of held) go()
  await run()
  t.same(order, ['pods', 'all'])
  await cache.stop()
})

test('asked to, the cache lists everything anew and tells only differences', async t => {
  const { server, cache, told, run } = world()
  server.put(path('a', 'one'), pod('a', 'one'))
  cache.watch(POD)
  await run()
  cache.relist()
  await run(5)
  t.equal(server.lists(), 2)
  t.same(told, ['ADDED one'])
  await cache.stop()
})

const lookupOf = (object: KubeObject | undefined): Lookup => ({
  get: () => object,
  list: () => (object ? [object] : []),
  ownedBy: () => (object ? [object] : []),
})
const at = (resourceVersion: string, uid = 'u'): KubeObject => ({
  ...POD,
  metadata: { name: 'one', namespace: 'a', uid, resourceVersion },
})
const ref = { ...POD, namespace: 'a', name: 'one' }

test('the tracker: a cache older than our own write is stale, and after five seconds due for a live read', async t => {
  const clock = virtualClock(0)
  const tracker = createTracker({ clock })
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'fresh', 'nothing of ours')
  tracker.remember(at('10'))
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'stale', 'created, not yet seen')
  t.equal(tracker.freshness(ref, lookupOf(at('9'))), 'stale')
  t.ok(tracker.isStale(ref, lookupOf(at('9'))))
  clock.advanceTo(4999)
  t.equal(tracker.freshness(ref, lookupOf(at('9'))), 'stale')
  clock.advanceTo(5000)
  t.equal(tracker.freshness(ref, lookupOf(at('9'))), 'read')
  t.equal(tracker.freshness(ref, lookupOf(at('10'))), 'fresh')
  t.equal(tracker.freshness(ref, lookupOf(at('9'))), 'fresh', 'seen once is enough: caches do not go back')
  t.equal(tracker.size(), 0)
})

test('the tracker forgets what is deleted, by us or by others', async t => {
  const tracker = createTracker({ clock: virtualClock(0) })
  tracker.remember(at('10'))
  tracker.forget(ref)
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'fresh')
  tracker.remember(at('10'))
  tracker.saw({ type: 'DELETED', object: at('8', 'someone else') })
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'stale', 'an older namesake')
  tracker.saw({ type: 'DELETED', object: at('9') })
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'fresh')
})

test('the tracker wants a live read after a doubtful write, whatever the cache shows', async t => {
  const tracker = createTracker({ clock: virtualClock(0) })
  tracker.doubt(ref)
  t.equal(tracker.freshness(ref, lookupOf(at('99'))), 'read')
  tracker.saw({ type: 'MODIFIED', object: at('99') })
  t.equal(tracker.freshness(ref, lookupOf(at('99'))), 'read')
  tracker.confirm(ref, at('100'))
  t.equal(tracker.freshness(ref, lookupOf(at('99'))), 'stale', 'what was read live may not be unseen')
  tracker.doubt(ref)
  tracker.confirm(ref, undefined)
  t.equal(tracker.freshness(ref, lookupOf(undefined)), 'fresh')
})

test('a lookup overlaid with live reads shows them instead of the cached ones', async t => {
  const { server, cache, run, names } = world()
  server.put(path('a', 'one'), pod('a', 'one', 'owner'))
  server.put(path('a', 'two'), pod('a', 'two', 'owner'))
  cache.watch(POD)
  await run()
  const lookup = overlaid(cache, [
    [ref, undefined],
    [{ ...ref, name: 'three' }, pod('a', 'three', 'owner')],
  ])
  t.equal(lookup.get(ref), undefined)
  t.equal(lookup.get({ ...ref, name: 'two' }), cache.get({ ...ref, name: 'two' }))
  t.same(names(lookup.list(POD, 'a')), ['three', 'two'])
  t.same(names(lookup.list(POD, 'b')), [])
  t.same(names(lookup.ownedBy(POD, 'owner')), ['three', 'two'])
  await cache.stop()
})
