// The progress deadline while an old ReplicaSet waits for its end.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, shipped } from '../kit/apps.ts'
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
