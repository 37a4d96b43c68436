// Where tables come from: flags, a watched file, and a cluster; a bad one never takes a good one's place.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import router from '../../adapters/traffic/proxy.ts'
import type { Desired, KindRef, KubeObject, Ref } from '../../src/contract.ts'
import { fileSource } from '../../src/proxy/source-file.ts'
import { kubeSource, type RouteCache } from '../../src/proxy/source-kube.ts'
import { proxyOptionsFromFlags } from '../../src/proxy/start.ts'
import { ask, counted, eventually, pod, proxy } from './kit.ts'

test('flags make a split of stable and canary, or active with a preview', async t => {
  const [a, b] = await Promise.all([pod(t, 'a'), pod(t, (req, res) => res.end(`b ${req.url}`))])
  const flags = { listen: '127.0.0.1:0', admin: '127.0.0.1:0' }
  const running = await proxy(
    t,
    await proxyOptionsFromFlags({ ...flags, stable: a.url, canary: b.url, weight: '12.5' }),
  )
  const answers = []
  for (let i = 0; i < 80; i++) answers.push((await ask(running.url)).body)
  t.equal(answers.filter(x => x.startsWith('b')).length, 10)

  const two = await proxy(t, await proxyOptionsFromFlags({ ...flags, active: a.url, preview: `${b.url}/` }))
  t.equal((await ask(two.url, '/hello')).body, 'a')
  t.equal((await ask(two.url, '/preview/hello')).body, 'b /hello')
  t.equal((await ask(two.url, '/hello', { headers: { 'X-Preview': '1' } })).body, 'b /hello')
  t.equal((await ask(two.url, '/previews')).body, 'a')
})

test('a file is followed; a bad or missing one is reported and the last good table serves on', async t => {
  const [a, b] = await Promise.all([pod(t, 'a'), pod(t, 'b')])
  const folder = await mkdtemp(join(tmpdir(), 'pintle-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'routes.yaml')
  await t.rejects(proxy(t, { source: fileSource(path) }), { code: 'PIN4004' })
  await writeFile(path, 'routes: [{ name: web, dests: 7 }]')
  await t.rejects(proxy(t, { source: fileSource(path) }), { code: 'PIN4001', message: /routes\.0\.dests/ })

  const yaml = (url: string) => `routes:\n- name: web\n  dests:\n  - {role: stable, weight: 100, upstream: "${url}"}\n`
  await writeFile(path, yaml(a.url))
  const running = await proxy(t, { source: fileSource(path) })
  t.equal((await ask(running.url)).body, 'a')
  await writeFile(path, 'routes: [')
  await eventually(() => running.status().problems.length === 1, 'the fault is reported')
  t.match(running.status().problems[0], /bad route table in .*routes\.yaml/)
  t.equal((await ask(running.url)).body, 'a', 'still')
  await rm(path)
  await eventually(() => /cannot read/.test(running.status().problems[0] ?? ''), 'so is its absence')
  await writeFile(join(folder, 'next'), yaml(b.url))
  await rename(join(folder, 'next'), path)
  await eventually(() => running.status().problems.length === 0, 'a rename over it counts')
  t.equal((await ask(running.url)).body, 'b')
})

/** A cache that a test fills by hand. */
function handCache() {
  const objects = new Map<string, KubeObject>()
  const listeners = new Set<(change: { object: KubeObject }) => void>()
  const keyOf = (o: KubeObject) => `${o.kind} ${o.metadata.namespace} ${o.metadata.name}`
  let version = 0
  const put = (object: KubeObject): void => {
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: `${++version}` } }
    objects.set(keyOf(object), stamped)
    for (const listener of listeners) listener({ object: stamped })
  }
  const cache: RouteCache = {
    get: (ref: Ref) => objects.get(`${ref.kind} ${ref.namespace} ${ref.name}`),
    list: (kind: KindRef, namespace: string) =>
      [...objects.values()].filter(
        o => o.kind === kind.kind && (namespace === '' || o.metadata.namespace === namespace),
      ),
    ownedBy: () => [],
    watch() {},
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    synced: async () => {},
  }
  return { cache, put }
}

const service = (name: string, hash: string, namespace = 'shop'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port: 80 }], selector: { 'rollouts-pod-template-hash': hash } },
})
const slice = (name: string, ports: number[], namespace = 'shop'): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
  ports: [{ port: ports[0] ?? 0 }],
  endpoints: ports.length === 0 ? [] : [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
})
const table = (name: string, text: string, namespace = 'shop'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { 'pintle.dev/route-table': 'true' } },
  data: { 'table.json': text },
})

/** The ConfigMap that the adapter writes for weights of canary and stable. */
function planned(weight: number, before?: KubeObject): KubeObject {
  const want: Desired = {
    owner: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'cart', uid: '1' },
    namespace: 'shop',
    total: 100,
    totalIsExplicit: false,
    dests: [
      { role: 'canary', weight, service: 'cart-canary', hash: 'new' },
      { role: 'stable', weight: 100 - weight, service: 'cart-stable', hash: 'old' },
    ],
    headers: [{ name: 'in', anyOf: [{ header: 'X-In', value: { exact: '1' } }] }],
    mirrors: [],
  }
  const [action] = router.plan({}, want, () => before)
  if (action?.verb === 'create') return action.object
  const patch = action?.verb === 'patch' ? (action.patch as { data: object }) : { data: {} }
  return { ...before!, data: patch.data }
}

test('what the adapter writes is what the proxy serves, generation and all', async t => {
  const [stable, canary] = await Promise.all([pod(t, 'stable'), pod(t, 'canary')])
  const { cache, put } = handCache()
  for (const [name, hash, port] of [
    ['cart-stable', 'old', stable.port],
    ['cart-canary', 'new', canary.port],
  ] as const) {
    put(service(name, hash))
    put(slice(name, [port]))
  }
  let map = planned(0)
  put(map)
  const running = await proxy(t, { source: kubeSource({ cache, namespace: 'shop' }) })
  t.equal((await ask(running.url)).body, 'stable')
  t.equal((await ask(running.url, '/', { headers: { 'X-In': '1' } })).body, 'canary')
  t.match(running.status().applied, { 'shop/cart-route': 1 })
  for (const weight of [100, 25]) {
    map = planned(weight, map)
    put(map)
    await eventually(() => running.status().routes[0]?.dests[0]?.weight === weight, 'the table is in force')
  }
  t.match(running.status().applied, { 'shop/cart-route': 3 })
  const bodies = []
  for (let i = 0; i < 40; i++) bodies.push((await ask(running.url)).body)
  t.equal(bodies.filter(b => b === 'canary').length, 10)
  await counted(running, 42)
  t.match(running.stats('shop/cart', 60).byHash, { old: { requests: 31 }, new: { requests: 11 } })

  put(slice('cart-canary', []))
  await eventually(() => running.status().routes[0]?.dests[0]?.endpoints.length === 0, 'its pods are gone')
  put({ ...map, data: { 'table.json': '{"routes": 1}' } })
  await eventually(() => running.status().problems.length === 1, 'a bad table is reported')
  t.match(running.status().problems[0], /ConfigMap shop\/cart-route/)
  t.match(running.status().faults, [{ configMap: 'shop/cart-route', message: running.status().problems[0] }])
  t.equal(running.status().routes[0]?.dests[0]?.weight, 25, 'and the last good one stays')
})

test('a cluster that cannot be heard is told, with since when', async t => {
  const { cache } = handCache()
  let problem: string | undefined
  const kind = { apiVersion: 'v1', kind: 'Service' }
  const health = () => [{ kind, lastHeard: Date.UTC(2026, 0, 1), problem }]
  const running = await proxy(t, { source: kubeSource({ cache: { ...cache, health }, namespace: 'shop' }) })
  t.same(running.status().problems, [])
  problem = 'connect ECONNREFUSED'
  t.same(running.status().problems, [
    'cannot follow Services in namespace shop: connect ECONNREFUSED; last heard 2026-01-01T00:00:00.000Z',
  ])
})

test('a proxy that still waits for its first table can be ended', async t => {
  const silent = { ...handCache().cache, synced: () => new Promise<void>(() => {}) }
  const stop = new AbortController()
  const starting = proxy(t, { source: kubeSource({ cache: silent }), stopped: stop.signal })
  await new Promise(done => setTimeout(done, 50))
  stop.abort()
  const running = await starting
  t.equal(running.status().ready, false)
  await running.drain()
})

test('one bad ConfigMap does not hold the others, and nobody reaches into another namespace', async t => {
  const web = await pod(t, 'web')
  const { cache, put } = handCache()
  put(service('web', 'a'))
  put(slice('web', [web.port]))
  const route = (name: string, target: string) =>
    JSON.stringify({
      routes: [
        {
          name,
          dests: [{ role: 'stable', weight: 100, upstream: target.startsWith('http') ? target : { service: target } }],
        },
      ],
    })
  put(table('good', route('good', 'shop/web')))
  put(table('bad', 'nonsense'))
  put(table('thief', route('thief', 'shop/web'), 'other'))
  put(
    table('sly', route('sly', 'other/web').replace('"service"', '"also":["shop/web"],"pods":"web","service"'), 'other'),
  )
  put(table('loose', route('loose', 'http://169.254.169.254')))
  put(table('twin', route('good', 'shop/web')))
  put(table('younger', route('late', 'shop/web')))
  const running = await proxy(t, { source: kubeSource({ cache }) })
  t.equal((await ask(running.url)).body, 'web')
  t.same(
    running.status().routes.map(r => r.name),
    ['good', 'late'],
  )
  const problems = running.status().problems.join('\n')
  for (const part of [
    /shop\/bad: not JSON/,
    /thief leads out of namespace other/,
    /sly leads out of namespace other/,
    /loose leads out/,
    /twin: route good exists already/,
    /route late gets nothing at any host, paths below \/: route good has the same/,
  ])
    t.match(problems, part)
})

test('Ingresses are served from the pods behind their Services: active on /, preview on /preview, path uncut', async t => {
  const echo = (name: string) => pod(t, (req, res) => res.end(`${name} ${req.url}`))
  const [one, two] = await Promise.all([echo('v1'), echo('v2')])
  const { cache, put } = handCache()
  const path = (path: string, name: string) => ({
    path,
    pathType: 'Prefix',
    backend: { service: { name, port: { number: 80 } } },
  })
  put(service('active', 'h1'))
  put(service('preview', 'h2'))
  put(slice('active', [one.port]))
  put(slice('preview', [two.port]))
  put({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ http: { paths: [path('/', 'active'), path('/preview', 'preview')] } }],
    },
  })
  const running = await proxy(t, { source: kubeSource({ cache, ingress: { ingressClass: 'nginx' } }) })
  t.equal((await ask(running.url, '/hello')).body, 'v1 /hello')
  t.equal((await ask(running.url, '/preview/hello')).body, 'v2 /preview/hello')
  put(service('active', 'h2'))
  put(slice('active', [two.port]))
  await eventually(() => running.status().routes[0]?.dests[0]?.hash === 'h2', 'promoted')
  t.equal((await ask(running.url, '/hello')).body, 'v2 /hello')
  await counted(running, 3)
  t.match(Object.keys(running.stats(null, 60).byHash).sort(), ['h1', 'h2'])
})

test('many changes at once are one table, and a stopped source is silent', async t => {
  const { cache, put } = handCache()
  let tables = 0
  const stop = await kubeSource({ cache }).start({ table: () => tables++, problems: () => {} })
  t.equal(tables, 1)
  for (let i = 0; i < 50; i++) put(service(`web-${i}`, 'a'))
  await new Promise(done => setImmediate(() => setImmediate(done)))
  t.equal(tables, 2)
  stop()
  put(service('late', 'a'))
  await new Promise(done => setImmediate(() => setImmediate(done)))
  t.equal(tables, 2)
})
