import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { at, JOB, POD, world } from '../kit/world.ts'

type Fields = Readonly<Record<string, unknown>>

const job = (command: string, spec: Fields = {}): KubeObject => ({
  ...JOB,
  metadata: { name: 'check' },
  spec: {
    template: {
      metadata: { annotations: { note: 'mine' } },
      spec: {
        restartPolicy: 'Never',
        containers: [{ name: 'check', image: 'alpine', command: ['sh', '-c', command] }],
      },
    },
    ...spec,
  },
})

test('a Job whose Pod succeeds is complete, and says so as a cluster does', async t => {
  const w = await world(t)
  await w.apply(job('sleep 3 && exit 0'))
  await w.run(2)
  t.match(at(w.get(JOB, 'check'), 'status'), {
    active: 1,
    ready: 1,
    terminating: 0,
    startTime: '2026-01-01T00:00:00Z',
    uncountedTerminatedPods: {},
  })
  const [pod] = w.list(POD)
  t.match(pod?.metadata, {
    generateName: 'check-',
    annotations: { note: 'mine' },
    labels: { 'batch.kubernetes.io/job-name': 'check', 'job-name': 'check' },
    ownerReferences: [{ kind: 'Job', name: 'check', controller: true }],
  })
  await w.run(3)
  const said = { lastProbeTime: '2026-01-01T00:00:04Z', lastTransitionTime: '2026-01-01T00:00:04Z', status: 'True' }
  const why = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  t.same(at(w.get(JOB, 'check'), 'status'), {
    conditions: [
      { type: 'SuccessCriteriaMet', ...said, ...why },
      { type: 'Complete', ...said, ...why },
    ],
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:04Z',
    succeeded: 1,
    uncountedTerminatedPods: {},
    ready: 0,
    terminating: 0,
  })
})

test('without a second chance the first failure is the end', async t => {
  const w = await world(t)
  await w.apply(job('exit 1', { backoffLimit: 0 }))
  await w.run(2)
  t.match(at(w.get(JOB, 'check'), 'status'), {
    failed: 1,
    conditions: [
      { type: 'FailureTarget', reason: 'BackoffLimitExceeded' },
      { type: 'Failed', status: 'True', message: 'Job has reached the specified backoff limit' },
    ],
  })
  await w.run(60)
  t.equal(w.list(POD).length, 1)
})

test('with chances left it tries again after ten seconds, then twenty', async t => {
  const w = await world(t)
  await w.apply(job('exit 1', { backoffLimit: 2 }))
  await w.run(10)
  t.equal(w.list(POD).length, 1)
  await w.run(2)
  t.equal(w.list(POD).length, 2)
  await w.run(19)
  t.equal(w.list(POD).length, 2)
  await w.run(5)
  t.equal(w.list(POD).length, 3)
  t.match(at(w.get(JOB, 'check'), 'status'), { failed: 3, conditions: [{}, { type: 'Failed' }] })
})

test('a Job that takes too long is ended and its Pod goes', async t => {
  const w = await world(t)
  await w.apply(job('sleep 600', { activeDeadlineSeconds: 30 }))
  await w.run(29)
  t.equal(at(w.get(JOB, 'check'), 'status.conditions'), undefined)
  await w.run(2)
  t.match(at(w.get(JOB, 'check'), 'status.conditions'), [
    { type: 'FailureTarget' },
    { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' },
  ])
  await w.run(31)
  t.same(w.list(POD), [])
})

test('several completions come two at a time', async t => {
  const w = await world(t)
  await w.apply(job('sleep 1', { completions: 3, parallelism: 2 }))
  t.equal(w.list(POD).length, 2)
  await w.run(3)
  t.equal(w.list(POD).length, 3)
  await w.run(3)
  t.match(at(w.get(JOB, 'check'), 'status'), { succeeded: 3, conditions: [{}, { type: 'Complete' }] })
})

test('a finished Job goes with its Pods when its time to live is over', async t => {
  const w = await world(t)
  await w.apply(job('exit 0', { ttlSecondsAfterFinished: 20 }))
  await w.run(20)
  t.ok(w.get(JOB, 'check'))
  await w.run(3)
  t.equal(w.get(JOB, 'check'), undefined)
  t.same(w.list(POD), [])
})

test('a suspended Job has no Pods until it is resumed', async t => {
  const w = await world(t)
  await w.apply(job('exit 0', { suspend: true }))
  await w.run(3)
  t.same(w.list(POD), [])
  t.match(at(w.get(JOB, 'check'), 'status'), {
    startTime: undefined,
    conditions: [{ type: 'Suspended', status: 'True' }],
  })
  w.server.patch({ ...JOB, namespace: 'default', name: 'check' }, 'merge', { spec: { suspend: false } })
  await w.run(3)
  t.match(at(w.get(JOB, 'check'), 'status.conditions'), [
    { type: 'Suspended', status: 'False', reason: 'JobResumed' },
    { type: 'SuccessCriteriaMet' },
    { type: 'Complete' },
  ])
})
