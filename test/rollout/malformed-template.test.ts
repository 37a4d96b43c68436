// Parts of a pod template that the definition lets pass and that no pod can have: read as upstream reads them, or named in
// the status; never a crash, never a hot loop.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { ApiError } from '../../src/kube/errors.ts'
import type { Transport } from '../../src/ports.ts'
import { product } from '../../src/sim/product.ts'
import { canaryApp, shipped } from '../kit/apps.ts'
import { at, REPLICA_SET, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const rollout = { ...ROLLOUT, namespace: 'default', name: 'app' }

type Fields = Readonly<Record<string, unknown>>
type Row = Readonly<{ limits?: unknown; volumes?: unknown; init?: unknown } & ({ says: string } | { pods: Fields })>

const limits = 'spec.template.spec.containers[0].resources.limits'
const volume = 'spec.template.spec.volumes[0]'

/** `pods`: what the new pods have; `says`: what InvalidSpec complains of. */
const table: Readonly<Record<string, Row>> = {
  'limits are null': { limits: null, pods: {} },
  'limits are a number': { limits: 1, pods: {} },
  'limits are a text': { limits: 'x', pods: {} },
  'limits are a list with nothing': { limits: [null], pods: {} },
  'a limit is null': { limits: { cpu: null }, pods: { limits: { cpu: '0' } } },
  'a limit is no quantity': {
    limits: { cpu: 'abc' },
    says: `${limits}[cpu]: Invalid value: "abc": must be a quantity`,
  },
  'a limit is an object': { limits: { cpu: {} }, says: `${limits}[cpu]: Invalid value: {}: must be a quantity` },
  'a limit is a list': { limits: { cpu: [] }, says: `${limits}[cpu]: Invalid value: []: must be a quantity` },
  'a limit of an init container is true': {
    init: { cpu: true },
    says: 'spec.template.spec.initContainers[0].resources.limits[cpu]: Invalid value: true: must be a quantity',
  },
  'volumes are a text': { volumes: 'x', pods: {} },
  'volumes are an object': { volumes: { a: 1 }, pods: {} },
  'a volume is null': { volumes: [null], says: `${volume}.name: Required value` },
  'a volume is a number': { volumes: [1], says: `${volume}.name: Required value` },
  'a name of a volume is a number': { volumes: [{ name: 1, emptyDir: {} }], says: `${volume}.name: Required value` },
  'an emptyDir is a number': {
    volumes: [{ name: 'a', emptyDir: 5 }],
    pods: { volumes: [{ name: 'a', emptyDir: {} }] },
  },
  'the size of an emptyDir is an object': {
    volumes: [{ name: 'a', emptyDir: { sizeLimit: {} } }],
    says: `${volume}.emptyDir.sizeLimit: Invalid value: {}: must be a quantity`,
  },
  'an item of a configMap is null': {
    volumes: [{ name: 'a', configMap: { name: 'c', items: [null] } }],
    says: `${volume}.configMap.items[0].key: Required value`,
  },
  'sources are a number': {
    volumes: [{ name: 'a', projected: { sources: 7 } }],
    pods: { volumes: [{ name: 'a', projected: { sources: null, defaultMode: 420 } }] },
  },
}

const container = ({ limits }: Row) => ({
  name: 'app',
  image: 'example/app:v2',
  ports: [{ containerPort: 8080 }],
  ...(limits === undefined ? {} : { resources: { limits } }),
})

const templateOf = (row: Row) => ({
  metadata: { labels: { app: 'app' } },
  spec: {
    containers: [container(row)],
    ...(row.init === undefined ? {} : { initContainers: [{ name: 'i', image: 'i', resources: { limits: row.init } }] }),
    ...(row.volumes === undefined ? {} : { volumes: row.volumes }),
  },
})

/** Counts writes, and collects what is said of trouble. */
function witness() {
  const said: string[] = []
  const counted = { writes: 0 }
  const tell = (fields: Fields, message: string) => void said.push(`${message}: ${String(fields['error'])}`)
  const wrap = (inner: Transport): Transport => ({
    stream: inner.stream,
    async request(request) {
      if (request.method !== 'GET') counted.writes += 1
      return await inner.request(request)
    },
  })
  return { said, counted, wrap, log: { debug() {}, info() {}, warn: tell, error: tell } }
}

for (const [name, row] of Object.entries(table)) {
  test(name, async t => {
    const { said, counted, wrap, log } = witness()
    const w = await world(t, { crds: crds(), controller: product({ wrap, log }) })
    await w.apply(canaryApp(undefined))
    await w.run(20)
    counted.writes = 0
    w.server.patch(rollout, 'json', [{ op: 'replace', path: '/spec/template', value: templateOf(row) }])
    await w.run(300)
    const ours = w.list(REPLICA_SET)
    if ('says' in row) {
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Degraded')
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), `InvalidSpec: The Rollout "app" is invalid: ${row.says}`)
      t.same(
        ours.map(rs => at(rs, 'status.availableReplicas')),
        [4],
        'the old version serves on',
      )
    } else {
      t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), 'CanaryPauseStep')
      const fresh = ours.find(rs => JSON.stringify(rs).includes(':v2'))
      const spec = at(fresh, 'spec.template.spec') as Fields & { containers: readonly { resources: Fields }[] }
      const { volumes } = spec
      t.same({ ...spec.containers[0]?.resources, ...(volumes ? { volumes } : {}) }, row.pods)
    }
    t.same(said, [])
    t.ok(counted.writes < 30, `${counted.writes} writes`)
  })
}

/** A server that takes no ReplicaSet, as one with a strict webhook. */
const strict =
  (isOpen: () => boolean) =>
  (inner: Transport): Transport => ({
    stream: inner.stream,
    async request(request) {
      if (isOpen() || request.method !== 'POST' || !request.path.endsWith('/replicasets'))
        return await inner.request(request)
      throw new ApiError(403, 'Forbidden', 'admission webhook "pods" denied the request: no v2 today', request)
    },
  })

const conditionOf = (object: KubeObject | undefined, type: string) =>
  (at(object, 'status.conditions') as readonly Fields[]).find(one => one['type'] === type)

test('a ReplicaSet that is refused is told, tried again, and created in the end', async t => {
  let isOpen = true
  const w = await world(t, { crds: crds(), controller: product({ wrap: strict(() => isOpen) }) })
  await w.apply(canaryApp(undefined))
  await w.run(20)
  isOpen = false
  w.server.patch(rollout, 'merge', shipped('v2'))
  await w.run(60)
  const refused = w.get(ROLLOUT, 'app')
  const said = /^Failed to create new replica set "app-\w+": admission webhook "pods" denied the request: no v2 today$/
  t.match(conditionOf(refused, 'Progressing'), { status: 'False', reason: 'ReplicaSetCreateError', message: said })
  t.equal(at(refused, 'status.phase'), 'Degraded')
  t.equal(at(refused, 'status.observedGeneration'), `${refused?.metadata.generation}`)
  t.equal(at(refused, 'status.availableReplicas'), 4)
  const written = refused?.metadata.resourceVersion
  await w.run(120)
  t.equal(w.get(ROLLOUT, 'app')?.metadata.resourceVersion, written, 'told once')
  isOpen = true
  await w.run(60)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), 'CanaryPauseStep')
  t.not(conditionOf(w.get(ROLLOUT, 'app'), 'Progressing')?.['reason'], 'ReplicaSetCreateError')
})
