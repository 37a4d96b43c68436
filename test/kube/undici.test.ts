// The wire over real sockets: reuse of connections, broken ones, watches, tokens and certificates that change.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Test, test } from 'tap'
import type { Access } from '../../src/kube/access.ts'
import { AmbiguousError, UnreachableError } from '../../src/kube/errors.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import { one, two } from './certificates.ts'

type Handler = (request: IncomingMessage, response: ServerResponse, nth: number) => void

/** A server on loopback that counts connections and requests; it and the transport end with the test. */
async function open(t: Test, handler: Handler, access: Partial<Access> = {}, tls?: typeof one) {
  const sockets = new Set<Socket>()
  const seen: { method?: string | undefined; url?: string | undefined; headers: IncomingMessage['headers'] }[] = []
  const counts = { connections: 0 }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    seen.push({ method: request.method, url: request.url, headers: request.headers })
    handler(request, response, seen.length - 1)
  }
  const server: Server = tls ? createTlsServer(tls, answer) : createServer(answer)
  server.keepAliveTimeout = 60_000
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    counts.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const address = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
  const transport = undiciTransport({ server: address, namespace: 'default', ...access })
  const close = () =>
    new Promise<void>(done => {
      server.close(() => done())
      for (const socket of sockets) socket.destroy()
    })
  t.teardown(async () => {
    await transport.close()
    await close()
  })
  return { transport, server, seen, counts, sockets, close, address }
}

const json = (response: ServerResponse, body: object, status = 200, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

const collect = async (lines: AsyncIterable<string>): Promise<string[]> => {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

const GET = { method: 'GET', path: '/api/v1/pods' } as const
const POST = { method: 'POST', path: '/api/v1/namespaces/a/pods', body: '{"a":1}' } as const

test('fifty reads in a row need no more than two connections, two hundred at once no more than sixteen', async t => {
  const { transport, counts } = await open(t, (_, response) => json(response, { ok: true }))
  for (let i = 0; i < 50; i++) await transport.request(GET)
  t.ok(counts.connections <= 2, `${counts.connections} connections`)
  await Promise.all(Array.from({ length: 200 }, () => transport.request(GET)))
  t.ok(counts.connections <= 16, `${counts.connections} connections for 200 requests at once`)
})

test('a request on an idle connection is not held back', async t => {
  const { transport, counts } = await open(t, (_, response) => json(response, {}))
  await transport.request(GET)
  await new Promise(done => setTimeout(done, 1500)) // the delay under test is one of real sockets
  const began = performance.now()
  await transport.request(GET)
  t.ok(performance.now() - began < 500, `took ${Math.round(performance.now() - began)} ms`)
  t.equal(counts.connections, 1)
})

test('query, body, headers and the server’s own path arrive as they should', async t => {
  const { seen, address } = await open(t, (_, response) => json(response, {}))
  const access = {
    server: `${address}/k8s/clusters/c-1/`,
    namespace: 'x',
    headers: { 'impersonate-group': ['a', 'b'] },
  }
  const transport = undiciTransport({ ...access, token: async () => 'secret' }, { userAgent: 'pintle/1 (test)' })
  t.teardown(() => transport.close())
  const query = { fieldManager: 'pintle', labelSelector: 'a in (b,c)', watch: true, limit: undefined }
  await transport.request({ ...POST, query, contentType: 'application/merge-patch+json' })
  t.match(seen[0], {
    url: '/k8s/clusters/c-1/api/v1/namespaces/a/pods?fieldManager=pintle&labelSelector=a+in+%28b%2Cc%29&watch=true',
    headers: {
      authorization: 'Bearer secret',
      'content-type': 'application/merge-patch+json',
      'user-agent': 'pintle/1 (test)',
      'impersonate-group': 'a, b',
      accept: 'application/json',
    },
  })
  t.equal(seen[0]?.headers['accept-encoding'], undefined, 'no compression within a cluster')
})

test('a read whose connection breaks is repeated once, a write never', async t => {
  const { transport, seen } = await open(t, (request, response, nth) => {
    if (nth === 0 || request.method === 'POST') request.socket.destroy()
    else json(response, { nth })
  })
  t.same(JSON.parse((await transport.request(GET)).body), { nth: 1 })
  const failed = await transport.request(POST).catch(error => error)
  t.ok(failed instanceof AmbiguousError, 'it may have been carried out')
  t.equal(seen.length, 3)
})

test('a write to a server that is not there has certainly not happened', async t => {
  const { transport, close } = await open(t, (_, response) => json(response, {}))
  await close()
  const failed = await transport.request(POST).catch(error => error)
  t.ok(failed instanceof UnreachableError)
  t.match(failed.message, /^127\.0\.0\.1:\d+: connect ECONNREFUSED/)
})

test('an answer that does not come in time: a write is ambiguous, a read is not asked again', async t => {
  const { transport, seen } = await open(t, () => {})
  t.ok((await transport.request({ ...POST, timeout: 50 }).catch(error => error)) instanceof AmbiguousError)
  const failed = await transport.request({ ...GET, timeout: 50 }).catch(error => error)
  t.match(failed, { name: 'UnreachableError', isTimeout: true, message: /no answer within 50 ms/ })
  t.equal(seen.length, 2)
})

test('a body that stalls counts against the time, too', async t => {
  const { transport } = await open(t, (_, response) => response.writeHead(200).write('{"half":'))
  const failed = await transport.request({ ...GET, timeout: 50 }).catch(error => error)
  t.match(failed, { isTimeout: true })
})

test('429 with Retry-After is repeated after the wait, also for writes; an eviction’s 429 is an answer', async t => {
  const { transport, seen } = await open(t, (_, response, nth) =>
    nth % 2 === 0 ? json(response, {}, 429, { 'retry-after': '1' }) : json(response, {}),
  )
  const began = performance.now()
  t.equal((await transport.request(POST)).status, 200)
  t.ok(performance.now() - began > 990)
  t.equal(seen.length, 2)
  t.equal((await transport.request({ ...POST, path: '/api/v1/namespaces/a/pods/b/eviction' })).status, 429)
  t.equal(seen.length, 3)
})

test('500 is an answer, given at once', async t => {
  const { transport, seen } = await open(t, (_, response) => json(response, { kind: 'Status' }, 500))
  t.equal((await transport.request(GET)).status, 500)
  t.equal(seen.length, 1)
})

test('a watch splits on newlines only, across chunks and within characters', async t => {
  const text = Buffer.from('{"a":"\u2028 \u2029 \u0085 ü€😀"}\n{"b":1}\n\n{"c":"last"}')
  const { transport } = await open(t, async (_, response) => {
    response.writeHead(200)
    for (const byte of text) {
      response.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    response.end()
  })
  const { status, lines } = await transport.stream(GET)
  t.equal(status, 200)
  t.same(await collect(lines), ['{"a":"\u2028 \u2029 \u0085 ü€😀"}', '{"b":1}', '', '{"c":"last"}'])
})

test('a watch whose connection is reset gives what came and then fails', async t => {
  const { transport } = await open(t, (request, response) => {
    response.writeHead(200).write('{"a":1}\n{"b":')
    setTimeout(() => request.socket.resetAndDestroy(), 50)
  })
  const { lines } = await transport.stream(GET)
  const got: string[] = []
  await t.rejects(async () => {
    for await (const line of lines) got.push(line)
  })
  t.same(got, ['{"a":1}'])
})

test('a refused watch hands over the reason', async t => {
  const { transport } = await open(t, (_, response) => json(response, { kind: 'Status', code: 410 }, 410))
  const { status, lines } = await transport.stream(GET)
  t.equal(status, 410)
  t.same(await collect(lines), ['{"kind":"Status","code":410}'])
})

test('watches have connections of their own and do not hold requests up; closing one closes its connection', async t => {
  const { transport, counts, server } = await open(t, (request, response) => {
    if (request.url?.includes('watch')) response.writeHead(200).write('{}\n')
    else json(response, {})
  })
  const watches = await Promise.all(
    Array.from({ length: 40 }, () => transport.stream({ ...GET, query: { watch: true } })),
  )
  const began = performance.now()
  t.equal((await transport.request(GET)).status, 200)
  t.ok(performance.now() - began < 500)
  t.equal(counts.connections, 41)
  for (const { close } of watches) close()
  const left = () => new Promise<number>(done => server.getConnections((_, n) => done(n)))
  for (let i = 0; i < 100 && (await left()) > 1; i++) await new Promise(done => setTimeout(done, 10))
  t.equal(await left(), 1)
})

test('the signal ends a watch that is under way', async t => {
  const { transport } = await open(t, (_, response) => response.writeHead(200).write('{"a":1}\n'))
  const controller = new AbortController()
  const { lines } = await transport.stream({ ...GET, signal: controller.signal })
  setTimeout(() => controller.abort(new Error('enough')), 50)
  await t.rejects(collect(lines), { message: 'enough' })
})

test('a refused token is renewed once, and the request is made again', async t => {
  const { transport, seen } = await open(
    t,
    (request, response) => json(response, {}, request.headers.authorization === 'Bearer new' ? 200 : 401),
    { token: async refused => (refused === undefined ? 'old' : 'new') },
  )
  t.equal((await transport.request(POST)).status, 200)
  t.same(seen.map(({ headers }) => headers.authorization), ['Bearer old', 'Bearer new']) // biome-ignore format: short
  t.equal((await transport.stream(GET)).status, 200)
})

test('a token that stays refused gives the 401', async t => {
  const { transport, seen } = await open(t, (_, response) => json(response, {}, 401), { token: async () => 'old' })
  t.equal((await transport.request(GET)).status, 401)
  t.equal(seen.length, 1)
})

test('without a token nothing is sent, so a write has not happened', async t => {
  const token = () => Promise.reject(new Error('file gone'))
  const { transport, seen } = await open(t, (_, response) => json(response, {}), { token })
  const failed = await transport.request(POST).catch(error => error)
  t.match(failed, { name: 'UnreachableError', message: /no token: file gone/ })
  t.equal(seen.length, 0)
})

test('a certificate that nobody vouches for is refused, also when the server asks nicely', async t => {
  const { transport, seen } = await open(t, (_, response) => json(response, {}), { ca: two.cert }, one)
  const failed = await transport.request(POST).catch(error => error)
  t.ok(failed instanceof UnreachableError, 'and nothing was sent')
  t.equal(seen.length, 0)
})

test('a rotated CA is taken up without a restart', async t => {
  let current = one
  const files = async () => ({ ca: current.cert })
  const { transport, server, sockets, counts } = await open(
    t,
    (_, response) => json(response, {}),
    { ca: one.cert, tls: files },
    one,
  )
  t.equal((await transport.request(GET)).status, 200)
  current = two
  ;(server as unknown as { setSecureContext(options: object): void }).setSecureContext(two)
  for (const socket of sockets) socket.destroy()
  await new Promise(done => setTimeout(done, 50)) // until the client has seen its connection go
  t.equal((await transport.request(GET)).status, 200, 'the failed read is repeated with the new CA')
  t.equal((await transport.request(POST)).status, 200, 'and writes go through again')
  t.ok(counts.connections <= 4)
})
