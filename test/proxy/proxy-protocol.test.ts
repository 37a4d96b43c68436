// The PROXY protocol: who is behind a load balancer, in both versions, however the octets come; nobody else may say so.
import { writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { test } from 'tap'
import { readProxyHeader } from '../../src/proxy/engine/proxy-header.ts'
import { one } from '../kube/certificates.ts'
import { eventually, only, pod, proxy, rawPod, wire } from './kit.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v2 = (rest: string): Buffer => Buffer.from(SIGNATURE + rest, 'hex')
const IP4 = v2('2111000c' + 'c0000207' + '0a000001' + 'dead' + '0050')
const IP6 = v2('21210024' + '20010db8000000000000000000000001' + '00000000000000000000000000000001' + 'dead' + '0050')
const MAPPED = v2('21210024' + '00000000000000000000ffffc0000207' + '00000000000000000000ffff0a000001' + 'dead0050')
const WITH_MORE = v2('2111000f' + 'c0000207' + '0a000001' + 'dead' + '0050' + '040000')
const LOCAL = v2('20000000')
const UNIX = v2(`213100d8${'00'.repeat(216)}`)

const good: readonly (readonly [why: string, octets: Buffer, peer: string | undefined])[] = [
  ['v1, IPv4', Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 57005 80\r\n'), '192.0.2.7'],
  ['v1, IPv6', Buffer.from('PROXY TCP6 2001:db8::1 ::1 57005 80\r\n'), '2001:db8::1'],
  ['v1, IPv6 at length', Buffer.from('PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 57005 80\r\n'), '2001:db8::1'],
  ['v1, IPv4 within IPv6', Buffer.from('PROXY TCP6 ::ffff:192.0.2.7 ::1 57005 80\r\n'), '192.0.2.7'],
  ['v1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['v1, unknown with more', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), undefined],
  ['v2, IPv4', IP4, '192.0.2.7'],
  ['v2, IPv6', IP6, '2001:db8::1'],
  ['v2, IPv4 within IPv6', MAPPED, '192.0.2.7'],
  ['v2, with extensions', WITH_MORE, '192.0.2.7'],
  ['v2, local', LOCAL, undefined],
  ['v2, a Unix socket', UNIX, undefined],
]

test('both versions are read, from pieces of any size', t => {
  for (const [why, octets, peer] of good) {
    const whole = Buffer.concat([octets, Buffer.from('GET')])
    t.same(readProxyHeader(whole), { size: octets.length, peer }, why)
    for (let i = 0; i < octets.length; i++)
      if (readProxyHeader(octets.subarray(0, i)) !== 'more') t.fail(`${why}: not enough after ${i} octets`)
  }
  t.end()
})

test('whatever is none is refused', t => {
  const bad: readonly string[] = [
    'GET / HTTP/1.1\r\n',
    'proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n',
    'PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n',
    'PROXY TCP4 2001:db8::1 ::1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.777 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n',
    'PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n',
    'PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
  ]
  for (const text of bad) t.match(readProxyHeader(Buffer.from(text)), { why: /\w/ }, text)
  for (const octets of [v2('2211000c'), v2('11110000'), v2('21110004c0000207'), v2('2111ffff')])
    t.match(readProxyHeader(octets), { why: /\w/ }, octets.toString('hex'))
  t.end()
})

const seen = (t: Parameters<typeof pod>[0]) =>
  pod(
    t,
    (req, res) =>
      void req
        .resume()
        .on('end', () => res.end(`${req.headers['x-forwarded-for']} ${req.headers['x-forwarded-proto']}`)),
  )
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

test('the pod learns who is behind the balancer; others are served as they are', async t => {
  const p = await seen(t)
  const running = await proxy(t, { table: only(p.url), proxyProtocol: ['127.0.0.1'] })
  for (const [why, octets, peer] of good) {
    const w = wire(t, running.port)
    w.socket.write(Buffer.concat([octets, Buffer.from(GET)]))
    await w.until(`${peer ?? '127.0.0.1'} http`)
    w.socket.write(GET)
    await eventually(() => w.said().split(' http').length === 3, `${why}: the next request too`)
    w.socket.destroy()
  }
  const slow = wire(t, running.port)
  for (const octet of Buffer.concat([IP4, Buffer.from(GET)])) {
    slow.socket.write(Buffer.from([octet]))
    await new Promise(done => setImmediate(done))
  }
  await slow.until('192.0.2.7 http')
  const stranger = await proxy(t, { table: only(p.url), proxyProtocol: ['10.0.0.0/8'] })
  const plain = wire(t, stranger.port, GET)
  await plain.until('127.0.0.1 http')
  const liar = wire(t, stranger.port, `PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n${GET}`)
  t.match(await liar.closed, /^HTTP\/1\.1 400 /, 'a stranger is not believed')
})

test('in TCP mode the header is taken off, and nothing behind it is lost', async t => {
  const echo = await rawPod(t, socket => void socket.pipe(socket))
  const table = only(echo.url, { mode: 'tcp' })
  const running = await proxy(t, { table, proxyProtocol: ['127.0.0.1'] })
  for (const [why, octets] of good) {
    const w = wire(t, running.port)
    w.socket.write(Buffer.concat([octets, Buffer.from('one,')]))
    w.socket.write('two,')
    await w.until('one,two,')
    w.socket.end('three')
    t.equal(await w.closed, 'one,two,three', why)
  }
  const late = wire(t, running.port)
  late.socket.write(LOCAL)
  await new Promise(done => setTimeout(done, 20))
  late.socket.end('hello')
  t.equal(await late.closed, 'hello', 'the header alone at first')
})

test('a peer that should speak it and does not is closed and counted', async t => {
  const running = await proxy(t, { table: only((await seen(t)).url), proxyProtocol: ['127.0.0.1'] })
  t.equal(await wire(t, running.port, GET).closed, '')
  await eventually(() => running.status().refused === 1, 'counted')
})

const tlsFiles = (t: { testdir(): string; testdirName: string }) => {
  const tls = { cert: join(t.testdir(), 'tls.crt'), key: join(t.testdirName, 'tls.key') }
  writeFileSync(tls.cert, one.cert)
  writeFileSync(tls.key, one.key)
  return tls
}

for (const isTls of [false, true])
  test(`those that wait for their header count, and a proxy that leaves ends them (TLS: ${isTls})`, async t => {
    const p = await seen(t)
    const more = isTls ? { tls: tlsFiles(t) } : {}
    const options = { table: only(p.url), proxyProtocol: ['127.0.0.1'], limits: { connections: 2 }, ...more }
    const running = await proxy(t, options)
    const ended = [false, false]
    for (const i of [0, 1]) {
      const w = wire(t, running.port)
      void w.closed.then(() => {
        ended[i] = true
      })
      await new Promise(done => w.socket.once('connect', done))
    }
    t.equal(await wire(t, running.port).closed, '', 'one too many')
    t.equal(running.status().turnedAway, 1, 'counted')
    t.same(ended, [false, false])
    await running.drain()
    await eventually(() => ended.every(Boolean), 'ended with the proxy')
    t.equal(running.status().refused, 0, 'which is no fault of theirs')
  })

test('those in a TLS handshake count too, and are ended', async t => {
  const options = { table: only((await seen(t)).url), tls: tlsFiles(t), limits: { connections: 1 } }
  const running = await proxy(t, options)
  const first = wire(t, running.port)
  await new Promise(done => first.socket.once('connect', done))
  t.equal(await wire(t, running.port).closed, '', 'one too many')
  await running.drain()
  t.equal(await first.closed, '')
})

test('before TLS too, with both HTTP versions', async t => {
  const p = await seen(t)
  const tls = tlsFiles(t)
  const running = await proxy(t, { table: only(p.url), tls, proxyProtocol: ['127.0.0.1'] })
  const raw = connectTcp(running.port, '127.0.0.1')
  raw.write(IP4)
  const socket = connectTls({ socket: raw, ca: one.cert, servername: 'localhost' })
  t.teardown(() => socket.destroy())
  let said = ''
  socket.on('data', data => {
    said += data
  })
  socket.write(GET)
  await eventually(() => said.includes('192.0.2.7 https'), 'over HTTP/1.1')

  const other = connectTcp(running.port, '127.0.0.1')
  other.write(IP6)
  const { connect } = await import('node:http2')
  const session = connect('https://localhost', {
    createConnection: () => connectTls({ socket: other, ca: one.cert, servername: 'localhost', ALPNProtocols: ['h2'] }),
  })
  t.teardown(() => session.destroy())
  let body = ''
  for await (const part of session.request({ ':path': '/' }).setEncoding('utf8')) body += part
  t.equal(body, '2001:db8::1 https', 'over HTTP/2')

  const stranger = await proxy(t, { table: only(p.url), tls, proxyProtocol: ['10.0.0.0/8'] })
  const plain = connectTls({ port: stranger.port, host: '127.0.0.1', ca: one.cert, servername: 'localhost' })
  t.teardown(() => plain.destroy())
  let heard = ''
  plain.on('data', data => {
    heard += data
  })
  plain.write(GET)
  await eventually(() => heard.includes('127.0.0.1 https'), 'others begin with TLS')
})
