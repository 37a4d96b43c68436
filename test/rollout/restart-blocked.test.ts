// A restart that may not take a pod away now: everything else goes on, the status says how it stands, and the restart
// is done as soon as it can be.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import type { World } from '../../src/sim/world.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { at, POD, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' } as const
const rollout = { ...ROLLOUT, namespace: 'default', name: 'app' }

const budget = (name: string, minAvailable: number | string): KubeObject => ({
  ...BUDGET,
  metadata: { name },
  spec: { minAvailable, selector: { matchLabels: { app: 'app' } } },
})

const after = (seconds: number) =>
  new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString().replace('.000', '')

/** The controller has seen the spec as it is now. */
function isTakenUp(t: Test, w: World): void {
  const { generation } = w.get(ROLLOUT, 'app')!.metadata
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.observedGeneration'), `${generation}`)
}

/** Given time, the restart of that moment is done: told, healthy, and with none of the old pods. */
async function comesToAnEnd(t: Test, w: World, pods: readonly string[], restartAt: string): Promise<void> {
  await w.run(300)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.restartedAt'), restartAt)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Healthy')
  t.notOk(
    w.list(POD).some(pod => pods.includes(pod.metadata.name)),
    'every old pod is replaced',
  )
}

const apps = { canary: canaryApp(undefined), 'blue-green': blueGreenApp() }
const budgets = { 'a budget': [budget('one', '100%')], 'two budgets': [budget('one', 1), budget('two', 1)] }
for (const [strategy, app] of Object.entries(apps)) {
  for (const [what, objects] of Object.entries(budgets)) {
    test(`${strategy}: ${what} in the way of a restart`, async t => {
      const errors: unknown[] = []
      const log = { debug() {}, info() {}, warn() {}, error: (fields: unknown) => void errors.push(fields) }
      const w = await world(t, { crds: crds(), controller: product({ log }) })
      await w.apply([...app, ...objects])
      await w.run(20)
      const pods = w.list(POD).map(pod => pod.metadata.name)
      w.server.patch(rollout, 'merge', { spec: { restartAt: after(30) } })
      await w.run(60)
      t.same(
        w.list(POD).map(pod => pod.metadata.name),
        pods,
        'no pod is taken away',
      )
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Progressing')
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), 'rollout is restarting')
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.restartedAt'), undefined)

      w.server.patch(rollout, 'merge', { spec: { replicas: 6 } })
      await w.run(20)
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.availableReplicas'), 6)
      isTakenUp(t, w)
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), 'rollout is restarting')

      for (const { metadata } of objects) w.server.remove({ ...BUDGET, namespace: 'default', name: metadata.name })
      await comesToAnEnd(t, w, pods, after(30))
      t.same(errors, [])
    })
  }
}

for (const [strategy, app] of Object.entries(apps)) {
  test(`${strategy}: too few pods are available for a restart`, async t => {
    const w = await world(t, { crds: crds(), controller: product() })
    await w.apply(app)
    await w.run(20)
    const pods = w.list(POD).map(pod => pod.metadata.name)
    w.server.patch(rollout, 'merge', shipped('does-not-exist'))
    await w.run(20)
    w.server.patch(rollout, 'merge', { spec: { restartAt: after(45), progressDeadlineSeconds: 60 } })
    await w.run(40)
    isTakenUp(t, w)
    await w.run(40)
    t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Degraded', 'the deadline is told, restart or not')
    t.equal(at(w.get(ROLLOUT, 'app'), 'status.restartedAt'), undefined)
    w.server.patch(rollout, 'merge', shipped('v1'))
    await comesToAnEnd(t, w, pods, after(45))
  })
}
