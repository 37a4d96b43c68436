// Laws of a world at rest: planning again asks for nothing, the same reading gives the same plan, inputs stay frozen,
// and a rollout that waits either has something to wait for or says when to look again.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { KubeObject } from '../../src/contract.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown } from '../../src/controller/registry.ts'
import { controllerUid } from '../../src/kube/change.ts'
import type { Log, Lookup } from '../../src/ports.ts'
import { planAbort } from '../../src/rollout/abort.ts'
import { observe } from '../../src/rollout/observe.ts'
import { planRollout } from '../../src/rollout/plan.ts'
import { planPromote } from '../../src/rollout/promote.ts'
import { planRetry } from '../../src/rollout/retry.ts'
import { statusPatch } from '../../src/rollout/status.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const known = await loadKnown()

const lookupOf = ({ server }: World): Lookup => ({
  get: ref => server.get(ref, ref.namespace, ref.name),
  list: (kind, namespace) => server.list(kind, namespace),
  ownedBy: (kind, uid) => server.list(kind).filter(object => controllerUid(object) === uid),
})

const apps: Readonly<Record<string, readonly KubeObject[]>> = {
  'a plain canary': canaryApp(undefined),
  'a canary behind nginx': canaryApp({ nginx: { stableIngress: 'app' } }),
  'a canary behind our proxy': canaryApp({ plugins: { 'pintle/proxy': {} } }),
  'a blue-green release': blueGreenApp(),
}

for (const [name, objects] of Object.entries(apps)) {
  test(`${name}: every resting state is a fixpoint`, async t => {
    const world = await createWorld({
      crds: crds(),
      controller: w =>
        startController({
          transport: directTransport(w.server),
          clock: w.clock,
          random: w.random,
          log: silent,
          known,
          providers: {},
          fetch: async () => ({ status: 503, headers: {}, body: '' }),
        }),
    })
    const rollout = () => world.get(ROLLOUT, 'app') as Rollout
    const patch = (body: unknown, subresource?: 'status') =>
      world.server.patch(
        { ...ROLLOUT, namespace: 'default', name: 'app' },
        'merge',
        body,
        subresource ? { subresource } : {},
      )
    const rest = (when: string) => {
      const seen = observe({ namespace: 'default', name: 'app' }, lookupOf(world))
      if (!seen) return t.fail(`${when}: the rollout is there`)
      const now = world.clock.now()
      const plan = planRollout(seen, known, now)
      t.strictSame(plan.actions, [], `${when}: nothing is left to do`)
      t.equal(plan.status && statusPatch(rollout().status, plan.status), undefined, `${when}: the status says it all`)
      t.strictSame(planRollout(seen, known, now), plan, `${when}: the same reading gives the same plan`)
      t.ok(plan.recheckAt === undefined || plan.recheckAt >= now, `${when}: no recheck lies in the past`)
      return undefined
    }
    const steps: readonly (readonly [string, () => void])[] = [
      ['v2 shipped', () => patch(shipped('v2'))],
      ['aborted', () => patch({ status: planAbort(rollout()).status }, 'status')],
      ['retried', () => patch({ status: planRetry(rollout()).status }, 'status')],
      ['v3 shipped over v2', () => patch(shipped('v3'))],
      ['promoted', () => patch({ status: planPromote(rollout(), {}).status ?? {} }, 'status')],
      ['fully promoted', () => patch({ status: planPromote(rollout(), { full: true }).status ?? {} }, 'status')],
      ['scaled to 7', () => patch({ spec: { replicas: 7 } })],
      ['scaled to 0', () => patch({ spec: { replicas: 0 } })],
      ['back at v1', () => patch({ spec: { ...shipped('v1').spec, replicas: 3 } })],
      ['fully promoted again', () => patch({ status: planPromote(rollout(), { full: true }).status ?? {} }, 'status')],
      ['an invalid spec', () => patch({ spec: { progressDeadlineSeconds: -1 } })],
    ]
    await world.apply(objects)
    await world.run(60)
    rest('v1 runs')
    t.match(rollout().status, { phase: 'Healthy' })
    for (const [when, act] of steps) {
      act()
      await world.run(60)
      rest(when)
    }
    t.match(rollout().status, { phase: 'Degraded', message: /InvalidSpec/ })
    await world.stop()
  })
}
