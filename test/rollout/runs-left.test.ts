// AnalysisRuns that a rollout has no use for: none is made on a quick way back, and a blue-green status goes on to tell
// what became of one that was passed over.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' } as const
const rollout = { ...ROLLOUT, namespace: 'default', name: 'app' }

/** A template whose Job takes so many seconds. */
const template = (seconds: number): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AnalysisTemplate',
  metadata: { name: 'check' },
  spec: {
    metrics: [{ name: 'check', provider: { job: { spec: { template: { spec: job(`sleep ${seconds}; exit 0`) } } } } }],
  },
})
const job = (script: string) => ({
  restartPolicy: 'Never',
  containers: [{ name: 'c', image: 'alpine', command: ['sh', '-c'], args: [script] }],
})
const templates = [{ templateName: 'check' }]

/** The app with more in its spec and its strategy. */
const withMore = (app: readonly KubeObject[], kind: 'canary' | 'blueGreen', strategy: object, spec: object = {}) =>
  app.map(object => {
    if (object.kind !== 'Rollout') return object
    const old = object['spec'] as { strategy: Record<string, object> }
    return { ...object, spec: { ...old, ...spec, strategy: { [kind]: { ...old.strategy[kind], ...strategy } } } }
  })

test('no run is made for a rollback within its window, nor for one to a version that still runs', async t => {
  const analysis = { templates }
  const steps = [{ setWeight: 50 }, { analysis }]
  const apps = {
    canary: withMore(canaryApp(undefined), 'canary', { steps, analysis }, { rollbackWindow: { revisions: 3 } }),
    'blue-green': withMore(blueGreenApp(), 'blueGreen', {
      autoPromotionEnabled: true,
      scaleDownDelaySeconds: 600,
      prePromotionAnalysis: analysis,
      postPromotionAnalysis: analysis,
    }),
  }
  for (const [strategy, app] of Object.entries(apps)) {
    const w = await world(t, { crds: crds(), controller: product() })
    await w.apply([template(1), ...app])
    await w.run(20)
    const before = (at(w.get(ROLLOUT, 'app'), 'spec.template') as object) ?? {}
    w.server.patch(rollout, 'merge', shipped('v2'))
    await w.run(60)
    t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Healthy', strategy)
    const made = w.list(RUN).length
    t.equal(made, 2, `${strategy}: the update was analysed`)
    w.server.patch(rollout, 'merge', { spec: { template: before } })
    await w.run(60)
    t.match(w.get(ROLLOUT, 'app'), { status: { phase: 'Healthy' } }, strategy)
    t.equal(w.list(RUN).length, made, `${strategy}: the way back is not`)
  }
})

test('a run that a full promotion passes over is ended, and the status tells how', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  const prePromotionAnalysis = { templates }
  await w.apply([template(300), ...withMore(blueGreenApp(), 'blueGreen', { prePromotionAnalysis })])
  await w.run(20)
  w.server.patch(rollout, 'merge', shipped('v2'))
  await w.run(20)
  const told = () => at(w.get(ROLLOUT, 'app'), 'status.blueGreen.prePromotionAnalysisRunStatus')
  t.match(told(), { status: 'Running' })
  w.server.patch(rollout, 'merge', { status: { promoteFull: true } }, { subresource: 'status' })
  await w.run(20)
  t.match(told(), { status: 'Inconclusive', message: /Metric Terminated/ })
  t.match(w.list(RUN)[0], { status: { metricResults: [{ measurements: [{ message: 'Metric Terminated' }] }] } })
  const said = w.list({ apiVersion: 'v1', kind: 'Event' }).map(event => event['message'])
  t.ok(
    said.some(text => /^PrePromotion Analysis Run .* Status New: 'Inconclusive' Previous: 'Running'$/.test(`${text}`)),
  )
})
