// Starting, swapping and leaving: readiness, draining, ports, bad tables.
import { createServer } from 'node:net'
import { test } from 'tap'
import { startProxy } from '../../src/proxy/start.ts'
import { ask, deadPort, eventually, only, pod, proxy, rawPod, split, wire } from './kit.ts'

test('draining turns readiness red, finishes what is in flight and then refuses', async t => {
  let finish = (): void => {}
  const p = await pod(t, (_req, res) => {
    finish = () => void res.end('done')
  })
  const running = await proxy(t, { table: only(p.url) })
  t.equal((await ask(running.adminUrl, '/readyz')).status, 200)
  const idle = wire(t, running.port)
  const slow = ask(running.url)
  await eventually(() => p.requests.length === 1, 'it is in flight')
  const drained = running.drain({ grace: 20 })
  t.equal((await ask(running.adminUrl, '/readyz')).status, 503)
  t.equal((await ask(running.adminUrl, '/healthz')).status, 200)
  await idle.closed
  finish()
  const answer = await slow
  t.match(answer, { status: 200, body: 'done', headers: { connection: 'close' } })
  await drained
  await t.rejects(ask(running.url), { code: 'ECONNREFUSED' })
})

test('requests during the grace are served, and asked to leave', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url) })
  const drained = running.drain({ grace: 200 })
  t.match(await ask(running.url), { status: 200, headers: { connection: 'close' } })
  await drained
})

test('what does not end in time is broken off, WebSockets too', async t => {
  const hanging = await pod(t, () => {})
  const running = await proxy(t, { table: only(hanging.url) })
  const cut = ask(running.url)
  const rejected = t.rejects(cut)
  await eventually(() => hanging.requests.length === 1, 'in flight')
  await running.drain({ limit: 20 })
  await rejected

  const ws = await rawPod(t, s =>
    s.once('data', () => s.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')),
  )
  const second = await proxy(t, { table: only(ws.url) })
  const w = wire(t, second.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await w.until('101')
  await second.drain({ tunnels: 20 })
  t.ok(await w.closed)
})

test('a port in use and a bad address are a clear error, and nothing stays open', async t => {
  const squatter = createServer()
  await new Promise<void>(done => squatter.listen(0, '127.0.0.1', done))
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as { port: number }
  const taken = { name: 'UserError', code: 'PIN4003', message: `port ${port} is in use` }
  await t.rejects(startProxy({ listen: `127.0.0.1:${port}` }), taken)
  const free = await deadPort()
  await t.rejects(startProxy({ listen: `127.0.0.1:${free}`, admin: `127.0.0.1:${port}` }), taken)
  await (await startProxy({ listen: `127.0.0.1:${free}` })).close()
  await t.rejects(startProxy({ listen: 'nonsense' }), { code: 'PIN4006' })
  await t.rejects(startProxy({ trust: ['10.0.0.0/99'] }), { code: 'PIN4006' })
  await t.rejects(startProxy({ dialMap: '10.0.0.0/8=127.0.0.0/9' }), { code: 'PIN4002' })
})

test('a bad table is refused with its faults, and the last good one keeps serving', async t => {
  const stable = await pod(t, 'stable')
  const canary = await pod(t, 'canary')
  const running = await proxy(t, { table: split(stable.url, canary.url, 0) })
  const bad = { routes: [{ name: 'web', dests: [{ role: 'stable' as const, weight: 7, upstream: stable.url }] }] }
  t.throws(() => running.swap(bad), {
    code: 'PIN4001',
    message: 'bad route table in swap: routes.0.dests: the weights sum to 7, but total is 100',
    hint: /last good table/,
  })
  t.match(await ask(running.url), { status: 200, body: 'stable' })
})

test('a table may open further ports for preview, and closes them again', async t => {
  const active = await pod(t, 'active')
  const preview = await pod(t, 'preview')
  const running = await proxy(t, {})
  const port = await deadPort()
  const dests = [
    { role: 'active' as const, weight: 100, upstream: active.url },
    { role: 'preview' as const, weight: 0, upstream: preview.url },
  ]
  running.swap({ routes: [{ name: 'web', dests, preview: { port } }] })
  let body = ''
  await eventually(() => {
    ask(`http://127.0.0.1:${port}`).then(
      a => (body = a.body),
      () => {},
    )
    return body === 'preview'
  }, 'the preview port answers')
  t.equal((await ask(running.url)).body, 'active')
  running.swap({ routes: [{ name: 'web', dests }] })
  let refused = false
  await eventually(() => {
    ask(`http://127.0.0.1:${port}`).catch(() => (refused = true))
    return refused
  }, 'the preview port is closed')
})
