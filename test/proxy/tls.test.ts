// TLS in front of the proxy: both HTTP versions over it, and certificates that change under load.
import { writeFileSync } from 'node:fs'
import { connect as connectH2 } from 'node:http2'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { test } from 'tap'
import { startProxy } from '../../src/proxy/start.ts'
import { one, two } from '../kube/certificates.ts'
import { eventually, only, pod, proxy, rawPod } from './kit.ts'

const ca = [one.cert, two.cert]

function files(folder: string, pair: { cert: string; key: string }) {
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  writeFileSync(tls.cert, pair.cert)
  writeFileSync(tls.key, pair.key)
  return tls
}

/** One request over TLS; the body. */
function ask(port: number, options: { agent?: Agent; method?: string; body?: Buffer } = {}): Promise<string> {
  const { body, ...rest } = options
  return new Promise((done, fail) => {
    const req = request({ host: '127.0.0.1', port, ca, ...rest }, res => {
      let text = ''
      res.setEncoding('latin1').on('data', part => {
        text += part
      })
      res.on('end', () => done(text))
      res.on('error', fail)
    })
    req.on('error', fail)
    req.end(body)
  })
}

/** The serial of the certificate that a new connection is shown. */
const shown = (port: number): Promise<string> =>
  new Promise((done, fail) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => {
      done(socket.getPeerCertificate().subject.CN as string)
      socket.destroy()
    })
    socket.on('error', fail)
  })

test('HTTP/1.1 and HTTP/2 over TLS; the pod learns that it was https', async t => {
  const p = await pod(t, (req, res) => void req.resume().on('end', () => res.end(req.headers['x-forwarded-proto'])))
  const running = await proxy(t, { table: only(p.url), tls: files(t.testdir(), one) })
  t.match(running.url, /^https:/)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  for (let i = 0; i < 3; i++) t.equal(await ask(running.port, { agent }), 'https')
  const session = connectH2(running.url, { ca })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  let body = ''
  for await (const part of stream.setEncoding('utf8')) body += part
  t.equal(body, 'https')
  t.equal(session.alpnProtocol, 'h2')
})

test('large bodies pass whole both ways over TLS', async t => {
  const p = await pod(t, (req, res) => {
    let size = 0
    req.on('data', (part: Buffer) => (size += part.length))
    req.on('end', () => res.end('y'.repeat(5_000_000) + size))
  })
  const running = await proxy(t, { table: only(p.url), tls: files(t.testdir(), one) })
  const answers = await Promise.all(
    [1, 2, 3].map(n => ask(running.port, { method: 'POST', body: Buffer.alloc(n * 1_000_000, 'x') })),
  )
  t.match(
    answers.map(a => [a.length, a.slice(-7)]),
    [1, 2, 3].map(n => [5_000_007, `${n}000000`]),
  )
})

test('a WebSocket over TLS', async t => {
  const p = await rawPod(t, socket =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      socket.on('data', data => socket.write(data.toString().toUpperCase()))
    }),
  )
  const running = await proxy(t, { table: only(p.url), tls: files(t.testdir(), one) })
  const socket = connect({ host: '127.0.0.1', port: running.port, ca })
  t.teardown(() => socket.destroy())
  let said = ''
  socket.setEncoding('latin1').on('data', part => {
    said += part
  })
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await eventually(() => said.includes('101'), 'the switch')
  socket.write('hello')
  await eventually(() => said.includes('HELLO'), 'the echo')
})

test('a new certificate is taken up under load without a failed request; a bad one is told and passed over', async t => {
  const p = await pod(t, 'ok')
  const folder = t.testdir()
  const tls = files(folder, one)
  const running = await proxy(t, { table: only(p.url), tls })
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.teardown(() => agent.destroy())
  let isOver = false
  let served = 0
  const load = Promise.all(
    [1, 2, 3, 4].map(async n => {
      while (!isOver) {
        t.equal(await ask(running.port, n % 2 ? { agent } : {}), 'ok')
        served++
        await sleep(2)
      }
    }),
  )
  t.equal(await shown(running.port), 'pintle test one')
  writeFileSync(tls.cert, 'nonsense')
  await eventually(() => running.status().problems.length === 1, 'the bad one is told')
  t.match(running.status().problems[0], /tls\.crt.*stays in force/)
  t.equal(await shown(running.port), 'pintle test one')
  files(folder, two)
  await eventually(() => running.status().problems.length === 0, 'the new one is good')
  t.equal(await shown(running.port), 'pintle test two')
  isOver = true
  await load
  t.ok(served > 20)
})

test('an answer that breaks off is seen over TLS too, and harms nobody else', async t => {
  const broken = await rawPod(t, s => s.on('data', () => s.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')))
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(broken.url), tls: files(t.testdir(), one) })
  await t.rejects(ask(running.port))
  running.swap(only(p.url))
  t.equal(await ask(running.port), 'ok')
})

test('who speaks no TLS, or half of it, harms nobody', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url), tls: files(t.testdir(), one) })
  await t.rejects(fetch(`http://127.0.0.1:${running.port}/`))
  t.equal(await ask(running.port), 'ok')
})

test('files that do not belong together are a clear error at the start', async t => {
  const tls = files(t.testdir(), { cert: one.cert, key: two.key })
  await t.rejects(startProxy({ tls }), { code: 'PIN4007', message: /cannot use the certificate .*tls\.crt/ })
  await t.rejects(startProxy({ tls: { cert: '/nowhere', key: tls.key } }), { code: 'PIN4007', hint: /PEM/ })
})

test('clients that read slowly over TLS get all, and nobody else notices', async t => {
  const size = 20_000_000
  const p = await pod(t, (req, res) => {
    if (req.url !== '/large') return void res.end('ok')
    // In pieces, so that many are on their way while the client takes none.
    let left = size
    const more = (): void => {
      while (left > 0) {
        const part = Buffer.alloc(Math.min(left, 10_000), 'x')
        left -= part.length
        if (!res.write(part)) return void res.once('drain', more)
      }
      res.end()
    }
    res.setHeader('Content-Length', size)
    more()
  })
  const running = await proxy(t, { table: only(p.url), tls: files(t.testdir(), one) })
  const slow = Array.from({ length: 10 }, async () => {
    const socket = connect({ host: '127.0.0.1', port: running.port, ca })
    socket.write('GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    socket.pause()
    await sleep(500)
    let got = 0
    for await (const part of socket) got += (part as Buffer).length
    return got
  })
  await sleep(200)
  for (let i = 0; i < 5; i++) t.equal(await ask(running.port), 'ok')
  for (const got of await Promise.all(slow)) t.ok(got > size, `${got} octets, head and all`)
})
