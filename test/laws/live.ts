// Plays a life in virtual time, watches that nothing unsafe happens, then lets the world calm down and looks whether the
// rollout comes to a good end and stays there.
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { KubeObject } from '../../src/contract.ts'
import { faultyTransport, randomFaults } from '../../src/kube/faulty.ts'
import type { Transport } from '../../src/ports.ts'
import { seeded } from '../../src/sim/clock.ts'
import { product } from '../../src/sim/product.ts'
import { observer } from '../../src/sim/scenario.ts'
import { verbActions } from '../../src/sim/verb.ts'
import { virtualStage } from '../../src/sim/virtual-stage.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { mortal, sound, type Wire } from '../kit/wire.ts'
import { type Deed, type Life, objectsOf, podSpec } from './life.ts'
import { type Safety, watchSafety, weightIn } from './safety.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const REF = { ...ROLLOUT, namespace: 'default', name: 'app' }
const HASH = 'rollouts-pod-template-hash'

/** The trouble lasts for this long, virtual milliseconds. */
const TROUBLE = 90_000
/** Pods at the end. */
const CALM = 3

export type Outcome = Readonly<{
  /** What was wrong, a sentence each. */
  breaches: readonly string[]
  /** Controllers that lived and died. */
  deaths: number
  /** Writes that the API server saw. */
  writes: number
}>

/** Plays the life to its end. `tell`: hears everything that happens, a line each. */
export async function live(life: Life, tell?: (line: string) => void): Promise<Outcome> {
  const world = await createWorld({ crds: crds() })
  const disturbances = ['kill', 'scale', 'strategy']
  const isExact = life.trouble.rate === 0 && life.trouble.deaths.length === 0
  const safety = watchSafety(world, isExact && !life.doings.some(({ does }) => does.is === 'kill'))
  const begun = world.clock.now()
  const say = (line: string) => tell?.(`${((world.clock.now() - begun) / 1000).toFixed(1).padStart(6)}  ${line}`)
  const deaf = tell ? world.server.onEvent(observer(say)) : () => {}
  const people = startControllers(world, life, begun, say)
  const pass = async (seconds: number) => {
    for (let at = 0; at < seconds; at += 1) {
      await world.run(1)
      await people.revive()
    }
  }
  try {
    await people.revive()
    await world.apply(objectsOf(life))
    await pass(15)
    for (const { after, does } of life.doings) {
      await pass(after)
      if (does.is === 'verb' && does.text.startsWith('promote')) safety.moved()
      if (disturbances.includes(does.is) || (does.is === 'verb' && does.text.startsWith('restart'))) safety.disturbed()
      say(`> ${JSON.stringify(does)}`)
      await act(world, does, say)
      await people.revive()
    }
    safety.disturbed()
    const end = await calmDown(world, begun, pass, safety, say)
    return {
      breaches: [...safety.breaches(), ...end],
      deaths: people.deaths(),
      writes: world.server.core.store.version(),
    }
  } finally {
    deaf()
    safety.stop()
    await people.stop()
    await world.stop()
  }
}

/** One controller after the other, each on a wire that may die, with faults in it while the trouble lasts. */
function startControllers(world: World, { trouble }: Life, begun: number, say: (line: string) => void) {
  const inner = directTransport(world.server)
  const wires: Wire[] = []
  let current: Awaited<ReturnType<ReturnType<typeof product>>> | undefined
  const wireOf = (nth: number): Wire => {
    const faults = randomFaults(seeded(trouble.seed + nth), trouble.rate)
    const plan = (request: Parameters<typeof faults>[0], count: number) =>
      world.clock.now() < begun + TROUBLE ? faults(request, count) : undefined
    const spoilt: Transport = trouble.rate > 0 ? faultyTransport(inner, { clock: world.clock, plan }) : inner
    const death = trouble.deaths[nth]
    return death ? mortal(spoilt, death.after, death.heard) : sound(spoilt)
  }
  return {
    deaths: () => wires.length - 1,
    /** Starts a controller where none is alive. */
    async revive() {
      while (wires.at(-1)?.isDead() !== false) {
        if (wires.length > 0) say('! the controller died; another one takes over')
        const wire = wireOf(wires.length)
        wires.push(wire)
        current = await product({ wrap: () => wire })(world)
        await world.settle()
      }
    },
    stop: () => current?.stop(),
  }
}

async function act(world: World, does: Deed, say: (line: string) => void): Promise<void> {
  const merge = (patch: unknown) => world.server.patch(REF, 'merge', patch)
  try {
    if (does.is === 'ship') merge({ spec: { template: { spec: podSpec(does.version, does.quality) } } })
    if (does.is === 'scale') merge({ spec: { replicas: does.replicas } })
    if (does.is === 'unpause') merge({ spec: { paused: false } })
    if (does.is === 'strategy') {
      const value = does.strategy.strategy
      world.server.patch(REF, 'json', [{ op: 'replace', path: '/spec/strategy', value }])
    }
    const strategy = (world.get(ROLLOUT, 'app') as Rollout).spec.strategy
    if (does.is === 'steps' && strategy?.canary) merge({ spec: { strategy: { canary: { steps: does.steps } } } })
    if (does.is === 'kill') {
      const pods = world.list({ apiVersion: 'v1', kind: 'Pod' }, 'default')
      const pod = pods[does.rank % Math.max(1, pods.length)]
      if (pod) world.server.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: pod.metadata.name })
    }
    if (does.is === 'verb') {
      const stage = virtualStage(world, 'default')
      for (const action of verbActions(does.text, stage)) await stage.perform(action)
    }
  } catch (error) {
    // A verb that makes no sense now is refused: people read that and go on.
    say(`  refused: ${(error as Error).message}`)
  }
  await world.settle()
}

/** A good version, no pause, and somebody who promotes it: the way to the end of every life. The answer is what is wrong
 * with the end. */
async function calmDown(
  world: World,
  begun: number,
  pass: (seconds: number) => Promise<void>,
  safety: Safety,
  say: (line: string) => void,
): Promise<readonly string[]> {
  while (world.clock.now() < begun + TROUBLE) await pass(1)
  say('> calm: a good version')
  const spec = { replicas: CALM, paused: false, restartAt: null, template: { spec: podSpec('9', 'good') } }
  world.server.patch(REF, 'merge', { spec })
  const rollout = () => world.get(ROLLOUT, 'app') as Rollout
  const isDone = () =>
    rollout().status?.phase === 'Healthy' && rollout().status?.observedGeneration === `${rollout().metadata.generation}`
  for (let round = 0; round < 20 && !isDone(); round += 1) {
    await pass(30)
    if (isDone()) break
    safety.moved()
    for (const text of ['retry app', 'promote app --full']) await act(world, { is: 'verb', text }, say)
  }
  if (!isDone()) return [`no good end: ${rollout().status?.phase}, ${rollout().status?.message}`]
  // A watch that froze in the time of trouble is found out when its server would have ended it: up to ten minutes.
  await pass(660)
  const version = world.server.core.store.version()
  await pass(300)
  const restless = world.server.core.store.version() === version ? [] : ['the world does not come to rest']
  return [...restless, ...wrongAtTheEnd(world)]
}

type Set = KubeObject & { spec: { replicas: number }; status?: { availableReplicas?: number } }
type Selecting = KubeObject & { spec: { selector: Record<string, string> } }

function wrongAtTheEnd(world: World): readonly string[] {
  const { spec, status = {} } = world.get(ROLLOUT, 'app') as Rollout
  const wrong: string[] = []
  const hash = status.currentPodHash
  if (status.stableRS !== hash) wrong.push('the end is not stable')
  if (status.abort || status.promoteFull || status.controllerPause)
    wrong.push('marks of the way are left in the status')
  const sets = world.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, 'default') as readonly Set[]
  for (const rs of sets) {
    const isNew = rs.metadata.labels?.[HASH] === hash
    if (rs.spec.replicas !== (isNew ? CALM : 0))
      wrong.push(`a ${isNew ? 'new' : 'n old'} set has ${rs.spec.replicas} pods`)
    if (isNew && rs.status?.availableReplicas !== CALM) wrong.push('not all pods are available')
    if (isNew && !JSON.stringify(rs['spec']).includes('example/app:v9')) wrong.push('the end is another version')
  }
  const { blueGreen, canary } = spec.strategy ?? {}
  const named = [blueGreen?.activeService, blueGreen?.previewService, canary?.stableService, canary?.canaryService]
  for (const service of world.list({ apiVersion: 'v1', kind: 'Service' }, 'default') as readonly Selecting[]) {
    const { name } = service.metadata
    const wanted = named.includes(name) ? hash : undefined
    if (service.spec.selector[HASH] !== wanted)
      wrong.push(`${name} selects ${service.spec.selector[HASH] ?? 'all'}, not ${wanted ?? 'all'}`)
  }
  const routes = canary?.trafficRouting ? ['Ingress', 'ConfigMap'] : []
  const objects = [
    ...world.list({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }, 'default'),
    ...world.list({ apiVersion: 'v1', kind: 'ConfigMap' }, 'default'),
  ].filter(object => routes.includes(object.kind) && isRouteOf(canary?.trafficRouting, object))
  for (const object of objects) {
    const weight = weightIn(object)
    if (weight !== undefined && weight !== 0) wrong.push(`the canary's weight is ${weight} at the end`)
  }
  return wrong
}

const isRouteOf = (routing: object | null | undefined, object: KubeObject): boolean =>
  routing !== null &&
  routing !== undefined &&
  ('nginx' in routing ? object.kind === 'Ingress' : object.kind === 'ConfigMap')
