import { test } from 'tap'
import type { KubeObject, Ref } from '../../src/contract.ts'
import { POD, REPLICA_SET, replicaSet, world } from '../kit/world.ts'

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap' } as const
const config = (
  name: string,
  owners: readonly KubeObject[] = [],
  more: Readonly<Record<string, unknown>> = {},
): KubeObject => ({
  ...CONFIG,
  metadata: {
    name,
    ownerReferences: owners.map(o => ({
      apiVersion: o.apiVersion,
      kind: o.kind,
      name: o.metadata.name,
      uid: o.metadata.uid ?? '',
      blockOwnerDeletion: true,
    })),
    ...more,
  },
})
const ref = (kind: Readonly<{ apiVersion: string; kind: string }>, name: string): Ref => ({
  ...kind,
  namespace: 'default',
  name,
})

test('in the background the owner goes at once and its dependents after it, to the last generation', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  t.equal(w.server.remove(ref(REPLICA_SET, 'web'), { propagationPolicy: 'Background' }), undefined)
  await w.run(1)
  t.same(w.list(POD), [])
})

test('in the foreground the owner waits for its dependents', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  w.server.remove(ref(REPLICA_SET, 'web'), { propagationPolicy: 'Foreground' })
  await w.settle()
  t.match(w.get(REPLICA_SET, 'web')?.metadata.finalizers, ['foregroundDeletion'])
  t.equal(w.list(POD).length, 2, 'the pods are on their way out')
  await w.run(1)
  t.equal(w.get(REPLICA_SET, 'web'), undefined)
  t.same(w.list(POD), [])
})

test('orphans stay, without their owner', async t => {
  const w = await world(t)
  await w.apply(replicaSet('web'))
  await w.run(3)
  w.server.remove(ref(REPLICA_SET, 'web'), { propagationPolicy: 'Orphan' })
  await w.run(1)
  t.equal(w.get(REPLICA_SET, 'web'), undefined)
  const pods = w.list(POD)
  t.equal(pods.length, 2)
  for (const pod of pods) t.same(pod.metadata.ownerReferences ?? [], [])
})

test('what has a second owner stays with that one alone', async t => {
  const w = await world(t)
  await w.apply([config('a'), config('b')])
  await w.apply(config('shared', [w.get(CONFIG, 'a')!, w.get(CONFIG, 'b')!]))
  w.server.remove(ref(CONFIG, 'a'))
  await w.settle()
  t.match(w.get(CONFIG, 'shared')?.metadata.ownerReferences, [{ name: 'b' }])
  t.equal(w.get(CONFIG, 'shared')?.metadata.ownerReferences?.length, 1)
  w.server.remove(ref(CONFIG, 'b'))
  await w.settle()
  t.equal(w.get(CONFIG, 'shared'), undefined)
})

test('an owner is told by its uid: one of the same name made anew is another', async t => {
  const w = await world(t)
  await w.apply(config('a'))
  const old = w.get(CONFIG, 'a')!
  w.server.remove(ref(CONFIG, 'a'))
  await w.apply(config('a'))
  await w.apply(config('child', [old]))
  t.equal(w.get(CONFIG, 'child'), undefined)
  t.ok(w.get(CONFIG, 'a'))
})

test('an owner in another namespace is none', async t => {
  const w = await world(t)
  await w.apply(config('a'), 'elsewhere')
  const owner = w.get(CONFIG, 'a', 'elsewhere')!
  await w.apply(config('child', [owner]))
  t.equal(w.get(CONFIG, 'child'), undefined)
})

test('an owner of a kind that is not served says nothing', async t => {
  const w = await world(t)
  const stranger = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w', uid: 'u-9' } }
  await w.apply(config('child', [stranger]))
  t.ok(w.get(CONFIG, 'child'))
})

test('a dependent with a finalizer of its own holds a foreground deletion up', async t => {
  const w = await world(t)
  await w.apply(config('a'))
  await w.apply(config('child', [w.get(CONFIG, 'a')!], { finalizers: ['example.com/hold'] }))
  w.server.remove(ref(CONFIG, 'a'), { propagationPolicy: 'Foreground' })
  await w.run(1)
  t.ok(w.get(CONFIG, 'a'))
  t.ok(w.get(CONFIG, 'child')?.metadata.deletionTimestamp)
  w.server.patch(ref(CONFIG, 'child'), 'merge', { metadata: { finalizers: null } })
  await w.settle()
  t.equal(w.get(CONFIG, 'child'), undefined)
  t.equal(w.get(CONFIG, 'a'), undefined)
})

test('every namespace has a default service account, also after somebody deleted it', async t => {
  const w = await world(t)
  const ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount' }
  await w.apply(config('a'), 'fresh')
  t.ok(w.get(ACCOUNT, 'default', 'fresh'))
  w.server.remove({ ...ACCOUNT, namespace: 'fresh', name: 'default' })
  await w.settle()
  t.ok(w.get(ACCOUNT, 'default', 'fresh'))
  w.server.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'fresh' })
  await w.run(1)
  t.equal(w.get({ apiVersion: 'v1', kind: 'Namespace' }, 'fresh'), undefined)
  t.equal(w.get(CONFIG, 'a', 'fresh'), undefined)
})
