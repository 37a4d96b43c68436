// Measurements by Jobs, in a virtual cluster: what becomes of the Job, what of the run.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import type { World } from '../../src/sim/world.ts'
import { at, JOB, world } from '../kit/world.ts'

const RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }

const run = (command: string, more: object = {}): KubeObject => ({
  ...RUN,
  metadata: { name: 'check', labels: {} },
  spec: {
    metrics: [
      {
        name: 'a-metric-with-a-name-that-is-much-too-long-for-the-name-of-a-job',
        provider: {
          job: {
            metadata: { labels: { team: 'shop' } },
            spec: {
              backoffLimit: 0,
              template: {
                spec: {
                  restartPolicy: 'Never',
                  containers: [{ name: 'c', image: 'alpine', command: ['sh', '-c'], args: [command] }],
                },
              },
            },
          },
        },
        ...more,
      },
    ],
  },
})
const place = (t: Test) => world(t, { crds: crds(), controller: product() })
const phase = (w: World) => at(w.get(RUN, 'check'), 'status.phase')
const first = (w: World) => at(w.get(RUN, 'check'), 'status.metricResults.0.measurements.0') as Record<string, unknown>

test("a Job that completes is a success; the Job is the run's and says whose it is", async t => {
  const w = await place(t)
  await w.apply(run('exit 0'))
  await w.run(0.5)
  const [job] = w.list(JOB)
  const uid = w.get(RUN, 'check')?.metadata.uid ?? ''
  t.equal(job?.metadata.name, `${uid}.a-metric-with-a-name-tha.1`, 'cut to 63 characters')
  t.ok((job?.metadata.name.length ?? 99) <= 63)
  t.match(job?.metadata, {
    labels: { team: 'shop', 'analysisrun.argoproj.io/uid': uid },
    annotations: { 'analysisrun.argoproj.io/name': 'check', 'analysisrun.argoproj.io/namespace': 'default' },
    ownerReferences: [{ kind: 'AnalysisRun', name: 'check', uid, controller: true }],
  })
  t.equal(phase(w), 'Running')
  t.match(first(w), { phase: 'Running', metadata: { 'job-name': job?.metadata.name, 'job-namespace': 'default' } })
  await w.run(10)
  t.equal(phase(w), 'Successful')
})

test('a Job that fails is a failure', async t => {
  const w = await place(t)
  await w.apply(run('exit 1'))
  await w.run(10)
  t.equal(phase(w), 'Failed')
  t.match(first(w), { phase: 'Failed' })
})

test('a long Job is seen to end at once, not at the next look', async t => {
  const w = await place(t)
  await w.apply(run('sleep 60'))
  await w.until(() => at(w.list(JOB)[0], 'status.conditions.0.type') !== undefined, 120)
  const ended = w.clock.now()
  await w.until(() => phase(w) === 'Successful', 60)
  t.ok(w.clock.now() - ended < 1000, `${w.clock.now() - ended} ms later`)
})

test('a run that is terminated takes its Job away, and the measurement counts for nothing', async t => {
  const w = await place(t)
  await w.apply(run('sleep 600'))
  await w.run(5)
  t.equal(w.list(JOB).length, 1)
  w.server.patch({ ...RUN, namespace: 'default', name: 'check' }, 'merge', { spec: { terminate: true } })
  await w.run(5)
  t.equal(w.list(JOB).filter(job => job.metadata.deletionTimestamp === undefined).length, 0)
  t.match(first(w), { phase: 'Inconclusive' })
})

test('a Job that somebody deletes is an error that says so', async t => {
  const w = await place(t)
  await w.apply(run('sleep 600'))
  await w.run(2)
  const [job] = w.list(JOB)
  w.server.remove({ ...JOB, namespace: 'default', name: job!.metadata.name })
  await w.run(12)
  t.match(first(w), { phase: 'Error', message: /jobs.batch ".*" not found/ })
})
