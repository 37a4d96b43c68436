// The admin endpoint, and the metric provider that reads it.
import { test } from 'tap'
import metric from '../../adapters/metrics/proxy.ts'
import { ask, counted, deadPort, eventually, pod, proxy, split } from './kit.ts'

test('status, stats, metrics and health tell what is served', async t => {
  const stable = await pod(t, 'ok')
  const canary = await pod(t, (_req, res) => res.writeHead(500).end())
  const running = await proxy(t, { table: { generation: 7, ...split(stable.url, canary.url, 50) } })
  for (let i = 0; i < 10; i++) await ask(running.url)
  await counted(running, 10)
  const get = async (path: string) => await ask(running.adminUrl, path)
  const status = JSON.parse((await get('/status')).body)
  t.match(status, {
    ready: true,
    generation: 7,
    source: 'given table',
    problems: [],
    routes: [{ name: 'web', total: 100 }],
  })
  t.match(status.routes[0].dests, [
    { role: 'stable', weight: 50, requests: 5, share: 0.5, errors: 0, inFlight: 0 },
    { role: 'canary', weight: 50, requests: 5, share: 0.5, errors: 5, inFlight: 0 },
  ])
  const stats = JSON.parse((await get('/stats?route=web&window=10s')).body)
  t.match(stats, { route: 'web', windowSeconds: 10, total: { requests: 10, errors: 5, errorRate: 0.5 } })
  t.match(stats.byRole.canary, { requests: 5, errorRate: 1 })
  t.type(stats.byRole.canary.p99, 'number')
  t.match((await get('/metrics')).body, /pintle_proxy_requests_total\{route="web",role="canary".*code="5xx"\} 5/)
  t.equal((await get('/stats?window=soon')).status, 400)
  t.equal((await get('/nothing')).status, 404)
  const posted = await ask(running.adminUrl, '/status', { method: 'POST' })
  t.match(posted, { status: 405, headers: { allow: 'GET, HEAD' } })
  const head = await ask(running.adminUrl, '/readyz', { method: 'HEAD' })
  t.match(head, { status: 200, headers: { 'content-length': '3' }, body: '' }, 'as some load balancers ask')
})

test('the metric provider reads what the proxy counted', async t => {
  const stable = await pod(t, 'ok')
  let n = 0
  const canary = await pod(t, (_req, res) => res.writeHead(++n % 4 === 0 ? 500 : 200).end())
  const running = await proxy(t, { table: split(stable.url, canary.url, 50) })
  const measure = async (config: Record<string, unknown>) => {
    const parsed = metric.config.parse({ address: running.adminUrl, route: 'web', ...config })
    const { url, method } = metric.request(parsed)
    const { status, body } = await ask(running.adminUrl, url, { method })
    return metric.parse({ status, headers: {}, body }, parsed)
  }
  await t.rejects(measure({ metric: 'errorRate', role: 'canary' }), { message: /no data: 0 requests of canary/ })
  t.match(await measure({ metric: 'errorRate', role: 'canary', noData: 0 }), {
    result: 0,
    value: '0',
    metadata: { noData: 'true' },
  })
  t.match(
    await measure({ metric: 'requests', role: 'canary' }),
    { result: 0, value: '0' },
    'nothing is a number of requests',
  )
  for (let i = 0; i < 40; i++) await ask(running.url)
  await counted(running, 40)
  t.match(await measure({ metric: 'errorRate', role: 'canary' }), {
    result: 0.25,
    value: '0.25',
    metadata: { requests: '20' },
  })
  t.match(await measure({ metric: 'successRate', role: 'canary', window: '5m' }), { result: 0.75 })
  t.match(await measure({ metric: 'errors' }), { result: 5 })
  t.match(await measure({ metric: 'errorRate', role: 'stable' }), { result: 0 })
  t.type((await measure({ metric: 'p99', role: 'stable' })).result, 'number')
  await t.rejects(measure({ metric: 'p99', role: 'stable', minRequests: 21 }), {
    message: /no data: 20 requests of stable/,
  })
  await t.rejects(measure({ metric: 'errorRate', hash: 'gone' }), { message: /of hash gone/ })
  const config = metric.config.parse({ address: 'http://a:1/', metric: 'p50' })
  const reply = (status: number, body: string) => () => metric.parse({ status, headers: {}, body }, config)
  t.equal(metric.request(config).url, 'http://a:1/stats?window=60s')
  t.throws(reply(503, 'down'), { message: /answered 503: down/ })
  t.throws(reply(200, '<html>'), { message: /not that of a Pintle proxy/ })
  t.throws(reply(200, '{}'), { message: /not that of a Pintle proxy/ })
  for (const wrong of [{}, { address: 'a' }, { address: 7, metric: 'p50' }, { address: 'a', metric: 'mood' }, null, 7])
    t.notOk(metric.config.safeParse(wrong).success, JSON.stringify(wrong))
})

test('mirrored requests reach the canary too, cost the user nothing and are counted apart', async t => {
  const stable = await pod(t, 'stable')
  const bodies: string[] = []
  const canary = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => {
      body += part
    })
    req.on('end', () => {
      bodies.push(`${req.method} ${req.url} ${body.length}`)
      res.writeHead(500).end('mirror')
    })
  })
  const mirrors = [{ name: 'shadow', percent: 50, anyOf: [{ method: { exact: 'POST' } }] }]
  const table = split(stable.url, canary.url, 0)
  const running = await proxy(t, { table: { routes: [{ ...table.routes![0]!, mirrors }] } })
  for (let i = 0; i < 10; i++) t.equal((await ask(running.url, '/a?b', { method: 'POST', body: 'abc' })).body, 'stable')
  await ask(running.url)
  await ask(running.url, '/', { method: 'POST', body: Buffer.alloc(100_000) })
  await ask(running.url, '/', { method: 'POST', body: Buffer.alloc(100_000) })
  await eventually(() => bodies.length === 5, 'half of the POSTs are copied')
  t.ok(
    bodies.every(b => b === 'POST /a?b 3'),
    'too large a body is not',
  )
  await eventually(() => running.stats('web', 60).byRole['mirror']?.requests === 5, 'counted')
  await counted(running, 18)
  t.match(running.stats('web', 60).byRole, { stable: { requests: 13, errors: 0 }, mirror: { errors: 5 } })
  running.swap({ routes: [{ ...split(stable.url, `http://127.0.0.1:${await deadPort()}`, 0).routes![0]!, mirrors }] })
  for (let i = 0; i < 4; i++)
    t.equal((await ask(running.url, '/', { method: 'POST' })).body, 'stable', 'a dead canary is not felt')
})
