// AnalysisRuns that nobody notes any more are ended, whoever left them behind.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' } as const

type Left = Readonly<{ labels?: Readonly<Record<string, string>>; isOurs?: boolean; ended?: boolean }>

const run = (name: string, rollout: KubeObject, { labels = {}, isOurs = true }: Left): KubeObject => ({
  ...RUN,
  metadata: {
    name,
    labels: { 'rollouts-pod-template-hash': `${at(rollout, 'status.currentPodHash')}`, ...labels },
    ...(isOurs && {
      ownerReferences: [
        { ...ROLLOUT, name: 'app', uid: rollout.metadata.uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    }),
  },
  spec: { metrics: [{ name: 'up', interval: '10s', provider: { web: { url: 'http://metrics.example' } } }] },
})

/** What is found, and whether it goes on after a pass. */
const table: Readonly<Record<string, Left>> = {
  'a background run of a rollout without analysis': { labels: { 'rollout-type': 'Background' }, ended: true },
  'a step run of a step that is none': { labels: { 'rollout-type': 'Step', 'step-index': '0' }, ended: true },
  'a pre-promotion run': { labels: { 'rollout-type': 'PrePromotion' }, ended: true },
  'a run without a type': { ended: true },
  'a run that somebody started by hand': { isOurs: false, ended: false },
}

for (const [strategy, app] of Object.entries({ canary: canaryApp(undefined), 'blue-green': blueGreenApp() })) {
  for (const isUpdating of [false, true]) {
    for (const [name, left] of Object.entries(table)) {
      test(`${strategy}${isUpdating ? ' in an update' : ''}: ${name}`, async t => {
        const fetch = async () => ({ status: 200, headers: {}, body: 'true' })
        const w = await world(t, { crds: crds(), controller: product({ fetch }) })
        await w.apply(app)
        await w.run(20)
        if (isUpdating) w.server.patch({ ...ROLLOUT, namespace: 'default', name: 'app' }, 'merge', shipped('v2'))
        await w.run(20)
        await w.apply(run('left', w.get(ROLLOUT, 'app')!, left))
        await w.run(60)
        t.equal(at(w.get(RUN, 'left'), 'spec.terminate') ?? false, left.ended)
        t.equal(at(w.get(RUN, 'left'), 'status.phase'), left.ended ? 'Successful' : 'Running')
      })
    }
  }
}
