// What happens to a release between two writes of a person, or after one that was not expected.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { product } from '../../src/sim/product.ts'
import { canaryApp, shipped } from '../kit/apps.ts'
import { at, type world as makeWorld, REPLICA_SET, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const rollout = { ...ROLLOUT, namespace: 'default', name: 'app' }
const steps = [{ setWeight: 50 }, { pause: {} }, { setWeight: 75 }, { pause: {} }]
type World = Awaited<ReturnType<typeof makeWorld>>

async function paused(w: World, spec: object = {}): Promise<void> {
  await w.apply(canaryApp(undefined))
  w.server.patch(rollout, 'merge', { spec: { ...spec, strategy: { canary: { steps } } } })
  await w.run(20)
  w.server.patch(rollout, 'merge', shipped('v2'))
  await w.run(20)
}

const messages = (w: World) => w.list({ apiVersion: 'v1', kind: 'Event' }).map(event => `${event['message']}`)

test('who promotes a rollout that is held by spec.paused too is not forgotten between the two writes', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await paused(w)
  w.server.patch(rollout, 'merge', { spec: { paused: true } })
  await w.run(5)
  w.server.patch(rollout, 'merge', { status: { pauseConditions: null } }, { subresource: 'status' })
  await w.run(5)
  t.match(w.get(ROLLOUT, 'app'), { status: { currentStepIndex: 1 } }, 'it is still held')
  w.server.patch(rollout, 'merge', { spec: { paused: false } })
  await w.run(20)
  t.match(w.get(ROLLOUT, 'app'), { status: { currentStepIndex: 3, phase: 'Paused' } }, 'and then goes on')
})

test('an abort for the deadline is told of twice: what happened, and that the update is aborted', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await paused(w, { progressDeadlineSeconds: 10, progressDeadlineAbort: true })
  w.server.patch(rollout, 'merge', shipped('does-not-exist'))
  await w.run(60)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.abort'), true)
  const [first = '', second = ''] = messages(w).filter(text => text.includes('has timed out progressing'))
  t.match(first, /^ReplicaSet "app-\w+" has timed out progressing\.$/)
  t.equal(second, `Rollout aborted update to revision 3: ${first}`)
})

test('a new set that somebody deletes comes back, and is no other revision', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await paused(w)
  const numbered = () => messages(w).filter(text => text === 'Rollout updated to revision 2').length
  const [fresh] = w.list(REPLICA_SET).filter(rs => rs.metadata.annotations?.['rollout.argoproj.io/revision'] === '2')
  t.equal(numbered(), 1)
  w.server.remove({ ...REPLICA_SET, namespace: 'default', name: fresh!.metadata.name })
  await w.run(20)
  t.match(w.get(REPLICA_SET, fresh!.metadata.name), { status: { availableReplicas: 2 } })
  t.equal(numbered(), 1)
})
