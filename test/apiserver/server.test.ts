// The server called in process: order of events, what it cleans up, and what it refuses to pretend.
import t from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import type { KubeObject } from '../../src/contract.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }
const POD = { apiVersion: 'v1', kind: 'Pod' }

const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  ...CONFIG_MAP,
  metadata: { name, namespace: 'default' },
  data,
})
const newServer = (history?: number) => {
  const clock = virtualClock(START)
  return { clock, server: createApiServer({ clock, random: seeded(1), ...(history ? { history } : {}) }) }
}
const definition = (rules: unknown[]): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gears.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'gears', kind: 'Gear' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-validations': rules } },
      },
    ],
  },
})

const watchLines = async (server: ReturnType<typeof createApiServer>, query: Record<string, string | boolean>) => {
  const request = { method: 'GET', path: '/api/v1/configmaps', query: { ...query, watch: true } } as const
  const { lines, close } = await directTransport(server).stream(request)
  const reader = lines[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await reader.next()
    return done ? undefined : (JSON.parse(value) as { type: string; object: KubeObject & { code?: number } })
  }
  return { next, close }
}

t.test('a listener that writes is told of its own write after everybody has seen the first', async t => {
  const { server } = newServer()
  const told: string[] = []
  server.onEvent(({ type, object }) => {
    told.push(`first ${type} ${object.metadata.name}`)
    if (object.metadata.name === 'a') server.create(configMap('b'))
  })
  server.onEvent(({ type, object }) => told.push(`second ${type} ${object.metadata.name}`))
  server.create(configMap('a'))
  t.same(told, ['first ADDED a', 'second ADDED a', 'first ADDED b', 'second ADDED b'])
})

t.test('a watch opened in the middle of a change is told of everything once', async t => {
  const { server } = newServer()
  const version = `${server.core.store.version()}`
  let opened: ReturnType<typeof watchLines> | undefined
  server.onEvent(({ object }) => {
    if (object.metadata.name !== 'a') return
    server.create(configMap('b'))
    opened = watchLines(server, { resourceVersion: version })
  })
  server.create(configMap('a'))
  server.create(configMap('c'))
  const { next } = await opened!
  const names = [await next(), await next(), await next()].map(event => event?.object.metadata.name)
  t.same(names, ['a', 'b', 'c'])
})

t.test('a write that changes nothing keeps the version and tells nobody', async t => {
  const { server } = newServer()
  const { resourceVersion } = server.create(configMap('a', { k: '1' })).metadata
  let told = 0
  server.onEvent(() => {
    told += 1
  })
  const after = server.patch({ ...CONFIG_MAP, namespace: 'default', name: 'a' }, 'merge', { data: { k: '1' } })
  t.equal(after.metadata.resourceVersion, resourceVersion)
  t.equal(told, 0)
})

t.test('a watch from before the log answers 410 as an event and ends', async t => {
  const { server } = newServer(2)
  server.create(configMap('a'))
  for (let count = 0; count < 10; count += 1) server.update(configMap('a', { k: `${count}` }))
  const { next } = await watchLines(server, { resourceVersion: '5' })
  const event = await next()
  t.match(event, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  t.equal(await next(), undefined)
})

t.test('a page from before the log answers 410', async t => {
  const { server } = newServer(2)
  server.create(configMap('a'))
  server.create(configMap('b'))
  const transport = directTransport(server)
  const path = '/api/v1/namespaces/default/configmaps'
  const first = await transport.request({ method: 'GET', path, query: { limit: 1 } })
  const token = (JSON.parse(first.body) as { metadata: { continue: string } }).metadata.continue
  for (let count = 0; count < 10; count += 1) server.update(configMap('a', { k: `${count}` }))
  const second = await transport.request({ method: 'GET', path, query: { limit: 1, continue: token } })
  t.match({ ...second, body: JSON.parse(second.body) }, { status: 410, body: { reason: 'Expired', code: 410 } })
})

t.test('bookmarks come every minute and shortly before the end, on the clock of the server', async t => {
  const { server, clock } = newServer()
  const { next } = await watchLines(server, { allowWatchBookmarks: true, timeoutSeconds: '150' })
  server.create(configMap('a'))
  t.equal((await next())?.type, 'ADDED')
  clock.advanceTo(START + 60_000)
  t.match(await next(), { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { resourceVersion: '5' } } })
  clock.advanceTo(START + 149_000)
  t.equal((await next())?.type, 'BOOKMARK')
  t.equal((await next())?.type, 'BOOKMARK')
  clock.advanceTo(START + 150_000)
  t.equal(await next(), undefined)
})

t.test('a closed watch leaves no timer behind', async t => {
  const { server, clock } = newServer()
  const { close } = await watchLines(server, { allowWatchBookmarks: true })
  t.not(clock.next(), undefined)
  close()
  t.equal(clock.next(), undefined)
})

t.test('a reader who does not read for a long time is let go', async t => {
  const { server } = newServer()
  server.create(configMap('a'))
  const { next } = await watchLines(server, {})
  for (let count = 0; count < 100_001; count += 1) server.update(configMap('a', { k: `${count}` }))
  let events = 0
  while ((await next()) !== undefined) events += 1
  t.ok(events <= 100_001, `${events} events, then the end`)
})

t.test('a definition with a rule that nobody implements is refused by name', async t => {
  const { server } = newServer()
  const rule = 'self.cidr.isIP()'
  t.throws(() => server.create(definition([{ rule }])), { code: 422, reason: 'Invalid', message: /isIP/ })
  t.throws(() => server.find({ apiVersion: 'example.com/v1', kind: 'Gear' }), { code: 404 })
})

t.test('a definition serves its kind at once, and takes its objects along when it goes', async t => {
  const { server } = newServer()
  const GEAR = { apiVersion: 'example.com/v1', kind: 'Gear' }
  server.create(definition([]))
  server.create({ ...GEAR, metadata: { name: 'a', namespace: 'default' } })
  const gone: string[] = []
  server.onEvent(({ type, object }) => {
    if (type === 'DELETED') gone.push(`${object.kind} ${object.metadata.name}`)
  })
  server.remove({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'gears.example.com' })
  t.same(gone, ['Gear a', 'CustomResourceDefinition gears.example.com'])
  t.throws(() => server.list(GEAR), { code: 404 })
})

t.test('a Pod on a node stays until its kubelet says that it is gone', async t => {
  const { server, clock } = newServer()
  const ref = { ...POD, namespace: 'default', name: 'a' }
  const spec = { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] }
  server.create({ ...POD, metadata: { name: 'a', namespace: 'default' }, spec })
  clock.advanceTo(START + 5000)
  t.match(server.remove(ref), {
    metadata: { deletionTimestamp: '2026-01-01T00:00:35Z', deletionGracePeriodSeconds: 30 },
  })
  t.equal(server.remove(ref, { gracePeriodSeconds: 0 }), undefined)
  t.equal(server.get(POD, 'default', 'a'), undefined)
})

t.test('logs are what the node gives', async t => {
  const { server } = newServer()
  const containers = ['c', 'd'].map(name => ({ name, image: 'i' }))
  server.create({ ...POD, metadata: { name: 'a', namespace: 'default' }, spec: { containers } })
  server.setLogs((namespace, pod, container) => `${namespace}/${pod}/${container}\nsecond\n`)
  const path = '/api/v1/namespaces/default/pods/a/log'
  const read = async (query: Record<string, string>) => {
    const { status, body } = await directTransport(server).request({ method: 'GET', path, query })
    return { status, body: status === 200 ? body : (JSON.parse(body) as { message: string }).message }
  }
  t.same(await read({ container: 'd' }), { status: 200, body: 'default/a/d\nsecond\n' })
  t.same(await read({ container: 'd', tailLines: '1' }), { status: 200, body: 'second\n' })
  t.same(await read({}), {
    status: 400,
    body: 'a container name must be specified for pod a, choose one of: [c d]',
  })
  t.same(await read({ container: 'x' }), { status: 400, body: 'container x is not valid for pod a' })
})
