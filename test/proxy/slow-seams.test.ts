// What is held for clients and pods that do not read, where it is not the plain answer or upload of slow-memory.test.ts.
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type Test, test } from 'tap'
import { one } from '../kube/certificates.ts'
import { patternPod } from './behave-pattern.ts'
import { asking, frame, TYPE } from './h2-raw.ts'
import { ask, eventually, only, pod, rawPod } from './kit.ts'
import { type Child, childOf, crowd, push } from './slow-child.ts'

const MB = 1024 * 1024
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n'
const UPGRADE =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** Says `first` to whoever speaks, then goes on with `part` as long as somebody takes it; on /small it is brief. */
async function endless(t: Test, first: string, part: Buffer) {
  let sent = 0
  const { url } = await rawPod(t, socket => {
    socket.once('data', data => {
      if (data.includes('GET /small')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      socket.write(first)
      const more = (): void => {
        while (!socket.destroyed) {
          sent += part.length
          if (!socket.write(part)) return void socket.once('drain', more)
        }
      }
      more()
    })
  })
  return { url, rest: () => still(() => sent) }
}

/** Waits until a number does not grow any more. */
async function still(value: () => number): Promise<void> {
  for (let last = -1; last !== value(); await sleep(300)) last = value()
}

/** Asserts that what is done beside takes at most so many MB, once all is at rest. */
async function within(t: Test, proxy: Child, most: number, doing: () => Promise<unknown>): Promise<void> {
  await proxy.cost()
  const before = await proxy.cost()
  await doing()
  const after = await proxy.cost()
  const held = (after.held - before.held) / MB
  t.comment(`${held.toFixed(1)} MB held, rss ${((after.rss - before.rss) / MB).toFixed(1)} MB`)
  t.ok(held < most, `${held.toFixed(1)} MB held, at most ${most} are right`)
}

const paused = async (t: Test, port: number, count: number, bytes: string | Buffer): Promise<Socket[]> =>
  (await crowd(t, port, count, bytes)).map(socket => socket.pause())

function certificate(t: Test) {
  const tls = { cert: join(t.testdir(), 'tls.crt'), key: join(t.testdir(), 'tls.key') }
  writeFileSync(tls.cert, one.cert)
  writeFileSync(tls.key, one.key)
  return tls
}

const tlsCrowd = (t: Test, port: number, count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from({ length: count }, () => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: [one.cert] })
      socket.on('error', () => {})
      t.teardown(() => socket.destroy())
      return new Promise<Socket>(done => socket.once('secureConnect', () => done(socket.pause())))
    }),
  )

test("the proxy's own answers to a client that does not read", async t => {
  const p = await pod(t, 'x')
  const proxy = await childOf(t, { table: only(p.url, { match: { hosts: ['a'] } }) })
  const flood = Buffer.from('GET / HTTP/1.1\r\nHost: nobody\r\n\r\n'.repeat(1000))
  await within(t, proxy, 8, async () => push(await paused(t, proxy.port, 4, ''), flood, 200 * MB))
})

test('tunnels: a client that does not read, a pod that does not', async t => {
  const flood = await endless(t, SWITCHED, Buffer.alloc(64 * 1024))
  const toClient = await childOf(t, { table: only(flood.url) })
  await within(t, toClient, 8, async () => {
    await paused(t, toClient.port, 20, UPGRADE)
    await flood.rest()
  })
  const silent = await rawPod(t, socket => {
    socket.once('data', () => socket.pause().write(SWITCHED))
  })
  const toPod = await childOf(t, { table: only(silent.url) })
  await within(t, toPod, 8, async () => {
    const sockets = await crowd(t, toPod.port, 20, UPGRADE)
    await Promise.all(sockets.map(socket => new Promise(done => socket.once('data', done))))
    await push(sockets, Buffer.alloc(MB), 1000 * MB)
  })
})

const unending = {
  'interim answers': ['', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
  'chunks of one octet': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1;a=b;c=d\r\nx\r\n'],
  trailers: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'a-b: c\r\n'],
} as const
for (const [name, [first, part]] of Object.entries(unending)) {
  test(`${name} without end, and a client that does not read`, async t => {
    const flood = await endless(t, first, Buffer.from(part.repeat(2000)))
    const proxy = await childOf(t, { table: only(flood.url) })
    await within(t, proxy, 8, async () => {
      await paused(t, proxy.port, 10, GET)
      await flood.rest()
    })
  })
}

test('a mirror that does not answer: users are served, and beyond a bound nothing is copied', async t => {
  const stable = await pod(t, (req, res) => void req.resume().on('end', () => res.end('ok')))
  const silent = await rawPod(t, socket => void socket.pause())
  const dests = [
    { role: 'stable' as const, weight: 100, upstream: stable.url },
    { role: 'canary' as const, weight: 0, upstream: silent.url },
  ]
  const mirrors = [{ name: 'shadow', percent: 100, anyOf: [] }]
  const proxy = await childOf(t, { table: { routes: [{ name: 'web', dests, mirrors }] } })
  const upload = Buffer.concat([
    Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n'),
    Buffer.alloc(60_000),
  ])
  await within(t, proxy, 40, async () => {
    let served = 0
    for (const socket of await crowd(t, proxy.port, 20, upload)) {
      socket.on('data', () => {
        served++
        if (served < 4000) socket.write(upload)
      })
    }
    await eventually(() => served >= 4000, '4,000 uploads of 60 KB served', 30_000)
  })
})

test('TLS: clients that pipeline or ask for much and do not read, and uploads that no pod reads', async t => {
  const tls = certificate(t)
  const pattern = await pod(t, patternPod)
  const pipelined = await childOf(t, { table: only(pattern.url), tls })
  const asked = Buffer.from('GET /1/60000 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000))
  await within(t, pipelined, 10, async () => {
    await push(await tlsCrowd(t, pipelined.port, 4), asked, 100 * MB)
    await still(() => pattern.requests.length)
  })
  const flood = await endless(t, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', Buffer.alloc(64 * 1024))
  const large = await childOf(t, { table: only(flood.url), tls })
  await within(t, large, 20, async () => {
    for (const socket of await tlsCrowd(t, large.port, 40)) socket.write(GET)
    await flood.rest()
  })
  const silent = await rawPod(t, socket => void socket.once('data', () => socket.pause()))
  const uploads = await childOf(t, { table: only(silent.url), tls })
  await within(t, uploads, 20, async () => {
    const sockets = await tlsCrowd(t, uploads.port, 20)
    for (const socket of sockets) socket.write(UPLOAD)
    await push(sockets, Buffer.alloc(MB), 1000 * MB)
  })
})

test('HTTP/2 with its windows wide open: 2,000 streams that nobody reads', async t => {
  const flood = await endless(t, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', Buffer.alloc(64 * 1024))
  const proxy = await childOf(t, { table: only(flood.url) })
  const opening = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])),
    frame(TYPE.window, 0, 0, Buffer.from([0x7f, 0xff, 0, 0])),
    ...Array.from({ length: 100 }, (_, i) => asking(2 * i + 1)),
  ])
  // 64 MB, then a small read for each, and what the stream itself costs.
  await within(t, proxy, 110, async () => {
    await paused(t, proxy.port, 20, opening)
    await flood.rest()
  })
  t.equal((await ask(proxy.url, '/small')).status, 200, 'another client has its answer')
})
