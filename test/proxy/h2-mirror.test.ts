// Copies of HTTP/2 streams for the canary: as many as the mirror route says, whole, and never felt by the user.
import type { IncomingHttpHeaders } from 'node:http2'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { code, END_HEADERS, frame, GET, literals, rawClient, TYPE } from './h2-raw.ts'
import { deadPort, eventually, pod, proxy, rawPod, split } from './kit.ts'

const mirrors = [{ name: 'shadow', percent: 50, anyOf: [{ method: { exact: 'POST' } }] }]

/** A table in which stable serves everything and half of the POSTs are copied. */
const shadowed = (stable: string, canary: string) => ({
  routes: [{ ...split(stable, canary, 0).routes![0]!, mirrors }],
})

/** A pod in HTTP/1.1 that notes what it is sent. */
async function noting(t: Parameters<typeof pod>[0]) {
  const notes: string[] = []
  const { url, requests } = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => (body += part))
    req.on('end', () => {
      notes.push(`${req.method} ${req.url} ${body}`)
      res.writeHead(500).end('from the mirror')
    })
  })
  return { url, notes, requests }
}

test('a share of the streams that a mirror route takes is copied, bodies and all', async t => {
  const stable = await pod(t, (req, res) => void req.resume().on('end', () => res.end('stable')))
  const canary = await noting(t)
  const running = await proxy(t, { table: shadowed(stable.url, canary.url) })
  const session = open(t, running.url)
  const post = { ':method': 'POST', ':path': '/a?b', ':authority': 'shop.test', 'x-mine': '1' }
  for (let i = 0; i < 5; i++) t.match(await call(session, post, 'abc'), { status: 200, body: 'stable' })
  for (let i = 0; i < 5; i++)
    t.match(await call(session, { ...post, 'content-length': '3' }, 'abc'), { body: 'stable' })
  t.match(await call(session, { ':path': '/' }), { body: 'stable' })
  await eventually(() => canary.notes.length === 5, 'half of ten')
  t.same(new Set(canary.notes), new Set(['POST /a?b abc']))
  for (const { headers } of canary.requests)
    t.match(headers, { host: 'shop.test', 'x-mine': '1', 'content-length': '3', 'x-forwarded-proto': 'http' })
  await eventually(() => running.stats('web', 60).byRole['mirror']?.requests === 5, 'counted apart')
  t.match(running.stats('web', 60).byRole, { stable: { requests: 11, errors: 0 }, mirror: { errors: 5 } })
})

test('longer bodies than 64 KB, and streams that never end, are not copied', async t => {
  const stable = await pod(t, (req, res) => void req.resume().on('end', () => res.end('stable')))
  const canary = await noting(t)
  const running = await proxy(t, { table: shadowed(stable.url, canary.url) })
  const session = open(t, running.url)
  const post = { ':method': 'POST', ':path': '/' }
  for (let i = 0; i < 4; i++) t.match(await call(session, post, 'x'.repeat(70_000)), { body: 'stable' })
  for (let i = 0; i < 2; i++) {
    const client = rawClient(t, running.port)
    const head = literals([[':method', 'POST'], ...GET.slice(1)])
    const [begin, half] = [frame(TYPE.headers, END_HEADERS, 1, head), frame(TYPE.data, 0, 1, 'half')]
    client.send(begin, half)
    await eventually(() => running.stats('web', 60).total.inFlight === 1, 'it is under way')
    client.send(frame(TYPE.reset, 0, 1, code(8)))
    await eventually(() => running.stats('web', 60).total.inFlight === 0, 'it is over')
  }
  for (let i = 0; i < 2; i++) await call(session, post, 'last')
  await eventually(() => canary.notes.length > 0, 'a short one is')
  t.same(canary.notes, ['POST / last'])
})

test('a canary in h2c gets its copies in h2c, from h2c and HTTP/1.1 pods alike', async t => {
  const got: string[] = []
  const seen: IncomingHttpHeaders[] = []
  const canary = await h2cPod(t, (stream, headers) => {
    let body = ''
    seen.push(headers)
    stream.on('data', part => (body += part))
    stream.on('end', () => {
      got.push(`${headers[':method']} ${headers[':path']} ${body}`)
      stream.respond({ ':status': 200 }, { endStream: true })
    })
  })
  const h1 = await pod(t, (req, res) => void req.resume().on('end', () => res.end('stable')))
  const h2 = await h2cPod(t, stream => void stream.resume().on('end', () => stream.end('stable')))
  const running = await proxy(t, { table: shadowed(h1.url, canary.url) })
  const session = open(t, running.url)
  const post = { ':method': 'POST', ':path': '/s/M', 'content-type': 'application/grpc' }
  for (let i = 0; i < 2; i++) t.match(await call(session, post, 'abc'), { body: 'stable' })
  running.swap(shadowed(h2.url, canary.url))
  for (let i = 0; i < 2; i++) t.match(await call(session, post, 'abc'), { body: 'stable' })
  await eventually(() => got.length === 2, 'half of each')
  t.same(got, ['POST /s/M abc', 'POST /s/M abc'])
  t.match(seen[0], { te: 'trailers', 'content-type': 'application/grpc' })
  await eventually(() => running.stats('web', 60).byRole['mirror']?.requests === 2, 'counted')
  t.equal(running.stats('web', 60).byRole['mirror']?.errors, 0)
})

test('a canary that is dead, mute or breaks off is not felt', async t => {
  const stable = await pod(t, (req, res) => void req.resume().on('end', () => res.end('stable')))
  const crashing = await rawPod(t, socket => void socket.on('data', () => socket.resetAndDestroy()))
  const mute = await rawPod(t, () => {})
  const dead = await deadPort()
  const running = await proxy(t, { table: shadowed(stable.url, stable.url) })
  const session = open(t, running.url)
  for (const port of [dead, crashing.port, mute.port])
    for (const scheme of ['http', 'h2c']) {
      running.swap(shadowed(stable.url, `${scheme}://127.0.0.1:${port}`))
      const all = Array.from({ length: 4 }, () => call(session, { ':method': 'POST', ':path': '/' }, 'x'))
      for (const heard of await Promise.all(all)) t.match(heard, { status: 200, body: 'stable', code: 0 })
    }
})
