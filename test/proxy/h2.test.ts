// HTTP/2 in front of the proxy, over TLS and by prior knowledge, towards pods that speak HTTP/1.1 and h2c.
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer as createH2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { counted, deadPort, eventually, only, pod, proxy, rawPod, split } from './kit.ts'

type Test = { teardown(end: () => unknown): unknown }
type Heard = { status: number; headers: IncomingHttpHeaders; trailers: IncomingHttpHeaders; body: string; code: number }

function open(t: Test, url: string, options = {}): ClientHttp2Session {
  const session = connect(url, options)
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

/** One request; resolves when the stream has ended, however it did. */
function call(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Heard> {
  return new Promise(done => {
    const stream = session.request(headers, { endStream: body === undefined })
    const heard: Heard = { status: 0, headers: {}, trailers: {}, body: '', code: 0 }
    stream.on('response', got => {
      heard.headers = got
      heard.status = Number(got[':status'])
    })
    stream.on('trailers', got => {
      heard.trailers = got
    })
    stream.setEncoding('latin1').on('data', part => {
      heard.body += part
    })
    stream.on('error', () => {})
    stream.on('close', () => done({ ...heard, code: stream.rstCode }))
    if (body !== undefined) stream.end(body)
  })
}

/** A pod that speaks h2c. */
async function h2cPod(t: Test, serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) {
  const server = createH2Server()
  const sessions = new Set<{ destroy(): void; close(): void; goaway(): void }>()
  server.on('session', session => {
    sessions.add(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    serve(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { url: `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`, sessions }
}

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
  t.equal(seen?.['te'], undefined)
  t.match(await call(session, { ':method': 'HEAD', ':path': '/' }), { status: 201, body: '' })
  await counted(running, 2)
  t.equal(running.stats('web', 60).total.errors, 0)
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

test('an HTTP/1.1 client in front of an h2c pod is told so', async t => {
  const p = await h2cPod(t, stream => stream.respond({ ':status': 200 }, { endStream: true }))
  const running = await proxy(t, { table: only(p.url) })
  const answer = await fetch(running.url)
  t.equal(answer.status, 502)
  t.match(await answer.text(), /speak HTTP\/2 only/)
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
