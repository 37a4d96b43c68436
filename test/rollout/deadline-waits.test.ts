// The progress deadline while an old ReplicaSet waits for its end.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { faultyTransport } from '../../src/kube/faulty.ts'
import type { ApiRequest } from '../../src/ports.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const rollout = { ...ROLLOUT, namespace: 'default', name: 'app' }

test('nothing times out while an old set waits, and nobody looks again and again meanwhile; then it does', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply(blueGreenApp())
  const blueGreen = { autoPromotionEnabled: true, scaleDownDelaySeconds: 300 }
  w.server.patch(rollout, 'merge', { spec: { progressDeadlineSeconds: 10, strategy: { blueGreen } } })
  await w.run(20)
  w.server.patch(rollout, 'merge', shipped('v2'))
  await w.run(20)
  w.server.patch(rollout, 'merge', shipped('does-not-exist'))
  // A controller that looks again at once would not let the clock of this world go on.
  await w.run(200)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Progressing')
  await w.run(200)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Degraded')
  t.match(at(w.get(ROLLOUT, 'app'), 'status.message'), /^ProgressDeadlineExceeded: /)
})

test('an old set that goes long after the release is no lack of progress, though its end is told piece by piece', async t => {
  const w = await world(t, {
    crds: crds(),
    async controller(on) {
      const plan = ({ path, query }: ApiRequest) =>
        path.endsWith('/replicasets') && query?.['watch'] ? ({ is: 'drip', after: 0, each: 300 } as const) : undefined
      return await product({ wrap: inner => faultyTransport(inner, { clock: on.clock, plan }) })(on)
    },
  })
  await w.apply(canaryApp({ nginx: { stableIngress: 'app' } }))
  const canary = { scaleDownDelaySeconds: 30, steps: [{ setWeight: 50 }] }
  const hasty = { progressDeadlineSeconds: 10, progressDeadlineAbort: true }
  w.server.patch(rollout, 'merge', { spec: { ...hasty, strategy: { canary } } })
  await w.run(20)
  w.server.patch(rollout, 'merge', shipped('v2'))
  const phases = new Set<unknown>()
  w.server.onEvent(({ object }) => {
    if (object.kind === 'Rollout') phases.add(at(object, 'status.phase'))
  })
  await w.run(100)
  t.same([...phases], ['Healthy', 'Progressing'])
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Healthy')
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.replicas'), 4)
})
