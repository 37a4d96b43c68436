// Several threads that serve as one proxy: one port, one table, one status.
import { createServer } from 'node:net'
import { test } from 'tap'
import { startProxy } from '../../src/proxy/start.ts'
import { ask, counted, eventually, only, pod, proxy, split, wire } from './kit.ts'

test('threads share a port, a table and its counters', async t => {
  const stable = await pod(t, 'stable')
  const canary = await pod(t, 'canary')
  const running = await proxy(t, { table: split(stable.url, canary.url, 20), workers: 3 })
  t.equal((await ask(running.adminUrl, '/readyz')).status, 200)
  const agents = Array.from({ length: 60 }, () => ask(running.url, '/', { agent: false }))
  const bodies = (await Promise.all(agents)).map(a => a.body)
  const hits = bodies.filter(body => body === 'canary').length
  t.ok(Math.abs(hits - 12) <= 3, `within one request of its share in each thread: ${hits} of 60`)
  await counted(running, 60)
  const [dest] = running.status().routes[0]?.dests ?? []
  t.match(dest, { role: 'stable', requests: 60 - hits, inFlight: 0 })
  const metrics = (await ask(running.adminUrl, '/metrics')).body
  const counts = [...metrics.matchAll(/requests_total\{.*code="2xx"\} (\d+)/g)].map(m => Number(m[1]))
  t.equal(
    counts.reduce((a, b) => a + b, 0),
    60,
  )
  await wire(t, running.port, 'GET / HTTP/1.1\r\n\r\n').closed
  await eventually(() => running.status().refused === 1, 'refusals are counted too')
  t.match(running.status(), { unrouted: 0, shed: 0, turnedAway: 0 }, 'each kind by itself')
})

test('a table is in force in every thread when the status says its generation', async t => {
  const stable = await pod(t, 'stable')
  const canary = await pod(t, 'canary')
  const running = await proxy(t, { workers: 3 })
  for (let generation = 1; generation <= 20; generation++) {
    const weight = generation % 2 ? 0 : 100
    running.swap({ ...split(stable.url, canary.url, weight), generation })
    await eventually(() => running.status().generation === generation, `generation ${generation} is acknowledged`)
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(running.url, '/', { agent: false })))
    const wanted = weight === 0 ? 'stable' : 'canary'
    t.ok(
      answers.every(a => a.body === wanted),
      `all go to ${wanted}`,
    )
  }
})

test('draining finishes what any thread has in flight', async t => {
  const held: (() => void)[] = []
  const p = await pod(t, (_req, res) => void held.push(() => res.end('done')))
  const running = await proxy(t, { table: only(p.url), workers: 2 })
  const slow = Array.from({ length: 8 }, () => ask(running.url, '/', { agent: false }))
  await eventually(() => held.length === 8, 'all in flight')
  const drained = running.drain()
  t.equal((await ask(running.adminUrl, '/readyz')).status, 503)
  for (const finish of held) finish()
  t.ok((await Promise.all(slow)).every(a => a.body === 'done'))
  await drained
  await t.rejects(ask(running.url), { code: 'ECONNREFUSED' })
})

test('a port of somebody else is not shared by accident', async t => {
  const squatter = createServer()
  await new Promise<void>(done => squatter.listen(0, '127.0.0.1', done))
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as { port: number }
  await t.rejects(startProxy({ listen: `127.0.0.1:${port}`, workers: 2 }), { code: 'PIN4003', message: /in use/ })
})

test('with reusePort a second proxy serves beside the first, and goes on when that has left', async t => {
  const p = await pod(t, 'ok')
  const first = await proxy(t, { table: only(p.url), reusePort: true })
  const second = await proxy(t, { table: only(p.url), listen: `127.0.0.1:${first.port}`, reusePort: true })
  await first.drain()
  for (let i = 0; i < 10; i++) t.equal((await ask(second.url, '/', { agent: false })).body, 'ok')
})
