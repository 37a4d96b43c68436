// What the proxy adds for those who look later: Forwarded, traces, and the version that answered, over both protocols.

import { readFileSync } from 'node:fs'
import { connect as connectH2, type IncomingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { test } from 'tap'
import { isTraceparent } from '../../src/proxy/marks.ts'
import { type ProxyFlags, proxyOptionsFromFlags } from '../../src/proxy/start.ts'
import { ask, eventually, only, pod, proxy, rawPod, split, wire } from './kit.ts'

const VALID = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** A pod that says which headers it got. */
const mirror = (t: Parameters<typeof pod>[0]) => pod(t, (req, res) => res.end(JSON.stringify(req.headers)))

/** One stream over HTTP/2 by prior knowledge. */
function askH2(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  return new Promise((done, fail) => {
    const session = connectH2(url)
    const stream = session.request({ ':path': '/', ...headers })
    let [body, got] = ['', {} as IncomingHttpHeaders]
    stream.on('response', answer => {
      got = answer
    })
    stream.setEncoding('utf8').on('data', part => {
      body += part
    })
    stream.on('end', () => {
      session.close()
      done({ headers: got, body })
    })
    stream.on('error', fail)
  })
}

test('Forwarded: one element for this hop, after those of a trusted peer', async t => {
  const p = await mirror(t)
  const rows: readonly (readonly [why: string, trust: string[], given: string | undefined, wanted: string])[] = [
    ['a plain request', [], undefined, 'for=127.0.0.1;proto=http;host="shop.test:80"'],
    ['what a stranger claims is dropped', [], 'for=1.2.3.4', 'for=127.0.0.1;proto=http;host="shop.test:80"'],
    [
      'a trusted peer',
      ['127.0.0.0/8'],
      'for="[2001:db8::1]";by=x',
      'for="[2001:db8::1]";by=x, for=127.0.0.1;proto=http;host="shop.test:80"',
    ],
  ]
  for (const [why, trust, given, wanted] of rows) {
    const running = await proxy(t, { table: only(p.url), trust, marks: { forwarded: true } })
    const headers = { Host: 'shop.test:80', ...(given ? { Forwarded: given } : {}) }
    for (const again of ['first', 'second'])
      t.equal(JSON.parse((await ask(running.url, '/', { headers })).body).forwarded, wanted, `${why}, ${again} request`)
    const h2 = await askH2(running.url, { ':authority': 'shop.test:80', ...(given ? { forwarded: given } : {}) })
    t.equal(JSON.parse(h2.body).forwarded, wanted, `${why}, HTTP/2`)
  }
  const off = await proxy(t, { table: only(p.url) })
  const { forwarded } = JSON.parse((await ask(off.url, '/', { headers: { Forwarded: 'for=1.2.3.4' } })).body)
  t.equal(forwarded, undefined, 'nothing unless asked for')
})

test('what only looks like a forwarding field is dropped, whoever sends it', async t => {
  const p = await mirror(t)
  const names = ['X_Forwarded_For', 'x-forwarded_proto', 'X_Forwarded-Host', 'X.Forwarded.Port']
  const claims = Object.fromEntries(names.map(name => [name, '1.2.3.4']))
  for (const trust of [[], ['127.0.0.0/8']]) {
    const running = await proxy(t, { table: only(p.url), trust })
    const lower = Object.fromEntries(names.map(name => [name.toLowerCase(), '1.2.3.4']))
    for (const { body } of [
      await ask(running.url, '/', { headers: { ...claims, X_Own: 'stays' } }),
      await askH2(running.url, { ...lower, x_own: 'stays' }),
    ]) {
      t.notMatch(body, /1\.2\.3\.4/)
      t.match(JSON.parse(body), { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', x_own: 'stays' })
    }
  }
})

test('a trace is passed on, or begun where there is none that is valid', async t => {
  const p = await mirror(t)
  const file = join(t.testdir(), 'access.log')
  const running = await proxy(t, { table: only(p.url), marks: { trace: 0.5 }, accessLog: { file, sample: 1 } })
  const ids = new Set<string>()
  for (const over of [
    async (headers: Record<string, string>) => JSON.parse((await ask(running.url, '/', { headers })).body),
    async (headers: Record<string, string>) => JSON.parse((await askH2(running.url, headers)).body),
  ]) {
    const kept = await over({ traceparent: VALID, tracestate: 'a=1' })
    t.match(kept, { traceparent: VALID, tracestate: 'a=1' }, 'a valid one is left alone')
    const begun = await over({})
    t.ok(isTraceparent(begun.traceparent), begun.traceparent)
    ids.add(begun.traceparent)
    const wrong = await over({ traceparent: '00-0-0-01', tracestate: 'a=1' })
    t.ok(isTraceparent(wrong.traceparent), 'a wrong one is replaced')
    t.equal(wrong.tracestate, undefined, 'and its state goes with it')
    ids.add(wrong.traceparent)
  }
  t.equal(ids.size, 4, 'each its own')
  t.equal([...ids].filter(id => id.endsWith('-01')).length, 2, 'half of them sampled, exactly')
  await eventually(() => readFileSync(file, 'utf8').split('\n').length > 6, 'the log is written')
  t.match(readFileSync(file, 'utf8'), /"trace":"4bf92f3577b34da6a3ce929d0e0e4736"/)
  const off = await proxy(t, { table: only(p.url) })
  t.equal(JSON.parse((await ask(off.url)).body).traceparent, undefined, 'nothing unless asked for')
})

test('what a traceparent is', t => {
  const zero = '0'.repeat(32)
  const rows: readonly (readonly [good: boolean, text: string])[] = [
    [true, VALID],
    [true, VALID.replace('00-', 'cc-')],
    [true, `${VALID.replace('00-', 'cc-')}-more`],
    [false, `${VALID}-more`],
    [false, VALID.replace('00-', 'ff-')],
    [false, VALID.toUpperCase()],
    [false, VALID.replace(/-[0-9a-f]{32}-/, `-${zero}-`)],
    [false, VALID.replace(/-[0-9a-f]{16}-/, `-${'0'.repeat(16)}-`)],
    [false, `${VALID}, ${VALID}`],
    [false, ''],
  ]
  for (const [good, text] of rows) t.equal(isTraceparent(text), good, text)
  t.end()
})

test('an answer says who gave it, and keeps what the pod said', async t => {
  const stable = await pod(t, (_req, res) => res.writeHead(200, { 'Server-Timing': 'db;dur=5' }).end('s'))
  const canary = await pod(t, (_req, res) => res.writeHead(200, { 'x-version': '1.2', 'X-Version-2': 'kept' }).end('c'))
  const table = split(stable.url, canary.url, 50)
  table.routes![0]!.dests[1]!.hash = '6f5b9'
  const running = await proxy(t, { table, marks: { versionHeader: 'X-Version', serverTiming: true } })
  const answers = []
  for (let i = 0; i < 2; i++) answers.push(await ask(running.url))
  for (let i = 0; i < 2; i++) answers.push(await askH2(running.url))
  for (const { headers, body } of answers) {
    t.equal(headers['x-version'], body === 's' ? 'stable' : 'canary 6f5b9', 'instead of what the pod says')
    t.equal(headers['x-version-2'], body === 's' ? undefined : 'kept')
    const own =
      body === 's'
        ? /^(?=.*pintle;desc="stable";dur=\d+\.\d)(?=.*db;dur=5)/
        : /^pintle;desc="canary 6f5b9";dur=\d+\.\d$/
    t.match(headers['server-timing'], own)
  }
  t.equal(new Set(answers.map(a => a.body)).size, 2)
})

test('the answer to an upgrade says it too', async t => {
  const p = await rawPod(t, socket => {
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'X-Version: 1',
      '',
      'hi',
    ]
    socket.once('data', () => socket.write(lines.join('\r\n')))
  })
  const running = await proxy(t, { table: only(p.url), marks: { versionHeader: 'X-Version' } })
  const w = wire(t, running.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  const said = await w.until('hi')
  t.same(said.match(/^X-Version: .*$/gm), ['X-Version: stable'])
  t.match(said, /\r\n\r\nhi$/)
})

test('flags that are wrong are told', async t => {
  const from = (flags: ProxyFlags) => proxyOptionsFromFlags({ stable: 'http://a:1', ...flags })
  t.match(await from({ trace: true, forwarded: true, versionHeader: 'X-V', serverTiming: true }), {
    marks: { trace: 0, forwarded: true, versionHeader: 'X-V', serverTiming: true },
  })
  t.match(await from({ trace: '0.1', proxyProtocol: '10.0.0.0/8, ::1' }), {
    marks: { trace: 0.1 },
    proxyProtocol: ['10.0.0.0/8', '::1'],
  })
  await t.rejects(from({ trace: '2' }), { code: 'PIN4005', message: /--trace 2/ })
  await t.rejects(from({ versionHeader: 'Content-Length' }), { code: 'PIN4005', message: /--version-header Content-L/ })
  await t.rejects(from({ versionHeader: 'a b' }), { code: 'PIN4005', message: /--version-header a b/ })
})
