// The rule that keeps new pods away from the nodes of the stable version, in a virtual cluster.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import type { World } from '../../src/sim/world.ts'
import { shipped } from '../kit/apps.ts'
import { at, REPLICA_SET, service, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const HASH = 'rollouts-pod-template-hash'
const zones = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'app' } } }

const rollout = (strategy: object, affinity?: object): KubeObject => ({
  ...ROLLOUT,
  metadata: { name: 'app' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'app' } },
    template: {
      metadata: { labels: { app: 'app' } },
      spec: { containers: [{ name: 'app', image: 'example/app:v1' }], ...(affinity ? { affinity } : {}) },
    },
    strategy,
  },
})
const place = (t: Test) => world(t, { crds: crds(), controller: product() })
const ship = (w: World, version: string) =>
  w.server.patch({ ...ROLLOUT, namespace: 'default', name: 'app' }, 'merge', shipped(version))
const affinities = (w: World) =>
  w
    .list(REPLICA_SET)
    .toSorted((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    .map(set => [set.metadata.labels?.[HASH], at(set, 'spec.template.spec.affinity')] as const)
const term = (hash: string) => ({
  labelSelector: { matchExpressions: [{ key: HASH, operator: 'In', values: [hash] }] },
  namespaces: ['default'],
  topologyKey: 'kubernetes.io/hostname',
})

test('required: the canary keeps off the nodes of stable; the hash does not depend on it', async t => {
  const w = await place(t)
  const antiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: {} }
  await w.apply(rollout({ canary: { antiAffinity, steps: [{ setWeight: 50 }, { pause: {} }] } }))
  await w.run(10)
  ship(w, 'v2')
  await w.run(10)
  const [[first = '', none], [, second]] = affinities(w) as unknown as [[string, unknown], [string, unknown]]
  t.equal(none, undefined, 'the first version has nobody to keep off')
  t.same(second, { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(first)] } })
  t.equal(w.list(REPLICA_SET).length, 2, 'no third set is made')
})

test('preferred: with its weight, beside what the template says itself', async t => {
  const w = await place(t)
  const own = { weight: 1, podAffinityTerm: zones }
  const affinity = { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [own] } }
  const antiAffinity = { preferredDuringSchedulingIgnoredDuringExecution: { weight: 70 } }
  await w.apply(
    [
      service('active'),
      rollout({ blueGreen: { activeService: 'active', autoPromotionEnabled: false, antiAffinity } }, affinity),
    ].map(object =>
      object.kind === 'Service'
        ? { ...object, spec: { ...(object['spec'] as object), selector: { app: 'app' } } }
        : object,
    ),
  )
  await w.run(10)
  ship(w, 'v2')
  await w.run(10)
  const [[first = ''], [, second]] = affinities(w) as unknown as [[string], [string, unknown]]
  t.same(second, {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [own, { weight: 70, podAffinityTerm: term(first) }],
    },
  })
})

test('a set that was made against an older stable version is told of the new one', async t => {
  const w = await place(t)
  const antiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: {} }
  await w.apply(rollout({ canary: { antiAffinity, steps: [{ setWeight: 50 }, { pause: {} }] } }))
  await w.run(10)
  ship(w, 'v3')
  await w.run(10)
  ship(w, 'v2')
  await w.run(10)
  const ref = { ...ROLLOUT, namespace: 'default', name: 'app' }
  w.server.patch(ref, 'merge', { status: { promoteFull: true } }, { subresource: 'status' })
  await w.run(20)
  const stable = String(at(w.get(ROLLOUT, 'app'), 'status.stableRS'))
  ship(w, 'v3')
  await w.run(10)
  const hash = at(w.get(ROLLOUT, 'app'), 'status.currentPodHash')
  const [, affinity] = affinities(w).find(([one]) => one === hash) ?? []
  t.not(stable, hash)
  t.same(affinity, { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(stable)] } }, 'one rule')
  t.equal(w.list(REPLICA_SET).length, 3, 'no further set is made')
})
