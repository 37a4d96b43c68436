// The local fuse: a canary that fails badly loses its weight here, without anybody's help.
import { test } from 'tap'
import { judgeFuse, type Tally, withoutCanary } from '../../src/proxy/fuse.ts'
import { parseTable } from '../../src/proxy/table.ts'
import { ask, eventually, pod, proxy } from './kit.ts'

const spec = { errorRatePercent: 20, minRequests: 10, windowSeconds: 5 }

test('when it blows', async t => {
  const of = (requests: number, errors: number): Tally => ({ requests, errors })
  // biome-ignore format: a table reads best as a table
  const table: [name: string, canary: Tally, stable: Tally, blows: boolean][] = [
    ['nothing came', of(0, 0), of(0, 0), false],
    ['all fail, but they are few', of(9, 9), of(100, 0), false],
    ['below the bar', of(100, 19), of(100, 0), false],
    ['at the bar', of(100, 20), of(100, 0), true],
    ['all fail', of(10, 10), of(100, 0), true],
    ['stable fails as well', of(100, 50), of(100, 45), false],
    ['stable fails half as badly', of(100, 50), of(100, 25), false],
    ['stable fails less than that', of(100, 50), of(100, 24), true],
    ['stable gets nothing', of(100, 50), of(0, 0), true],
  ]
  for (const [name, canary, stable, blows] of table) t.equal(judgeFuse(spec, canary, stable) !== undefined, blows, name)
  t.match(
    judgeFuse(spec, of(100, 50), of(200, 1)),
    /^50 of 100 requests to the canary failed within 5 s \(50 %, stable 0.5 %\)$/,
  )
})

const routeOf = (weight: number, canary: string, hash = 'b', stable = 'http://127.0.0.1:1') => ({
  name: 'web',
  fuse: spec,
  dests: [
    { role: 'stable' as const, weight: 100 - weight, hash: 'a', upstream: stable },
    { role: 'canary' as const, weight, hash, upstream: canary },
  ],
})

test('stable gets the whole weight', async t => {
  const [route] = parseTable({ routes: [routeOf(30, 'http://127.0.0.1:2')] }, 'test').routes
  t.match(withoutCanary(route!).dests, [
    { role: 'stable', weight: 100 },
    { role: 'canary', weight: 0 },
  ])
})

test('a failing canary loses its weight within a second, stays without it, and another version gets a chance', async t => {
  const stable = await pod(t, 'stable')
  const bad = await pod(t, (_req, res) => void res.writeHead(500).end('bad'))
  const good = await pod(t, 'good')
  const running = await proxy(t, {})
  const use = (weight: number, canary: string, hash: string) =>
    running.swap({ routes: [routeOf(weight, canary, hash, stable.url)] })
  const many = async (n: number) =>
    (await Promise.all(Array.from({ length: n }, () => ask(running.url)))).map(a => a.body)
  use(50, bad.url, 'b')
  t.equal((await many(40)).filter(body => body === 'bad').length, 20)
  await eventually(() => running.status().fuses.length === 1, 'it blows')
  t.match(running.status().fuses, [{ route: 'web', why: /20 of 20 requests/ }])
  t.match(running.status().routes[0]?.dests, [
    { role: 'stable', weight: 100 },
    { role: 'canary', weight: 0 },
  ])
  t.ok((await many(40)).every(body => body === 'stable'))
  use(60, bad.url, 'b')
  t.ok(
    (await many(40)).every(body => body === 'stable'),
    'the next step of the same version changes nothing',
  )
  t.match((await ask(running.adminUrl, '/metrics')).body, /pintle_proxy_fuses_blown 1/)
  use(50, good.url, 'c')
  t.equal(running.status().fuses.length, 0)
  t.equal((await many(40)).filter(body => body === 'good').length, 20, 'another version')
})

test('it works in worker threads too', async t => {
  const stable = await pod(t, 'stable')
  const bad = await pod(t, (_req, res) => void res.writeHead(503).end('bad'))
  const running = await proxy(t, { workers: 2, table: { routes: [routeOf(50, bad.url, 'b', stable.url)] } })
  const load = async () => {
    for (let i = 0; i < 80; i++) await ask(running.url, '/', { agent: false })
  }
  await load()
  await eventually(() => running.status().fuses.length === 2, 'in both')
  const before = bad.requests.length
  await load()
  t.equal(bad.requests.length, before)
})
