// Leader election in virtual time on the embedded API server: who leads when, and that two never do.
import { type Test, test } from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import { fenced } from '../../src/controller/fence.ts'
import { LEASE_NAME, type Leader, startLeader } from '../../src/controller/leader.ts'
import { faultyTransport } from '../../src/kube/faulty.ts'
import { createKube } from '../../src/kube/kube.ts'
import type { Transport } from '../../src/ports.ts'
import type { World } from '../../src/sim/world.ts'
import { world } from '../kit/world.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }
const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }

function candidate(w: World, identity: string, wire: Transport = directTransport(w.server)): Leader {
  const { clock, random } = w
  const kube = createKube(wire, { clock })
  return startLeader({ kube, clock, wall: () => clock.now(), random, log, namespace: 'default', identity })
}
const holder = (w: World) =>
  (w.get(LEASE, LEASE_NAME)?.['spec'] as { holderIdentity?: string } | undefined)?.holderIdentity
const place = async (t: Test) => world(t, { kubelet: 'none' })

test('the first candidate leads at once, the second waits', async t => {
  const w = await place(t)
  const [one, two] = [candidate(w, 'one'), candidate(w, 'two')]
  await w.run(60)
  t.ok(one.isLeading() !== two.isLeading(), 'exactly one leads')
  t.equal(holder(w), one.isLeading() ? 'one' : 'two')
  await Promise.all([one.stop(), two.stop()])
})

test('a lease in the form of the incumbent: fields, microseconds, transitions', async t => {
  const w = await place(t)
  const one = candidate(w, 'one')
  await w.run(1)
  const { spec } = w.get(LEASE, LEASE_NAME) as unknown as { spec: Record<string, unknown> }
  t.match(spec, {
    holderIdentity: 'one',
    leaseDurationSeconds: 15,
    acquireTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
    renewTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
    leaseTransitions: 0,
  })
  await one.stop()
  t.equal(holder(w), '', 'given back when it stops')
})

test('a leader that stops is followed within a few seconds', async t => {
  const w = await place(t)
  const one = candidate(w, 'one')
  await w.run(3)
  const two = candidate(w, 'two')
  await w.run(3)
  t.notOk(two.isLeading())
  await one.stop()
  await w.run(5)
  t.ok(two.isLeading())
  t.notOk(one.isLeading())
  await two.stop()
})

test('a leader that dies is followed after the lease has run out, not before', async t => {
  const w = await place(t)
  let isDead = false
  const inner = directTransport(w.server)
  const never = new Promise<never>(() => {})
  const wire: Transport = { ...inner, request: request => (isDead ? never : inner.request(request)) }
  candidate(w, 'one', wire)
  await w.run(3)
  const two = candidate(w, 'two')
  await w.run(3)
  isDead = true
  await w.run(11)
  t.equal(holder(w), 'one', 'nobody else leads yet')
  t.notOk(two.isLeading())
  await w.run(12)
  t.ok(two.isLeading())
  t.match(w.get(LEASE, LEASE_NAME), { spec: { leaseTransitions: 1 } })
  await two.stop()
})

test('a leader that cannot renew stops writing before anybody else may begin', async t => {
  const w = await place(t)
  let isCut = false
  const plan = () => (isCut ? ({ is: 'refuse' } as const) : undefined)
  const one = candidate(w, 'one', faultyTransport(directTransport(w.server), { clock: w.clock, plan }))
  let wasLost = false
  void one.lost.then(() => {
    wasLost = true
  })
  await w.run(4)
  const two = candidate(w, 'two')
  await w.run(4)
  t.ok(one.isLeading())
  const wire = fenced(directTransport(w.server), () => one.isLeading())
  const write = () =>
    wire.request({
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      body: '{"metadata":{"generateName":"a"}}',
    })
  t.equal((await write()).status, 201, 'a leader writes')
  isCut = true
  let [both, writes] = [0, 0]
  for (let i = 0; i < 300; i++) {
    await w.run(0.1)
    if (one.isLeading() && two.isLeading()) both += 1
    if (two.isLeading())
      writes += await write().then(
        () => 1,
        () => 0,
      )
  }
  t.equal(both, 0, 'never two at once')
  t.equal(writes, 0, 'no write of the old leader under the new one')
  t.ok(two.isLeading())
  t.ok(wasLost, 'the old one knows')
  await t.rejects(write(), /no longer leads/)
  const reading = await wire.request({ method: 'GET', path: '/api/v1/namespaces/default/configmaps' })
  t.equal(reading.status, 200, 'reads go on')
  await two.stop()
})

test('a short absence of the API server costs nobody the lease', async t => {
  const w = await place(t)
  let isCut = false
  const plan = () => (isCut ? ({ is: 'status', status: 503 } as const) : undefined)
  const one = candidate(w, 'one', faultyTransport(directTransport(w.server), { clock: w.clock, plan }))
  await w.run(4)
  isCut = true
  await w.run(6)
  isCut = false
  await w.run(20)
  t.ok(one.isLeading())
  await one.stop()
})
