// Kinds that only some rollouts need are followed late; what the role does not allow holds those rollouts, nobody else.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { ApiError } from '../../src/kube/errors.ts'
import type { ApiRequest, Transport } from '../../src/ports.ts'
import { product } from '../../src/sim/product.ts'
import { canaryApp } from '../kit/apps.ts'
import { at, world } from '../kit/world.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const

/** An API server that does not let us see the mesh. */
const withoutMesh = (inner: Transport): Transport => {
  const refuse = (request: ApiRequest) => {
    if (!request.path.includes('/networking.istio.io/')) return
    throw new ApiError(403, 'Forbidden', 'virtualservices.networking.istio.io is forbidden', request)
  }
  return {
    async request(request) {
      refuse(request)
      return await inner.request(request)
    },
    async stream(request) {
      refuse(request)
      return await inner.stream(request)
    },
  }
}

test('a rollout of a mesh that the role does not allow waits; the others go on', async t => {
  const w = await world(t, { crds: crds(), controller: product({ wrap: withoutMesh }) })
  for (const namespace of ['mesh', 'plain'])
    w.server.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await w.apply(canaryApp({ istio: { virtualService: { name: 'app' } } }), 'mesh')
  await w.run(5)
  await w.apply(canaryApp(undefined), 'plain')
  await w.run(30)
  t.equal(at(w.get(ROLLOUT, 'app', 'plain'), 'status.phase'), 'Healthy')
  const told = /VirtualService .*virtualservices.networking.istio.io is forbidden.*list and watch/
  t.equal(at(w.get(ROLLOUT, 'app', 'mesh'), 'status.phase'), 'Degraded')
  t.match(at(w.get(ROLLOUT, 'app', 'mesh'), 'status.message'), told)
  t.same(w.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, 'mesh'), [], 'nothing is done that it could not see')
})

test('it goes on by itself once the role allows the kind', async t => {
  let isAllowed = false
  const wrap = (inner: Transport) => {
    const refusing = withoutMesh(inner)
    const now = () => (isAllowed ? inner : refusing)
    return { request: (r: ApiRequest) => now().request(r), stream: (r: ApiRequest) => now().stream(r) } as Transport
  }
  const w = await world(t, { crds: crds(), controller: product({ wrap }) })
  const istio = { virtualService: { name: 'app' } }
  await w.apply(canaryApp({ istio }))
  await w.run(30)
  t.match(at(w.get(ROLLOUT, 'app'), 'status.message'), /forbidden/)
  isAllowed = true
  await w.run(120)
  t.notMatch(at(w.get(ROLLOUT, 'app'), 'status.message'), /forbidden/)
})
