// Law: killing the controller at any moment and starting it again loses nothing. A controller dies after its n-th
// request, before or after the server has heard it; another one takes over; the end is the same as without a death.
import fc from 'fast-check'
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { KubeObject } from '../../src/contract.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown } from '../../src/controller/registry.ts'
import type { Log, Transport } from '../../src/ports.ts'
import { planAbort } from '../../src/rollout/abort.ts'
import { planPromote } from '../../src/rollout/promote.ts'
import { comparable } from '../../src/sim/normalise.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const KINDS = [
  ROLLOUT,
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
]
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const known = await loadKnown()

/** A wire that goes dead at the n-th write: nothing is answered any more. `heard`: the server still carries it out. */
function mortal(inner: Transport, dieAt: number, heard: boolean): Transport & { isDead(): boolean } {
  let writes = 0
  let isDead = false
  const never = new Promise<never>(() => {})
  return {
    isDead: () => isDead,
    async request(request) {
      if (isDead) return never
      if (request.method !== 'GET') writes += 1
      if (writes < dieAt || request.method === 'GET') return await inner.request(request)
      isDead = true
      if (heard) await inner.request(request)
      return never
    },
    stream: request => (isDead ? never : inner.stream(request)),
  }
}

const start = (world: World, transport: Transport) =>
  startController({
    transport,
    clock: world.clock,
    random: world.random,
    log: silent,
    known,
    providers: {},
    fetch: async () => ({ status: 503, headers: {}, body: '' }),
  })

type Script = Readonly<{ name: string; objects: readonly KubeObject[]; run(act: Act): Promise<void> }>
type Act = Readonly<{
  ship(version: string): Promise<void>
  promote(): Promise<void>
  abort(): Promise<void>
  wait(phase: string): Promise<void>
}>

const scripts: readonly Script[] = [
  {
    name: 'canary behind nginx',
    objects: canaryApp({ nginx: { stableIngress: 'app' } }),
    async run({ ship, promote, wait }) {
      await wait('Healthy')
      await ship('v2')
      await wait('Paused')
      await promote()
      await wait('Healthy')
    },
  },
  {
    name: 'canary without routing, aborted',
    objects: canaryApp(undefined),
    async run({ ship, abort, wait }) {
      await wait('Healthy')
      await ship('v2')
      await wait('Paused')
      await abort()
      await wait('Degraded')
    },
  },
  {
    name: 'blue-green',
    objects: blueGreenApp(),
    async run({ ship, promote, wait }) {
      await wait('Healthy')
      await ship('v2')
      await wait('Paused')
      await promote()
      await wait('Healthy')
    },
  },
]

/** Plays a script; the controller dies at the given writes, one after the other. The answer is the end of the world. */
async function live(script: Script, deaths: readonly Readonly<{ after: number; heard: boolean }>[]) {
  const world = await createWorld({ crds: crds() })
  const inner = directTransport(world.server)
  let left = deaths.toReversed()
  const birth = () => {
    const death = left.at(-1)
    left = left.slice(0, -1)
    const wire = death ? mortal(inner, death.after, death.heard) : Object.assign({ isDead: () => false }, inner)
    start(world, wire)
    return wire
  }
  let wire = birth()
  let births = 1
  const revive = async () => {
    while (wire.isDead()) {
      wire = birth()
      births += 1
      await world.settle()
    }
  }
  const rollout = () => world.get(ROLLOUT, 'app') as Rollout
  const patch = (body: unknown, subresource?: 'status') =>
    world.server.patch(
      { ...ROLLOUT, namespace: 'default', name: 'app' },
      'merge',
      body,
      subresource ? { subresource } : {},
    )
  const step = async (seconds: number) => {
    for (let i = 0; i < seconds * 2; i++) {
      await world.run(0.5)
      await revive()
    }
  }
  const isAt = (phase: string) =>
    rollout().status?.phase === phase && rollout().status?.observedGeneration === `${rollout().metadata.generation}`
  const act: Act = {
    async ship(version) {
      patch(shipped(version))
      await step(1)
    },
    async promote() {
      const { status } = planPromote(rollout(), {})
      if (status) patch({ status }, 'status')
      await step(1)
    },
    async abort() {
      patch({ status: planAbort(rollout()).status }, 'status')
      await step(1)
    },
    async wait(phase) {
      for (let i = 0; i < 60 && !isAt(phase); i++) await step(1)
      if (!isAt(phase))
        throw new Error(`${script.name} waits in vain for ${phase}: ${JSON.stringify(rollout().status)}`)
    },
  }
  await world.apply(script.objects)
  await step(1)
  await script.run(act)
  await step(60)
  const end = KINDS.flatMap(kind => world.list(kind, 'default')).map(object => [
    `${object.kind}/${object.metadata.name}`,
    Object.fromEntries(
      [...comparable(object)].filter(([path]) => !/generation|observedGeneration|duration/.test(path)),
    ),
  ])
  await world.stop()
  return { end: Object.fromEntries(end) as Record<string, unknown>, births }
}

for (const script of scripts) {
  test(`${script.name}: any death of the controller leads to the same end`, async t => {
    const expected = await live(script, [])
    t.equal(expected.births, 1)
    const death = fc.record({ after: fc.integer({ min: 1, max: 14 }), heard: fc.boolean() })
    let deaths = 0
    await fc.assert(
      fc.asyncProperty(fc.array(death, { minLength: 1, maxLength: 4 }), async times => {
        const { end, births } = await live(script, times)
        deaths += births - 1
        t.strictSame(end, expected.end, `deaths ${JSON.stringify(times)}`)
        return t.passing()
      }),
      { seed: 20261124, numRuns: Number(process.env['RUNS'] ?? 25) },
    )
    t.ok(deaths > 20, `the controller died ${deaths} times`)
  })
}
