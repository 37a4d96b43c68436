// A change of size and template in one: nobody who waits for the release takes the old version's health for its end.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import type { Transport } from '../../src/ports.ts'
import { clientPhase } from '../../src/rollout/phase.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const

for (const [strategy, app] of Object.entries({ canary: canaryApp(undefined), 'blue-green': blueGreenApp() })) {
  test(`${strategy}: it is not Healthy before the new version is`, async t => {
    const written: Rollout[] = []
    const wrap = (inner: Transport): Transport => ({
      ...inner,
      async request(request) {
        const reply = await inner.request(request)
        if (request.method === 'PATCH' && request.path.includes('/rollouts/')) written.push(JSON.parse(reply.body))
        return reply
      },
    })
    const w = await world(t, { crds: crds(), controller: product({ wrap }) })
    await w.apply(app)
    await w.run(30)
    const before = w.get(ROLLOUT, 'app') as Rollout
    t.equal(clientPhase(before).phase, 'Healthy')
    written.length = 0
    const { spec } = shipped('v2') as { spec: object }
    w.server.patch({ ...ROLLOUT, namespace: 'default', name: 'app' }, 'merge', { spec: { ...spec, replicas: 2 } })
    await w.run(10)
    t.not(written.at(-1)?.status?.currentPodHash, before.status?.currentPodHash)
    t.equal(clientPhase(written.at(-1)!).phase, 'Paused')
    const early = written.filter(one => clientPhase(one).phase === 'Healthy')
    t.strictSame(
      early.map(one => one.status?.observedGeneration),
      [],
    )
  })
}
