// Small bodies that come slowly: a pod is asked when they are whole, so that slow clients cost it nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { GatheredBody, hasRoom } from '../../src/proxy/engine/gathered-body.ts'
import type { RouteTableInput } from '../../src/proxy/table.ts'
import { call, h2cPod, open } from './h2-kit.ts'
import { ask, deadPort, eventually, only, pod, proxy, split, wire } from './kit.ts'

type Test = Parameters<typeof pod>[0]

/** A pod that answers with the body that it got. */
const echo = (t: Test) =>
  pod(t, (req, res) => {
    const parts: Buffer[] = []
    req.on('data', part => parts.push(part))
    req.on('end', () => res.end(`<${Buffer.concat(parts)}>`))
  })

const post = (length: number, more = '') => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`

test('slow bodies take no connection to a pod before they are whole', async t => {
  const p = await echo(t)
  let connections = 0
  p.server.on('connection', () => connections++)
  const running = await proxy(t, { table: only(p.url) })
  const inFlight = () => running.status().routes[0]?.dests[0]?.inFlight
  const texts = Array.from({ length: 100 }, (_, i) => `${i}:${'x'.repeat(1 + 600 * i)}`)
  const slow = texts.map(text => wire(t, running.port, post(text.length) + text.slice(0, text.length / 2)))
  await eventually(() => inFlight() === 100, 'all are under way')
  t.equal((await ask(running.url, '/', { method: 'POST', body: 'quick' })).body, '<quick>')
  t.match([connections, p.requests.length], [1, 1], 'the pod knows of one client')
  for (const [i, w] of slow.entries()) {
    const text = texts[i]!
    const half = Math.floor(text.length / 2)
    for (const at of [half, half + 1, half + 2]) w.socket.write(text.slice(at, at === half + 2 ? undefined : at + 1))
    t.ok((await w.until(/>$/)).endsWith(`<${text}>`), 'each gets its own back')
  }
  t.equal(connections, 1)
  t.match(running.status().routes[0]?.dests[0], { inFlight: 0, errors: 0 })
})

test('a client that leaves within its body, or does not go on with it, is not known to the pod', async t => {
  const p = await echo(t)
  const running = await proxy(t, { table: only(p.url), limits: { body: 200 } })
  const gone = wire(t, running.port, `${post(9)}half`)
  await eventually(() => running.stats('web', 60).total.inFlight === 1, 'under way')
  gone.socket.destroy()
  await eventually(() => running.stats('web', 60).total.inFlight === 0, 'over')
  t.match(await wire(t, running.port, `${post(9)}half`).closed, /^HTTP\/1\.1 408 /)
  const session = open(t, running.url)
  const stream = session.request({ ':method': 'POST', 'content-length': '9' })
  stream.write('half')
  stream.on('error', () => {})
  const status = await new Promise(done => stream.once('response', h => done(h[':status'])))
  t.equal(status, 408)
  t.equal(p.requests.length, 0)
  await eventually(() => running.stats('web', 60).total.inFlight === 0, 'over')
})

test('what cannot be waited for goes on as it comes', async t => {
  const seen: string[] = []
  const p = await pod(t, (req, res) => {
    seen.push(req.method!)
    req.once('data', () => res.end('early'))
  })
  const rows = [
    ['a long body', post(64 * 1024 + 1), {}],
    ['chunks', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n', {}],
    ['a client that asks first', post(9, 'Expect: 100-continue\r\n'), {}],
    ['somebody wants it so', post(9), { limits: { gathered: 0 } }],
  ] as const
  for (const [why, head, options] of rows) {
    const { port } = await proxy(t, { table: only(p.url), ...options })
    const w = wire(t, port, `${head}half`)
    t.match(await w.until('early'), /200 OK/, why)
  }
  t.equal(seen.length, rows.length)
})

test('the pod is chosen when the body is whole, among those that are there by then', async t => {
  const old = await echo(t)
  const young = await echo(t)
  const running = await proxy(t, { table: only(old.url) })
  const w = wire(t, running.port, `${post(8)}half`)
  await eventually(() => running.stats('web', 60).total.inFlight === 1, 'under way')
  running.swap(only(young.url))
  w.socket.write('half')
  t.match(await w.until('>'), /<halfhalf>$/)
  t.match([old.requests.length, young.requests.length], [0, 1])
  const two = wire(t, running.port, `${post(8)}half`)
  await eventually(() => running.stats('web', 60).total.inFlight === 1, 'under way')
  running.swap({ routes: [{ ...only(`http://127.0.0.1:${await deadPort()}`).routes![0]! }] } as RouteTableInput)
  two.socket.write('half')
  t.match(await two.until('took the connection'), /502 Bad Gateway/)
})

test('copies, and stable instead of the canary, get the whole body', async t => {
  const notes: string[] = []
  const stable = await echo(t)
  const canary = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => (body += part))
    req.on('end', () => {
      notes.push(body)
      res.end('canary')
    })
  })
  const mirrors = [{ name: 'shadow', percent: 100, anyOf: [{ method: { exact: 'POST' } }] }]
  const running = await proxy(t, {
    table: { routes: [{ ...split(stable.url, canary.url, 0).routes![0]!, mirrors }] },
  })
  const w = wire(t, running.port, `${post(8)}half`)
  await sleep(20)
  w.socket.write('half')
  t.match(await w.until('>'), /<halfhalf>$/)
  await eventually(() => notes.length === 1, 'the copy came')
  t.same(notes, ['halfhalf'])
  running.swap({
    routes: [{ ...split(stable.url, `http://127.0.0.1:${await deadPort()}`, 100).routes![0]!, rescue: {} }],
  } as RouteTableInput)
  const rescued = wire(t, running.port, `${post(8)}half`)
  await sleep(20)
  rescued.socket.write('half')
  t.match(await rescued.until('>'), /200 OK[\s\S]*<halfhalf>$/)
})

test('streams of HTTP/2 too, for pods of both protocols', async t => {
  const h1 = await echo(t)
  const bodies: string[] = []
  const h2 = await h2cPod(t, stream => {
    let body = ''
    stream.on('data', part => (body += part))
    stream.on('end', () => {
      bodies.push(body)
      stream.respond({ ':status': 200 })
      stream.end(`<${body}>`)
    })
  })
  for (const url of [h1.url, h2.url]) {
    const running = await proxy(t, { table: only(url) })
    const session = open(t, running.url)
    const slow = Array.from({ length: 20 }, () => session.request({ ':method': 'POST', 'content-length': '8' }))
    for (const stream of slow) stream.write('half')
    await eventually(() => running.stats('web', 60).total.inFlight === 20, 'all are under way')
    t.match(await call(session, { ':method': 'POST', 'content-length': '5' }, 'quick'), { body: '<quick>' })
    t.equal(h1.requests.length + bodies.length, url === h1.url ? 1 : 22, 'the pod knows of one')
    const said = slow.map(stream => {
      let text = ''
      stream.on('data', part => (text += part))
      return new Promise<string>(done => stream.on('end', () => done(text)))
    })
    for (const stream of slow) stream.end('half')
    t.same(new Set(await Promise.all(said)), new Set(['<halfhalf>']))
  }
})

test('all together have a bound, and what is given up makes room', t => {
  const bodies: GatheredBody[] = []
  const piece = Buffer.alloc(60_000, 'x')
  while (hasRoom() && bodies.length < 1000) {
    const body = new GatheredBody(64 * 1024)
    body.add(piece, 0, piece.length)
    bodies.push(body)
  }
  t.ok(bodies.length > 500 && bodies.length < 600, `${bodies.length} of 64 KB`)
  const small = new GatheredBody(10)
  t.equal(small.add(piece, 0, 4), false, 'whoever comes now goes on with what came')
  t.equal(small.take().toString(), 'xxxx')
  for (const body of bodies) body.free()
  t.ok(hasRoom())
  t.end()
})

test('a version that loses its weight while the body comes does not get it', async t => {
  const stable = await echo(t)
  const canary = await echo(t)
  const running = await proxy(t, { table: split(stable.url, canary.url, 100) })
  const inFlight = (at: number) => running.status().routes[0]?.dests[at]?.inFlight
  const slow = wire(t, running.port, `${post(8)}half`)
  const stream = open(t, running.url).request({ ':method': 'POST', 'content-length': '8' })
  stream.write('half')
  await eventually(() => inFlight(1) === 2, 'the canary is chosen')
  running.swap(split(stable.url, canary.url, 0))
  slow.socket.write('half')
  stream.end('half')
  t.match(await slow.until('>'), /<halfhalf>$/)
  await new Promise(done => stream.resume().once('end', done))
  t.match([stable.requests.length, canary.requests.length], [2, 0])
  t.match([inFlight(0), inFlight(1)], [0, 0])
  t.match(running.stats('web', 60).byRole, { stable: { requests: 2 }, canary: { requests: 0 } })
})
