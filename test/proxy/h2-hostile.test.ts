// Hostile HTTP/2: messages that would mean something else to a pod, above all to one that speaks HTTP/1.1. None is passed on.
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { asking, END_HEADERS, END_STREAM, frame, GET, literals, type RawClient, rawClient, TYPE } from './h2-raw.ts'
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
  ['Content_Length', and(['content_length', '5'])],
  ['Transfer_Encoding', and(['transfer_encoding', 'chunked'])],
  ['Transfer-Encoding with marks around it', and(['-transfer--encoding-', 'chunked'])],
  ['Host_', and(['host_', 'evil.test'])],
  ['an expectation that nobody knows', and(['expect', 'y 100-continue'])],
  ['no expectation', and(['expect', ''])],
  ['a URL for :scheme', but(':scheme', 'http://evil.test/?')],
  ['CR LF in :scheme', but(':scheme', 'http\r\nx-evil: 1')],
  ['an empty :scheme', but(':scheme', '')],
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

/** A reset, a connection that ended, or an answer other than 200, which is HPACK index 8 in the static table. */
const isRefused = (client: RawClient): boolean =>
  client.isClosed() ||
  client.goaway() !== undefined ||
  client.heard.some(f => f.type === TYPE.reset || (f.type === TYPE.headers && f.payload[0] !== 0x88))

test('a TRACE with a body reaches no pod, nor do trailers that look like what is none', async t => {
  let got = ''
  const p = await rawPod(t, socket =>
    socket.on('data', data => {
      got += data.toString('latin1')
      if (got.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }),
  )
  const running = await proxy(t, { table: only(p.url) })
  const client = rawClient(t, running.port)
  client.send(
    frame(TYPE.headers, END_HEADERS, 1, literals(but(':method', 'TRACE'))),
    frame(TYPE.data, END_STREAM, 1, 'x'),
  )
  await eventually(() => isRefused(client), 'TRACE is refused')
  t.equal(got, '')
  const trailers: Fields = ['x_forwarded_for', 'content_length', '-transfer-encoding', 'host_', 'x-a'].map(n => [
    n,
    '1',
  ])
  client.send(
    frame(TYPE.headers, END_HEADERS, 3, literals(but(':method', 'POST'))),
    frame(TYPE.data, 0, 3, 'x'),
    frame(TYPE.headers, END_HEADERS | END_STREAM, 3, literals(trailers)),
  )
  await eventually(() => client.heard.some(f => f.type === TYPE.headers && f.payload[0] === 0x88), 'POST is served')
  t.ok(got.endsWith('\r\n0\r\nx-a: 1\r\n\r\n'), 'with the only trailer that is one')
})

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
