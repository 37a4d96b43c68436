import { Agent, get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { behaviourOf } from '../../src/sim/behaviour.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { dialAddress } from '../../src/sim/dial.ts'
import { createCluster } from '../../src/sim/world.ts'
import { at, POD, pod, SLICE, service } from '../kit/world.ts'

type Teardown = Readonly<{ teardown(run: () => Promise<void>): void }>

// biome-ignore format: a table reads best as a table
const addresses: Record<string, [string, number, string]> = {
  'a Pod address is on loopback, its port where nobody else listens': ['10.244.3.7', 8080, '127.244.3.7:28080'],
  'a port that needs privileges is moved': ['10.244.3.7', 80, '127.244.3.7:20080'],
  'a high port is not': ['10.244.3.7', 20000, '127.244.3.7:20000'],
  'another address is left alone': ['192.168.1.2', 80, '192.168.1.2:80'],
}
for (const [name, [ip, port, wanted]] of Object.entries(addresses)) {
  test(name, async t => {
    const { host, port: socket } = dialAddress(ip, port)
    t.equal(`${host}:${socket}`, wanted)
  })
}

const plain = { errorRate: 0, latency: 0, neverReady: false, crashes: false }
const env = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }))

test('the tag and the environment tell how a container behaves', async t => {
  t.same(behaviourOf({ image: 'shop/web:v2' }), { ...plain, version: 'v2' })
  t.same(behaviourOf({ image: 'localhost:5000/web' }), { ...plain, version: 'latest' })
  t.same(behaviourOf({ image: 'web:v2-broken-slow' }), {
    ...plain,
    version: 'v2-broken-slow',
    errorRate: 1,
    latency: 500,
  })
  t.same(behaviourOf({ image: 'web:v3-crash' }), { ...plain, version: 'v3-crash', crashes: true })
  const set = env({
    PINTLE_ERROR_RATE: '0.05',
    PINTLE_LATENCY_MS: '30',
    PINTLE_START_DELAY: '2',
    PINTLE_NEVER_READY: 'true',
  })
  t.same(behaviourOf({ image: 'web:v4', env: set }), {
    ...plain,
    version: 'v4',
    errorRate: 0.05,
    latency: 30,
    startDelay: 2000,
    neverReady: true,
  })
  t.equal(behaviourOf({ image: 'web:v4', env: env({ PINTLE_ERROR_RATE: 'lots' }) }).errorRate, 0)
})

const fast = { start: 10, drain: 50 }

/** A cluster on the system clock whose Pods listen. */
async function cluster(t: Teardown) {
  const made = createCluster({ clock: systemClock(), kubelet: 'listeners', listeners: fast, seed: process.pid })
  t.teardown(() => made.stop())
  const { server } = made
  const live = (name: string) => server.get(POD, 'default', name)
  return {
    server,
    live,
    create: (object: KubeObject) => server.create(object, { namespace: 'default' }),
    /** Resolves as soon as something holds; the test's own time-out is the limit. */
    until: (met: () => boolean) =>
      new Promise<void>(resolve => {
        if (met()) return resolve()
        const stop = server.onEvent(() => {
          if (!met()) return
          stop()
          resolve()
        })
      }),
    isReady: (name: string) => () => readyOf(live(name)) === 'True',
  }
}

const readyOf = (object: KubeObject | undefined): string | undefined =>
  (at(object, 'status.conditions') as { type: string; status: string }[] | undefined)?.find(c => c.type === 'Ready')
    ?.status

type Reply = Readonly<{ status: number; body: string; headers: Readonly<Record<string, unknown>> }>

function ask(object: KubeObject | undefined, path = '/', agent: Agent | false = false, port = 8080): Promise<Reply> {
  const address = dialAddress(`${at(object, 'status.podIP')}`, port)
  return new Promise((resolve, reject) => {
    const request = get({ ...address, path, agent }, response => {
      let body = ''
      response.on('data', part => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
    request.on('error', reject)
  })
}

const port = (containerPort: number, more: Readonly<Record<string, unknown>> = {}) => ({
  containers: [{ name: 'web', image: 'example/web:v1', ports: [{ name: 'http', containerPort }], ...more }],
})

test('a Pod answers on its own address with its version, its name and the path', async t => {
  const c = await cluster(t)
  c.create(pod('one', port(8080)))
  c.create(pod('two', port(8080, { image: 'example/web:v2' })))
  await c.until(() => c.isReady('one')() && c.isReady('two')())
  t.match(at(c.live('one'), 'status.podIP'), /^10\./)
  t.same(JSON.parse((await ask(c.live('one'), '/a?b')).body), { version: 'v1', pod: 'one', path: '/a?b' })
  t.match(await ask(c.live('two')), { status: 200, headers: { 'x-version': 'v2', 'x-pod': 'two' } })
})

test('port 80 is really listened on', async t => {
  const c = await cluster(t)
  c.create(pod('one', port(80)))
  await c.until(c.isReady('one'))
  t.match(await ask(c.live('one'), '/', false, 80), { status: 200 })
})

/** Listens on a port of all addresses, as many programs do; the port. */
async function everywhere(t: Teardown, wanted: number): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(wanted, '0.0.0.0', done))
  t.teardown(() => new Promise<void>(done => server.close(() => done())))
  return (server.address() as AddressInfo).port
}

test('a program that listens on the same port of all addresses is in no Pod’s way', async t => {
  const taken = await everywhere(t, 10_000 + (process.pid % 9000))
  const c = await cluster(t)
  c.create(pod('one', port(taken)))
  await c.until(c.isReady('one'))
  t.match(await ask(c.live('one'), '/', false, taken), { status: 200 })
})

test('a Pod that cannot listen says why, and does as soon as it can', async t => {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '0.0.0.0', done))
  const { port: taken } = server.address() as AddressInfo
  const c = await cluster(t)
  c.create(pod('one', port(taken)))
  const why = () => `${at(c.live('one'), 'status.containerStatuses.0.state.waiting.message')}`
  await c.until(() => why() !== 'undefined')
  t.match(why(), /^cannot listen: listen EADDRINUSE: address already in use 127\./)
  await new Promise<void>(done => server.close(() => done()))
  await c.until(c.isReady('one'))
  t.match(await ask(c.live('one'), '/', false, taken), { status: 200 })
})

test('a Pod is ready once its probe succeeds, and never when it says so', async t => {
  const c = await cluster(t)
  const probe = { readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1 } }
  c.create(pod('good', port(8080, probe)))
  c.create(pod('bad', port(8080, { ...probe, env: env({ PINTLE_NEVER_READY: '1' }) })))
  await c.until(c.isReady('good'))
  await c.until(() => at(c.live('bad'), 'status.phase') === 'Running')
  t.equal(readyOf(c.live('bad')), 'False')
  t.match(await ask(c.live('bad')), { status: 200 }, 'it runs, and only its probe fails')
})

test('errors come at the rate that the environment names', async t => {
  const c = await cluster(t)
  c.create(pod('half', port(8080, { env: env({ PINTLE_ERROR_RATE: '0.5' }) })))
  c.create(pod('broken', port(8080, { image: 'example/web:v2-broken' })))
  await c.until(() => c.isReady('half')() && c.isReady('broken')())
  const agent = new Agent({ keepAlive: true })
  let failed = 0
  for (let i = 0; i < 200; i++) if ((await ask(c.live('half'), '/', agent)).status === 500) failed++
  agent.destroy()
  t.ok(failed > 60 && failed < 140, `${failed} of 200 failed`)
  t.equal((await ask(c.live('broken'))).status, 500)
})

test('images that cannot be pulled or crash never listen', async t => {
  const c = await cluster(t)
  c.create(pod('missing', port(8080, { image: 'example/web:does-not-exist' })))
  c.create(pod('crash', port(8080, { image: 'example/web:v2-crash' })))
  const reason = (name: string) => at(c.live(name), 'status.containerStatuses.0.state.waiting.reason')
  await c.until(() => reason('crash') === 'RunContainerError')
  t.equal(at(c.live('missing'), 'status.phase'), 'Pending')
  t.equal(reason('missing'), 'ContainerCreating')
  t.equal(readyOf(c.live('crash')), 'False')
})

test('a deleted Pod leaves the endpoints at once, answers what is running, and is then gone', async t => {
  const c = await cluster(t)
  c.create(service('web'))
  c.create(pod('one', port(8080, { env: env({ PINTLE_LATENCY_MS: '200' }) })))
  const endpoints = () => at(c.server.list(SLICE, 'default')[0], 'endpoints.0.conditions')
  await c.until(() => c.isReady('one')() && at({ x: endpoints() } as unknown as KubeObject, 'x.ready') === true)
  const address = c.live('one')
  const agent = new Agent({ keepAlive: true })
  const running = ask(address, '/long', agent)
  c.server.remove({ ...POD, namespace: 'default', name: 'one' })
  await c.until(() => at({ x: endpoints() } as unknown as KubeObject, 'x.terminating') === true)
  t.same(endpoints(), { ready: false, serving: true, terminating: true })
  const late = await ask(address, '/late')
  t.match(late, { status: 200, headers: { connection: 'close' } }, 'late comers are served and sent away')
  t.match(await running, { status: 200 })
  await c.until(() => c.live('one') === undefined)
  await t.rejects(ask(address), { code: 'ECONNREFUSED' })
  agent.destroy()
})

test('a Pod that outlasts its grace is cut off', async t => {
  const c = await cluster(t)
  c.create(
    pod('one', { ...port(8080, { env: env({ PINTLE_LATENCY_MS: '60000' }) }), terminationGracePeriodSeconds: 1 }),
  )
  await c.until(c.isReady('one'))
  const running = ask(c.live('one')).catch((error: { code?: string }) => error.code)
  await new Promise(resolve => setImmediate(resolve))
  c.server.remove({ ...POD, namespace: 'default', name: 'one' })
  await c.until(() => c.live('one') === undefined)
  t.equal(await running, 'ECONNRESET')
})

test('a stopped node leaves no socket behind', async t => {
  const made = createCluster({ clock: systemClock(), kubelet: 'listeners', listeners: fast, seed: process.pid + 1 })
  const ready = new Promise<KubeObject>(resolve => {
    made.server.onEvent(({ object }) => object.kind === 'Pod' && readyOf(object) === 'True' && resolve(object))
  })
  made.server.create(pod('one', port(8080)), { namespace: 'default' })
  const object = await ready
  await made.stop()
  await t.rejects(ask(object), { code: 'ECONNREFUSED' })
})
