// Hostile HTTP/2: messages that would mean something else to a pod in HTTP/1.1, and floods. Nothing of the first is passed
// on; the second end with their connection, while other clients are served as ever.
import { connect } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
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

type Fields = readonly (readonly [name: string, value: string])[]

/** GET with a field set, or left out when the value is undefined. */
const but = (name: string, value: string | undefined): Fields =>
  GET.flatMap(([n, v]) => (n !== name ? [[n, v] as const] : value === undefined ? [] : [[n, value] as const]))
const and = (...more: Fields): Fields => [...GET, ...more]

const HEADS: readonly (readonly [why: string, fields: Fields])[] = [
  ['a name that begins with a colon', and([':x-a', '1'])],
  ['an upper-case name', and(['X-A', '1'])],
  ['Transfer-Encoding', and(['transfer-encoding', 'chunked'])],
  ['Connection', and(['connection', 'close'])],
  ['Connection that names a field', and(['connection', 'x-forwarded-for'])],
  ['Keep-Alive', and(['keep-alive', '1'])],
  ['Proxy-Connection', and(['proxy-connection', 'close'])],
  ['Upgrade', and(['upgrade', 'websocket'])],
  ['TE that is not trailers', and(['te', 'chunked'])],
  ['Host that is not :authority', and(['host', 'evil.test'])],
  ['two Hosts', and(['host', 'shop.test'], ['host', 'evil.test'])],
  ['no :authority and two Hosts', [...but(':authority', undefined), ['host', 'a'], ['host', 'b']]],
  ['neither :authority nor Host', but(':authority', undefined)],
  ['an empty :authority', but(':authority', '')],
  ['user information in :authority', but(':authority', 'a@shop.test')],
  ['a path in :authority', but(':authority', 'shop.test/x')],
  ['a blank in :authority', but(':authority', 'shop.test x')],
  ['CR LF in :authority', but(':authority', 'shop.test\r\nX-Evil: 1')],
  ['two :authority', [...GET, [':authority', 'b']]],
  ['a blank in :path', but(':path', '/ HTTP/1.1')],
  ['CR LF in :path', but(':path', '/ HTTP/1.1\r\nX-Evil: 1')],
  ['a tab in :path', but(':path', '/\t')],
  ['NUL in :path', but(':path', '/\0')],
  ['an octet above 127 in :path', but(':path', '/\xe9')],
  ['a fragment in :path', but(':path', '/#x')],
  ['an absolute :path', but(':path', 'http://evil.test/')],
  ['a :path without a slash', but(':path', 'x')],
  ['* with GET', but(':path', '*')],
  ['an empty :path', but(':path', '')],
  ['no :path', but(':path', undefined)],
  ['no :method', but(':method', undefined)],
  ['no :scheme', but(':scheme', undefined)],
  ['an empty :method', but(':method', '')],
  ['a blank in :method', but(':method', 'GET /evil HTTP/1.1\r\nX: ')],
  ['a method that is no token', but(':method', 'G(T')],
  ['two :method', [...GET, [':method', 'POST']]],
  ['two :path', [...GET, [':path', '/b']]],
  [
    'CONNECT',
    [
      [':method', 'CONNECT'],
      [':authority', 'evil.test:443'],
    ],
  ],
  ['CONNECT with :path', but(':method', 'CONNECT')],
  ['extended CONNECT', [...but(':method', 'CONNECT'), [':protocol', 'websocket']]],
  ['a pseudo-field that is none', [...GET, [':evil', '1']]],
  [':status in a request', [...GET, [':status', '200']]],
  [
    'a pseudo-field behind a field',
    [
      [':method', 'GET'],
      ['x-a', '1'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'a'],
    ],
  ],
  ['Content-Length without a body', and(['content-length', '5'])],
]

/** nghttp2 leaves such fields out and tells nobody: the request goes on without them. */
const LEFT_OUT: typeof HEADS = [
  ['CR LF in a value', and(['x-a', '1\r\nX-Evil: 1'])],
  ['LF in a value', and(['x-a', '1\nX-Evil: 1'])],
  ['CR in a value', and(['x-a', '1\rX-Evil: 1'])],
  ['NUL in a value', and(['x-a', '1\0'])],
  ['CR LF in a name', and(['x-a: 1\r\nx-evil', '1'])],
  ['a colon in a name', and(['x-a: 1', '1'])],
  ['a blank in a name', and(['x a', '1'])],
  ['an empty name', and(['', '1'])],
  ['NUL in a name', and(['x\0a', '1'])],
  ['an octet above 127 in a name', and(['x\xe9', '1'])],
]

test('no head that is malformed, or reads otherwise in HTTP/1.1, reaches a pod', async t => {
  const p = await pod(t, 'ok')
  const h2 = await h2cPod(t, (stream, headers) => {
    seen.push(JSON.stringify(headers))
    stream.respond({}, { endStream: true })
  })
  const seen: string[] = []
  for (const url of [p.url, h2.url]) {
    const running = await proxy(t, { table: only(url) })
    for (const [why, fields] of HEADS) {
      const client = rawClient(t, running.port)
      client.send(asking(1, fields))
      await eventually(() => isRefused(client), `${why}: it is refused`)
      client.socket.destroy()
    }
    t.equal(p.requests.length + seen.length, 0, 'nothing was passed on')
    t.match(await call(open(t, running.url), { ':path': '/' }), { status: 200 }, 'and the proxy goes on')
    p.requests.length = 0
  }
})

test('a field that is malformed reaches no pod', async t => {
  let got = ''
  const p = await rawPod(t, socket =>
    socket.on('data', data => {
      got += data.toString('latin1')
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }),
  )
  const running = await proxy(t, { table: only(p.url) })
  for (const [why, fields] of LEFT_OUT) {
    got = ''
    const client = rawClient(t, running.port)
    client.send(asking(1, fields))
    await eventually(() => client.heard.some(f => f.type === TYPE.headers) || isRefused(client), why)
    t.notMatch(got, /x-?a|evil|\0|\xe9/i, why)
    t.ok(got === '' || got.match(/\r\n\r\n/g)?.length === 1, why)
  }
})

/** A reset, a connection that ended, or an answer of 400: HPACK index 12 is 400 in the static table. */
const isRefused = (client: RawClient): boolean =>
  client.isClosed() ||
  client.goaway() !== undefined ||
  client.heard.some(f => f.type === TYPE.reset || (f.type === TYPE.headers && f.payload[0] === 0x8c))

test('a body of another length than its Content-Length is never whole, nor longer, for the pod', async t => {
  const rows: readonly (readonly [why: string, lengths: readonly string[], pieces: readonly string[]])[] = [
    ['shorter', ['10'], ['abc']],
    ['longer', ['3'], ['abcGET /evil HTTP/1.1\r\n\r\n']],
    ['longer, in pieces', ['3'], ['abc', 'GET /evil HTTP/1.1\r\n\r\n']],
    ['two lengths', ['3', '30'], ['abc']],
    ['the same twice', ['3', '3'], ['abc']],
    ['a list', ['3, 3'], ['abc']],
    ['a sign', ['+3'], ['abc']],
    ['less than nothing', ['-3'], ['abc']],
    ['hexadecimal', ['0x3'], ['abc']],
    ['a leading zero', ['03'], ['abc']],
    ['nothing', [''], ['abc']],
    ['more than can be counted', ['99999999999999999999'], ['abc']],
  ]
  for (const [why, lengths, pieces] of rows) {
    let got = ''
    const p = await rawPod(t, socket =>
      socket.on('data', data => {
        got += data.toString('latin1')
      }),
    )
    const running = await proxy(t, { table: only(p.url) })
    const client = rawClient(t, running.port)
    const fields: Fields = [[':method', 'POST'], ...GET.slice(1), ...lengths.map(l => ['content-length', l] as const)]
    client.send(frame(TYPE.headers, END_HEADERS, 1, literals(fields)))
    for (const [i, piece] of pieces.entries()) {
      client.send(frame(TYPE.data, i === pieces.length - 1 ? END_STREAM : 0, 1, piece))
      await sleep(10)
    }
    await eventually(() => isRefused(client), `${why}: it is refused`)
    t.notMatch(got, 'evil', why)
    t.notMatch(got, /Transfer-Encoding/i, why)
    if (got !== '') t.ok(got.endsWith('abc'), `${why}: what was promised, and no more`)
  }
})

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
      8 * MB,
    ],
  ]
  let isOver = false
  const others = (async () => {
    const session = connect(running.url)
    t.teardown(() => session.destroy())
    let served = 0
    while (!isOver) {
      const heard = await call(session, { ':path': '/' })
      if (heard.body !== 'ok') throw new Error(`another client got ${JSON.stringify(heard)}`)
      served++
      await sleep(5)
    }
    return served
  })()
  const before = process.memoryUsage.rss()
  for (const [why, begin, more, most] of rows) {
    const client = rawClient(t, running.port)
    const id = next()
    if (why.startsWith('fields')) id()
    client.send(begin())
    const sent = await flood(client, () => more(id), most)
    await eventually(client.isClosed, `${why}: the connection is closed`)
    t.pass(`${why}: ended after ${sent} octets`)
  }
  isOver = true
  t.ok((await others) > 10, 'others were served')
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
