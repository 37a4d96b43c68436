import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import type { World } from '../../src/sim/world.ts'
import { at, DEPLOYMENT, POD, REPLICA_SET, template, world } from '../kit/world.ts'

type Fields = Readonly<Record<string, unknown>>

const deployment = (image: string, spec: Fields = {}): KubeObject => ({
  ...DEPLOYMENT,
  metadata: { name: 'web' },
  spec: { replicas: 4, selector: { matchLabels: { app: 'web' } }, template: template({ image }), ...spec },
})
const sets = (w: World) =>
  w
    .list(REPLICA_SET)
    .map(set => ({ revision: Number(set.metadata.annotations?.['deployment.kubernetes.io/revision']), set }))
    .sort((a, b) => a.revision - b.revision)
const sizes = (w: World) => sets(w).map(({ revision, set }) => `${revision}:${at(set, 'spec.replicas')}`)
const condition = (w: World, type: string) =>
  (at(w.get(DEPLOYMENT, 'web'), 'status.conditions') as Fields[] | undefined)?.find(c => c['type'] === type)

test('a Deployment makes a ReplicaSet and reports as a cluster does', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1'))
  const [first] = sets(w)
  t.match(first?.set.metadata, {
    labels: { app: 'web', 'pod-template-hash': /^[a-z0-9]+$/ },
    annotations: {
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '4',
      'deployment.kubernetes.io/max-replicas': '5',
    },
    ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
  })
  t.equal(w.get(DEPLOYMENT, 'web')?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  await w.run(3)
  t.match(at(w.get(DEPLOYMENT, 'web'), 'status'), {
    observedGeneration: 1,
    replicas: 4,
    updatedReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
    terminatingReplicas: 0,
  })
  t.match(condition(w, 'Available'), { status: 'True', reason: 'MinimumReplicasAvailable' })
  t.match(condition(w, 'Progressing'), {
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: `ReplicaSet "${first?.set.metadata.name}" has successfully progressed.`,
  })
})

test('a rolling update stays within surge and availability until all is new', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1'))
  await w.run(3)
  await w.apply(deployment('example/web:v2'))
  t.same(sizes(w), ['1:3', '2:2'])
  for (let second = 0; second < 20; second++) {
    await w.run(1)
    const live = w.list(POD).filter(p => p.metadata.deletionTimestamp === undefined)
    t.ok(live.length <= 5, `${live.length} pods`)
    t.ok((at(w.get(DEPLOYMENT, 'web'), 'status.availableReplicas') as number) >= 3)
  }
  t.same(sizes(w), ['1:0', '2:4'])
})

test('going back takes the old ReplicaSet again, under a new revision', async t => {
  const w = await world(t)
  for (const image of ['example/web:v1', 'example/web:v2', 'example/web:v1']) {
    await w.apply(deployment(image))
    await w.run(20)
  }
  t.same(sizes(w), ['2:0', '3:4'])
  t.equal(sets(w)[1]?.set.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
})

test('Recreate ends all old Pods before the first new one', async t => {
  const w = await world(t)
  const recreate = { strategy: { type: 'Recreate' } }
  await w.apply(deployment('example/web:v1', recreate))
  await w.run(3)
  await w.apply(deployment('example/web:v2', recreate))
  t.same(sizes(w), ['1:0'])
  await w.run(3)
  t.same(sizes(w), ['1:0', '2:4'])
  t.equal(at(w.get(DEPLOYMENT, 'web'), 'status.updatedReplicas'), 4)
})

test('a paused Deployment changes no template, but follows its replicas', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1'))
  await w.run(3)
  await w.apply(deployment('example/web:v2', { paused: true, replicas: 6 }))
  await w.run(3)
  t.same(sizes(w), ['1:6'])
  t.match(condition(w, 'Progressing'), { status: 'Unknown', reason: 'DeploymentPaused' })
  await w.apply(deployment('example/web:v2', { paused: false, replicas: 6 }))
  await w.run(20)
  t.same(sizes(w), ['1:0', '2:6'])
})

test('a change of replicas in the middle of an update is shared in proportion', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1', { replicas: 10 }))
  await w.run(3)
  await w.apply(deployment('example/web:does-not-exist', { replicas: 10 }))
  await w.run(3)
  t.same(sizes(w), ['1:8', '2:5'])
  await w.apply(deployment('example/web:does-not-exist', { replicas: 20 }))
  t.same(sizes(w), ['1:15', '2:10'])
})

test('an image that never comes ends in a missed deadline', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1'))
  await w.run(3)
  await w.apply(deployment('example/web:does-not-exist', { progressDeadlineSeconds: 30 }))
  await w.run(25)
  t.match(condition(w, 'Progressing'), { status: 'True' })
  await w.run(10)
  t.match(condition(w, 'Progressing'), { status: 'False', reason: 'ProgressDeadlineExceeded' })
  t.match(condition(w, 'Available'), { status: 'True' }, 'the old Pods are still there')
})

test('only so many old ReplicaSets are kept', async t => {
  const w = await world(t)
  for (const tag of ['v1', 'v2', 'v3', 'v4']) {
    await w.apply(deployment(`example/web:${tag}`, { revisionHistoryLimit: 1 }))
    await w.run(20)
  }
  t.same(sizes(w), ['3:0', '4:4'])
})

test('a Deployment takes its ReplicaSets and Pods along', async t => {
  const w = await world(t)
  await w.apply(deployment('example/web:v1'))
  await w.run(3)
  w.server.remove({ ...DEPLOYMENT, namespace: 'default', name: 'web' }, { propagationPolicy: 'Foreground' })
  await w.run(2)
  t.same([w.get(DEPLOYMENT, 'web'), ...w.list(REPLICA_SET), ...w.list(POD)], [undefined])
})
