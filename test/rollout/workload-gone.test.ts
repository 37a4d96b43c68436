// The Deployment that a rollout refers to is deleted: everything stays as it is until it comes back.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'
import { at, DEPLOYMENT, REPLICA_SET, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const deployment = { ...DEPLOYMENT, namespace: 'default', name: 'app' }

/** The app with its template in a Deployment. */
function referring(app: readonly KubeObject[], hasSelector: boolean): readonly KubeObject[] {
  return app.flatMap(object => {
    if (object.kind !== 'Rollout') return [object]
    const { template, selector, ...spec } = object['spec'] as Record<string, unknown>
    const workloadRef = { ...DEPLOYMENT, name: 'app', scaleDown: 'onsuccess' }
    return [
      { ...DEPLOYMENT, metadata: { name: 'app' }, spec: { replicas: 4, template, selector } },
      { ...object, spec: { ...spec, workloadRef, ...(hasSelector ? { selector } : {}) } },
    ]
  })
}

const setsOf = (list: readonly KubeObject[]) =>
  list
    .filter(rs => rs.metadata.ownerReferences?.[0]?.kind === 'Rollout')
    .map(({ metadata, spec }) => ({ metadata, spec }))

/** All but the generation of the workload, which begins anew, and what follows from it. */
const keptOf = (list: readonly KubeObject[]) =>
  setsOf(list).map(({ metadata: { name, uid, ownerReferences }, spec }) => ({ name, uid, ownerReferences, spec }))

const MESSAGE = 'The Rollout "app" is invalid: deployments.apps "default/app" not found'

const apps = { canary: canaryApp(undefined), 'blue-green': blueGreenApp() }
for (const [strategy, app] of Object.entries(apps)) {
  for (const hasSelector of [false, true]) {
    for (const isUpdating of [false, true]) {
      const name = `${strategy}${hasSelector ? ' with a selector' : ''}${isUpdating ? ', in an update' : ''}`
      test(`${name}: the referenced Deployment goes and comes back`, async t => {
        const w = await world(t, { crds: crds(), controller: product() })
        await w.apply(referring(app, hasSelector))
        await w.run(20)
        if (isUpdating) w.server.patch(deployment, 'merge', shipped('v2'))
        await w.run(20)
        const phase = isUpdating ? 'Paused' : 'Healthy'
        t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), phase)
        const kept = w.list(REPLICA_SET)
        const sets = setsOf(kept)
        t.equal(sets.length, isUpdating ? 2 : 1)
        const was = w.get(DEPLOYMENT, 'app')!
        const {
          conditions: _c,
          phase: _p,
          message: _m,
          ...before
        } = at(w.get(ROLLOUT, 'app'), 'status') as Record<string, unknown>

        w.server.remove(deployment, { propagationPolicy: 'Background' })
        await w.run(90)
        t.strictSame(setsOf(w.list(REPLICA_SET)), sets, 'the sets are as they were')
        t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), 'Degraded')
        t.equal(at(w.get(ROLLOUT, 'app'), 'status.message'), `InvalidSpec: ${MESSAGE}`)
        const {
          conditions,
          phase: _p2,
          message: _m2,
          ...after
        } = at(w.get(ROLLOUT, 'app'), 'status') as Record<string, unknown>
        t.strictSame(after, before, 'nothing else in the status moved')
        t.equal(
          (conditions as readonly { type: string; message: string }[]).find(c => c.type === 'InvalidSpec')?.message,
          MESSAGE,
        )

        await w.apply({ ...DEPLOYMENT, metadata: { name: 'app' }, spec: { ...(was['spec'] as object) } })
        await w.run(30)
        t.strictSame(keptOf(w.list(REPLICA_SET)), keptOf(kept), 'the same template is the same version')
        t.equal(at(w.get(ROLLOUT, 'app'), 'status.phase'), phase)
        w.server.patch(deployment, 'merge', shipped('v3'))
        await w.run(20)
        t.equal(setsOf(w.list(REPLICA_SET)).length, sets.length + 1, 'a new template is a new version')
      })
    }
  }
}
