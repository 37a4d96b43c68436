// HTTP/1.1 clients in front of pods that speak h2c: every framing both ways, and every way to end, on a few connections that all
// clients share.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants, type ServerHttp2Stream } from 'node:http2'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { ask, counted, deadPort, eventually, only, pod, proxy, split, wire } from './kit.ts'

const sha = (octets: Buffer | string): string =>
  createHash('sha256')
    .update(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets)
    .digest('hex')

/** Answers with what was asked. */
async function echo(stream: ServerHttp2Stream, headers: object): Promise<void> {
  let body = ''
  let trailers = {}
  stream.on('trailers', came => {
    trailers = came
  })
  for await (const part of stream.setEncoding('latin1')) body += part
  stream.respond({ 'content-type': 'application/json' })
  stream.end(JSON.stringify({ headers, body, trailers }))
}

test('a request comes to its pod as it was asked, in every framing of its body', async t => {
  const p = await h2cPod(t, (stream, headers) => void echo(stream, headers))
  const running = await proxy(t, { table: only(p.url) })
  const heard = async (path: string, options: Parameters<typeof ask>[2]) =>
    JSON.parse((await ask(running.url, path, options)).body)
  const get = await heard('/a?b=c', { headers: { 'X-Thing': 'One', te: 'trailers', cookie: 'a=1' } })
  t.match(get, {
    body: '',
    headers: {
      ':method': 'GET',
      ':path': '/a?b=c',
      ':scheme': 'http',
      ':authority': `127.0.0.1:${running.port}`,
      'x-thing': 'One',
      te: 'trailers',
      cookie: 'a=1',
      'x-forwarded-for': '127.0.0.1',
    },
  })
  for (const name of ['connection', 'host', 'transfer-encoding', 'keep-alive']) t.notHas(get.headers, name)
  t.match(await heard('/other', { headers: { 'x-thing': 'Two' } }), {
    headers: { ':path': '/other', 'x-thing': 'Two' },
  })
  t.match(await heard('/', { method: 'POST', body: 'x'.repeat(10) }), {
    body: 'x'.repeat(10),
    headers: { 'content-length': '10' },
  })
  t.match(await heard('/', { method: 'POST', headers: { 'content-length': '0' } }), { body: '' })
  const large = 'z'.repeat(300_000)
  t.equal((await heard('/', { method: 'PUT', body: large })).body, large)
  const client = wire(
    t,
    running.port,
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n',
  )
  const said = await client.until('\r\n0\r\n\r\n')
  t.match(said, /"body":"abcde","trailers":\{"x-sum":"5"\}/)
  t.match(said, /^HTTP\/1.1 200 OK\r\n/)
  t.match(said, /\r\nTransfer-Encoding: chunked\r\n/i)
})

test('an answer comes to its client in the framing that the client knows', async t => {
  const p = await h2cPod(t, (stream, headers) => {
    const path = headers[':path']
    if (path === '/length') stream.respond({ 'content-length': '5', 'set-cookie': ['a=1', 'b=2'] })
    else if (path === '/nothing') stream.respond({ ':status': 204 }, { endStream: true })
    else if (path === '/unchanged') stream.respond({ ':status': 304, etag: '"1"' }, { endStream: true })
    else if (path === '/bare') stream.respond({ ':status': 404 }, { endStream: true })
    else if (path === '/early') {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
      stream.respond({ 'content-length': '5' })
    } else if (path === '/trailers') {
      stream.respond({}, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }))
    } else stream.respond({})
    if (!stream.writableEnded) stream.end('hello')
  })
  const running = await proxy(t, { table: only(p.url) })
  const rows: readonly (readonly [request: string, end: string | RegExp, said: RegExp])[] = [
    [
      'GET /length HTTP/1.1',
      'hello',
      /^HTTP\/1.1 200 OK\r\n(?=[\s\S]*content-length: 5\r\n)[\s\S]*set-cookie: a=1\r\nset-cookie: b=2\r\n[\s\S]*\r\n\r\nhello$/,
    ],
    ['GET /nothing HTTP/1.1', '\r\n\r\n', /^HTTP\/1.1 204 No Content\r\n(?![\s\S]*content-length)/i],
    [
      'GET /unchanged HTTP/1.1',
      '\r\n\r\n',
      /^HTTP\/1.1 304 Not Modified\r\n(?![\s\S]*transfer-encoding)[\s\S]*etag: "1"/i,
    ],
    ['GET /bare HTTP/1.1', '\r\n\r\n', /^HTTP\/1.1 404 Not Found\r\n[\s\S]*Content-Length: 0\r\n/],
    ['GET /early HTTP/1.1', 'hello', /^HTTP\/1.1 103 Early Hints\r\nlink: [\s\S]*\r\n\r\nHTTP\/1.1 200 OK\r\n/],
    ['GET /chunks HTTP/1.1', '0\r\n\r\n', /Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/],
    ['GET /trailers HTTP/1.1', 'x-sum: 5\r\n\r\n', /\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n$/],
    ['HEAD /length HTTP/1.1', '\r\n\r\n', /content-length: 5\r\n[\s\S]*\r\n\r\n$/],
    ['HEAD /chunks HTTP/1.1', '\r\n\r\n', /^HTTP\/1.1 200 OK\r\n(?![\s\S]*transfer-encoding)[\s\S]*\r\n\r\n$/i],
  ]
  const kept = wire(t, running.port)
  let before = 0
  for (const [request, end, said] of rows) {
    kept.socket.write(`${request}\r\nHost: a\r\n\r\n`)
    await eventually(() => kept.said().slice(before).endsWith(String(end)), request)
    t.match(kept.said().slice(before), said, request)
    before = kept.said().length
  }
  t.match(
    await wire(t, running.port, 'GET /chunks HTTP/1.0\r\n\r\n').closed,
    /Connection: close\r\n[\s\S]*\r\n\r\nhello$/,
  )
})

test('all clients share a connection, and the octets of one never come to another', async t => {
  const p = await h2cPod(t, (stream, headers) => {
    const size = Number(headers[':path']?.slice(1))
    stream.respond(size % 2 === 0 ? { 'content-length': `${size}` } : {})
    stream.end(String.fromCharCode(97 + (size % 26)).repeat(size))
  })
  const running = await proxy(t, { table: only(p.url) })
  const clients = Array.from({ length: 40 }, async (_, c) => {
    const client = wire(t, running.port)
    for (let i = 0; i < 25; i++) {
      const size = (c * 977 + i * 7919) % 40_000
      const before = client.said().length
      client.socket.write(`GET /${size} HTTP/1.1\r\nHost: a\r\n\r\n`)
      const wanted = String.fromCharCode(97 + (size % 26)).repeat(size)
      const body = (): string => {
        const said = client.said().slice(before)
        const at = said.indexOf('\r\n\r\n') + 4
        if (at < 4) return '(none)'
        return size % 2 === 0 ? said.slice(at) : said.slice(at).replaceAll(/(^|\r\n)[0-9a-f]+\r\n(\r\n$)?/g, '')
      }
      await eventually(() => body() === wanted, `client ${c}, ${size} octets`, 10_000)
    }
  })
  await Promise.all(clients)
  t.equal(p.sessions.size, 1)
  await counted(running, 1000)
})

test('large bodies both ways at once, to a client that reads slowly', async t => {
  const octets = Buffer.alloc(3_000_000, 'pintle')
  const came: Buffer[] = []
  const p = await h2cPod(t, stream => {
    stream.on('data', (part: Buffer) => void came.push(part))
    stream.respond({ 'content-length': `${octets.length}` })
    stream.write(octets.subarray(0, 2_000_000))
    stream.on('end', () => stream.end(octets.subarray(2_000_000)))
  })
  const running = await proxy(t, { table: only(p.url) })
  const client = wire(t, running.port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${octets.length}\r\n\r\n`)
  client.socket.write(octets)
  client.socket.pause()
  await new Promise(done => setTimeout(done, 300))
  client.socket.resume()
  const body = (): string => client.said().slice(client.said().indexOf('\r\n\r\n') + 4)
  await eventually(() => body().length === octets.length, 'the whole answer', 10_000)
  t.equal(sha(body()), sha(octets))
  await eventually(
    () => came.reduce((sum, part) => sum + part.length, 0) === octets.length,
    'the whole request',
    10_000,
  )
  t.equal(sha(Buffer.concat(came)), sha(octets))
})

test('pods that refuse, leave, break off or are not there', async t => {
  let refusals = 0
  const p = await h2cPod(t, (stream, headers) => {
    const path = headers[':path']
    if (path === '/refused' && refusals++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else if (path === '/reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    else if (path === '/half') {
      stream.respond({ 'content-length': '10' })
      stream.write('half')
      setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 20)
    } else if (path === '/slow') return
    else void echo(stream, headers)
  })
  const running = await proxy(t, { table: only(p.url), limits: { answer: 300 } })
  t.match(await ask(running.url, '/refused', { method: 'POST', body: 'kept' }), { status: 200, body: /"body":"kept"/ })
  t.equal(refusals, 2)
  t.match(await ask(running.url, '/reset'), { status: 502 })
  await t.rejects(ask(running.url, '/half'), 'the client sees that it is not whole')
  t.match(await ask(running.url, '/slow'), { status: 504 })
  for (const session of p.sessions) session.close()
  t.match(await ask(running.url, '/', { method: 'POST', body: 'again' }), { status: 200 }, 'behind a GOAWAY')
  for (const session of p.sessions) session.destroy()
  t.match(await ask(running.url, '/'), { status: 200 }, 'on a new connection')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left in flight')
  const nobody = await proxy(t, { table: only(`h2c://127.0.0.1:${await deadPort()}`) })
  t.match(await ask(nobody.url, '/'), { status: 502, body: /no pod behind .* took the connection/ })
  const mute = await proxy(t, {
    table: only((await pod(t, 'HTTP/1.1 only')).url.replace('http:', 'h2c:')),
    limits: { connect: 200 },
  })
  t.match(await ask(mute.url, '/'), { status: 502 }, 'a pod that does not speak it')
})

test('an answer with more fields than HTTP/1.1 clients are given is a 502, however it comes', async t => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-${i}`, '1']))
  const p = await h2cPod(t, (stream, headers) => {
    const isBare = headers[':path'] === '/bare'
    stream.respond(headers[':path'] === '/next' ? {} : many, { endStream: isBare })
    if (headers[':path'] === '/slow') setTimeout(() => stream.end('late'), 20)
    else if (!isBare) stream.end(`${headers[':path']}`)
  })
  const running = await proxy(t, { table: only(p.url) })
  for (const path of ['/whole', '/bare', '/slow']) {
    const w = wire(t, running.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.match(
      await w.until('/next'),
      /^HTTP\/1.1 502 .*HTTP\/1.1 200 /s,
      `${path}: each client gets its own answers, in their order`,
    )
  }
})

test('a pod that hints without end is cut off, as one of HTTP/1.1 is', async t => {
  const p = await h2cPod(t, (stream, headers) => {
    for (let n = Number(`${headers[':path']}`.slice(1)); n > 0; n--)
      stream.additionalHeaders({ ':status': 103, link: 'a' })
    stream.respond({})
    stream.end('answer')
  })
  const running = await proxy(t, { table: only(p.url) })
  t.match(await ask(running.url, '/32'), { status: 200, body: 'answer' })
  t.equal((await ask(running.url, '/33')).status, 502)
  t.match(await call(open(t, running.url), { ':path': '/32' }), { status: 200, body: 'answer' })
  t.match(await call(open(t, running.url), { ':path': '/33' }), { status: 0, code: constants.NGHTTP2_PROTOCOL_ERROR })
})

test('a client that leaves takes its stream along, and no other', async t => {
  const streams: ServerHttp2Stream[] = []
  const p = await h2cPod(t, stream => void streams.push(stream))
  const running = await proxy(t, { table: only(p.url) })
  const one = wire(t, running.port, 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  await eventually(() => streams.length === 1, 'the first is there')
  const other = ask(running.url, '/2')
  await eventually(() => streams.length === 2, 'so is the second')
  one.socket.destroy()
  await once(streams[0]!, 'close')
  t.equal(streams[0]!.rstCode, constants.NGHTTP2_CANCEL)
  streams[1]!.respond({})
  streams[1]!.end('fine')
  t.match(await other, { status: 200, body: 'fine' })
})

test('weights, retries, rescue and mirrors are as for any pod; an upgrade is refused with the reason', async t => {
  const seen = { stable: 0, canary: 0 }
  const stable = await h2cPod(t, stream => {
    seen.stable++
    stream.respond({})
    stream.end('stable')
  })
  const canary = await h2cPod(t, stream => {
    seen.canary++
    stream.respond({ ':status': 503 }, { endStream: true })
  })
  const running = await proxy(t, { table: split(stable.url, canary.url, 25) })
  const bodies = await Promise.all(Array.from({ length: 100 }, () => ask(running.url)))
  t.equal(bodies.filter(b => b.status === 503).length, 25)
  const table = split(stable.url, canary.url, 100)
  const rescuing = await proxy(t, { table: { routes: [{ ...table.routes![0]!, rescue: { on: [503] } }] } })
  t.match(await ask(rescuing.url), { status: 200, body: 'stable' })
  const plain = await pod(t, 'plain')
  const mirrored = split(plain.url, canary.url, 0)
  const copying = await proxy(t, {
    table: { routes: [{ ...mirrored.routes![0]!, mirrors: [{ name: 'all', percent: 100 }] }] },
  })
  const before = seen.canary
  t.match(await ask(copying.url, '/', { method: 'POST', body: 'x' }), { body: 'plain' })
  t.match(await call(open(t, copying.url), { ':path': '/' }), { body: 'plain' })
  await eventually(() => seen.canary === before + 2, 'the canary got a copy of both')
  const upgrade = await ask(running.url, '/', {
    headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-key': 'a', 'sec-websocket-version': '13' },
  })
  t.match(upgrade, { status: 502, body: /HTTP\/2, which has no Upgrade/ })
})
