import { test } from 'tap'
import { startControllers } from '../../src/apiserver/controllers/start.ts'
import { StatusError } from '../../src/apiserver/model.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import type { KubeObject } from '../../src/contract.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'
import { runTo, settle } from '../../src/sim/settle.ts'
import { at, POD, pod, REPLICA_SET, replicaSet, template, world } from '../kit/world.ts'

const names = (pods: readonly KubeObject[]) => pods.map(p => p.metadata.name)

test('a ReplicaSet gets its Pods, and its status follows them from created to available', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  t.same(at(w.get(REPLICA_SET, 'web'), 'status'), {
    replicas: 2,
    fullyLabeledReplicas: 2,
    terminatingReplicas: 0,
    observedGeneration: 1,
  })
  const [one] = w.list(POD)
  t.match(one?.metadata.name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  t.match(one?.metadata.ownerReferences, [
    { kind: 'ReplicaSet', name: 'web', uid: w.get(REPLICA_SET, 'web')?.metadata.uid, controller: true },
  ])
  await w.run(2)
  t.same(at(w.get(REPLICA_SET, 'web'), 'status'), {
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
    terminatingReplicas: 0,
    observedGeneration: 1,
  })
})

test('a scale-down to nothing leaves exactly the two counts that a cluster writes', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  await w.apply(replicaSet('web', { replicas: 0 }))
  t.match(at(w.get(REPLICA_SET, 'web'), 'status'), { replicas: 0, terminatingReplicas: 2 })
  await w.run(1)
  t.same(at(w.get(REPLICA_SET, 'web'), 'status'), { replicas: 0, terminatingReplicas: 0, observedGeneration: 2 })
  t.same(w.list(POD), [])
})

test('ready Pods count as available only after minReadySeconds', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web', { minReadySeconds: 10 }))
  await w.run(11)
  t.match(at(w.get(REPLICA_SET, 'web'), 'status'), { readyReplicas: 2, availableReplicas: undefined })
  await w.run(1)
  t.match(at(w.get(REPLICA_SET, 'web'), 'status'), { readyReplicas: 2, availableReplicas: 2 })
})

test('a Pod that is deleted is replaced', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  const before = names(w.list(POD))
  w.server.remove({ ...POD, namespace: 'default', name: before[0]! })
  await w.run(3)
  const after = names(w.list(POD))
  t.equal(after.length, 2)
  t.notOk(after.includes(before[0]!))
  t.ok(after.includes(before[1]!))
})

test('a failed Pod is replaced and stays to be looked at', async t => {
  const w = await world(t, { kubelet: 'none' })
  await w.apply(replicaSet('web'))
  const [first] = w.list(POD)
  w.server.update({ ...first!, status: { phase: 'Failed' } }, { subresource: 'status' })
  await w.settle()
  t.equal(w.list(POD).length, 3)
  t.equal(at(w.get(REPLICA_SET, 'web'), 'status.replicas'), 2)
})

test('a matching Pod without an owner is adopted instead of a new one made', async t => {
  const w = await world(t)
  await w.apply(pod('stray'))
  await w.apply(replicaSet('web'))
  t.equal(w.list(POD).length, 2)
  t.match(w.get(POD, 'stray')?.metadata.ownerReferences, [{ name: 'web', controller: true }])
})

test('a Pod created later that matches is adopted and, one too many, goes first when it is the younger', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  await w.apply(pod('late'))
  await w.run(1)
  t.equal(w.get(POD, 'late'), undefined)
  t.equal(w.list(POD).length, 2)
})

test('a Pod whose labels stop matching is let go and replaced', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  const [first] = w.list(POD)
  w.server.patch({ ...POD, namespace: 'default', name: first!.metadata.name }, 'merge', {
    metadata: { labels: { app: 'other' } },
  })
  await w.settle()
  t.same(w.get(POD, first!.metadata.name)?.metadata.ownerReferences ?? [], [])
  t.equal(w.list(POD).filter(p => p.metadata.labels?.['app'] === 'web').length, 2)
})

test('what is not ready goes before what is, and a lower deletion cost before a higher', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web', { replicas: 3 }))
  await w.run(3)
  const kept = names(w.list(POD))
  await w.apply(replicaSet('web', { replicas: 4 }))
  await w.apply(replicaSet('web', { replicas: 3 }))
  t.same(names(w.list(POD).filter(p => !p.metadata.deletionTimestamp)), kept, 'the one still starting went')

  const cost = { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } } }
  w.server.patch({ ...POD, namespace: 'default', name: kept[1]! }, 'merge', cost)
  await w.apply(replicaSet('web', { replicas: 2 }))
  await w.run(1)
  t.same(names(w.list(POD)), [kept[0], kept[2]])
})

test('labels of the template that a Pod lacks keep it out of the fully labelled', async t => {
  const w = await world(t, { kubelet: 'none' })
  await w.apply(pod('stray'))
  await w.apply(replicaSet('web', { replicas: 2, template: template({}, {}, { tier: 'front' }) }))
  t.match(at(w.get(REPLICA_SET, 'web'), 'status'), { replicas: 2, fullyLabeledReplicas: 1 })
})

test('Pods that the server refuses show as ReplicaFailure until one is let in', async t => {
  const clock = virtualClock(0)
  const server = createApiServer({ clock, random: seeded(1) })
  let full = true
  const create = (object: KubeObject) => {
    if (full && object.kind === 'Pod') throw new StatusError(403, 'Forbidden', 'exceeded quota')
    return server.create(object)
  }
  const controllers = startControllers({ ...server, create }, { clock, random: seeded(2) })
  t.teardown(() => controllers.stop())
  server.create(replicaSet('web'), { namespace: 'default' })
  await settle(clock)
  t.match(at(server.get(REPLICA_SET, 'default', 'web'), 'status'), {
    replicas: 0,
    conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
  })
  full = false
  await runTo(clock, 20_000)
  t.match(at(server.get(REPLICA_SET, 'default', 'web'), 'status'), { replicas: 2, conditions: undefined })
})

test('the same seed gives the same names and times', async t => {
  const run = async () => {
    const w = await world(t, { seed: 5 })
    await w.apply(replicaSet('web', { replicas: 5 }))
    await w.run(5)
    await w.apply(replicaSet('web', { replicas: 2 }))
    await w.run(5)
    return w.list(POD)
  }
  t.same(await run(), await run())
})
