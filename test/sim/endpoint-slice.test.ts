import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { at, POD, pod, replicaSet, SLICE, service, world } from '../kit/world.ts'

const ports = (list: readonly Readonly<Record<string, unknown>>[]) => ({
  containers: [{ name: 'web', image: 'example/web:v1', ports: list }],
})
const endpoints = (slice: KubeObject | undefined) =>
  at(slice, 'endpoints') as { addresses: string[]; conditions: unknown }[]

test('a Service gets a slice with its ready Pods, named and labelled as a cluster does', async t => {
  const w = await world(t)
  await w.apply([service('web'), replicaSet('web')])
  await w.run(3)
  const [slice, ...more] = w.list(SLICE)
  t.same(more, [])
  t.match(slice?.metadata.name, /^web-[a-z0-9]{5}$/)
  t.match(slice?.metadata, {
    generateName: 'web-',
    labels: {
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', controller: true, blockOwnerDeletion: true }],
  })
  t.equal(slice?.['addressType'], 'IPv4')
  t.same(slice?.['ports'], [{ name: 'http', port: 8080, protocol: 'TCP' }])
  const pods = w.list(POD)
  t.same(
    endpoints(slice),
    pods.map(p => ({
      addresses: [at(p, 'status.podIP')],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'sim-node',
      targetRef: { kind: 'Pod', namespace: 'default', name: p.metadata.name, uid: p.metadata.uid },
    })),
  )
})

test('Pods without an address are left out, unready ones are listed as such', async t => {
  const w = await world(t)
  const probe = { readinessProbe: { httpGet: { port: 8080 }, initialDelaySeconds: 5 } }
  await w.apply([service('web'), pod('slow', { containers: [{ name: 'web', image: 'example/web:v1', ...probe }] })])
  await w.run(1)
  t.same(endpoints(w.list(SLICE)[0]) ?? [], [])
  await w.run(2)
  t.match(endpoints(w.list(SLICE)[0]), [{ conditions: { ready: false, serving: false, terminating: false } }])
  await w.run(7)
  t.match(endpoints(w.list(SLICE)[0]), [{ conditions: { ready: true, serving: true, terminating: false } }])
})

test('a Service may publish addresses that are not ready', async t => {
  const w = await world(t)
  const gate = { readinessGates: [{ conditionType: 'example.com/never' }] }
  await w.apply([service('web', { publishNotReadyAddresses: true }), pod('one', { ...gate })])
  await w.run(3)
  t.match(endpoints(w.list(SLICE)[0]), [{ conditions: { ready: true, serving: false } }])
})

test('a changed selector moves the endpoints to other Pods', async t => {
  const w = await world(t)
  await w.apply([service('web'), pod('one'), pod('two', {}, { app: 'web', v: '2' })])
  await w.run(3)
  t.equal(endpoints(w.list(SLICE)[0]).length, 2)
  await w.apply(service('web', { selector: { app: 'web', v: '2' } }))
  t.same(
    endpoints(w.list(SLICE)[0]).map(e => e.addresses[0]),
    [at(w.get(POD, 'two'), 'status.podIP')],
  )
})

test('a Pod that is being deleted is terminating, then gone from the slice', async t => {
  const w = await world(t)
  await w.apply([service('web'), pod('one')])
  await w.run(3)
  w.server.remove({ ...POD, namespace: 'default', name: 'one' })
  await w.settle()
  t.match(endpoints(w.list(SLICE)[0]), [{ conditions: { ready: false, serving: true, terminating: true } }])
  await w.run(1)
  t.same(endpoints(w.list(SLICE)[0]) ?? [], [])
})

test('a port by name is what each Pod calls so, and Pods that differ have slices of their own', async t => {
  const w = await world(t)
  await w.apply([
    service('web', { ports: [{ name: 'http', port: 80, targetPort: 'web' }] }),
    pod('a', ports([{ name: 'web', containerPort: 8080 }])),
    pod('b', ports([{ name: 'web', containerPort: 9090 }])),
    pod('c', ports([{ name: 'other', containerPort: 7070 }])),
  ])
  await w.run(3)
  const shown = w
    .list(SLICE)
    .map(slice => [
      at(slice, 'ports.0.port'),
      endpoints(slice)
        .map(e => e.addresses[0])
        .join(),
    ])
    .sort((a, b) => `${a[0]}`.localeCompare(`${b[0]}`))
  t.same(shown, [
    [8080, at(w.get(POD, 'a'), 'status.podIP')],
    [9090, at(w.get(POD, 'b'), 'status.podIP')],
    [undefined, at(w.get(POD, 'c'), 'status.podIP')],
  ])
})

test('more than a hundred Pods are spread over slices', async t => {
  const w = await world(t)
  await w.apply([service('web'), replicaSet('web', { replicas: 130 })])
  await w.run(3)
  t.same(
    w
      .list(SLICE)
      .map(slice => endpoints(slice).length)
      .sort((a, b) => a - b),
    [30, 100],
  )
})

test('slices go with their Service, and come back when somebody deletes one', async t => {
  const w = await world(t)
  await w.apply([service('web'), pod('one')])
  await w.run(3)
  const [first] = w.list(SLICE)
  w.server.remove({ ...SLICE, namespace: 'default', name: first!.metadata.name })
  await w.settle()
  t.match(endpoints(w.list(SLICE)[0]), [{ conditions: { ready: true } }])
  w.server.remove({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' })
  await w.settle()
  t.same(w.list(SLICE), [])
})

test('a Service without a selector has no slices of ours', async t => {
  const w = await world(t)
  await w.apply([{ ...service('ext'), spec: { ports: [{ port: 80 }] } }, pod('one')])
  await w.run(3)
  t.same(w.list(SLICE), [])
})
