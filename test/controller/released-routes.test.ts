// A rollout that routes by something no longer leaves nothing there that sends users to a version nobody looks after.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KindRef, KubeObject } from '../../src/contract.ts'
import type { Log } from '../../src/ports.ts'
import { looseCrd } from '../../src/sim/loose-crd.ts'
import { product } from '../../src/sim/product.ts'
import type { Started } from '../../src/sim/world.ts'
import { canaryApp, shipped } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' } as const
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const
const ISTIO = 'networking.istio.io/v1alpha3'
const VIRTUAL_SERVICE = { apiVersion: ISTIO, kind: 'VirtualService' } as const
const RULE = { apiVersion: ISTIO, kind: 'DestinationRule' } as const
const CANARY_INGRESS = 'app-app-canary'

/** The app with half its traffic on a new version. */
async function halfway(t: Test, objects: readonly KubeObject[]) {
  const start = product()
  let controller: Started | undefined
  const meshes = [looseCrd(VIRTUAL_SERVICE), looseCrd(RULE)]
  const w = await world(t, { crds: [...crds(), ...meshes], controller: async own => (controller = await start(own)) })
  await w.apply(objects)
  await w.run(10)
  const edit = (patch: unknown) => w.server.patch({ ...ROLLOUT, namespace: 'default', name: 'app' }, 'merge', patch)
  edit(shipped('v2'))
  await w.run(10)
  return {
    async change(patch: unknown, seconds = 5): Promise<void> {
      edit(patch)
      await w.run(seconds)
    },
    async remove(): Promise<void> {
      w.server.remove({ ...ROLLOUT, namespace: 'default', name: 'app' })
      await w.run(5)
    },
    get: (kind: KindRef, name: string) => w.get(kind, name),
    table: () =>
      JSON.parse(
        (w.get(CONFIG_MAP, 'app-route') as { data?: Record<string, string> } | undefined)?.data?.['table.json'] ?? '',
      ),
    stop: async () => await controller?.stop(),
    async start(): Promise<void> {
      const next = await start(w)
      t.teardown(() => next.stop())
      await w.run(5)
    },
  }
}

const nginx = canaryApp({ nginx: { stableIngress: 'app' } })
const proxy = canaryApp({ plugins: { 'pintle/proxy': {} } })
const routing = (trafficRouting: unknown) => ({ spec: { strategy: { canary: { trafficRouting } } } })
const basic = { spec: { strategy: { canary: { trafficRouting: null, scaleDownDelaySeconds: null } } } }

test('nginx: the canary Ingress goes when the rollout stops routing', async t => {
  const w = await halfway(t, nginx)
  t.match(w.get(INGRESS, CANARY_INGRESS)?.metadata.annotations, { 'nginx.ingress.kubernetes.io/canary-weight': '50' })
  await w.change(basic)
  t.equal(w.get(INGRESS, CANARY_INGRESS), undefined)
  t.ok(w.get(INGRESS, 'app'), "the user's own stays")
})

test('nginx: it goes when the strategy becomes blue-green', async t => {
  const w = await halfway(t, nginx)
  await w.change({ spec: { strategy: { canary: null, blueGreen: { activeService: 'app-stable' } } } })
  t.equal(w.get(INGRESS, CANARY_INGRESS), undefined)
})

test('nginx: of several Ingresses only the one that is named no longer loses its canary', async t => {
  const other = { ...(nginx[2] as KubeObject), metadata: { name: 'other' } }
  const w = await halfway(t, [...canaryApp({ nginx: { stableIngresses: ['app', 'other'] } }), other])
  await w.change(routing({ nginx: { stableIngresses: ['other'] } }))
  t.equal(w.get(INGRESS, CANARY_INGRESS), undefined)
  t.ok(w.get(INGRESS, 'app-other-canary'))
})

test('nginx: a spec that is refused keeps its traffic', async t => {
  const w = await halfway(t, nginx)
  await w.change(routing({ nginx: { stableIngress: null } }), 60)
  t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Degraded')
  t.ok(w.get(INGRESS, CANARY_INGRESS))
  await w.change(basic)
  t.equal(w.get(INGRESS, CANARY_INGRESS), undefined)
})

test('nginx: what was left while no controller ran is found by the next', async t => {
  const w = await halfway(t, nginx)
  await w.stop()
  await w.change(basic)
  t.ok(w.get(INGRESS, CANARY_INGRESS))
  await w.start()
  t.equal(w.get(INGRESS, CANARY_INGRESS), undefined)
})

const virtualService: KubeObject = {
  ...VIRTUAL_SERVICE,
  metadata: { name: 'app' },
  spec: {
    hosts: ['app'],
    http: [
      {
        route: [
          { destination: { host: 'app', subset: 'stable' }, weight: 100 },
          { destination: { host: 'app', subset: 'canary' }, weight: 0 },
        ],
      },
    ],
  },
}
const rule: KubeObject = {
  ...RULE,
  metadata: { name: 'app' },
  spec: {
    host: 'app',
    subsets: [
      { name: 'stable', labels: { app: 'app' } },
      { name: 'canary', labels: { app: 'app' } },
    ],
  },
}
const destinationRule = { name: 'app', stableSubsetName: 'stable', canarySubsetName: 'canary' }
const mesh = [virtualService, rule, ...canaryApp({ istio: { virtualService: { name: 'app' }, destinationRule } })]

for (const [when, end] of Object.entries({
  'the rollout stops routing': { change: basic },
  'the rollout is deleted': 'delete' as const,
})) {
  test(`istio: the subsets select all versions when ${when}`, async t => {
    const w = await halfway(t, mesh)
    const labels = () => at(w.get(RULE, 'app'), 'spec.subsets') as { labels: Record<string, string> }[]
    const hashes = labels().map(one => one.labels['rollouts-pod-template-hash'])
    t.equal(new Set(hashes).size, 2, 'each selects its version')
    if (end === 'delete') await w.remove()
    else await w.change(end.change)
    t.same(
      labels().map(one => one.labels),
      [{ app: 'app' }, { app: 'app' }],
    )
    t.notMatch(w.get(RULE, 'app')?.metadata.annotations ?? {}, {
      'argo-rollouts.argoproj.io/managed-by-rollouts': 'app',
    })
  })
}

test('alb: the action forwards to stable only', async t => {
  const w = await halfway(t, canaryApp({ alb: { ingress: 'app', servicePort: 80 } }))
  const action = () =>
    w.get(INGRESS, 'app')?.metadata.annotations?.['alb.ingress.kubernetes.io/actions.app-stable'] ?? ''
  t.match(action(), /"app-canary".*"Weight":50/)
  await w.change(basic)
  t.notMatch(action(), /app-canary/)
  t.match(action(), /"app-stable".*"Weight":100/)
})

test('proxy: clients that still come are led to the stable Service, whoever its pods are', async t => {
  const w = await halfway(t, proxy)
  const before = w.table().generation
  t.equal(w.table().routes[0].dests.length, 2)
  await w.change(basic)
  t.equal(w.table().generation, before + 1, 'proxies see a new table, once')
  t.same(w.table().routes[0].dests, [{ role: 'stable', weight: 100, upstream: { service: 'default/app-stable' } }])
  await w.change(routing({ plugins: { 'pintle/proxy': {} } }))
  t.equal(w.table().routes[0].dests.length, 2, 'and back under control when the rollout asks for it again')
})

test('a rollout that goes before its kinds are followed leaves no trouble behind', async t => {
  const errors: string[] = []
  const log: Log = { debug() {}, info() {}, warn() {}, error: (_fields, message) => void errors.push(message ?? '') }
  const w = await world(t, { crds: crds(), controller: product({ log }) })
  const rollout = mesh.find(({ kind }) => kind === 'Rollout') as KubeObject
  w.server.create({ ...rollout, metadata: { ...rollout.metadata, namespace: 'default' } })
  w.server.remove({ ...ROLLOUT, namespace: 'default', name: 'app' })
  await w.run(60)
  t.same(errors, [])
})
