// What Prometheus scrapes, from a world in which a canary waits.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import { serveHealth, serveMetrics } from '../../src/controller/health.ts'
import { type Controller, startController } from '../../src/controller/manager.ts'
import { createMetrics } from '../../src/controller/metrics.ts'
import { loadKnown, loadProviders } from '../../src/controller/registry.ts'
import { canaryApp, shipped } from '../kit/apps.ts'
import { template, world } from '../kit/world.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

test('metrics carry the names, labels and values that dashboards of the incumbent ask for', async t => {
  const known = await loadKnown()
  let controller: Controller | undefined
  let now = 0
  const metrics = createMetrics(
    'v9.9.9',
    () => controller,
    () => now,
  )
  const w = await world(t, {
    crds: crds(),
    controller: made => {
      const transport = metrics.counting(directTransport(made.server))
      const fetch = async () => ({ status: 503, headers: {}, body: '' })
      const { clock, random } = made
      controller = startController({ transport, clock, random, log, known, providers: {}, fetch, observer: metrics })
      return controller
    },
  })
  await w.apply(canaryApp({ nginx: { stableIngress: 'app' } }))
  await w.run(10)
  w.server.patch(
    { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace: 'default', name: 'app' },
    'merge',
    shipped('v2'),
  )
  await w.run(30)
  const text = await metrics.text()
  const lines = new Set(text.split('\n'))
  for (const line of [
    'rollout_info{namespace="default",name="app",strategy="canary",traffic_router="Nginx",phase="Paused"} 1',
    'rollout_info_replicas_desired{namespace="default",name="app"} 4',
    'rollout_info_replicas_available{namespace="default",name="app"} 6',
    'rollout_info_replicas_updated{namespace="default",name="app"} 2',
    'rollout_phase{namespace="default",name="app",strategy="canary",phase="Paused"} 1',
    'rollout_phase{namespace="default",name="app",strategy="canary",phase="Completed"} 0',
    'rollout_events_total{namespace="default",name="app",type="Normal",reason="RolloutPaused"} 1',
    'controller_clientset_k8s_request_total{kind="ingresses",namespace="default",name="app-app-canary",verb="Create",status_code="201"} 1',
    'controller_clientset_k8s_request_total{kind="rollouts",namespace="",name="N/A",verb="Watch",status_code="200"} 1',
    'rollout_info_replicas_unavailable{namespace="default",name="app"} 0',
    'workqueue_depth{name="Rollouts"} 0',
    'workqueue_unfinished_work_seconds{name="AnalysisRuns"} 0',
    'workqueue_longest_running_processor_seconds{name="Services"} 0',
    'workqueue_retries_total{name="Experiments"} 0',
    'argo_rollouts_controller_info{version="v9.9.9"} 1',
  ]) {
    t.ok(lines.has(line), line)
  }
  t.match(text, /rollout_duration_seconds_count\{status="Promoted"\} 1/, 'the first deployment has its duration')
  t.match(text, /workqueue_adds_total\{name="Rollouts"\} \d+/)
  t.match(text, /rollout_reconcile_count\{namespace="default",name="app"\} \d+/)
  t.match(text, /^build_info\{version="v9.9.9",goversion="node v[^"]+",goarch="[^"]+",commit=""\} 1$/m)
  t.match(text, /workqueue_queue_duration_seconds_bucket\{le="1e-8",name="Rollouts"\}/)
  t.match(text, /_request_total\{kind="replicasets",namespace="default",name="N\/A",verb="Create"/)

  w.server.remove({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace: 'default', name: 'app' })
  await w.run(5)
  const soon = await metrics.text()
  t.notMatch(soon, /rollout_info\{[^}]*name="app"/, 'a deleted rollout is told of no more')
  t.match(soon, /rollout_events_total\{[^}]*name="app"[^}]*reason="RolloutDeleted"\} 1/, 'its end can be scraped')
  now += 65_000
  t.notMatch(await metrics.text(), /(rollout_\w+|kind="rollouts")[^}]*name="app"/, 'and then it leaves no series')
})

test('runs, experiments and templates are told of by phase and by kind of metric', async t => {
  const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
  let controller: Controller | undefined
  let now = 0
  const metrics = createMetrics(
    'v9.9.9',
    () => controller,
    () => now,
  )
  const w = await world(t, {
    crds: crds(),
    controller: made => {
      const transport = directTransport(made.server)
      const fetch = async () => ({ status: 200, headers: {}, body: '{"rate": 0.2}' })
      const { clock, random } = made
      controller = startController({ transport, clock, random, log, known, providers, fetch, observer: metrics })
      return controller
    },
  })
  const metric = (name: string, failureCondition: string) => ({
    name,
    failureCondition,
    provider: { web: { url: 'http://metrics/', jsonPath: '{$.rate}' } },
  })
  await w.apply([
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AnalysisTemplate',
      metadata: { name: 'rates' },
      spec: {
        metrics: [metric('good', 'result > 0.5'), metric('bad', 'result > 0.1')],
        dryRun: [{ metricName: 'bad' }],
      },
    },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Experiment',
      metadata: { name: 'compare' },
      spec: {
        templates: [{ name: 'a', selector: { matchLabels: { app: 'web' } }, template: template() }],
        analyses: [{ name: 'rates', templateName: 'rates' }],
      },
    },
  ])
  await w.run(10)
  const run = 'namespace="default",name="compare-rates"'
  const text = await metrics.text()
  const lines = new Set(text.split('\n'))
  for (const line of [
    'experiment_info{namespace="default",name="compare",phase="Running"} 1',
    'experiment_phase{namespace="default",name="compare",phase="Running"} 1',
    'experiment_phase{namespace="default",name="compare",phase="Pending"} 0',
    `analysis_run_info{${run},phase="Successful"} 1`,
    `analysis_run_phase{${run},phase="Successful"} 1`,
    `analysis_run_metric_type{${run},metric="good",type="Web"} 1`,
    `analysis_run_metric_phase{${run},metric="good",type="Web",dry_run="false",phase="Successful"} 1`,
    `analysis_run_metric_phase{${run},metric="bad",type="Web",dry_run="true",phase="Failed"} 1`,
    `analysis_run_metric_phase{${run},metric="bad",type="Web",dry_run="true",phase="Pending"} 0`,
    'analysis_template_info{namespace="default",name="rates"} 1',
    'analysis_template_metric_info{namespace="default",name="rates",type="Web",metric="bad"} 1',
  ]) {
    t.ok(lines.has(line), line)
  }
  t.match(text, /experiment_reconcile_count\{namespace="default",name="compare"\} \d+/)
  t.match(text, /analysis_run_reconcile_count\{namespace="default",name="compare-rates"\} \d+/)

  w.server.remove({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment', namespace: 'default', name: 'compare' })
  await w.run(10)
  now += 65_000
  t.notMatch(await metrics.text(), /(experiment|analysis_run)_\w+\{[^}]*name="compare/, 'what is gone leaves no series')
})

test('health and metrics over HTTP', async t => {
  let isReady = false
  const health = await serveHealth(0, { isAlive: () => true, isReady: () => isReady })
  const metrics = await serveMetrics(
    0,
    createMetrics('v1', () => undefined),
  )
  t.teardown(() => Promise.all([health.close(), metrics.close()]))
  const get = async (port: number, path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return [response.status, (await response.text()).split('\n')[0]]
  }
  t.same(await get(health.port, '/healthz'), [200, 'ok'])
  t.same(await get(health.port, '/readyz'), [503, 'still reading'])
  isReady = true
  t.same(await get(health.port, '/readyz'), [200, 'ok'])
  t.same(await get(health.port, '/other'), [404, 'not found'])
  t.same(await get(health.port, '/healthz', 'POST'), [405, 'only GET'])
  t.equal((await get(metrics.port, '/metrics'))[0], 200)
  const packed = await fetch(`http://127.0.0.1:${metrics.port}/metrics`, { headers: { 'accept-encoding': 'gzip' } })
  t.equal(packed.headers.get('content-encoding'), 'gzip')
  t.match(await packed.text(), /^build_info/m)
  const plain = await fetch(`http://127.0.0.1:${metrics.port}/metrics`, { headers: { 'accept-encoding': 'gzip;q=0' } })
  t.equal(plain.headers.get('content-encoding'), null)
  await t.rejects(serveHealth(health.port, { isAlive: () => true, isReady: () => true }), { code: 'PIN7102' })
})

test('a controller of one namespace that only measures serves its metrics, and touches nothing else', async t => {
  const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
  let controller: Controller | undefined
  const metrics = createMetrics('v1', () => controller)
  const failures: unknown[] = []
  const w = await world(t, {
    crds: crds(),
    controller: made => {
      const fetch = async () => ({ status: 200, headers: {}, body: '{"rate": 0.2}' })
      const { clock, random } = made
      const transport = directTransport(made.server)
      const loud = { ...log, error: (...told: unknown[]) => failures.push(told) }
      const about = { transport, clock, random, log: loud, known, providers, fetch, observer: metrics }
      controller = startController({ ...about, namespace: 'default', analysisOnly: true, resync: 5000 })
      return controller
    },
  })
  await w.apply(canaryApp({}))
  const web = { url: 'http://metrics/', jsonPath: '{$.rate}' }
  const [rollout] = w.server.list({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' })
  const uid = rollout?.metadata.uid ?? ''
  const owner = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', name: 'app', uid, controller: true }
  await w.apply([
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'AnalysisRun',
      metadata: { name: 'one', ownerReferences: [owner] },
      spec: { metrics: [{ name: 'rate', successCondition: 'result < 1', provider: { web } }] },
    },
  ])
  await w.run(10)
  const text = await metrics.text()
  t.match(text, /^analysis_run_info\{namespace="default",name="one",phase="Successful"\} 1$/m)
  t.notMatch(text, /^rollout_info\{/m)
  t.same(failures, [])
  t.same(w.server.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }), [], 'no ReplicaSet is made')
})
