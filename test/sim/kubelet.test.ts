import { test } from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import type { KubeObject } from '../../src/contract.ts'
import { kubePods } from '../../src/sim/kube-pods.ts'
import { stages, startKubelet } from '../../src/sim/kubelet.ts'
import { at, POD, pod, replicaSet, world } from '../kit/world.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const ready = (object: KubeObject | undefined) =>
  (at(object, 'status.conditions') as { type: string; status: string }[] | undefined)?.find(c => c.type === 'Ready')
    ?.status

test('a Pod is bound at once, runs after two seconds, and goes shortly after it is deleted', async t => {
  const w = await world(t)
  await w.apply(pod('one'))
  t.match(w.get(POD, 'one'), { spec: { nodeName: 'sim-node' }, status: { phase: 'Pending', podIP: undefined } })
  await w.run(2)
  t.match(w.get(POD, 'one'), { status: { phase: 'Running', podIP: /^10\./ } })
  t.equal(ready(w.get(POD, 'one')), 'True')
  w.server.remove({ ...POD, namespace: 'default', name: 'one' })
  await w.run(0.1)
  t.ok(w.get(POD, 'one')?.metadata.deletionTimestamp)
  await w.run(0.1)
  t.equal(w.get(POD, 'one'), undefined)
})

test('the same node plays over the wire: bind, status, removal', async t => {
  const w = await world(t, { kubelet: 'none' })
  const { clock, random, server } = w
  const pods = await kubePods({ transport: directTransport(server), clock, random, log: quiet }, 'far-node')
  const failures: unknown[] = []
  const failed = (error: unknown) => failures.push(error)
  const node = startKubelet({ pods, clock, runtime: stages(), nodeName: 'far-node', failed })
  t.teardown(async () => {
    await node.stop()
    await pods.close()
  })
  await w.apply(replicaSet('web'))
  t.same(
    w.list(POD).map(p => at(p, 'spec.nodeName')),
    ['far-node', 'far-node'],
  )
  await w.run(3)
  t.same(w.list(POD).map(ready), ['True', 'True'])
  t.ok(server.get({ apiVersion: 'v1', kind: 'Node' }, undefined, 'far-node'))
  await w.apply(replicaSet('web', { replicas: 0 }))
  await w.run(2)
  t.same(w.list(POD), [])
  t.same(failures, [])
})

test('Pods of another node are left alone', async t => {
  const w = await world(t)
  await w.apply(pod('elsewhere', { nodeName: 'other-node' }))
  await w.run(5)
  t.equal(at(w.get(POD, 'elsewhere'), 'status.startTime'), undefined)
})

test('a readiness gate that somebody opens makes the Pod ready, and stays open', async t => {
  const w = await world(t)
  await w.apply(pod('one', { readinessGates: [{ conditionType: 'example.com/open' }] }))
  await w.run(3)
  t.equal(ready(w.get(POD, 'one')), 'False')
  const live = w.get(POD, 'one')!
  const conditions = [...(at(live, 'status.conditions') as unknown[]), { type: 'example.com/open', status: 'True' }]
  w.server.patch(
    { ...POD, namespace: 'default', name: 'one' },
    'merge',
    { status: { conditions } },
    { subresource: 'status' },
  )
  await w.run(1)
  t.equal(ready(w.get(POD, 'one')), 'True')
})

test('an evicted or crashing Pod shows its restarts as time goes by', async t => {
  const w = await world(t)
  await w.apply(pod('one', { containers: [{ name: 'c', image: 'example/web:v1', command: ['/no/such'] }] }))
  await w.run(60)
  t.match(at(w.get(POD, 'one'), 'status.containerStatuses'), [
    { restartCount: 3, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } },
  ])
})

test('starts can be spread, so that Pods become ready one after the other', async t => {
  const w = await world(t, { stages: { spread: 1000 } })
  await w.apply(replicaSet('web', { replicas: 20 }))
  const count = () => w.list(POD).filter(p => ready(p) === 'True').length
  await w.run(2)
  const early = count()
  await w.run(0.5)
  const middle = count()
  await w.run(0.5)
  t.ok(early < 5 && middle > early && middle < 20, `${early}, then ${middle}`)
  t.equal(count(), 20)
})
