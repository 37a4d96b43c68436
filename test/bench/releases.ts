// How soon does an abort reach every proxy, and does a release lose anything? `npm run bench:releases -- [aborts]
// [cutovers] [requests per second]`: the whole product on the embedded API server, over real sockets, with three proxies
// under load. First a canary of 50 % is aborted and retried again and again: from the write of the abort to the last
// request that any proxy gave to the canary. Then blue-green releases, one after the other, of pods that take three seconds
// to answer and one second to die. Exits 1 when anything failed or the 99th percentile is above a second.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Rollout } from '../../src/api/rollout.ts'
import type { KubeObject } from '../../src/contract.ts'
import { type DemoWorld, startDemoWorld } from '../../src/sim/demo-world.ts'
import { applyTo } from '../../src/sim/world.ts'
import { numbersOf } from './numbers.ts'

const [aborts, cutovers, rate] = numbersOf('releases', 'Aborts and cuts over, with three proxies under load.', [
  { what: 'aborts', otherwise: 500, least: 0 },
  { what: 'cutovers', otherwise: 50, least: 0 },
  { what: 'requests per second', otherwise: 100, least: 1 },
]) as [number, number, number]

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace: 'default' }

const service = (name: string, app: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})

/** Pods of pay need three seconds for an answer, and are killed a second after they were told to go: whoever lets them go
 * too early loses requests. */
const templateOf = (name: string, version: number) => ({
  metadata: { labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name,
        image: `example/${name}:v${version}`,
        ports: [{ containerPort: 8080 }],
        env: name === 'pay' ? [{ name: 'PINTLE_LATENCY_MS', value: '3000' }] : [],
      },
    ],
  },
})

const app = (name: string, strategy: object, annotations = {}): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name, annotations },
  spec: {
    replicas: 2,
    revisionHistoryLimit: 2,
    selector: { matchLabels: { app: name } },
    template: templateOf(name, 1),
    strategy,
  },
})

const canary = {
  canary: {
    stableService: 'shop-stable',
    canaryService: 'shop-canary',
    trafficRouting: { plugins: { 'pintle/proxy': { pathPrefix: '/shop' } } },
    steps: [{ setWeight: 50 }, { pause: {} }],
  },
}
const blueGreen = {
  blueGreen: { activeService: 'pay-active', previewService: 'pay-preview', scaleDownDelaySeconds: 1 },
}
const routed = { 'pintle.dev/traffic': JSON.stringify({ 'pintle/proxy': { pathPrefix: '/pay' } }) }

/** An answer: when its request was sent, and by which version. */
type Answer = Readonly<{ sent: number; version: string }>
const failed = new Map<string, number>()
let sent = 0

/** A steady stream of requests to one proxy. `onAnswer` hears of each. */
function stream(url: string, path: string, perSecond: number, onAnswer: (answer: Answer) => void) {
  const pool = new Pool(url, { connections: 500, headersTimeout: 20_000 })
  const open = new Set<Promise<void>>()
  const ask = async (): Promise<void> => {
    const at = performance.now()
    sent += 1
    try {
      const { statusCode, headers, body } = await pool.request({ method: 'GET', path })
      await body.dump()
      if (statusCode === 200) onAnswer({ sent: at, version: String(headers['x-version']) })
      else failed.set(`${path} answered ${statusCode}`, (failed.get(`${path} answered ${statusCode}`) ?? 0) + 1)
    } catch (error) {
      const why = `${path} ${(error as Error).message}`
      failed.set(why, (failed.get(why) ?? 0) + 1)
    }
  }
  const timer = setInterval(() => {
    const one: Promise<void> = ask().finally(() => open.delete(one))
    open.add(one)
  }, 1000 / perSecond)
  return async () => {
    clearInterval(timer)
    await Promise.all(open)
    await pool.close()
  }
}

const rolloutOf = ({ cluster }: DemoWorld, name: string) => cluster.server.get(ROLLOUT, 'default', name) as Rollout

async function until(world: DemoWorld, name: string, what: string, met: (r: Rollout) => boolean): Promise<void> {
  const end = Date.now() + 60_000
  while (!met(rolloutOf(world, name))) {
    if (Date.now() > end) {
      const { phase, message } = rolloutOf(world, name).status ?? {}
      throw new Error(`${name} is not ${what} after a minute: it is ${phase}, ${message}`)
    }
    await sleep(2)
  }
}

const isObserved = ({ metadata, status }: Rollout) => status?.observedGeneration === `${metadata.generation}`
const isHealthy = (r: Rollout) =>
  isObserved(r) && r.status?.phase === 'Healthy' && r.status.stableRS === r.status.currentPodHash

const patch = ({ cluster }: DemoWorld, name: string, body: object, subresource?: 'status') =>
  cluster.server.patch({ ...ROLLOUT, name }, 'merge', body, subresource ? { subresource } : {})
const ship = (world: DemoWorld, name: string, version: number) =>
  patch(world, name, { spec: { template: templateOf(name, version) } })

/** Milliseconds from each abort to the last request that a proxy gave to the canary. */
async function abortTimes(world: DemoWorld): Promise<number[]> {
  let last = 0
  const stops = world.proxies.map(({ url }) =>
    stream(url, '/shop', rate, ({ sent: at, version }) => {
      if (version === 'v2') last = Math.max(last, at)
    }),
  )
  const isPaused = ({ status }: Rollout) =>
    status?.phase === 'Paused' &&
    status.canary?.weights?.canary?.weight === 50 &&
    status.canary.weights.verified === true
  ship(world, 'shop', 2)
  const times: number[] = []
  for (let i = 0; i < aborts; i += 1) {
    await until(world, 'shop', 'paused at 50 %', isPaused)
    await sleep(50)
    const at = performance.now()
    patch(world, 'shop', { status: { abort: true } }, 'status')
    await until(
      world,
      'shop',
      'back at stable',
      ({ status }) => status?.canary?.weights?.verified === true && status.canary.weights.canary?.weight === 0,
    )
    await sleep(50)
    times.push(Math.max(0, last - at))
    patch(world, 'shop', { status: { abort: false } }, 'status')
  }
  await Promise.all(stops.map(stop => stop()))
  return times
}

/** Cutover after cutover under load. */
async function cutOver(world: DemoWorld): Promise<void> {
  const stops = world.proxies.map(({ url }) => stream(url, '/pay', rate / 4, () => {}))
  for (let i = 0; i < cutovers; i += 1) {
    ship(world, 'pay', i + 2)
    await until(world, 'pay', 'released', isHealthy)
    await sleep(1500)
  }
  await Promise.all(stops.map(stop => stop()))
}

const folder = await mkdtemp(join(tmpdir(), 'pintle-bench-'))
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const world = await startDemoWorld({ proxy: 0, admin: 0, api: 0, replicas: 3 }, quiet, folder)
let isBad = false
try {
  const objects = [
    ...['shop-stable', 'shop-canary'].map(name => service(name, 'shop')),
    ...['pay-active', 'pay-preview'].map(name => service(name, 'pay')),
    app('shop', canary),
    app('pay', blueGreen, routed),
  ]
  for (const object of objects) applyTo(world.cluster.server, object, 'default')
  await Promise.all(['shop', 'pay'].map(name => until(world, name, 'healthy', isHealthy)))
  await until(world, 'shop', 'routed', () => world.proxies.every(p => p.status().routes.length >= 2))
  if (aborts > 0) {
    const times = (await abortTimes(world)).sort((a, b) => a - b)
    const at = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))]!
    isBad ||= at(0.99) > 1000
    console.log(
      `${aborts} aborts, three proxies: last canary request ${[0.5, 0.9, 0.99, 1].map(q => `p${q * 100} ${at(q).toFixed(1)}`).join(', ')} ms after the abort (aim: p99 within 1000)`,
    )
  }
  if (cutovers > 0) {
    await cutOver(world)
    console.log(`${cutovers} blue-green releases by the controller, old pods gone after each`)
  }
  const lost = [...failed.values()].reduce((sum, n) => sum + n, 0)
  isBad ||= lost > 0
  console.log(`${sent} requests, ${lost} failed`)
  for (const [why, n] of failed) console.log(`  ${n} x ${why}`)
} catch (error) {
  isBad = true
  console.error(String(error))
} finally {
  await world.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exit(isBad ? 1 : 0)
