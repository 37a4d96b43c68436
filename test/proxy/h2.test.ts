// HTTP/2 in front of the proxy, over TLS and by prior knowledge, towards pods that speak HTTP/1.1 and h2c.
import { once } from 'node:events'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { code, END_HEADERS, frame, GET, literals, rawClient, TYPE } from './h2-raw.ts'
import { counted, deadPort, eventually, only, pod, proxy, rawPod, split } from './kit.ts'

test('h2c by prior knowledge: a request reaches an HTTP/1.1 pod, and its answer comes back', async t => {
  const p = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => (body += part))
    req.on('end', () => {
      res.writeHead(201, [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Odd',
        'v',
        'Connection',
        'X-Mine',
        'X-Mine',
        '1',
      ])
      res.end(`${req.method} ${req.url} ${body}`)
    })
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const headers = { ':method': 'POST', ':path': '/x?y=1', ':authority': 'shop.test', cookie: 'k=v', te: 'trailers' }
  const heard = await call(session, { ...headers, 'x-forwarded-for': '6.6.6.6' }, 'hello')
  t.match(heard, { status: 201, body: 'POST /x?y=1 hello', headers: { 'set-cookie': ['a=1', 'b=2'], 'x-odd': 'v' } })
  t.equal(heard.headers['x-mine'], undefined, 'what Connection names ends here')
  const seen = p.requests[0]?.headers
  t.match(seen, { host: 'shop.test', cookie: 'k=v', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
  t.equal(seen?.['te'], 'trailers', 'the pod may send trailers')
  t.match(await call(session, { ':method': 'HEAD', ':path': '/' }), { status: 201, body: '' })
  await counted(running, 2)
  t.equal(running.stats('web', 60).total.errors, 0)
})

test('trailers of an HTTP/1.1 pod reach the client, in one piece or in many', async t => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Server-Timing\r\n\r\n'
  const answers: readonly (readonly [answer: string, trailers: Record<string, unknown> | undefined])[] = [
    [
      '5\r\nhello\r\n0\r\nX-Sum:  7 \r\nServer-Timing: a\r\nSERVER-timing: b\r\nProxy-Connection: x\r\n\r\n',
      { 'x-sum': '7', 'server-timing': 'a, b', 'proxy-connection': undefined },
    ],
    [
      '5\r\nhello\r\n0\r\nHTTP2-Settings: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n',
      { 'http2-settings': undefined, 'set-cookie': ['a=1', 'b=2'] },
    ],
    ['5\r\nhello\r\n0\r\n\r\n', {}],
    // Fields that would change the message itself are no trailers (RFC 9110 6.5.1).
    ['5\r\nhello\r\n0\r\nContent-Length: 1\r\n\r\n', undefined],
    ['5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n', undefined],
  ]
  let answer = ''
  let isDripping = false
  const p = await rawPod(t, socket => {
    socket.on('data', async () => {
      if (!isDripping) socket.write(head + answer)
      else
        for (const octet of head + answer) {
          socket.write(octet, 'latin1')
          await new Promise(done => setImmediate(done))
        }
    })
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  for (const drip of [false, true])
    for (const [text, trailers] of answers) {
      isDripping = drip
      answer = text
      const heard = await call(session, { ':path': '/', te: 'trailers' })
      if (trailers === undefined) t.ok(heard.code !== 0 || heard.status === 502, JSON.stringify(text))
      else {
        t.match(heard, { status: 200, body: 'hello', code: 0 }, JSON.stringify(text))
        for (const [name, value] of Object.entries(trailers)) t.same(heard.trailers[name], value, name)
        t.equal(heard.headers['transfer-encoding'], undefined)
      }
    }
})

test('fields that mean nothing in HTTP/2 end at the proxy, in answers, in 1xx and in trailers both ways', async t => {
  const odd = 'HTTP2-Settings: x\r\nProxy-Connection: close\r\nTE: gzip\r\nUpgrade: h2c\r\nX-Kept: 1\r\n'
  const h1 = await rawPod(t, s =>
    s.on('data', () =>
      s.write(`HTTP/1.1 103 Early Hints\r\n${odd}\r\nHTTP/1.1 200 OK\r\n${odd}Content-Length: 2\r\n\r\nok`),
    ),
  )
  const running = await proxy(t, { table: only(h1.url) })
  const session = open(t, running.url)
  t.match(await call(session, { ':path': '/' }), { status: 200, headers: { 'x-kept': '1' }, body: 'ok' })
  let came: IncomingHttpHeaders = {}
  const h2 = await h2cPod(t, stream => {
    stream.on('trailers', trailers => {
      came = trailers
    })
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
  })
  running.swap(only(h2.url))
  const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', host: 'evil', 'content-length': '3' }))
  stream.resume().end('abc')
  await once(stream, 'close')
  t.match(came, { 'x-sum': '1', host: undefined, 'content-length': undefined })
})

test('the length of a body that there is none of stays with its h2c pod', async t => {
  const p = await h2cPod(t, stream => stream.respond({ ':status': 204, 'content-length': '5' }, { endStream: true }))
  const running = await proxy(t, { table: only(p.url) })
  const { status, headers, code } = await call(open(t, running.url), { ':path': '/' })
  t.strictSame([status, headers['content-length'], code], [204, undefined, 0])
})

test('the weight counts for each stream, and 100 at once are served over one connection', async t => {
  const stable = await pod(t, 'stable')
  const canary = await pod(t, 'canary')
  const running = await proxy(t, { table: split(stable.url, canary.url, 20) })
  const session = open(t, running.url)
  const heard = await Promise.all(Array.from({ length: 100 }, () => call(session, { ':path': '/' })))
  t.equal(heard.filter(h => h.body === 'canary').length, 20)
  t.ok(heard.every(h => h.status === 200))
})

test('large bodies pass whole both ways, slowly read', async t => {
  const size = 3_000_000
  const p = await pod(t, (req, res) => {
    let got = 0
    req.on('data', (part: Buffer) => (got += part.length))
    req.on('end', () => res.end('y'.repeat(size) + got))
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end('x'.repeat(size))
  let length = 0
  let last = ''
  for await (const part of stream) {
    length += part.length
    last = part.toString().slice(-10)
    if (Math.random() < 0.05) await new Promise(done => setTimeout(done, 1))
  }
  t.equal(length, size + 7)
  t.match(last, /3000000$/)
})

test('a large body reaches an h2c pod whole, and back, from the first stream on', async t => {
  const p = await h2cPod(t, stream => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const running = await proxy(t, { table: only(p.url) })
  const body = Buffer.from(Array.from({ length: 400_000 }, (_, i) => `${i} `).join(''))
  const all = [1, 2, 3].map(() => call(open(t, running.url), { ':method': 'POST', ':path': '/' }, body))
  for (const heard of await Promise.all(all)) {
    t.equal(heard.code, 0)
    t.ok(heard.body === body.toString('latin1'), `${heard.body.length} of ${body.length} octets`)
  }
})

test('a stream that is reset without an error, while its pod is busy, harms nobody', async t => {
  const seen: string[] = []
  const slow = (req: { url?: string | undefined }) => seen.push(req.url ?? '')
  const h1 = await pod(t, (req, res) => {
    slow(req)
    setTimeout(() => res.end('late'), 100)
  })
  const h2 = await h2cPod(t, (stream, headers) => {
    slow({ url: headers[':path'] })
    setTimeout(() => stream.destroyed || stream.respond({ ':status': 200 }, { endStream: true }), 100)
  })
  for (const url of [h1.url, h2.url]) {
    const running = await proxy(t, { table: only(url) })
    const client = rawClient(t, running.port)
    const head = literals([[':method', 'POST'], ...GET.slice(1)])
    const before = seen.length
    for (const n of [1, 3, 5])
      client.send(frame(TYPE.headers, END_HEADERS, n, head), frame(TYPE.data, 0, n, 'x'.repeat(9000)))
    await eventually(() => seen.length === before + 3, 'they are with the pod')
    for (const n of [1, 3, 5]) client.send(frame(TYPE.reset, 0, n, code(0)))
    await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'they are over')
    await new Promise(done => setTimeout(done, 150))
    t.match(await call(open(t, running.url), { ':path': '/' }), { status: 200 }, 'the proxy goes on')
  }
})

test('malformed streams are refused and nothing reaches the pod', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  for (const headers of [
    { ':path': '/#a' },
    { ':path': 'a' },
    { ':path': '/', ':authority': 'a@b' },
    { ':path': '/', ':authority': 'a', host: 'b' },
    { ':method': 'CONNECT', ':authority': 'a:1' },
  ] as OutgoingHttpHeaders[]) {
    // Some of them the protocol's own library refuses, by a reset.
    const { status, code } = await call(session, headers)
    t.ok(status === 400 || (status === 0 && code !== 0), JSON.stringify(headers))
  }
  t.equal(p.requests.length, 0)
  t.match(await call(session, { ':path': '/' }), { status: 200 }, 'the connection goes on')
})

test('a pod that is not there, breaks off or sends garbage', async t => {
  const broken = await rawPod(t, s => s.on('data', () => s.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')))
  const odd = await rawPod(t, s => s.on('data', () => s.write('NOPE\r\n\r\n')))
  const running = await proxy(t, { table: only(`http://127.0.0.1:${await deadPort()}`) })
  const session = open(t, running.url)
  t.match(await call(session, { ':path': '/' }), { status: 502, body: /no pod behind/ })
  running.swap(only(odd.url))
  t.match(await call(session, { ':path': '/' }), { status: 502, body: /not proper HTTP/ })
  running.swap(only(broken.url))
  const cut = await call(session, { ':path': '/' })
  t.equal(cut.status, 200)
  t.not(cut.code, 0, 'the client sees that it is not whole')
  running.swap(only('http://127.0.0.1:1', { match: { pathPrefix: '/x' } }))
  t.match(await call(session, { ':path': '/' }), { status: 404 })
  await eventually(() => running.stats('web', 60).total.errors === 3, 'each counts as an error of the version')
})

test('a HEAD that the proxy answers itself gets no body, which clients would end the connection for', async t => {
  const p = await pod(t, 'ok')
  const { url } = await proxy(t, { table: only(p.url, { match: { hosts: ['shop.test'] } }) })
  const dead = await proxy(t, { table: only('http://127.0.0.1:1') })
  for (const [at, head, status] of [
    [url, { ':authority': 'other.test' }, 404],
    [url, { ':authority': 'a@shop.test' }, 400],
    [url, { ':authority': 'shop.test', 'x-a': 'a'.repeat(40_000) }, 431],
    [dead.url, {}, 502],
  ] as const) {
    const session = open(t, at)
    const asked = { ':method': 'HEAD', ':path': '/', ...head }
    t.match(await call(session, asked), { status, body: '', code: 0 }, `${status}`)
    t.equal((await call(session, { ...asked, ':method': 'GET' })).status, status, 'another on the same connection')
  }
})

test('a client that resets its stream cancels the request at the pod', async t => {
  let cancelled = false
  const p = await pod(t, req => void req.on('close', () => (cancelled = true)))
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {})
  await eventually(() => p.requests.length === 1, 'the pod has it')
  stream.close(8)
  await eventually(() => cancelled, 'cancelled')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing in flight')
})

test('an upload that is cancelled, or whose client is lost, never looks whole to the pod', async t => {
  const ends: string[] = []
  let halves = 0
  const h1 = await pod(t, req => {
    req.on('data', () => halves++).on('end', () => ends.push('whole'))
    req.on('error', () => ends.push('cut'))
  })
  const h2 = await h2cPod(t, stream => {
    stream.on('data', () => halves++)
    stream.on('close', () => ends.push(stream.rstCode === 0 ? 'whole' : 'cut'))
  })
  for (const url of [h1.url, h2.url])
    for (const end of ['reset', 'lost']) {
      const running = await proxy(t, { table: only(url) })
      const client = rawClient(t, running.port)
      const head = literals([[':method', 'POST'], ...GET.slice(1)])
      client.send(frame(TYPE.headers, END_HEADERS, 1, head), frame(TYPE.data, 0, 1, 'half'))
      await eventually(() => halves === ends.length + 1, 'it is under way')
      if (end === 'reset') client.send(frame(TYPE.reset, 0, 1, code(8)))
      else client.socket.end()
      await eventually(() => ends.length === halves, `${url === h1.url ? 'h1' : 'h2c'} ${end}`)
    }
  t.same(ends, ['cut', 'cut', 'cut', 'cut'])
})

test('gRPC: messages both ways, trailers at the end, and errors in trailers only', async t => {
  const p = await h2cPod(t, (stream, headers) => {
    if (headers[':path'] === '/s/Fail') {
      stream.respond({ ':status': 200, 'grpc-status': '5', 'grpc-message': 'nothing' }, { endStream: true })
      return
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-te': String(headers['te']) }))
    stream.on('data', part => stream.write(`<${part}>`))
    stream.on('end', () => stream.end())
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const headers = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '5S' }
  t.match(await call(session, { ...headers, ':path': '/s/Fail' }, ''), { status: 200, headers: { 'grpc-status': '5' } })
  const stream = session.request({ ...headers, ':path': '/s/Talk' })
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', got => {
    trailers = got
  })
  let heard = ''
  stream.setEncoding('utf8').on('data', part => {
    heard += part
  })
  for (let i = 0; i < 50; i++) {
    const before = heard.length
    stream.write(`m${i}`)
    await eventually(() => heard.length > before, `the echo of message ${i}`)
  }
  stream.end()
  await once(stream, 'close')
  t.equal(heard, Array.from({ length: 50 }, (_, i) => `<m${i}>`).join(''))
  t.match(trailers, { 'grpc-status': '0', 'x-te': 'trailers' })
  await counted(running, 2)
})

test('resets of a pod reach the client, and of the client the pod', async t => {
  let left = 0
  const p = await h2cPod(t, (stream, headers) => {
    stream.on('close', () => (left = stream.rstCode))
    if (headers[':path'] === '/reset') stream.close(11)
    else stream.respond({ ':status': 200 })
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  t.equal((await call(session, { ':method': 'POST', ':path': '/reset' }, 'x')).code, 11)
  const stream = session.request({ ':path': '/stay' })
  stream.on('error', () => {})
  await once(stream, 'response')
  stream.close(8)
  await eventually(() => left === 8, 'the pod is told')
})

test('a pod that says goodbye gets no more streams, and what it has is finished', async t => {
  const streams: ServerHttp2Stream[] = []
  const p = await h2cPod(t, stream => void streams.push(stream))
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const first = call(session, { ':path': '/first' })
  await eventually(() => streams.length === 1, 'the first is there')
  for (const one of p.sessions) one.goaway()
  await new Promise(done => setTimeout(done, 20))
  const second = call(session, { ':path': '/second' })
  await eventually(() => streams.length === 2, 'the second is on a new connection')
  t.equal(p.sessions.size, 2)
  for (const stream of streams) {
    stream.respond({ ':status': 200 })
    stream.end('done')
  }
  t.match([await first, await second], [{ body: 'done' }, { body: 'done' }])
})

test('draining lets streams finish and opens no more', async t => {
  let finish = (): void => {}
  const p = await pod(t, (_req, res) => {
    finish = () => void res.end('done')
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const slow = call(session, { ':path': '/' })
  await eventually(() => p.requests.length === 1, 'it is in flight')
  const drained = running.drain()
  await once(session, 'goaway')
  finish()
  t.match(await slow, { status: 200, body: 'done' })
  await drained
})

test('a POST is given no connection of a pod that was seen to close them early, and a GET is asked again', async t => {
  // Serves one request a connection, and breaks off at the next without a word.
  const p = await rawPod(t, socket => {
    let requests = 0
    socket.on('data', data => {
      if (!/^(GET|POST)/.test(data.toString())) return
      if (++requests > 1) return void socket.destroy()
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const session = open(t, (await proxy(t, { table: only(p.url) })).url)
  const post = async () => (await call(session, { ':method': 'POST', ':path': '/' }, 'a')).status
  const get = async () => (await call(session, { ':path': '/' })).status
  t.equal(await get(), 200)
  t.equal(await get(), 200)
  t.equal(await post(), 200)
  t.equal(await post(), 200)
})
