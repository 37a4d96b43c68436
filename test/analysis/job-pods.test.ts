// Jobs of measurements: one whose Pods cannot start says nothing, and those that are not kept any more are deleted.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { product } from '../../src/sim/product.ts'
import { at, JOB, world } from '../kit/world.ts'

const RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' } as const

const run = (image: string, metric: object, spec: object = {}) => ({
  ...RUN,
  metadata: { name: 'check' },
  spec: {
    ...spec,
    metrics: [
      {
        name: 'm',
        ...metric,
        provider: {
          job: {
            spec: {
              template: {
                spec: {
                  restartPolicy: 'Never',
                  containers: [{ name: 'c', image, command: ['sh', '-c'], args: ['exit 0'] }],
                },
              },
            },
          },
        },
      },
    ],
  },
})

test('a Job whose image cannot be pulled is inconclusive, and says why', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply([run('example/does-not-exist', {})])
  await w.run(30)
  const [measured] = at(w.get(RUN, 'check'), 'status.metricResults.0.measurements') as readonly object[]
  t.match(measured, {
    phase: 'Inconclusive',
    message: /^Pod \S+, container c has terminal error \((ErrImagePull|ImagePullBackOff)\): /,
  })
  t.equal(at(w.get(RUN, 'check'), 'status.phase'), 'Inconclusive')
})

test('the Jobs of measurements that are not kept any more are deleted', async t => {
  const w = await world(t, { crds: crds(), controller: product() })
  const measurementRetention = [{ metricName: 'm', limit: 2 }]
  await w.apply([run('alpine', { count: 5, interval: '1s' }, { measurementRetention })])
  await w.run(60)
  t.match(w.get(RUN, 'check'), { status: { phase: 'Successful', metricResults: [{ count: 5 }] } })
  const kept = at(w.get(RUN, 'check'), 'status.metricResults.0.measurements') as readonly object[]
  t.equal(kept.length, 2)
  t.same(
    w.list(JOB).map(job => job.metadata.name),
    kept.map(measurement => at(measurement as never, 'metadata.job-name')),
  )
})
