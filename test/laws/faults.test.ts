// Laws under faults: requests refused, answers lost, writes that time out after they were carried out, 409, 429 and 5xx,
// watches cut and stale reads. While they last nothing unsafe happens; when they end, so does the release, as without.
import fc from 'fast-check'
import { test } from 'tap'
import type { Rollout } from '../../src/api/rollout.ts'
import type { KubeObject } from '../../src/contract.ts'
import { type Fault, faultyTransport, randomFaults } from '../../src/kube/faulty.ts'
import type { ApiRequest, Transport } from '../../src/ports.ts'
import { seeded } from '../../src/sim/clock.ts'
import type { World } from '../../src/sim/world.ts'
import { playRelease, type Script, scripts } from '../kit/release.ts'
import { sound } from '../kit/wire.ts'

const HASH = 'rollouts-pod-template-hash'
/** The faults last for this long, virtual milliseconds. */
const TROUBLE = 90_000

type Service = KubeObject & { spec: { selector: Record<string, string> } }
type Set = KubeObject & { spec: { replicas: number }; status?: { availableReplicas?: number } }

/** What must never be seen, at any change of any object. */
function unsafe(world: World): readonly string[] {
  const sets = world.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, 'default') as readonly Set[]
  const hashOf = (rs: Set) => rs.metadata.labels?.[HASH] ?? ''
  const found: string[] = []
  if (new Set(sets.map(hashOf)).size < sets.length) found.push('two ReplicaSets of one template')
  for (const service of world.list({ apiVersion: 'v1', kind: 'Service' }, 'default') as readonly Service[]) {
    const { name } = service.metadata
    const hash = service.spec.selector[HASH]
    if (hash === undefined || (name !== 'app-active' && name !== 'app-stable')) continue
    const rs = sets.find(set => hashOf(set) === hash)
    if ((rs?.status?.availableReplicas ?? 0) === 0) found.push(`${name} leads to no pod`)
  }
  const [rollout] = world.list({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }, 'default') as readonly Rollout[]
  const weights = rollout?.status?.canary?.weights
  if (weights && weights.canary.weight + weights.stable.weight !== 100) found.push('weights that are not 100 in all')
  return found
}

async function live(script: Script, seed: number | undefined) {
  const seen = new Set<string>()
  const end = await playRelease(script, {
    patience: 240,
    wire(inner, world) {
      if (seed === undefined) return sound(inner)
      const faults = randomFaults(seeded(seed), 0.15)
      const until = world.clock.now() + TROUBLE
      const plan = (request: Parameters<typeof faults>[0], nth: number) =>
        world.clock.now() < until ? faults(request, nth) : undefined
      return sound(faultyTransport(inner, { clock: world.clock, plan }))
    },
    watch(world) {
      world.server.onEvent(() => {
        for (const what of unsafe(world)) seen.add(what)
      })
    },
  })
  return { ...end, seen: [...seen] }
}

for (const script of scripts) {
  test(`${script.name}: faults change neither the end nor what users get`, async t => {
    const expected = await live(script, undefined)
    t.strictSame(expected.seen, [], 'nothing unsafe without faults')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), async seed => {
        const { end, seen } = await live(script, seed)
        t.strictSame(seen, [], `nothing unsafe, seed ${seed}`)
        t.strictSame(end, expected.end, `the same end, seed ${seed}`)
        return t.passing()
      }),
      { seed: 20261124, numRuns: Number(process.env['RUNS'] ?? 8) },
    )
  })
}

test('an experiment that was created without an answer, and is over when the time for it is, is not made twice', async t => {
  const script = scripts.find(({ name }) => name === 'canary with an experiment')!
  const isCreate = ({ method, path }: ApiRequest) => method === 'POST' && path.endsWith('/experiments')
  const endOf = async (fault: Fault | undefined) => {
    let left = fault
    const plan = (request: ApiRequest) => {
      if (!isCreate(request)) return undefined
      const once = left
      left = undefined
      return once
    }
    const wire = (inner: Transport, { clock }: World) => sound(faultyTransport(inner, { clock, plan }))
    return await playRelease(script, { patience: 240, wire })
  }
  const expected = await endOf(undefined)
  for (const fault of [{ is: 'lose' }, { is: 'stall', commit: true }, { is: 'stall' }] as const)
    t.strictSame(await endOf(fault), expected, JSON.stringify(fault))
})
