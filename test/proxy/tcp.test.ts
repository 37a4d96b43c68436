// TCP mode: whole connections by exact weights, to pods that take them, octet for octet both ways.
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTls } from 'node:tls'
import { test } from 'tap'
import { proxyOptionsFromFlags } from '../../src/proxy/flags.ts'
import { kubeSource } from '../../src/proxy/source-kube.ts'
import type { RouteTableInput } from '../../src/proxy/table.ts'
import { parseTable } from '../../src/proxy/table.ts'
import { one } from '../kube/certificates.ts'
import { ask, deadPort, eventually, pod, proxy, rawPod } from './kit.ts'
import { podsOf } from './pods-kit.ts'

type T = Parameters<typeof rawPod>[0]

const tcp = (stable: string, canary: string, weight: number, more: object = {}): RouteTableInput => ({
  routes: [
    {
      name: 'db',
      mode: 'tcp',
      dests: [
        { role: 'stable', weight: 100 - weight, upstream: stable },
        { role: 'canary', weight, hash: 'new', upstream: canary },
      ],
      ...more,
    },
  ],
})

/** A pod that says its name first, as databases do, and then gives back what it gets. */
const greeter = (t: T, name: string) =>
  rawPod(t, socket => {
    socket.write(`${name}
`)
    socket.pipe(socket)
  })

/** All that a connection gets until its end, having said this and ended its side. */
function talk(port: number, said: string | Buffer = ''): Promise<string> {
  return new Promise((done, fail) => {
    let got = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(said))
    socket.setEncoding('latin1').on('data', part => {
      got += part
    })
    socket.on('end', () => done(got))
    socket.on('error', fail)
  })
}

/** Listening, in pieces the test sees; the first line that comes. */
function hello(t: T, port: number): Promise<{ socket: Socket; name: string }> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.once('data', data => done({ socket, name: `${data}`.trim() }))
    socket.on('error', fail)
  })
}

test('connections follow the weights exactly, and both sides may end on their own', async t => {
  const [stable, canary] = await Promise.all([greeter(t, 'stable'), greeter(t, 'canary')])
  const running = await proxy(t, { table: tcp(stable.url, canary.url, 5) })
  const got: string[] = []
  for (let i = 0; i < 200; i++) got.push(await talk(running.port, `number ${i}`))
  t.equal(got.filter(text => text.startsWith('canary\n')).length, 10)
  t.ok(
    got.every((text, i) => text.endsWith(`\nnumber ${i}`)),
    'what is said after the end of the client still arrives',
  )
  for (const weight of [0, 100]) {
    running.swap(tcp(stable.url, canary.url, weight))
    const names = new Set<string>()
    for (let i = 0; i < 20; i++) names.add((await talk(running.port)).trim())
    t.same([...names], [weight === 0 ? 'stable' : 'canary'], `${weight} %`)
  }
  await eventually(() => running.status().routes[0]!.dests.every(d => d.tunnels === 0), 'none is left open')
  const text = (await ask(running.adminUrl, '/metrics')).body
  t.match(text, /pintle_proxy_requests_total\{route="db",role="canary".*code="2xx"\} 30/)
  t.match(text, /pintle_proxy_tcp_bytes_total\{route="db",role="stable".*direction="received"\} [1-9]/)
})

test('much data both ways, past a slow reader, comes whole', async t => {
  const p = await rawPod(t, socket => socket.pipe(socket))
  const running = await proxy(t, { table: tcp(p.url, p.url, 0) })
  const data = randomBytes(8_000_000)
  const [sent, got] = [createHash('sha1').update(data).digest('hex'), createHash('sha1')]
  let size = 0
  await new Promise<void>((done, fail) => {
    const socket = connect({ port: running.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(data))
    socket.on('data', part => {
      size += part.length
      got.update(part)
      socket.pause()
      setTimeout(() => socket.resume(), size < 2_000_000 ? 5 : 0)
    })
    socket.on('end', done)
    socket.on('error', fail)
  })
  t.equal(got.digest('hex'), sent)
})

test('a pod that takes no connection is passed over before an octet is lost; with none the client sees a reset', async t => {
  const good = await greeter(t, 'good')
  const { cache, setRoute } = podsOf([await deadPort(), good.port])
  setRoute({ mode: 'tcp' })
  const running = await proxy(t, { source: kubeSource({ cache }) })
  for (let i = 0; i < 6; i++) t.equal(await talk(running.port, 'hi'), 'good\nhi')
  t.ok(running.status().routes[0]!.dests[0]!.retries >= 1)
  t.equal(running.status().routes[0]!.dests[0]!.errors, 0)

  const dead = `http://127.0.0.1:${await deadPort()}`
  const none = await proxy(t, { table: tcp(dead, dead, 0) })
  await t.rejects(talk(none.port), { code: 'ECONNRESET' })
  t.match(none.stats('db', 60).byRole['stable'], { requests: 1, errors: 1 })
})

test('a weight moves new connections only; the end of a pod is the end of its connections', async t => {
  const [stable, canary] = await Promise.all([greeter(t, 'stable'), greeter(t, 'canary')])
  const running = await proxy(t, { table: tcp(stable.url, canary.url, 100) })
  const { socket, name } = await hello(t, running.port)
  t.equal(name, 'canary')
  running.swap(tcp(stable.url, canary.url, 0))
  socket.write('still')
  await new Promise<void>(done => socket.once('data', data => done(t.equal(`${data}`, 'still') as never)))
  t.equal((await hello(t, running.port)).name, 'stable')
  t.equal(running.status().routes[0]!.dests[1]!.tunnels, 1, 'the controller sees that somebody is still there')
  const closed = new Promise<void>(done => socket.once('close', () => done()))
  await running.drain({ tunnels: 50 })
  await closed
})

test("TCP and HTTP live beside each other, on ports of their own; TLS is the pod's own", async t => {
  const web = await pod(t, 'web')
  const secure = createTls({ key: one.key, cert: one.cert }, socket => socket.end('secret'))
  await new Promise<void>(done => secure.listen(0, '127.0.0.1', done))
  t.teardown(() => secure.close())
  const backend = `http://127.0.0.1:${(secure.address() as { port: number }).port}`
  const port = await deadPort()
  const [db] = tcp(backend, backend, 0, { match: { port } }).routes!
  const http = { name: 'web', dests: [{ role: 'stable' as const, weight: 100, upstream: web.url }] }
  const running = await proxy(t, { table: { routes: [db!, http] } })
  await eventually(() => running.status().problems.length === 0, 'the port is open')
  t.equal((await ask(running.url)).body, 'web')
  const socket = connectTls({ port, host: '127.0.0.1', ca: one.cert, servername: 'localhost' })
  let said = ''
  for await (const part of socket) said += part
  t.equal(said, 'secret')

  // A proxy that ends TLS itself leaves it alone on such a port.
  const folder = t.testdir()
  const tls = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  writeFileSync(tls.cert, one.cert)
  writeFileSync(tls.key, one.key)
  await running.close()
  const ending = await proxy(t, { table: { routes: [db!, http] }, tls })
  await eventually(() => ending.status().problems.length === 0, 'the port is open')
  const again = connectTls({ port, host: '127.0.0.1', ca: one.cert, servername: 'localhost' })
  let more = ''
  for await (const part of again) more += part
  t.equal(more, 'secret')
})

test('limits: idle connections, and how many there may be', async t => {
  const p = await greeter(t, 'pod')
  const running = await proxy(t, { table: tcp(p.url, p.url, 0), limits: { tunnel: 150, connections: 2 } })
  const first = await hello(t, running.port)
  await hello(t, running.port)
  const third = connect(running.port, '127.0.0.1')
  t.teardown(() => third.destroy())
  third.on('error', () => {})
  await new Promise<void>(done => third.once('close', () => done()))
  await new Promise<void>(done => first.socket.once('close', () => done()))
  t.equal((await hello(t, running.port)).name, 'pod', 'there is room again')
})

test('what only requests can follow is refused in mode tcp', async t => {
  const base = tcp('http://a:1', 'http://b:1', 10).routes![0]!
  const bad = (more: object) => () => parseTable({ routes: [{ ...base, ...more }] }, 'test')
  t.throws(bad({ match: { hosts: ['a'] } }), /match\.hosts: means nothing in mode tcp/)
  t.throws(bad({ sticky: { by: 'header', name: 'a' } }), /sticky: means nothing/)
  t.throws(bad({ rules: [{ to: 'canary', anyOf: [{ method: { exact: 'GET' } }] }] }), /rules: means nothing/)
  const two = { routes: [base, { ...base, name: 'other' }] }
  t.throws(() => parseTable(two, 'test'), /another route has them already/)
  await t.rejects(proxyOptionsFromFlags({ active: 'http://a:1', preview: 'http://b:1', tcp: true }), {
    code: 'PIN4005',
  })
  const { source } = await proxyOptionsFromFlags({ stable: 'http://a:1', tcp: true })
  t.ok(source)
})
