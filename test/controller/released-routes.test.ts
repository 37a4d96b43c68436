// A rollout that routes by something no longer leaves nothing there that sends users to a version nobody looks after.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KindRef, KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import type { Started } from '../../src/sim/world.ts'
import { canaryApp, shipped } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' } as const
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' } as const
const CANARY_INGRESS = 'app-app-canary'

/** The app with half its traffic on a new version. */
async function halfway(t: Test, objects: readonly KubeObject[]) {
  const start = product()
  let controller: Started | undefined
  const w = await world(t, { crds: crds(), controller: async own => (controller = await start(own)) })
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
