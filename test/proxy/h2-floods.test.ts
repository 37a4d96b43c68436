// Clients of HTTP/2 that want too much: floods of every kind, bodies that do not come, answers that nobody takes. Each ends
// with its own connection or stream, while other clients are served as ever.
import { connect } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { call, open } from './h2-kit.ts'
import {
  asking,
  code,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  literals,
  type RawClient,
  rawClient,
  TYPE,
} from './h2-raw.ts'
import { eventually, only, pod, proxy, rawPod } from './kit.ts'

/** Sends `octets` again and again until the connection ends; how many were sent. Fails beyond `most`. */
async function flood(client: RawClient, octets: () => Buffer, most: number): Promise<number> {
  let sent = 0
  while (!client.isClosed() && client.goaway() === undefined) {
    if (sent > most) throw new Error(`still open after ${sent} octets`)
    const next = octets()
    sent += next.length
    if (!client.socket.write(next))
      await Promise.race([new Promise(done => client.socket.once('drain', done)), sleep(50)])
    else await new Promise(done => setImmediate(done))
  }
  return sent
}

const repeat = (one: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => one))

test('floods end with their own connection; others are served meanwhile, and memory is bounded', async t => {
  const p = await pod(t, (req, res) => void req.resume().on('end', () => res.end('ok')))
  const running = await proxy(t, { table: only(p.url) })
  const next = (by = 2): (() => number) => {
    let id = 1 - by
    return () => {
      id += by
      return id
    }
  }
  const MB = 1024 * 1024
  // 64 MB and more: these are ended by the clock, four times a second, whatever came meanwhile.
  const rows: readonly (readonly [
    why: string,
    begin: () => Buffer,
    more: (id: () => number) => Buffer,
    most: number,
  ])[] = [
    [
      'streams that are reset at once (CVE-2023-44487)',
      () => Buffer.alloc(0),
      id => Buffer.concat(Array.from({ length: 50 }, id).flatMap(n => [asking(n), frame(TYPE.reset, 0, n, code(8))])),
      MB,
    ],
    // Streams that the proxy must reset for what comes on them (CVE-2025-8671): their pods are asked all the same.
    ...Object.entries({
      'a window that is too wide': (n: number) => frame(TYPE.window, 0, n, code(2 ** 31 - 1)),
      'a window of nothing': (n: number) => frame(TYPE.window, 0, n, code(0)),
      'DATA behind the end': (n: number) => frame(TYPE.data, 0, n, 'x'),
      'a head behind the end': (n: number) => asking(n),
      'a stream that depends on itself': (n: number) =>
        frame(TYPE.priority, 0, n, Buffer.concat([code(n), code(0).subarray(3)])),
    }).map(
      ([why, fault]) =>
        [
          why,
          () => Buffer.alloc(0),
          (id: () => number) => Buffer.concat(Array.from({ length: 50 }, id).flatMap(n => [asking(n), fault(n)])),
          MB,
        ] as const,
    ),
    [
      'a head that never ends (CVE-2024-27316)',
      () => frame(TYPE.headers, 0, 1, literals(GET)),
      () => repeat(frame(TYPE.continuation, 0, 1, literals([['x-a', 'y'.repeat(500)]])), 20),
      MB,
    ],
    [
      'a head that never ends, with nothing in it',
      () => frame(TYPE.headers, 0, 1, literals(GET)),
      () => repeat(frame(TYPE.continuation, 0, 1), 200),
      MB,
    ],
    ['SETTINGS (CVE-2019-9515)', () => Buffer.alloc(0), () => repeat(frame(TYPE.settings, 0, 0), 50), MB],
    ['PING (CVE-2019-9512)', () => Buffer.alloc(0), () => repeat(frame(TYPE.ping, 0, 0, '12345678'), 50), MB],
    [
      'DATA without data (CVE-2019-9518)',
      () => frame(TYPE.headers, END_HEADERS, 1, literals([[':method', 'POST'], ...GET.slice(1)])),
      () => repeat(frame(TYPE.data, 0, 1), 500),
      MB,
    ],
    [
      'PRIORITY (CVE-2019-9513)',
      () => asking(1),
      () => repeat(frame(TYPE.priority, 0, 3, '\0\0\0\x01\x01'), 1000),
      64 * MB,
    ],
    ['WINDOW_UPDATE', () => asking(1), () => repeat(frame(TYPE.window, 0, 0, '\0\0\0\x01'), 1000), 64 * MB],
    ['frames of no known type', () => asking(1), () => frame(99, 0, 0, 'x'.repeat(16_000)), 256 * MB],
    [
      'more streams than are allowed',
      () => Buffer.alloc(0),
      id =>
        Buffer.concat(
          Array.from({ length: 50 }, id).map(n =>
            frame(TYPE.headers, END_HEADERS, n, literals([[':method', 'POST'], ...GET.slice(1)])),
          ),
        ),
      MB,
    ],
    [
      'fields that are long once they are unpacked (CVE-2016-1544)',
      () =>
        frame(
          TYPE.headers,
          END_HEADERS | END_STREAM,
          1,
          Buffer.concat([literals(GET), Buffer.from([0x40]), literals([['x-a', 'y'.repeat(3900)]]).subarray(1)]),
        ),
      id => {
        id()
        return frame(
          TYPE.headers,
          END_HEADERS | END_STREAM,
          id(),
          Buffer.concat([literals(GET), Buffer.alloc(12_000, 0x80 | 62)]),
        )
      },
      64 * MB,
    ],
  ]
  let isOver = false
  let served = 0
  const others = (async () => {
    const session = connect(running.url)
    t.teardown(() => session.destroy())
    while (!isOver) {
      const heard = await call(session, { ':path': '/' })
      if (heard.body !== 'ok') throw new Error(`another client got ${JSON.stringify(heard)}`)
      served++
      await sleep(5)
    }
  })()
  const before = process.memoryUsage.rss()
  for (const [why, begin, more, most] of rows) {
    const client = rawClient(t, running.port)
    const id = next()
    if (why.startsWith('fields')) id()
    client.send(begin())
    const sent = await flood(client, () => more(id), most)
    await eventually(client.isClosed, `${why}: the connection is closed`)
    // Who never stops sending may miss it.
    t.not(client.goaway(), 0, `${why}: ended after ${sent} octets, and not as if all were well`)
  }
  t.ok(served > 0, 'others were served meanwhile')
  const soFar = served
  await eventually(() => served > soFar + 3, 'and are served still')
  isOver = true
  await others
  t.ok(process.memoryUsage.rss() - before < 128 * MB, 'memory is bounded')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left in flight')
})

test('a client that pings now and then, cancels some calls and changes its settings is none of these', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  for (let i = 0; i < 60; i++) {
    session.ping(() => {})
    if (i % 6 === 0) session.settings({ initialWindowSize: 65_535 + i })
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => {})
    stream.close(8)
    t.match(await call(session, { ':path': '/' }), { status: 200, body: 'ok' })
  }
  t.notOk(session.closed)
})

test('a client that pings for each answer, as gRPC clients do to measure the line, and cancels as much as it lets end', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url) })
  const pinging = open(t, running.url)
  const cancelling = open(t, running.url)
  const calls = async (session: typeof pinging, beside: () => void): Promise<void> => {
    for (let i = 0; i < 400; i++) {
      beside()
      t.match(await call(session, { ':path': '/' }), { status: 200, body: 'ok' })
    }
  }
  const cancel = (): void => {
    const stream = cancelling.request({ ':path': '/' })
    stream.on('error', () => {})
    stream.close(8)
  }
  await Promise.all([1, 2, 3, 4].map(() => calls(pinging, () => void pinging.ping(() => {}))))
  await Promise.all([1, 2, 3, 4].map(() => calls(cancelling, cancel)))
  t.notOk(pinging.closed)
  t.notOk(cancelling.closed)
})

test('clients that take nothing, or promise a body and send none, are given up in time', async t => {
  const p = await pod(t, (req, res) => void (req.method === 'GET' ? res.end('x'.repeat(1_000_000)) : req.resume()))
  const running = await proxy(t, { table: only(p.url), limits: { send: 200, body: 200 } })
  const deaf = rawClient(t, running.port, '\0\x04\0\0\0\0')
  for (let n = 1; n < 200; n += 2) deaf.send(asking(n))
  await eventually(() => p.requests.length === 100, 'all are with the pod')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'and are cut')
  await eventually(() => deaf.heard.filter(f => f.type === TYPE.reset).length === 100, 'and told')
  const late = rawClient(t, running.port)
  late.send(frame(TYPE.headers, END_HEADERS, 1, literals([[':method', 'POST'], ...GET.slice(1)])))
  late.send(frame(TYPE.data, 0, 1, 'half'))
  await eventually(() => p.requests.length === 101, 'it is with the pod')
  await eventually(() => late.heard.some(f => f.type === TYPE.headers), 'it is told')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'and the pod is free')
})

test('a pod that falls silent in the middle of an answer is given up in time', async t => {
  const mute = await rawPod(t, s => s.on('data', () => s.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')))
  const running = await proxy(t, { table: only(mute.url, { timeouts: { silenceSeconds: 0.2 } }) })
  const heard = await call(open(t, running.url), { ':path': '/' })
  t.match(heard, { status: 200, body: 'half' })
  t.not(heard.code, 0, 'the client sees that it is not whole')
})

test('a client that goes on sending after its answer is told to stop', async t => {
  const p = await pod(t, (_req, res) => res.writeHead(401).end('no'))
  const running = await proxy(t, { table: only(p.url) })
  const client = rawClient(t, running.port)
  client.send(frame(TYPE.headers, END_HEADERS, 1, literals([[':method', 'POST'], ...GET.slice(1)])))
  const sending = setInterval(() => client.send(frame(TYPE.data, 0, 1, 'more')), 10)
  t.teardown(() => clearInterval(sending))
  const stop = (): Buffer | undefined => client.heard.find(f => f.type === TYPE.reset)?.payload
  await eventually(() => stop() !== undefined, 'a reset', 5000)
  t.equal(stop()?.readUInt32BE(), 0, 'without an error')
  t.ok(
    client.heard.some(f => f.type === TYPE.data && f.payload.toString() === 'no'),
    'behind the whole answer',
  )
})

test('uploads that their pods do not take hold up no other on the same connection', async t => {
  const p = await pod(t, (req, res) => {
    if (req.url !== '/stuck') req.resume().on('end', () => res.end('ok'))
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const stuck = session.request({ ':method': 'POST', ':path': '/stuck' })
  stuck.on('error', () => {})
  for (const path of ['/stuck', '/stuck', '/stuck']) {
    const another = session.request({ ':method': 'POST', ':path': path })
    another.on('error', () => {})
    another.write(Buffer.alloc(1_500_000))
  }
  stuck.write(Buffer.alloc(1_500_000))
  await eventually(() => p.requests.length === 4, 'they are under way')
  await sleep(600)
  for (let i = 0; i < 5; i++)
    t.match(await call(session, { ':method': 'POST', ':path': '/' }, Buffer.alloc(100_000)), {
      status: 200,
      body: 'ok',
    })
  t.notOk(session.closed, 'waiting octets are no flood')
  stuck.destroy()
})

test('limits hold for streams: bodies, requests in flight, connections', async t => {
  const held = await pod(t, (req, res) => void (req.url === '/hold' ? 0 : req.resume().on('end', () => res.end('ok'))))
  const running = await proxy(t, { table: only(held.url), limits: { bodyOctets: 1000, inFlight: 3, connections: 2 } })
  const session = open(t, running.url)
  const post = { ':method': 'POST', ':path': '/' }
  t.match(await call(session, { ...post, 'content-length': '1001' }, 'x'.repeat(1001)), { status: 413 })
  t.match(await call(session, post, 'x'.repeat(1001)), { status: 413 })
  t.match(await call(session, post, 'x'.repeat(1000)), { status: 200 })
  const holding = [1, 2, 3].map(() => session.request({ ':path': '/hold' }))
  for (const stream of holding) stream.on('error', () => {})
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 3, 'three are held')
  t.match(await call(session, { ':path': '/' }), { status: 503, body: /too many/ })
  for (const stream of holding) stream.destroy()
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'they are gone')
  t.match(await call(session, { ':path': '/' }), { status: 200 })
  rawClient(t, running.port)
  const third = rawClient(t, running.port)
  await eventually(third.isClosed, 'no third connection')
})
