// Heads over HTTP/2, many on one connection: what is kept of one for the next must never show in it. And what heads ask for:
// deadlines of gRPC calls, trailers of requests.
import { once } from 'node:events'
import { connect } from 'node:http2'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { asking, frame, GET, PREFACE, rawClient, TYPE } from './h2-raw.ts'
import { counted, eventually, only, pod, proxy, rawPod, split, wire } from './kit.ts'

test('the preface may come in pieces', async t => {
  const running = await proxy(t, { table: only('http://127.0.0.1:1') })
  const hello = Buffer.concat([PREFACE, frame(TYPE.settings, 0, 0)])
  await Promise.all(
    Array.from(PREFACE, async (_, at) => {
      const w = wire(t, running.port)
      w.socket.setNoDelay(true)
      w.socket.write(hello.subarray(0, at + 1))
      await new Promise(done => setTimeout(done, 20))
      w.socket.write(hello.subarray(at + 1))
      const said = await w.until(/^.{9}/s)
      t.equal(said.charCodeAt(3), TYPE.settings, `cut at ${at + 1}`)
    }),
  )
})

test('heads that are nearly alike reach their pods as they are', async t => {
  const p = await pod(t, (req, res) => {
    const { 'x-forwarded-for': _peer, 'x-forwarded-port': _port, ...rest } = req.headers
    req.resume().on('end', () => res.end(JSON.stringify([req.method, req.url, rest])))
  })
  const h2 = await h2cPod(t, (stream, headers) => {
    const { ':method': method, ':path': path, ':authority': host, ...rest } = headers
    for (const name of ['te', 'x-forwarded-for', 'x-forwarded-port']) delete rest[name]
    stream.resume().on('end', () => stream.end(JSON.stringify([method, path, { host, ...rest }])))
  })
  const base = { ':method': 'GET', ':path': '/a', ':authority': 'shop.test', accept: '*/*', cookie: 'a=1; b=2' }
  const rows: Record<string, string>[] = [
    base,
    base,
    { ...base, ':path': '/b?c' },
    { ...base, ':method': 'DELETE' },
    { ...base, ':authority': 'shop.best' },
    { ...base, accept: '*/+' },
    { ...base, cookie: 'a=1; b=3' },
    { ...base, 'x-more': '1' },
    base,
    { ':method': 'GET', ':path': '/a', ':authority': 'shop.test', accept: '*/*' },
    { ':method': 'GET', ':path': '/a', ':authority': 'shop.test', cookie: 'a=1; b=2', accept: '*/*' },
    { ...base, ':path': '/a' },
  ]
  for (const url of [p.url, h2.url]) {
    const running = await proxy(t, { table: only(url) })
    const session = open(t, running.url)
    for (const row of [...rows, ...rows]) {
      const { ':method': method, ':path': path, ':authority': host, ...fields } = row
      const heard = JSON.parse((await call(session, row)).body) as [string, string, Record<string, string>]
      const { connection: _hop, 'x-forwarded-proto': proto, 'x-forwarded-host': named, ...got } = heard[2]
      delete got[':scheme']
      t.same([heard[0], heard[1], got], [method, path, { host, ...fields }])
      t.same([proto, named], ['http', host])
    }
  }
})

test('a head that is refused leaves nothing behind for the next, nor does a path that is none', async t => {
  const p = await pod(t, (req, res) => res.end(`${req.url} ${req.headers['x-a']}`))
  const running = await proxy(t, { table: only(p.url) })
  const client = rawClient(t, running.port)
  const but = (path: string, host: string) =>
    GET.map(([n, v]) => [n, n === ':path' ? path : n === ':authority' ? host : v] as const)
  client.send(asking(1, [...but('/1', 'shop.test'), ['x-a', 'one']]))
  client.send(asking(3, [...but('/2', 'a/b'), ['x-a', 'two']]))
  client.send(asking(5, [...but('/ HTTP/1.1', 'shop.test'), ['x-a', 'one']]))
  client.send(asking(7, [...but('/#', 'shop.test'), ['x-a', 'one']]))
  client.send(asking(9, [...but('/5', 'shop.test'), ['x-a', 'one']]))
  const said = () => client.heard.filter(f => f.type === TYPE.data).map(f => f.payload.toString())
  await eventually(() => said().includes('/1 one') && said().includes('/5 one'), 'those that are fine are served')
  t.same(p.requests.map(r => r.url).sort(), ['/1', '/5'])
})

test('heads of answers that are nearly alike reach the client as they are', async t => {
  let n = 0
  const answers = [
    ['200 OK', 'X-A: 1', 'X-B: 1'],
    ['200 OK', 'X-A: 1', 'X-B: 1'],
    ['201 OK', 'X-A: 1', 'X-B: 1'],
    ['200 OK', 'X-A: 1', 'X-B: 2'],
    ['200 OK', 'X-A: 1', 'X-C: 2'],
    ['200 OK', 'X-A: 1', 'Connection: X-A'],
    ['200 OK', 'X-A: 1', 'Set-Cookie: a=1'],
    ['200 OK', 'X-A: 1', 'Set-Cookie: a=1'],
  ]
  const p = await rawPod(t, socket =>
    socket.on('data', () => {
      const [status, ...lines] = answers[n % answers.length]!
      socket.write(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
    }),
  )
  const table = only(p.url)
  const sticky = { routes: [{ ...split(p.url, p.url, 50).routes![0]!, sticky: { by: 'cookie' as const, name: 'k' } }] }
  const running = await proxy(t, { table, marks: { versionHeader: 'X-Version' } })
  const session = open(t, running.url)
  const expected = [
    [200, '1', '1', undefined, 0],
    [200, '1', '1', undefined, 0],
    [201, '1', '1', undefined, 0],
    [200, '1', '2', undefined, 0],
    [200, '1', undefined, '2', 0],
    [200, undefined, undefined, undefined, 0],
    [200, '1', undefined, undefined, 1],
    [200, '1', undefined, undefined, 1],
  ]
  for (const isSticky of [false, true]) {
    running.swap(isSticky ? sticky : table)
    for (n = 0; n < 2 * answers.length; n++) {
      const { status, headers } = await call(session, { ':path': '/' })
      const cookies = (headers['set-cookie'] ?? []).filter(cookie => cookie === 'a=1').length
      t.same([status, headers['x-a'], headers['x-b'], headers['x-c'], cookies], expected[n % answers.length])
      t.match(headers['x-version'], /^(stable|canary)$/, 'said once')
    }
  }
})

test('trailers of a request reach an HTTP/1.1 pod behind its chunks, less what is no trailer', async t => {
  const p = await pod(t, (req, res) =>
    req.resume().on('end', () => res.end(JSON.stringify([req.headers['transfer-encoding'], req.trailers]))),
  )
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  for (const [more, expected] of [
    [{}, ['chunked', { 'x-sum': '7', 'x-b': 'b' }]],
    // A body of a known length has no room for them (RFC 9112 6).
    [{ 'content-length': '3' }, [null, {}]],
  ] as const) {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...more }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7', 'x-b': 'b', host: 'evil', trailer: 'x' }))
    stream.end('abc')
    let body = ''
    stream.setEncoding('latin1').on('data', part => {
      body += part
    })
    await once(stream, 'close')
    t.same(JSON.parse(body), expected)
  }
})

test('a gRPC call ends with its deadline: in its own words, or by a reset once it has been answered', async t => {
  const ends: number[] = []
  const p = await h2cPod(t, (stream, headers) => {
    if (headers[':path'] === '/s/Begun') stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    stream.resume().on('close', () => ends.push(stream.rstCode))
  })
  const mute = await pod(t, () => {})
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '100m' }
  for (const url of [p.url, mute.url]) {
    const running = await proxy(t, { table: only(url) })
    const session = open(t, running.url)
    const heard = await call(session, { ...grpc, ':path': '/s/Mute' }, 'x')
    t.match(heard, { status: 200, headers: { 'grpc-status': '4', 'grpc-message': /grpc-timeout/ }, body: '', code: 0 })
    await counted(running, 1)
    t.equal(running.stats('web', 60).total.errors, 1, 'as a call that its pod says is late')
  }
  const running = await proxy(t, { table: only(p.url) })
  const session = connect(running.url)
  t.teardown(() => session.destroy())
  const begun = await call(session, { ...grpc, ':path': '/s/Begun' }, 'x')
  t.match(begun, { status: 200, code: 8 })
  await eventually(() => ends.length === 2, 'the pod is told each time')
  const endless = ['', '100', '123456789S', '-1m', 'x'].map(timeout =>
    session.request({ ...grpc, ':path': '/s/Mute', 'grpc-timeout': timeout }),
  )
  const others = session.request({ ...grpc, ':path': '/s/Mute', 'content-type': 'text/plain' })
  for (const stream of [...endless, others]) stream.on('error', () => {})
  await new Promise(done => setTimeout(done, 600))
  t.ok(
    [...endless, others].every(stream => !stream.closed),
    'what is no deadline ends nothing',
  )
})
