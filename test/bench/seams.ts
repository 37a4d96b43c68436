// Does the proxy lose anything when traffic moves? `npm run bench:seams -- [cutovers] [requests per second]`:
// blue-green cutovers and canary weight changes under constant load, with slow answers, uploads and WebSockets open,
// and the pods of the old version ending after each. Every other version speaks HTTP/2 without TLS, and so does every third
// client. Prints what failed, and exits 1 when anything did.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import {
  type ClientHttp2Session,
  connect as connectH2,
  createServer as createH2Server,
  type ServerHttp2Session,
} from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpointAt } from '../../src/proxy/endpoints.ts'
import { startProxy } from '../../src/proxy/start.ts'
import type { RouteTableInput } from '../../src/proxy/table.ts'
import { numbersOf } from './numbers.ts'

const [cutovers, rate] = numbersOf('seams', 'Moves traffic under load and counts what fails.', [
  { what: 'cutovers', otherwise: 200, least: 1 },
  { what: 'requests per second', otherwise: 200, least: 1 },
]) as [number, number]
const BETWEEN_MS = 120

type Version = { name: string; port: number; h2Port: number; ended: Promise<unknown>; end(): void }

/** A pod of a version: answers at once, slowly, to uploads and on WebSockets; `end` is what SIGTERM makes of it. */
async function startVersion(name: string): Promise<Version> {
  const tunnels = new Set<Socket>()
  const answer = (req: IncomingMessage, res: ServerResponse): unknown =>
    serve(name, req, res).catch(error => fail(`pod: ${error.message}`))
  const server: Server = createServer(answer)
  server.on('upgrade', (_req, socket) => {
    tunnels.add(socket as Socket)
    socket.on('close', () => tunnels.delete(socket as Socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', data => socket.write(data))
    socket.on('end', () => socket.end())
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  })
  const h2 = createH2Server((req, res) => void answer(req as never, res as never))
  const sessions = new Set<ServerHttp2Session>()
  h2.on('session', session => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  await Promise.all([server, h2].map(one => once(one.listen(0, '127.0.0.1'), 'listening')))
  const portOf = (one: { address(): unknown }): number => (one.address() as AddressInfo).port
  return {
    name,
    port: portOf(server),
    h2Port: portOf(h2),
    ended: Promise.all([server, h2].map(one => once(one, 'close'))),
    end() {
      server.close()
      h2.close()
      for (const session of sessions) session.close()
    },
  }
}

async function serve(name: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const hash = createHash('sha1')
  for await (const chunk of req) hash.update(chunk)
  res.writeHead(200, { 'X-Version': name, 'X-Sum': hash.digest('hex') })
  if (req.url === '/slow')
    for (let i = 0; i < 5; i++) {
      res.write('.'.repeat(1000))
      await sleep(20 + Math.random() * 100)
    }
  res.end('x'.repeat(1000))
}

const score = { sent: 0, done: 0, failed: new Map<string, number>(), sockets: 0, late: 0 }
const fail = (why: string): void => void score.failed.set(why, (score.failed.get(why) ?? 0) + 1)
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const upload = randomBytes(200_000)
const uploadSum = createHash('sha1').update(upload).digest('hex')
const emptySum = createHash('sha1').digest('hex')
const times: number[] = []

type Kind = 'quick' | 'slow' | 'upload'
type Answer = { status: number; size: number; sum: unknown; version: unknown }

/** One request; its version, or undefined when it failed. */
async function ask(port: number, kind: Kind, isH2 = false): Promise<string | undefined> {
  score.sent++
  const started = performance.now()
  try {
    const { status, size, sum, version } = await (isH2 ? askH2(port, kind) : askH1(port, kind))
    const wanted = kind === 'slow' ? 6000 : 1000
    if (status !== 200) throw new Error(`status ${status}`)
    if (size !== wanted) throw new Error(`${size} bytes instead of ${wanted}`)
    if (sum !== (kind === 'upload' ? uploadSum : emptySum)) throw new Error('the body arrived changed')
    if (kind === 'quick') times.push(performance.now() - started)
    return String(version)
  } catch (error) {
    fail(`${kind}${isH2 ? ' (HTTP/2)' : ''}: ${(error as Error).message}`)
    return undefined
  } finally {
    score.done++
  }
}

let session: ClientHttp2Session | undefined

function askH2(port: number, kind: Kind): Promise<Answer> {
  if (session === undefined || session.closed || session.destroyed) {
    session = connectH2(`http://127.0.0.1:${port}`)
    session.on('error', error => fail(`HTTP/2: ${error.message}`))
  }
  const method = kind === 'upload' ? 'POST' : 'GET'
  const stream = session.request(
    { ':method': method, ':path': kind === 'slow' ? '/slow' : '/' },
    { endStream: kind !== 'upload' },
  )
  return new Promise((done, wrong) => {
    const answer: Answer = { status: 0, size: 0, sum: undefined, version: undefined }
    stream.on('response', headers => {
      answer.status = Number(headers[':status'])
      answer.sum = headers['x-sum']
      answer.version = headers['x-version']
    })
    stream.on('data', (part: Buffer) => {
      answer.size += part.length
    })
    stream.on('error', wrong)
    stream.on('close', () => (stream.rstCode === 0 ? done(answer) : wrong(new Error(`reset with ${stream.rstCode}`))))
    if (kind === 'upload') sendUpload(stream)
  })
}

/** In pieces, so that uploads are under way when traffic moves. */
function sendUpload(to: { write(part: Buffer): unknown; end(): unknown }): void {
  const third = Math.ceil(upload.length / 3)
  // One timer after the other: timers of different lengths may overtake each other when the loop is late.
  const send = (i: number): void => {
    if (i === 3) {
      to.end()
      return
    }
    to.write(upload.subarray(i * third, (i + 1) * third))
    setTimeout(() => send(i + 1), 40)
  }
  send(0)
}

function askH1(port: number, kind: Kind): Promise<Answer> {
  return new Promise((done, wrong) => {
    const method = kind === 'upload' ? 'POST' : 'GET'
    const req = request({ port, host: '127.0.0.1', path: kind === 'slow' ? '/slow' : '/', method, agent }, res => {
      let size = 0
      res.on('data', (part: Buffer) => {
        size += part.length
      })
      res.on('error', error => wrong(new Error(`cut: ${error.message}`)))
      res.on('end', () =>
        done({ status: res.statusCode ?? 0, size, sum: res.headers['x-sum'], version: res.headers['x-version'] }),
      )
    })
    req.on('error', wrong)
    if (kind === 'upload') sendUpload(req)
    else req.end()
  })
}

/** A WebSocket that talks for a while; broken before it says goodbye means failed. */
function talk(port: number): Promise<void> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1')
    let said = 0
    let heard = 0
    let leaving = false
    let open = false
    const timer = setInterval(() => {
      if (!open) return
      if (++said < 15) socket.write('hello')
      else {
        leaving = true
        clearInterval(timer)
        socket.end()
      }
    }, 40)
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.on('error', () => {})
    socket.on('data', data => {
      if (!open) {
        open = data.includes('101')
        if (!open) fail(`WebSocket: ${data.toString('latin1').slice(9, 40)}`)
      } else heard += data.length
    })
    socket.on('close', () => {
      clearInterval(timer)
      if (!leaving) fail('WebSocket: broken')
      else if (heard !== (said - 1) * 5) fail('WebSocket: bytes missing')
      else score.sockets++
      done()
    })
  })
}

const proxy = await startProxy({ seed: 1 })
const resolve = (service: string) => ({ endpoints: [endpointAt('127.0.0.1', Number(service.split('/')[1]), service)] })
type Dest = Readonly<{ role: 'stable' | 'canary' | 'active' | 'preview'; weight: number; version: Version }>

/** Every other version speaks h2c, but where WebSockets go. */
const isH2c = ({ name }: Version): boolean => /[13579]$/.test(name)
const destOf = ({ role, weight, version }: Dest, forSockets: boolean) => {
  const h2c = !forSockets && isH2c(version)
  const upstream = {
    service: `pods/${h2c ? version.h2Port : version.port}`,
    ...(h2c ? { protocol: 'h2c' as const } : {}),
  }
  return { role, weight, hash: version.name, upstream }
}
const route = (dests: readonly Dest[]) => {
  const table: RouteTableInput = {
    routes: [
      { name: 'sockets', match: { pathPrefix: '/ws' }, dests: dests.map(dest => destOf(dest, true)) },
      { name: 'web', dests: dests.map(dest => destOf(dest, false)) },
    ],
  }
  return proxy.swap(table, resolve)
}

let running = true
const flying = new Set<Promise<unknown>>()
const launch = (one: Promise<unknown>): void => {
  flying.add(one)
  void one.finally(() => flying.delete(one))
}

/** Constant load by the clock, not by the answers. */
async function load(): Promise<void> {
  const started = performance.now()
  for (let n = 0; running; n++) {
    const due = started + (n * 1000) / rate
    const wait = due - performance.now()
    if (wait > 1) await sleep(wait)
    else if (wait < -100) score.late++
    launch(ask(proxy.port, n % 10 === 3 ? 'slow' : n % 10 === 7 ? 'upload' : 'quick', n % 3 === 0))
  }
}

async function keepTalking(): Promise<void> {
  while (running) await talk(proxy.port)
}

let stable = await startVersion('v0')
route([{ role: 'active', weight: 100, version: stable }])
const began = performance.now()
const loads = [load(), ...Array.from({ length: 8 }, keepTalking)]
const endings: Promise<void>[] = []

/** Requests that the proxy still has with a version, as its admin endpoint tells a controller. */
function inFlight(version: Version): number {
  const { routes, former } = proxy.status()
  const all = [...routes.flatMap(r => r.dests), ...former].filter(d => d.hash === version.name)
  return all.reduce((sum, d) => sum + d.inFlight, 0)
}

/** The old version goes as soon as the proxy has nothing in flight to it, WebSockets aside: no timer decides.
 * Then it leaves as a pod does: it stops listening, ends its idle connections, and lets its WebSockets finish. */
function retire(version: Version): void {
  endings.push(
    (async () => {
      while (inFlight(version) > 0) await sleep(50)
      version.end()
      await version.ended
    })(),
  )
}

for (let n = 1; n <= cutovers; n++) {
  const next = await startVersion(`v${n}`)
  if (n % 2 === 1) {
    // Blue-green: preview beside active, then both swapped in one table.
    route([
      { role: 'active', weight: 100, version: stable },
      { role: 'preview', weight: 0, version: next },
    ])
    await sleep(BETWEEN_MS / 2)
    route([{ role: 'active', weight: 100, version: next }])
  } else {
    for (const weight of [10, 30, 60, 100]) {
      route([
        { role: 'stable', weight: 100 - weight, version: stable },
        { role: 'canary', weight, version: next },
      ])
      await sleep(BETWEEN_MS / 4)
    }
    route([{ role: 'stable', weight: 100, version: next }])
  }
  retire(stable)
  stable = next
  await sleep(BETWEEN_MS / 2)
}
running = false
await Promise.all(loads)
await Promise.all(flying)
const seconds = (performance.now() - began) / 1000
const loaded = score.sent

// Ratios, counted at the client: every prefix of 1,000 requests at each weight.
const canary = await startVersion('canary')
const ratios: string[] = []
let worst = 0
for (const weight of [1, 5, 33, 50, 99, 0, 100]) {
  route([
    { role: 'stable', weight: 100 - weight, version: stable },
    { role: 'canary', weight, version: canary },
  ])
  let hits = 0
  for (let i = 0; i < 50; i++) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(proxy.port, 'quick', n % 3 === 0)))
    hits += answers.filter(version => version === 'canary').length
    worst = Math.max(worst, Math.abs(hits - ((i + 1) * 20 * weight) / 100))
  }
  ratios.push(`${weight} %: ${hits}`)
}

agent.destroy()
session?.close()
await proxy.drain({ limit: 5000, tunnels: 1000 })
for (const version of [stable, canary]) retire(version)
await Promise.all(endings)

const failed = [...score.failed.values()].reduce((a, b) => a + b, 0)
times.sort((a, b) => a - b)
const quantile = (q: number) => (times[Math.floor(q * (times.length - 1))] ?? 0).toFixed(1)
console.log(`cutovers           ${cutovers} (half blue-green, half canary 10-30-60-100) in ${seconds.toFixed(1)} s`)
console.log(
  `requests           ${loaded} (${(loaded / seconds).toFixed(0)}/s asked for ${rate}/s, ${score.late} sent late)`,
)
console.log(`WebSockets         ${score.sockets} opened, used and closed`)
console.log(`failed             ${failed}`)
for (const [why, count] of score.failed) console.log(`                   ${count} x ${why}`)
console.log(`quick answers      p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`)
console.log(`canary of 1000 at  ${ratios.join(', ')}`)
console.log(`worst share error  ${worst.toFixed(2)} requests`)
process.exitCode = failed > 0 || worst > 1 ? 1 : 0
