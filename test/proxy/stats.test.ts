// The counters: windows that move with the clock, quantiles that are right to a bucket, text that Prometheus reads.
import { test } from 'tap'
import { compile } from '../../src/proxy/compile.ts'
import { exposition } from '../../src/proxy/exposition.ts'
import { below, bucketOf, edgeOf, newHistogram, quantile } from '../../src/proxy/histogram.ts'
import { createStats } from '../../src/proxy/stats.ts'
import { parseTable } from '../../src/proxy/table.ts'

const [route] = compile(
  parseTable(
    {
      routes: [
        {
          name: 'web',
          dests: [
            { role: 'stable', weight: 90, hash: 'old', upstream: 'http://a:1' },
            { role: 'canary', weight: 10, hash: 'new', upstream: 'http://b:1' },
          ],
        },
      ],
    },
    'test',
  ),
  { seed: 1, lags: new Map() },
).routes
const [stable, canary] = route!.dests

function world() {
  let time = 1_000_000_000_000
  const stats = createStats(() => time)
  return {
    stats,
    /** A table with both versions, or with one of them, comes into force. */
    use: (...dests: (typeof stable)[]) => stats.keep([{ ...route!, dests: dests.map(dest => dest!) }]),
    pass: (ms: number) => (time += ms),
    serve(dest: typeof stable, status: number, ms = 10, failed = false) {
      const series = stats.of(route!, dest!)
      stats.begin(series)
      stats.end(series, status, ms, failed)
    },
  }
}

test('a rate is that of the time that was really observed', async t => {
  const w = world()
  const rate = (seconds: number) => w.stats.report('web', seconds)
  const near = (got: number | undefined, want: number, why: string) =>
    t.ok(Math.abs(got! - want) < 0.1, `${why}: ${got}`)
  w.use(stable)
  for (let i = 0; i < 100; i++) {
    w.serve(stable, 200)
    w.pass(100)
  }
  near(rate(60).total.requestsPerSecond, 10, 'ten seconds old')
  near(rate(5).total.requestsPerSecond, 10, 'a window that is filled')
  w.use(stable, canary)
  w.pass(5000)
  for (let i = 0; i < 50; i++) {
    w.serve(stable, 200)
    w.serve(canary, 200)
    w.pass(100)
  }
  near(rate(60).byHash['new']?.requestsPerSecond, 5, 'a version counts from when it came, not from its first request')
  near(rate(60).byRole['stable']?.requestsPerSecond, 150 / 20, 'beside one that is older')
  near(rate(60).total.requestsPerSecond, 200 / 20, 'all of them since the first')
  const fresh = world()
  fresh.use(stable)
  fresh.serve(stable, 200)
  near(fresh.stats.report('web', 60).total.requestsPerSecond, 1, 'less than a second is no time')
})

test('a window counts what ended in it, by role and by hash', async t => {
  const w = world()
  for (let i = 0; i < 9; i++) w.serve(stable, 200)
  w.serve(canary, 500)
  w.serve(canary, 502, 10, true)
  w.serve(canary, 404)
  w.serve(canary, 0)
  const { total, byRole, byHash } = w.stats.report('web', 10)
  t.match(total, { requests: 12, errors: 2 })
  t.match(byRole['stable'], { requests: 9, errors: 0, errorRate: 0 })
  t.match(
    byHash['new'],
    { requests: 3, errors: 2, errorRate: 2 / 3 },
    'a client that left is no request of the version',
  )
  w.pass(9000)
  t.equal(w.stats.report('web', 10).total.requests, 12, 'still inside')
  w.pass(1000)
  t.match(w.stats.report('web', 10).total, { requests: 0, errorRate: null, p99: null }, 'gone')
  t.equal(w.stats.report('web', 60).total.requests, 12, 'in a longer window not')
  w.pass(400_000)
  w.serve(stable, 200)
  t.equal(w.stats.report(null, 300).total.requests, 1, 'slots that are used again begin at zero')
  t.equal(w.stats.report('other', 300).total.requests, 0)
})

test('rates are per second of the window that has passed', async t => {
  const w = world()
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 20; i++) w.serve(stable, 200)
    w.pass(1000)
  }
  w.pass(-1)
  const { requestsPerSecond } = w.stats.report('web', 10).total
  t.ok(Math.abs(requestsPerSecond - 20) < 0.1, `${requestsPerSecond}`)
})

test('quantiles are right to a bucket, over the whole range', async t => {
  for (const ms of [0.001, 0.5, 1, 7, 42, 999, 60_000]) {
    const histogram = newHistogram()
    histogram[bucketOf(ms)]!++
    const got = quantile(histogram, 0.5) ?? 0
    t.ok(Math.abs(got - ms) <= Math.max(0.001, ms * 0.065), `${ms} ms comes back as ${got}`)
  }
  for (let us = 0; us < 5000; us++) {
    const bucket = bucketOf(us / 1000)
    if (edgeOf(bucket) > us || edgeOf(bucket + 1) <= us) t.fail(`${us} us is not in its bucket`)
  }
  const spread = newHistogram()
  for (let i = 1; i <= 1000; i++) spread[bucketOf(i)]!++
  for (const [q, ms] of [
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
  ] as const)
    t.ok(Math.abs((quantile(spread, q) ?? 0) - ms) < ms * 0.13, `p${q * 100}`)
  t.same(
    below(spread, [2 ** 19, 2 ** 20]).map(n => Math.round(n)),
    [524, 1000],
  )
})

test('the metrics are text that a scraper takes, labels escaped', async t => {
  const w = world()
  w.serve(stable, 200, 3)
  w.serve(canary, 503, 3)
  const text = exposition(w.stats, { generation: 7, ready: true, sourceProblems: 0, fuses: 0 })
  const labels = 'route="web",role="canary",hash="new",target="http://b:1"'
  t.ok(text.includes(`pintle_proxy_requests_total{${labels},code="5xx"} 1\n`))
  t.ok(text.includes(`pintle_proxy_errors_total{${labels}} 1\n`))
  t.ok(text.includes(`pintle_proxy_request_duration_seconds_bucket{${labels},le="0.002048"} 0\n`))
  t.ok(text.includes(`pintle_proxy_request_duration_seconds_bucket{${labels},le="0.004096"} 1\n`))
  t.ok(text.includes(`pintle_proxy_request_duration_seconds_count{${labels}} 1\n`))
  t.ok(text.includes('pintle_proxy_table_generation 7\n'))
  const line = /^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [0-9.e+-]+)$/
  t.same(
    text
      .trimEnd()
      .split('\n')
      .filter(l => !line.test(l)),
    [],
  )
})

test('versions long gone are forgotten, those in the table never', async t => {
  const w = world()
  w.serve(stable, 200)
  w.serve(canary, 200)
  w.pass(16 * 60_000)
  w.stats.keep([{ ...route!, dests: [stable!] }])
  t.same(
    w.stats.all().map(s => s.role),
    ['stable'],
  )
})

test('what a version finished lately moves with the clock', async t => {
  const w = world()
  const lately = () => w.stats.recent(w.stats.of(route!, canary!), 60)
  t.equal(lately(), 0)
  for (let i = 0; i < 3; i++) w.serve(canary, 200)
  w.serve(canary, 0)
  w.serve(stable, 200)
  w.pass(59_000)
  w.serve(canary, 200)
  t.equal(lately(), 4, 'a client that left is no request of the version')
  w.pass(1000)
  t.equal(lately(), 1)
  w.pass(600_000)
  t.equal(lately(), 0)
})
