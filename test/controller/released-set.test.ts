// A ReplicaSet that no longer matches is let go, and its rollout goes on without another word from anybody.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { product } from '../../src/sim/product.ts'
import { canaryApp } from '../kit/apps.ts'
import { at, REPLICA_SET, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const

test('the labels of a ReplicaSet are changed: it is let go and replaced', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply(canaryApp(undefined))
  await w.run(20)
  const [first] = w.list(REPLICA_SET)
  const ref = { ...REPLICA_SET, namespace: 'default', name: first!.metadata.name }
  w.server.patch(ref, 'merge', { metadata: { labels: { app: 'other' } } })
  await w.run(20)
  t.notOk(w.get(REPLICA_SET, ref.name)?.metadata.ownerReferences?.length, 'nobody owns it')
  const ours = w.list(REPLICA_SET).filter(rs => rs.metadata.ownerReferences?.some(o => o.kind === 'Rollout'))
  t.same(
    ours.map(rs => at(rs, 'status.availableReplicas')),
    [4],
  )
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Healthy')
})
