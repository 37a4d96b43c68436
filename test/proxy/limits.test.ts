// Limits that somebody sets: a quick answer instead of a queue, and nothing lost for those within them.
import { test } from 'tap'
import { ask, eventually, only, pod, proxy, wire } from './kit.ts'

test('beyond the limit of requests in flight there is a quick 503, and room again afterwards', async t => {
  const held: (() => void)[] = []
  const p = await pod(t, (_req, res) => void held.push(() => res.end('done')))
  const running = await proxy(t, { table: only(p.url), limits: { inFlight: 2 } })
  const slow = [ask(running.url), ask(running.url)]
  await eventually(() => held.length === 2, 'two in flight')
  t.match(await ask(running.url), { status: 503, body: /too many requests/ })
  t.match(await ask(running.url, '/', { method: 'POST', body: 'x'.repeat(200_000) }), { status: 503 })
  for (const finish of held) finish()
  t.ok((await Promise.all(slow)).every(a => a.status === 200))
  const next = ask(running.url)
  await eventually(() => held.length === 3, 'room again')
  held[2]?.()
  t.equal((await next).status, 200)
  t.match(running.status(), { shed: 2, turnedAway: 0 })
  t.match((await ask(running.adminUrl, '/metrics')).body, /^pintle_proxy_shed_total 2$/m)
})

test('that 503 has a body for who asks for one, whatever was asked before on the connection', async t => {
  const p = await pod(t, (req, res) => void (req.url === '/hold' ? held.push(() => res.end('done')) : res.end('ok')))
  const held: (() => void)[] = []
  const running = await proxy(t, { table: only(p.url), limits: { inFlight: 1 } })
  const asking = (method: string): string => `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`
  const head = wire(t, running.port, asking('HEAD'))
  await head.until('\r\n\r\n')
  const get = wire(t, running.port, asking('GET'))
  await get.until('ok')
  const slow = ask(running.url, '/hold')
  await eventually(() => held.length === 1, 'one in flight')
  head.socket.write(asking('GET'))
  t.match(await head.until('too many requests'), /503 /)
  get.socket.write(`${asking('HEAD')}${asking('HEAD')}`)
  t.notMatch(await get.until(/503 .*503 .*\r\n\r\n/s), 'too many requests')
  held[0]?.()
  await slow
})

test('a longer body than allowed is a 413, by its length or as it comes', async t => {
  const p = await pod(t, (req, res) => void req.resume().on('end', () => res.end('taken')))
  const running = await proxy(t, { table: only(p.url), limits: { bodyOctets: 1000 } })
  const post = 'POST / HTTP/1.1\r\nHost: a\r\n'
  t.match(await ask(running.url, '/', { method: 'POST', body: 'x'.repeat(1000) }), { status: 200, body: 'taken' })
  t.match(await wire(t, running.port, `${post}Content-Length: 1001\r\n\r\n`).closed, /^HTTP\/1\.1 413 /)
  const chunk = `200\r\n${'x'.repeat(512)}\r\n`
  const w = wire(t, running.port, `${post}Transfer-Encoding: chunked\r\n\r\n${chunk}`)
  await eventually(() => p.requests.length === 2, 'the pod has its head')
  w.socket.write(chunk)
  t.match(await w.closed, /^HTTP\/1\.1 413 [\s\S]*longer than 1000 octets/)
})

test('connections beyond the limit are closed, those within it go on', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url), limits: { connections: 2 } })
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const [a, b] = [wire(t, running.port, get), wire(t, running.port, get)]
  await Promise.all([a.until('ok'), b.until('ok')])
  t.equal(await wire(t, running.port, get).closed, '')
  t.match(running.status(), { shed: 0, turnedAway: 1 })
  t.match((await ask(running.adminUrl, '/metrics')).body, /^pintle_proxy_turned_away_total 1$/m)
  a.socket.write(get)
  await a.until(/ok[\s\S]*ok/)
  b.socket.end()
  await b.closed
  let isOpen = false
  await eventually(() => {
    void wire(t, running.port, get)
      .until('ok')
      .then(
        () => (isOpen = true),
        () => {},
      )
    return isOpen
  }, 'room again')
})

test('a body that goes wrong while its answer is under way cuts the answer, and nothing is written into it', async t => {
  const p = await pod(t, (_req, res) => {
    res.writeHead(200, { 'Content-Length': 100 })
    res.write('begun')
  })
  const running = await proxy(t, { table: only(p.url) })
  const w = wire(t, running.port, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
  await w.until('begun')
  w.socket.write('nonsense\r\n')
  t.match(await w.closed, /begun$/)
})
