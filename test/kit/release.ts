// Releases that tests play in a virtual world, over whatever wire the controller gets: dying, faulty, or sound.
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { KubeObject } from '../../src/contract.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown } from '../../src/controller/registry.ts'
import type { Log, Transport } from '../../src/ports.ts'
import { planAbort } from '../../src/rollout/abort.ts'
import { planPromote } from '../../src/rollout/promote.ts'
import { comparable, podText } from '../../src/sim/normalise.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { blueGreenApp, canaryApp, experimentApp, markedApp, shipped } from './apps.ts'
import type { Wire } from './wire.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const KINDS = [
  ROLLOUT,
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' },
]
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const known = await loadKnown()

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

/** What tells of the way and not of the end: counters, times, and whether a pause was ever written down as a condition
 * (a person may promote before the controller comes to it). */
const HISTORY = /generation|observedGeneration|duration|conditions\.Paused/

export type Script = Readonly<{ name: string; objects: readonly KubeObject[]; run(act: Act): Promise<void> }>
type Act = Readonly<{
  ship(version: string): Promise<void>
  promote(): Promise<void>
  abort(): Promise<void>
  wait(phase: string): Promise<void>
}>

export const scripts: readonly Script[] = [
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
    name: 'canary with metadata on its pods',
    objects: markedApp(),
    async run({ ship, promote, wait }) {
      await wait('Healthy')
      await ship('v2')
      await wait('Paused')
      await promote()
      await wait('Healthy')
    },
  },
  {
    name: 'canary with an experiment',
    objects: experimentApp(),
    async run({ ship, promote, wait }) {
      await wait('Healthy')
      await ship('v2')
      await wait('Paused')
      await promote()
      await wait('Healthy')
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

export type Release = Readonly<{
  /** The wire of the n-th controller, counted from 0. */
  wire(inner: Transport, world: World, nth: number): Wire
  /** Told of every world before anything happens in it. */
  watch?(world: World): void
  /** Seconds to wait for a phase, and for the end. */
  patience?: number
}>

/** Plays a script. The answer is the end of the world, and how many controllers it took. */
export async function playRelease(script: Script, { wire: wireOf, watch, patience = 60 }: Release) {
  const world = await createWorld({ crds: crds() })
  const inner = directTransport(world.server)
  watch?.(world)
  let births = 0
  const birth = () => {
    const wire = wireOf(inner, world, births)
    births += 1
    start(world, wire)
    return wire
  }
  let wire = birth()
  const revive = async () => {
    while (wire.isDead()) {
      wire = birth()
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
      for (let i = 0; i < patience && !isAt(phase); i++) await step(1)
      if (!isAt(phase))
        throw new Error(`${script.name} waits in vain for ${phase}: ${JSON.stringify(rollout().status)}`)
    },
  }
  await world.apply(script.objects)
  await step(1)
  await script.run(act)
  await step(patience)
  const end = KINDS.flatMap(kind => world.list(kind, 'default')).map(object => [
    `${object.kind}/${object.metadata.name}`,
    Object.fromEntries([...comparable(object)].filter(([path]) => !HISTORY.test(path))),
  ])
  const pods = world.list({ apiVersion: 'v1', kind: 'Pod' }, 'default').map(podText).sort()
  await world.stop()
  return { end: Object.fromEntries([...end, ['Pods', pods]]) as Record<string, unknown>, births }
}
