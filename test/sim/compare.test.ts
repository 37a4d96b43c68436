import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { compare, differenceText } from '../../src/sim/compare.ts'
import { changeOf, fieldsOf, historian } from '../../src/sim/history.ts'
import { fit } from '../../src/sim/sequence.ts'
import type { Entry, Recording, Story } from '../../src/sim/story.ts'

const folder = new URL('../stories/', import.meta.url)
const stories = readdirSync(folder)
  .filter(file => file.endsWith('.json'))
  .map(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Story)
const rolling = stories.find(story => story.name === 'canary-rolling')!

const texts = (recorded: Recording, played: Recording) => compare(recorded, played).map(differenceText)
const edited = (edit: (entry: Entry) => Entry | undefined): Recording => ({
  timeline: rolling.timeline.map(edit).filter(entry => entry !== undefined),
  snapshots: rolling.snapshots,
})
const scales = (entry: Entry, to: number) =>
  entry.on === 'ReplicaSet/app-6dcbd8d7d6' && entry.set?.['spec.replicas'] === to

test('every recording equals itself', async t => {
  t.ok(stories.length > 10)
  for (const story of stories) t.same(texts(story, story), [], story.name)
})

test('a state that stood for a moment may be left out, one that stood for long may not', async t => {
  t.same(
    texts(
      rolling,
      edited(entry => (scales(entry, 2) ? undefined : entry)),
    ),
    [],
  )
  const [text, ...more] = texts(
    rolling,
    edited(entry => (scales(entry, 3) ? undefined : entry)),
  )
  t.match(text, /^ReplicaSet\/app-6dcbd8d7d6, replicas: missing replicas=3 \(4.2 s to 6.5 s\)/)
  t.same(more, [])
})

test('a state that was never recorded is told of', async t => {
  const played = edited(entry => entry)
  const extra = { t: 5, on: 'ReplicaSet/app-6dcbd8d7d6', set: { 'spec.replicas': 9 } }
  const timeline = [...played.timeline, extra, { ...extra, t: 5.1, set: { 'spec.replicas': 0 } }]
  t.match(texts(rolling, { ...played, timeline }), [/replicas: extra replicas=9/, /replicas: extra replicas=0/])
})

test('an event that is missing, or at another place, is told of', async t => {
  const isDone = (entry: Entry) => entry.event?.reason === 'NewReplicaSetCreated' && entry.t > 4
  t.match(
    texts(
      rolling,
      edited(entry => (isDone(entry) ? undefined : entry)),
    ),
    [/Rollout\/app, events: missing Normal NewReplicaSetCreated/],
  )
  const moved = edited(entry => (isDone(entry) ? undefined : entry))
  const timeline = [...moved.timeline, ...rolling.timeline.filter(isDone)]
  t.match(texts(rolling, { ...moved, timeline }), [/events: order Normal NewReplicaSetCreated/])
})

test('a snapshot is compared field by field, less what chance and the clock decide', async t => {
  const copy = JSON.parse(JSON.stringify(rolling.snapshots)) as Story['snapshots']
  for (const object of copy['end']!.objects as unknown as Record<string, Record<string, unknown>>[]) {
    object['metadata']!['uid'] = '11111111-2222-3333-4444-555555555555'
    object['metadata']!['resourceVersion'] = '1'
  }
  t.same(texts(rolling, { ...rolling, snapshots: copy }), [])
  const rollout = copy['end']!.objects.find(o => o.kind === 'Rollout') as unknown as { status: { stableRS: string } }
  rollout.status.stableRS = 'other'
  t.same(texts(rolling, { ...rolling, snapshots: copy }), [
    'Rollout/app, snapshot end: status.stableRS: recorded "5d5f756c8c", here "other"',
  ])
})

test('Pods are compared as a bag, not by name', async t => {
  const end = rolling.snapshots['end']!
  const renamed = end.objects.map(o => (o.kind === 'Pod' ? { ...o, metadata: { ...o.metadata, name: 'x' } } : o))
  t.same(texts(rolling, { ...rolling, snapshots: { ...rolling.snapshots, end: { ...end, objects: renamed } } }), [])
  const fewer = end.objects.filter((o, i) => o.kind !== 'Pod' || i !== end.objects.findIndex(p => p.kind === 'Pod'))
  t.match(texts(rolling, { ...rolling, snapshots: { ...rolling.snapshots, end: { ...end, objects: fewer } } }), [
    /^Pods, snapshot end: missing ReplicaSet\/app-5d5f756c8c/,
  ])
})

test('the best fit keeps what weighs most', async t => {
  t.same(
    fit(['a', 'b', 'c'], ['a', 'b', 'c'], () => 1),
    { missing: [], extra: [] },
  )
  t.same(
    fit(['a', 'b', 'c'], ['c', 'a', 'b'], () => 1),
    { missing: [2], extra: [0] },
  )
  t.same(
    fit(['a', 'b', 'c'], ['c', 'a', 'b'], i => (i === 2 ? 10 : 1)),
    { missing: [0, 1], extra: [1, 2] },
  )
})

const rollout = (status: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name: 'app', uid: 'u', resourceVersion: '1', generation: 1 },
  status,
})

test('a history has dotted fields, conditions by type, and no times', async t => {
  const condition = {
    type: 'Healthy',
    status: 'True',
    reason: 'RolloutHealthy',
    lastUpdateTime: '2026-01-01T00:00:00Z',
  }
  const status = {
    conditions: [condition],
    abortedAt: '2026-01-01T00:00:00Z',
    pauseConditions: [{ reason: 'X', startTime: 'y' }],
  }
  t.same(fieldsOf(rollout(status)), {
    'metadata.generation': 1,
    'status.conditions.Healthy.status': 'True',
    'status.conditions.Healthy.reason': 'RolloutHealthy',
    'status.abortedAt': '<time>',
    'status.pauseConditions.0.reason': 'X',
  })
  t.same(changeOf({ a: 1, b: 2, c: 3 }, { a: 1, b: 3 }), { b: 3, c: null })
  t.equal(changeOf({ a: 1 }, { a: 1 }), undefined)
})

test('the historian writes what changed, and events with their counts', async t => {
  const entries: Entry[] = []
  const note = historian(entry => entries.push(entry))
  note({ type: 'ADDED', object: rollout({ phase: 'Progressing' }) }, 0)
  note({ type: 'MODIFIED', object: rollout({ phase: 'Progressing' }) }, 1)
  note({ type: 'MODIFIED', object: rollout({ phase: 'Healthy' }) }, 2)
  note({ type: 'DELETED', object: rollout({}) }, 3)
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e' },
    involvedObject: { kind: 'Rollout', name: 'app' },
    type: 'Normal',
    reason: 'R',
    message: 'm',
  }
  note({ type: 'ADDED', object: { ...event, count: 1 } }, 4)
  note({ type: 'MODIFIED', object: { ...event, count: 2 } }, 5)
  t.same(entries, [
    { t: 0, on: 'Rollout/app', created: true, set: { 'metadata.generation': 1, 'status.phase': 'Progressing' } },
    { t: 2, on: 'Rollout/app', set: { 'status.phase': 'Healthy' } },
    { t: 3, on: 'Rollout/app', deleted: true },
    { t: 4, event: { on: 'Rollout/app', type: 'Normal', reason: 'R', message: 'm' } },
    { t: 5, event: { on: 'Rollout/app', type: 'Normal', reason: 'R', message: 'm', count: 2 } },
  ])
})
