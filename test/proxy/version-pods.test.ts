// Pods of a version by the name of its ReplicaSet: where Services are about to switch or have just switched, no request
// reaches the other version.
import { test } from 'tap'
import type { Resolve } from '../../src/proxy/compile.ts'
import { endpointAt } from '../../src/proxy/endpoints.ts'
import { parseTable } from '../../src/proxy/table.ts'
import { versionPods } from '../../src/proxy/version-pods.ts'

const pods = (...names: string[]) => names.map(name => endpointAt(`${name}.test`, 80, name))

/** Services by name, each with the pods that its EndpointSlices show. */
const services =
  (world: Readonly<Record<string, readonly string[]>>): Resolve =>
  service =>
    world[service]
      ? { endpoints: pods(...world[service]), hash: 'as selected' }
      : { endpoints: [], problem: 'Service not found' }

const active = { service: 's/active', also: ['s/preview'], pods: 'web-new-' }

test('who gets the requests of a version that its Service may or may not select yet', async t => {
  const rows: readonly (readonly [why: string, world: Readonly<Record<string, string[]>>, wanted: string[]])[] = [
    ['its own Service shows it', { 's/active': ['web-new-1'], 's/preview': ['web-newer-1'] }, ['web-new-1']],
    ['the active Service has not switched', { 's/active': ['web-old-1'], 's/preview': ['web-new-1'] }, ['web-new-1']],
    ['it is switching', { 's/active': ['web-old-1', 'web-new-1'], 's/preview': ['web-new-1'] }, ['web-new-1']],
    ['both show parts of it', { 's/active': ['web-new-1'], 's/preview': ['web-new-22'] }, ['web-new-1', 'web-new-22']],
    ['the other Service is gone', { 's/active': ['web-new-1'] }, ['web-new-1']],
    ['nobody shows it yet', { 's/active': ['web-old-1'], 's/preview': [] }, ['web-old-1']],
    ['nobody shows any', { 's/active': [], 's/preview': [] }, []],
  ]
  for (const [why, world, wanted] of rows) {
    const found = versionPods(active, services(world))
    t.strictSame(found.endpoints.map(e => e.pod).sort(), wanted, why)
    t.equal(found.problem, undefined, why)
  }
  t.match(versionPods(active, services({})).problem, /not found/, 'no Service at all is told')
  const rescued = versionPods(active, services({ 's/preview': ['web-new-1'] }))
  t.same([rescued.endpoints.length, rescued.problem], [1, undefined], 'its own Service was deleted')
})

test('without names the Service decides', async t => {
  const world = services({ 's/active': ['web-old-1'], 's/preview': ['web-new-1'] })
  t.same(
    versionPods({ service: 's/active', also: ['s/preview'] }, world).endpoints.map(e => e.pod),
    ['web-old-1'],
  )
})

test('the table refuses Services that are none', async t => {
  const table = (upstream: object) => ({ routes: [{ name: 'w', dests: [{ role: 'active', weight: 100, upstream }] }] })
  t.doesNotThrow(() => parseTable(table(active), 'test'))
  t.throws(() => parseTable(table({ ...active, also: ['preview'] }), 'test'), /namespace\/name/)
  t.throws(() => parseTable(table({ ...active, pods: '' }), 'test'), { code: 'PIN4001' })
})
