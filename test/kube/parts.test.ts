// The small parts of the door: versions, paths, requests of actions, errors, pages, trimming, timers.
import { test } from 'tap'
import type { Action, KubeObject } from '../../src/contract.ts'
import { createBackoff, WATCH_BACKOFF } from '../../src/kube/backoff.ts'
import { createDiscovery } from '../../src/kube/discovery.ts'
import { dryRunTransport } from '../../src/kube/dry-run.ts'
import { createDue } from '../../src/kube/due.ts'
import * as errors from '../../src/kube/errors.ts'
import { createKube } from '../../src/kube/kube.ts'
import { linesOf } from '../../src/kube/lines.ts'
import { createMirror } from '../../src/kube/mirror.ts'
import { requestOf } from '../../src/kube/perform.ts'
import { resourcePath } from '../../src/kube/resources.ts'
import { deepFrozen, sharing, trimmed } from '../../src/kube/trim.ts'
import { compareVersions } from '../../src/kube/versions.ts'
import type { ApiRequest, ApiResponse, Transport } from '../../src/ports.ts'
import { virtualClock } from '../../src/sim/clock.ts'

const answering = (answer: (request: ApiRequest) => ApiResponse | object) => {
  const seen: ApiRequest[] = []
  const transport: Transport = {
    async request(request) {
      seen.push(request)
      const given = answer(request)
      return 'status' in given && 'body' in given
        ? (given as ApiResponse)
        : { status: 200, headers: {}, body: JSON.stringify(given) }
    },
    stream: () => Promise.reject(new Error('no watch here')),
  }
  return { transport, seen, kube: createKube(transport, { clock: virtualClock(0) }) }
}

test('versions compare as numbers of any length', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [string | undefined, string | undefined, number][] = [
    ['1', '1', 0], ['9', '10', -1], ['10', '9', 1], ['123456789012345678901', '123456789012345678902', -1],
    ['007', '7', 0], ['0', '1', -1], [undefined, '1', -1], ['', undefined, 0],
  ]
  for (const [a, b, sign] of table) t.equal(Math.sign(compareVersions(a, b)), sign, `${a} against ${b}`)
})

// biome-ignore format: a table reads best as a table
const paths: [string, string, string | undefined, string | undefined, string | undefined, string][] = [
  ['v1', 'Pod', 'a', 'b', undefined, '/api/v1/namespaces/a/pods/b'],
  ['v1', 'Pod', undefined, undefined, undefined, '/api/v1/pods'],
  ['v1', 'Pod', 'a', undefined, undefined, '/api/v1/namespaces/a/pods'],
  ['v1', 'Namespace', undefined, 'a', undefined, '/api/v1/namespaces/a'],
  ['v1', 'Node', 'ignored', 'n', undefined, '/api/v1/nodes/n'],
  ['apps/v1', 'ReplicaSet', 'a', 'b', 'scale', '/apis/apps/v1/namespaces/a/replicasets/b/scale'],
  ['argoproj.io/v1alpha1', 'Rollout', 'a', 'b', 'status', '/apis/argoproj.io/v1alpha1/namespaces/a/rollouts/b/status'],
  ['argoproj.io/v1alpha1', 'ClusterAnalysisTemplate', undefined, 'b', undefined, '/apis/argoproj.io/v1alpha1/clusteranalysistemplates/b'],
  ['networking.istio.io/v1beta1', 'VirtualService', 'a', 'b', undefined, '/apis/networking.istio.io/v1beta1/namespaces/a/virtualservices/b'],
  ['gateway.networking.k8s.io/v1', 'GRPCRoute', 'a', 'b', undefined, '/apis/gateway.networking.k8s.io/v1/namespaces/a/grpcroutes/b'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole', undefined, 'system:x/y', undefined, '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax%2Fy'],
]
for (const [apiVersion, kind, namespace, name, subresource, path] of paths) {
  test(`path of ${kind}: ${path}`, async t => {
    t.equal(resourcePath({ apiVersion, kind }, namespace, name, subresource), path)
  })
}

test('an object without a name or namespace is refused, never taken for its whole collection', async t => {
  const pod = { apiVersion: 'v1', kind: 'Pod' }
  t.throws(() => resourcePath(pod, 'a', ''), /a name is needed/)
  t.throws(() => resourcePath(pod, undefined, 'b'), /a namespace is needed/)
  const { kube, seen } = answering(() => ({}))
  const ref = { ...pod, namespace: 'a', name: '' }
  await t.rejects(kube.perform({ verb: 'delete', ref, why: 'test' }), /a name is needed/)
  t.same(seen, [])
})

const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'b' }
const object: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b', namespace: 'a' }, extra: 1 }
const at = '/api/v1/namespaces/a/pods'
type Sent = Readonly<{ method: string; path: string; contentType: string; body: unknown }>
// biome-ignore format: a table reads best as a table
const sent: Record<string, [Action, Sent]> = {
  'create': [{ verb: 'create', object, why: '' }, { method: 'POST', path: at, contentType: 'application/json', body: object }],
  'merge patch': [{ verb: 'patch', ref: pod, type: 'merge', patch: { a: null }, subresource: 'status', why: '' }, { method: 'PATCH', path: `${at}/b/status`, contentType: 'application/merge-patch+json', body: { a: null } }],
  'merge patch with a precondition': [{ verb: 'patch', ref: pod, type: 'merge', patch: { metadata: { labels: { x: 'y' } } }, resourceVersion: '7', why: '' }, { method: 'PATCH', path: `${at}/b`, contentType: 'application/merge-patch+json', body: { metadata: { labels: { x: 'y' }, resourceVersion: '7' } } }],
  'JSON patch with a precondition': [{ verb: 'patch', ref: pod, type: 'json', patch: [{ op: 'remove', path: '/x' }], resourceVersion: '7', why: '' }, { method: 'PATCH', path: `${at}/b`, contentType: 'application/json-patch+json', body: [{ op: 'replace', path: '/metadata/resourceVersion', value: '7' }, { op: 'remove', path: '/x' }] }],
  'strategic patch': [{ verb: 'patch', ref: pod, type: 'strategic', patch: { spec: {} }, why: '' }, { method: 'PATCH', path: `${at}/b`, contentType: 'application/strategic-merge-patch+json', body: { spec: {} } }],
  'delete': [{ verb: 'delete', ref: pod, uid: 'u', propagation: 'Foreground', why: '' }, { method: 'DELETE', path: `${at}/b`, contentType: 'application/json', body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' } }],
  'evict': [{ verb: 'evict', ref: pod, why: '' }, { method: 'POST', path: `${at}/b/eviction`, contentType: 'application/json', body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'b', namespace: 'a' } } }],
}
for (const [name, [action, want]] of Object.entries(sent)) {
  test(`request of a ${name}`, async t => {
    const {
      query,
      body = '',
      ...request
    } = await requestOf(action, createDiscovery(answering(() => ({})).transport), 'us')
    t.same({ ...request, body: JSON.parse(body) }, want)
    t.same(query?.['fieldManager'], action.verb === 'delete' ? undefined : 'us')
  })
}

test('kinds outside the table are discovered once; unknown ones are not remembered', async t => {
  let isInstalled = false
  const resources = [
    { name: 'widgets/status', kind: 'Widget', namespaced: true },
    { name: 'widgets', kind: 'Widget', namespaced: true },
  ]
  const { kube, seen } = answering(({ path }) =>
    path === '/apis/x.test/v1' ? { resources: isInstalled ? resources : [] } : object,
  )
  const ref = { apiVersion: 'x.test/v1', kind: 'Widget', namespace: 'a', name: 'b' }
  t.ok(errors.isNotFound(await kube.get(ref).catch(e => e)))
  isInstalled = true
  await kube.get(ref)
  await kube.get(ref)
  t.same(
    seen.map(({ path }) => path),
    [
      // biome-ignore format: short
      '/apis/x.test/v1',
      '/apis/x.test/v1',
      '/apis/x.test/v1/namespaces/a/widgets/b',
      '/apis/x.test/v1/namespaces/a/widgets/b',
    ],
  )
})

test('lists follow their pages and name the kind of their items', async t => {
  const page = (name: string, next?: string) => ({
    apiVersion: 'v1',
    kind: 'PodList',
    metadata: { resourceVersion: '9', continue: next },
    items: [{ metadata: { name } }],
  })
  const { kube, seen } = answering(({ query }) => (query?.['continue'] ? page('b') : page('a', 'more')))
  const listed = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: 'a', labelSelector: 'x', limit: 1 })
  t.same(listed, {
    resourceVersion: '9',
    items: ['a', 'b'].map(name => ({ metadata: { name }, apiVersion: 'v1', kind: 'Pod' })),
  })
  t.match(seen[1]?.query, { labelSelector: 'x', limit: 1, continue: 'more' })
})

// biome-ignore format: a table reads best as a table
const judged: Record<string, [number, object | string, Record<string, string>, string[], object]> = {
  'not found': [404, { reason: 'NotFound', message: 'pods "b" not found' }, {}, ['isNotFound'], { message: 'pods "b" not found', code: 404, retryAfter: undefined }],
  'conflict': [409, { reason: 'Conflict' }, {}, ['isConflict'], {}],
  'already there': [409, { reason: 'AlreadyExists' }, {}, ['isAlreadyExists'], {}],
  'gone': [410, { reason: 'Expired' }, {}, ['isGone'], {}],
  'invalid': [422, { reason: 'Invalid' }, {}, ['isInvalid'], {}],
  'later, by header': [429, { reason: 'TooManyRequests' }, { 'retry-after': '3' }, ['isTooManyRequests'], { retryAfter: 3000 }],
  'later, by body': [429, { reason: 'TooManyRequests', details: { retryAfterSeconds: 2 } }, {}, ['isTooManyRequests'], { retryAfter: 2000 }],
  'forbidden': [403, { reason: 'Forbidden' }, {}, ['isForbidden'], {}],
  'a namespace that ends': [403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }, {}, ['isForbidden', 'isNamespaceTerminating'], {}],
  'unauthorized': [401, { reason: 'Unauthorized' }, {}, ['isUnauthorized'], {}],
  'a version of the future': [504, { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }, {}, ['isTooLargeVersion'], {}],
  'a page of a proxy': [503, '<h1>sorry</h1>', {}, ['isUnavailable'], { message: 'HTTP 503: <h1>sorry</h1>', reason: '' }],
  'nothing at all': [500, '', {}, [], { message: 'HTTP 500' }],
}
const predicates = Object.entries(errors).filter(([name]) => /^is[A-Z]/.test(name)) as [
  string,
  (e: unknown) => boolean,
][]
for (const [name, [status, body, headers, are, fields]] of Object.entries(judged)) {
  test(`an answer that says "${name}"`, async t => {
    const text = typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', code: status, ...body })
    const { kube } = answering(() => ({ status, headers, body: text }))
    const error = await kube.get(pod).catch(e => e)
    t.ok(error instanceof errors.ApiError)
    t.same(
      predicates.filter(([, is]) => is(error)).map(([one]) => one),
      are,
    )
    t.match(error, { code: status, request: { method: 'GET', path: `${at}/b` }, ...fields })
  })
}

test('no predicate fits what is no ApiError', async t => {
  for (const [name, is] of predicates)
    for (const thing of [undefined, null, {}, new Error('x')]) t.notOk(is(thing), name)
})

test('a write that a gateway or etcd gave up on is ambiguous', async t => {
  const action: Action = { verb: 'create', object, why: 'test' }
  for (const [status, message] of [
    [502, ''],
    [504, ''],
    [500, 'etcdserver: request timed out'],
  ] as const) {
    // biome-ignore format: short
    const { kube } = answering(() => ({ status, headers: {}, body: JSON.stringify({ kind: 'Status', message }) }))
    t.ok(errors.isAmbiguous(await kube.perform(action).catch(e => e)), `${status} ${message}`)
  }
  const { kube } = answering(() => ({ status: 500, headers: {}, body: '' }))
  t.notOk(errors.isAmbiguous(await kube.perform(action).catch(e => e)))
})

test('a dry run marks every write and no read; deletions in their body, which is where the server looks', async t => {
  const { transport, seen } = answering(() => object)
  const kube = createKube(dryRunTransport(transport), { clock: virtualClock(0) })
  await kube.get(pod)
  await kube.perform({ verb: 'create', object, why: '' })
  await kube.perform({ verb: 'patch', ref: pod, type: 'merge', patch: {}, why: '' })
  await kube.perform({ verb: 'delete', ref: pod, uid: 'u', why: '' })
  const marks = seen.map(({ query }) => query?.['dryRun'])
  t.same(marks, [undefined, 'All', 'All', 'All'])
  t.match(JSON.parse(seen.at(-1)?.body ?? ''), { kind: 'DeleteOptions', preconditions: { uid: 'u' }, dryRun: ['All'] })
  t.equal(seen[1]?.body, JSON.stringify(object), 'objects are not touched')
})

test('trimming drops managed fields and last-applied, keeps the rest, and edits nothing', async t => {
  const full: KubeObject = {
    ...object,
    metadata: {
      name: 'b',
      managedFields: [1],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'x' },
    },
  }
  deepFrozen(full)
  t.same(trimmed(full), { ...object, metadata: { name: 'b', annotations: { mine: 'x' } } })
  t.throws(() => Object.assign((full.metadata.managedFields as unknown[]) ?? [], { 0: 2 }), TypeError)
})

test('lines come whole, however the bytes are cut', async t => {
  const bytes = Buffer.from('{"a":"ü\u2028€"}\n\nlast 😀')
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = async function* () {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    const lines: string[] = []
    for await (const line of linesOf(chunks())) lines.push(line)
    t.same(lines, ['{"a":"ü\u2028€"}', '', 'last 😀'], `chunks of ${size}`)
  }
})

test('a mirror tells namesakes apart by their uids', async t => {
  const told: string[] = []
  const mirror = createMirror(({ type, object: { metadata } }) => told.push(`${type} ${metadata.uid}`))
  const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', uid: string, resourceVersion: string) =>
    mirror.apply({ type, object: { ...object, metadata: { ...object.metadata, uid, resourceVersion } } })
  mirror.swap(new Map(), '1')
  event('ADDED', 'first', '2')
  event('MODIFIED', 'second', '4') // the deletion of the first was compacted away
  event('DELETED', 'first', '3')
  t.equal(mirror.objects.size, 1, 'an old deletion is not of this one')
  t.same(told, ['ADDED first', 'DELETED first', 'ADDED second'])
  event('DELETED', 'second', '4') // some servers send the last version, not that of the deletion
  t.equal(mirror.objects.size, 0)
  t.equal(mirror.version(), '4')
})

test('failures far apart count as first ones', async t => {
  const backoff = createBackoff(WATCH_BACKOFF, () => 0)
  t.same([0, 1, 2, 3].map(now => backoff.next(now)), [800, 1600, 3200, 6400]) // biome-ignore format: short
  t.equal(backoff.next(200_000), 800)
  t.equal(createBackoff(WATCH_BACKOFF, () => 1).next(0), 1600)
})

test('due things wake in order, the earlier time of a key counts, deleted ones never', async t => {
  const clock = virtualClock(0)
  const woken: [string, number][] = []
  const due = createDue<string>(clock, key => woken.push([key, clock.now()]))
  due.set('c', 30, 'c')
  due.set('a', 20, 'a')
  due.set('a', 10, 'a')
  due.set('a', 40, 'a')
  due.set('b', 10, 'b')
  due.set('x', 15, 'x')
  due.delete('x')
  t.equal(due.size(), 3)
  clock.advanceTo(9)
  t.same(woken, [])
  clock.advanceTo(100)
  t.same(woken, [['a', 10], ['b', 10], ['c', 30]]) // biome-ignore format: short
  due.set('d', 110, 'd')
  due.clear()
  clock.advanceTo(200)
  t.equal(woken.length, 3)
})

test('a spec is shared only where the generation counts every change of it', async t => {
  const custom = (version: string, generation: number): KubeObject => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'app', uid: 'u', resourceVersion: version, generation },
    spec: { replicas: generation },
  })
  const before = custom('1', 1)
  t.equal(sharing(before, custom('2', 1))['spec'], before['spec'], 'another status, the same spec')
  t.same(sharing(before, custom('3', 2))['spec'], { replicas: 2 }, 'another generation, another spec')
  const pod = (spec: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', uid: 'u', generation: 1 },
    spec,
  })
  t.same(sharing(pod({}), pod({ nodeName: 'n' }))['spec'], { nodeName: 'n' }, 'binding a Pod does not count')
})
