// WebSockets through the proxy: bytes both ways, and neither a reset nor an odd answer harms anybody.
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { test } from 'tap'
import { eventually, only, pod, proxy, rawPod, split, wire } from './kit.ts'

const hello = (path = '/') =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'
const accepted = createHash('sha1')
  .update('dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
  .digest('base64')

/** A pod that accepts every upgrade, says its name first and echoes in capitals. */
const echo = (name: string) => (socket: Socket) =>
  socket.once('data', () => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n${name}`,
    )
    socket.on('data', data => socket.write(data.toString().toUpperCase()))
  })

test('bytes pass both ways after the 101, the very first ones too', async t => {
  const p = await rawPod(t, echo('first'))
  const running = await proxy(t, { table: only(p.url) })
  const w = wire(t, running.port, `${hello()}early`)
  await w.until('first')
  await w.until('EARLY')
  t.ok(w.said().includes(accepted))
  w.socket.write('more')
  await w.until('MORE')
  const dest = () => running.status().routes[0]?.dests[0]
  t.match(dest(), { tunnels: 1, inFlight: 0, requests: 1, errors: 0 })
  w.socket.end()
  await w.closed
  await eventually(() => dest()?.tunnels === 0, 'the tunnel is gone')
})

test('a tunnel stays on its version when the weight moves away', async t => {
  const stable = await rawPod(t, echo('stable'))
  const canary = await rawPod(t, echo('canary'))
  const running = await proxy(t, { table: split(stable.url, canary.url, 100) })
  const w = wire(t, running.port, hello())
  await w.until('canary')
  running.swap(split(stable.url, canary.url, 0))
  w.socket.write('still')
  t.ok(await w.until('STILL'))
  t.ok(await wire(t, running.port, hello()).until('stable'), 'a new one goes to stable')
})

test('a refusal of the pod reaches the client whole', async t => {
  const p = await pod(t, 'unused')
  p.server.on('upgrade', (_req, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Why: no\r\n\r\nnot me')
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const said = await wire(t, port, hello()).closed
  t.match(said, /^HTTP\/1\.1 403 Forbidden/)
  t.match(said, /X-Why: no/)
  t.match(said, /not me$/)
})

test('a client that resets while the pod still thinks harms nobody and leaves nothing open', async t => {
  let open = 0
  const p = await rawPod(t, socket => {
    open++
    socket.on('close', () => open--)
    socket.resume()
  })
  const running = await proxy(t, { table: only(p.url) })
  for (let i = 0; i < 20; i++) {
    const w = wire(t, running.port, hello())
    await eventually(() => open === 1, 'the pod is asked')
    w.socket.resetAndDestroy()
    await eventually(() => open === 0, 'and let go')
  }
  t.equal(running.status().routes[0]?.dests[0]?.inFlight, 0)
})

test('a pod that resets in the middle of a tunnel breaks it for the client', async t => {
  const p = await rawPod(t, socket =>
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi')
      socket.once('data', () => socket.resetAndDestroy())
    }),
  )
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, hello())
  await w.until('hi')
  w.socket.write('x')
  t.ok(await w.closed)
})

test('the last words of a pod reach the client before the end', async t => {
  const big = 'z'.repeat(2_000_000)
  const p = await rawPod(t, socket =>
    socket.once('data', () =>
      socket.end(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${big}`),
    ),
  )
  const { port } = await proxy(t, { table: only(p.url) })
  const said = await wire(t, port, hello()).closed
  t.equal(said.length - said.indexOf('\r\n\r\n') - 4, big.length)
})

test('anything but websocket is not an upgrade', async t => {
  const p = await pod(t, (req, res) => res.end(`plain ${req.headers.upgrade ?? 'none'}`))
  const { port } = await proxy(t, { table: only(p.url) })
  const h2c =
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAA\r\n\r\n'
  t.ok(await wire(t, port, h2c).until('plain none'))
})

test('a pod that switches to something else, or not at all, is a 502', async t => {
  const odd = await rawPod(t, s =>
    s.once('data', () => s.write('HTTP/1.1 101 X\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n')),
  )
  const gone = await rawPod(t, s => s.once('data', () => s.destroy()))
  for (const p of [odd, gone]) {
    const running = await proxy(t, { table: only(p.url) })
    t.match(await wire(t, running.port, hello()).closed, /^HTTP\/1\.1 502 /)
    await eventually(() => running.stats('web', 60).total.errors === 1, 'counted as an error')
  }
})

test('a switch in words that clients read differently is a 502', async t => {
  const rows = {
    'in HTTP/1.0': 'HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'not on this connection': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n',
    'to two protocols':
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
  }
  for (const [why, answer] of Object.entries(rows)) {
    const p = await rawPod(t, socket => socket.on('data', () => socket.write(answer)))
    const { port } = await proxy(t, { table: only(p.url) })
    t.match(await wire(t, port, hello()).closed, /^HTTP\/1.1 502 /, why)
  }
})

test('an upgrade that is malformed or leads nowhere is refused', async t => {
  const p = await rawPod(t, echo('never'))
  const { port } = await proxy(t, { table: only(p.url, { match: { pathPrefix: '/ws' } }) })
  t.match(await wire(t, port, hello('/other')).closed, /^HTTP\/1\.1 404 /)
  t.match(await wire(t, port, hello('/ws').replace('Host: a', 'Host: a\r\nHost: b')).closed, /^HTTP\/1\.1 400 /)
})
