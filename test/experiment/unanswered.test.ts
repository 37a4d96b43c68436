// A create that nobody answered, of something that has come to its end when the time for the answer is over: it is not
// made a second time.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { faultyTransport } from '../../src/kube/faulty.ts'
import { product } from '../../src/sim/product.ts'
import { at, world } from '../kit/world.ts'

const API = { apiVersion: 'argoproj.io/v1alpha1' }
const EXPERIMENT = { ...API, kind: 'Experiment' } as const
const RUN = { ...API, kind: 'AnalysisRun' } as const

const TEMPLATE = {
  ...API,
  kind: 'AnalysisTemplate',
  metadata: { name: 'errors' },
  spec: { metrics: [{ name: 'errors', provider: { web: { url: 'http://metrics/errors' } } }] },
}

test('the analysis of an experiment is made once, though the answer to its create was lost', async t => {
  let left = 1
  const w = await world(t, {
    crds: crds(),
    async controller(on) {
      const fetch = async () => ({ status: 200, headers: {}, body: '1' })
      const plan = ({ method, path }: { method: string; path: string }) =>
        method === 'POST' && path.endsWith('/analysisruns') && left-- > 0
          ? ({ is: 'stall', commit: true } as const)
          : undefined
      return await product({ fetch, wrap: inner => faultyTransport(inner, { clock: on.clock, plan }) })(on)
    },
  })
  await w.apply([
    TEMPLATE,
    {
      ...EXPERIMENT,
      metadata: { name: 'compare' },
      spec: {
        duration: '60s',
        templates: [
          {
            name: 'a',
            selector: { matchLabels: { run: 'a' } },
            template: {
              metadata: { labels: { run: 'a' } },
              spec: { containers: [{ name: 'app', image: 'example/app:v1' }] },
            },
          },
        ],
        analyses: [{ name: 'errors', templateName: 'errors' }],
      },
    },
  ])
  await w.run(40)
  t.same(
    w.list(RUN).map(run => [run.metadata.name, at(run, 'status.phase')]),
    [['compare-errors', 'Successful']],
  )
  t.match(at(w.get(EXPERIMENT, 'compare'), 'status.analysisRuns'), [
    { analysisRun: 'compare-errors', phase: 'Successful' },
  ])
})
