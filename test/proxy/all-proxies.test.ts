// A metric over all proxies: what each counted becomes one number, exactly, whoever is missing.
import { test } from 'tap'
import metric from '../../adapters/metrics/proxy.ts'
import { measure } from '../../src/analysis/measure.ts'
import type { AnalysisRun, Metric } from '../../src/api/analysis.ts'
import type { KubeObject, Told } from '../../src/contract.ts'
import { ask, counted, pod, proxy, split } from './kit.ts'

const ports = (slices: readonly KubeObject[]) => ({
  async fetch({ url }: Readonly<{ url: string }>) {
    const { status, body } = await ask(new URL('/', url).href, url)
    return { status, headers: {}, body }
  },
  kube: undefined as never,
  now: () => 0,
  slices: () => slices,
})

const slice = (adminUrl: string, conditions: object = { ready: true }): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: adminUrl, namespace: 'shop', labels: { 'pintle.dev/proxy': 'true' } },
  ports: [{ name: 'admin', port: Number(new URL(adminUrl).port) }],
  endpoints: [{ addresses: ['127.0.0.1'], conditions }],
})

const metricOf = (config: object) =>
  ({ name: 'm', provider: { plugin: { 'pintle/proxy': config } } }) as unknown as Metric

test('three proxies count as one', async t => {
  let n = 0
  const stable = await pod(t, 'ok')
  const canary = await pod(t, (_req, res) => res.writeHead(++n % 3 === 0 ? 500 : 200).end())
  const table = split(stable.url, canary.url, 50)
  const running = await Promise.all([proxy(t, { table }), proxy(t, { table }), proxy(t, { table })])
  for (const [i, one] of running.entries()) {
    for (let sent = 0; sent < 20 * (i + 1); sent++) await ask(one.url)
    await counted(one, 20 * (i + 1))
  }
  const slices = running.map(one => slice(one.adminUrl))
  const take = (config: object, of = slices) =>
    measure(
      {} as AnalysisRun,
      metricOf(config),
      { verb: 'measure' } as never,
      { 'pintle/proxy': metric as never },
      ports(of),
    )

  t.match(await take({ route: 'web', metric: 'requests' }), { phase: 'Successful', value: '120' })
  t.match(await take({ route: 'web', metric: 'errors', role: 'canary' }), {
    value: '20',
    metadata: { proxies: '3 of 3' },
  })
  t.match(await take({ route: 'web', metric: 'errorRate', role: 'canary', minRequests: 60 }), {
    value: `${20 / 60}`,
    metadata: { requests: '60' },
  })
  t.match(await take({ route: 'web', metric: 'requests' }, slices.slice(0, 1)), { value: '20' }, 'the first alone')
  t.match(
    await take({ route: 'web', metric: 'requests', address: running[1]!.adminUrl }),
    { value: '40' },
    'by address',
  )
  t.match(await take({ route: 'web', metric: 'requests' }, []), { phase: 'Error', message: /no proxy is known: label/ })

  const all = running.flatMap(one => one.stats('web', 60).total)
  const p99 = Number((await take({ route: 'web', metric: 'p99' })).value)
  t.ok(p99 >= Math.min(...all.map(s => s.p99!)) && p99 <= Math.max(...all.map(s => s.p99!)), 'a percentile of all')

  await running[2]!.close()
  const { value, metadata } = await take({ route: 'web', metric: 'requests' })
  t.equal(value, '60', 'one that is gone is not waited for')
  t.match(metadata, { proxies: '2 of 3', missing: /127\.0\.0\.1:\d+: does not answer/ }, 'but named')
  const leaving = [...slices.slice(0, 2), slice(running[2]!.adminUrl, { ready: false, serving: false })]
  t.match((await take({ route: 'web', metric: 'requests' }, leaving)).metadata, { proxies: '2 of 2' })
  await Promise.all(running.map(one => one.close()))
  t.match(await take({ route: 'web', metric: 'requests' }), { phase: 'Error', message: /no proxy gives numbers/ })
})

test('percentiles are those of all requests, not means of percentiles', t => {
  const none = {
    requests: 0,
    errors: 0,
    requestsPerSecond: 0,
    errorRate: null,
    p50: null,
    p90: null,
    p99: null,
    inFlight: 0,
  }
  const of = (latency: [ms: number, count: number][]): Told => {
    const requests = latency.reduce((sum, [, count]) => sum + count, 0)
    const total = { ...none, requests, latency }
    const body = JSON.stringify({ total, byRole: {}, byHash: {} })
    return { from: 'a', isServing: true, heard: { status: 200, headers: {}, body } }
  }
  const config = (name: string) => metric.config.parse({ metric: name })
  // 990 quick requests at one proxy, 10 slow ones at another: one in a hundred is slow.
  const told = [
    of([
      [1, 900],
      [2, 90],
    ]),
    of([[500, 10]]),
  ]
  t.equal(metric.everyone!.parse(told, config('p50')).result, 1)
  t.equal(metric.everyone!.parse(told, config('p90')).result, 1)
  t.equal(metric.everyone!.parse(told, config('p99')).result, 2)
  t.equal(metric.everyone!.parse([...told, of([[400, 5]])], config('p99')).result, 400)
  t.end()
})
