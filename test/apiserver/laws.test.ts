// What must hold after any sequence of writes: watchers, lists, versions and uids agree with one another.
import fc from 'fast-check'
import t from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import { StatusError } from '../../src/apiserver/model.ts'
import { type ApiServer, createApiServer } from '../../src/apiserver/server.ts'
import type { KubeObject } from '../../src/contract.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }

type Write = Readonly<{
  verb: 'create' | 'update' | 'patch' | 'remove' | 'release'
  name: string
  value: string
  label: string
  held: boolean
}>

const write: fc.Arbitrary<Write> = fc.record({
  verb: fc.constantFrom('create', 'update', 'patch', 'remove', 'release'),
  name: fc.constantFrom('a', 'b', 'c'),
  value: fc.constantFrom('1', '2'),
  label: fc.constantFrom('x', 'y'),
  held: fc.boolean(),
})

const perform = (server: ApiServer, { verb, name, value, label, held }: Write): void => {
  const metadata = { name, namespace: 'default', labels: { l: label } }
  const ref = { ...CONFIG_MAP, namespace: 'default', name }
  const object = { ...CONFIG_MAP, metadata, data: { k: value } }
  try {
    if (verb === 'create') {
      server.create(held ? { ...object, metadata: { ...metadata, finalizers: ['example.com/wait'] } } : object)
    } else if (verb === 'update') server.update(object)
    else if (verb === 'patch') server.patch(ref, 'merge', { metadata: { labels: { l: label } }, data: { k: value } })
    else if (verb === 'remove') server.remove(ref)
    else server.patch(ref, 'merge', { metadata: { finalizers: null } })
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

type Event = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }

/** What a watcher knows after all the events that it was sent, and whether every event made sense to it. */
const follow = (server: ApiServer, query: Record<string, string>) => {
  const known = new Map<string, KubeObject>()
  const faults: string[] = []
  let version = 0
  const reading = directTransport(server)
    .stream({ method: 'GET', path: '/api/v1/namespaces/default/configmaps', query: { ...query, watch: true } })
    .then(async stream => {
      const read = (async () => {
        for await (const line of stream.lines) {
          const { type, object } = JSON.parse(line) as Event
          const { name, resourceVersion } = object.metadata
          const at = Number(resourceVersion)
          const isState = version === 0 && type === 'ADDED' && query['resourceVersion'] === undefined
          if (!isState && at <= version) faults.push(`${type} ${name} at ${at} after ${version}`)
          if ((type === 'ADDED') === known.has(name)) faults.push(`${type} ${name}, known: ${known.has(name)}`)
          if (!isState) version = at
          if (type === 'DELETED') known.delete(name)
          else known.set(name, object)
        }
      })()
      return { stream, read }
    })
  return {
    known,
    faults,
    async end() {
      const { stream, read } = await reading
      await turn()
      stream.close()
      await read
    },
  }
}

const world = () => createApiServer({ clock: virtualClock(START), random: seeded(3) })
const plain = (objects: Iterable<KubeObject>) =>
  JSON.parse(JSON.stringify([...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)))) as unknown

t.test(
  'what a watcher has been told is what a list shows, with and without a selector, from now or from any version',
  async t => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 30 }), fc.nat(30), async (writes, split) => {
        const server = world()
        for (const each of writes.slice(0, split)) perform(server, each)
        const from = `${server.core.store.version()}`
        const before = server.list(CONFIG_MAP, 'default')
        const all = follow(server, {})
        const selected = follow(server, { labelSelector: 'l=x' })
        for (const each of writes.slice(split)) perform(server, each)
        const replay = follow(server, { resourceVersion: from })
        for (const object of before) replay.known.set(object.metadata.name, object)
        const replayed = follow(server, { resourceVersion: from, labelSelector: 'l=x' })
        for (const object of before) {
          if (object.metadata.labels?.['l'] === 'x') replayed.known.set(object.metadata.name, object)
        }
        for (const watcher of [all, selected, replay, replayed]) await watcher.end()

        const now = server.list(CONFIG_MAP, 'default')
        const matching = now.filter(object => object.metadata.labels?.['l'] === 'x')
        const told = [all, selected, replay, replayed].map(({ known, faults }) => [plain(known.values()), faults])
        const shown = [now, matching, now, matching].map(objects => [plain(objects), []])
        return JSON.stringify(told) === JSON.stringify(shown)
      }),
      { numRuns: 150 },
    )
    t.pass('in 150 worlds')
  },
)

t.test('versions rise with every change, uids are never used twice, and the past can be read again', async t => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), writes => {
      const server = world()
      const { store } = server.core
      const kind = server.find(CONFIG_MAP)
      const versions: number[] = []
      const uids = new Map<string, string>()
      const past = new Map<number, unknown>()
      let told = true
      server.onEvent(({ object, version, type }) => {
        versions.push(version)
        const { uid = '', name } = object.metadata
        told &&= object.metadata.resourceVersion === `${version}` && (uids.get(uid) ?? name) === name
        if (type === 'ADDED') told &&= !uids.has(uid)
        uids.set(uid, name)
      })
      for (const each of writes) {
        perform(server, each)
        past.set(store.version(), plain(store.list(kind)))
      }
      const rising = versions.every((version, index) => index === 0 || version > versions[index - 1]!)
      const same = [...past].every(
        ([version, objects]) => JSON.stringify(plain(store.listAt(kind, version) ?? [])) === JSON.stringify(objects),
      )
      return rising && told && same
    }),
    { numRuns: 200 },
  )
  t.pass('in 200 worlds')
})

t.test('what is stored cannot be changed from outside, and a stored object does not follow its source', async t => {
  const server = world()
  const source = { ...CONFIG_MAP, metadata: { name: 'a', namespace: 'default' }, data: { k: '1' } }
  const stored = server.create(source)
  source.data.k = '2'
  t.throws(() => {
    ;(stored['data'] as Record<string, string>)['k'] = '3'
  })
  t.same(server.get(CONFIG_MAP, 'default', 'a')?.['data'], { k: '1' })
})
