// Discovery and OpenAPI: what kubectl reads before it does anything.
import { test } from 'tap'
import { builtInKinds } from '../../src/apiserver/builtins.ts'
import {
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  compareVersions,
  groupDiscovery,
} from '../../src/apiserver/discovery.ts'
import type { KindDef } from '../../src/apiserver/model.ts'
import { openApiDocument, openApiIndex } from '../../src/apiserver/openapi.ts'
import { kindOf } from './fixtures/read.ts'

type Json = Readonly<Record<string, unknown>>

const rollout: KindDef = {
  ...kindOf({ apiVersion: 'apps/v1', kind: 'Deployment' }),
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'Rollout',
  listKind: 'RolloutList',
  plural: 'rollouts',
  singular: 'rollout',
  shortNames: ['ro'],
  categories: [],
  builtIn: false,
  schema: { type: 'object', description: 'A rollout.', properties: { spec: { type: 'object' } } },
}
const kinds = [...builtInKinds, rollout, { ...rollout, version: 'v1' }, { ...rollout, version: 'v1beta1' }]

const all = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const part = ['get', 'patch', 'update']

test('versions are in order of preference', async t => {
  const versions = ['v1alpha1', 'foo', 'v2', 'v1', 'v1beta2', 'v10', 'v1beta1', 'bar']
  t.strictSame(versions.toSorted(compareVersions), ['v10', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'bar', 'foo'])
})

test('the aggregated document of /apis names a custom kind with its subresources', async t => {
  const document = groupDiscovery(kinds, false, 'v2') as { items: { metadata: Json; versions: Json[] }[] }
  t.match(document, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} })
  const group = document.items.find(item => item.metadata['name'] === 'argoproj.io')
  t.strictSame(
    group?.versions.map(v => v['version']),
    ['v1', 'v1beta1', 'v1alpha1'],
  )
  t.strictSame(group?.versions[2], {
    version: 'v1alpha1',
    resources: [
      {
        resource: 'rollouts',
        responseKind: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout' },
        scope: 'Namespaced',
        singularResource: 'rollout',
        verbs: all,
        shortNames: ['ro'],
        subresources: [
          { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: part },
          {
            subresource: 'status',
            responseKind: { group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout' },
            verbs: part,
          },
        ],
      },
    ],
    freshness: 'Current',
  })
})

test('older kubectl gets the same under its own version', async t => {
  const { items } = groupDiscovery(kinds, true, 'v2')
  t.strictSame(groupDiscovery(kinds, true, 'v2beta1'), {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2beta1',
    metadata: {},
    items,
  })
})

test('/api has the core group alone, without a name', async t => {
  const { items } = groupDiscovery(kinds, true, 'v2') as {
    items: { metadata: Json; versions: { resources: Json[] }[] }[]
  }
  t.equal(items.length, 1)
  t.strictSame(items[0]?.metadata, {})
  const namespaces = items[0]?.versions[0]?.resources.find(r => r['resource'] === 'namespaces')
  t.match(namespaces, { scope: 'Cluster', shortNames: ['ns'] })
  t.notOk(JSON.stringify(namespaces?.['verbs']).includes('deletecollection'), 'namespaces go one by one')
})

test('the older lists say the same', async t => {
  t.match(apiVersions('127.0.0.1:1'), { kind: 'APIVersions', versions: ['v1'] })
  const versions = ['v1', 'v1beta1', 'v1alpha1'].map(version => ({ groupVersion: `argoproj.io/${version}`, version }))
  const group = { name: 'argoproj.io', versions, preferredVersion: versions[0] }
  t.strictSame(apiGroup(kinds, 'argoproj.io'), { kind: 'APIGroup', apiVersion: 'v1', ...group })
  t.equal(apiGroup(kinds, 'nobody.io'), undefined)
  t.ok((apiGroupList(kinds)['groups'] as Json[]).some(g => g['name'] === 'argoproj.io'))
  t.strictSame(apiResourceList(kinds, 'argoproj.io', 'v1'), {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'argoproj.io/v1',
    resources: [
      { name: 'rollouts', singularName: 'rollout', namespaced: true, kind: 'Rollout', verbs: all, shortNames: ['ro'] },
      {
        name: 'rollouts/scale',
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: part,
      },
      { name: 'rollouts/status', singularName: '', namespaced: true, kind: 'Rollout', verbs: part },
    ],
  })
  t.equal(apiResourceList(kinds, 'apps', 'v9'), undefined)
})

type OpenApi = Readonly<{
  paths: Readonly<Record<string, Readonly<Record<string, Json>>>>
  components: Readonly<{ schemas: Readonly<Record<string, Json>> }>
}>

const documentOf = (root: string): OpenApi => openApiDocument(kinds, root) as unknown as OpenApi

test('the OpenAPI index names every group and version, and changes with its hash', async t => {
  const index = openApiIndex(kinds, 'abc') as { paths: Record<string, Json> }
  t.strictSame(index.paths['apis/argoproj.io/v1'], { serverRelativeURL: '/openapi/v3/apis/argoproj.io/v1?hash=abc' })
  for (const root of Object.keys(index.paths)) t.ok(openApiDocument(kinds, root), root)
  t.equal(openApiDocument(kinds, 'apis/nobody.io/v1'), undefined)
})

test('every reference in a document leads somewhere', async t => {
  for (const root of Object.keys((openApiIndex(kinds, '') as { paths: Json }).paths)) {
    const document = documentOf(root)
    const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(m => m[1] ?? '')
    const lost = new Set(refs.filter(ref => !document.components.schemas[ref]))
    t.strictSame([...lost], [], root)
  }
})

test('writes take fieldValidation and dryRun, so that kubectl lets the server validate', async t => {
  for (const [root, path] of [
    ['apis/apps/v1', '/apis/apps/v1/namespaces/{namespace}/deployments'],
    ['apis/argoproj.io/v1', '/apis/argoproj.io/v1/namespaces/{namespace}/rollouts'],
    ['api/v1', '/api/v1/nodes'],
  ] as const) {
    const { paths } = documentOf(root)
    for (const call of [paths[path]?.['post'], paths[`${path}/{name}`]?.['patch'], paths[`${path}/{name}`]?.['put']]) {
      const names = ((call?.['parameters'] ?? []) as Json[]).map(p => p['name'])
      t.ok(names.includes('fieldValidation') && names.includes('dryRun'), `${path} ${call?.['operationId']}`)
    }
  }
})

test('only built-in kinds offer strategic merge', async t => {
  const types = (root: string, path: string) => {
    const body = documentOf(root).paths[path]?.['patch']?.['requestBody'] as { content: Json } | undefined
    return Object.keys(body?.content ?? {})
  }
  const strategic = 'application/strategic-merge-patch+json'
  t.ok(types('apis/apps/v1', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}').includes(strategic))
  t.notOk(
    types('apis/argoproj.io/v1', '/apis/argoproj.io/v1/namespaces/{namespace}/rollouts/{name}').includes(strategic),
  )
})

test('schemas carry the merge keys that kubectl computes its patches from', async t => {
  const { schemas } = documentOf('apis/apps/v1').components
  const properties = (type: string) => schemas[`io.k8s.api.apps.v1.${type}`]?.['properties'] as Record<string, Json>
  const key = 'x-kubernetes-patch-merge-key'
  const strategy = 'x-kubernetes-patch-strategy'
  t.match(properties('PodSpec')['containers'], { type: 'array', [key]: 'name', [strategy]: 'merge' })
  t.match(properties('PodSpec')['volumes'], { [key]: 'name', [strategy]: 'merge,retainKeys' })
  t.match(properties('DeploymentSpec')['strategy'], { [strategy]: 'retainKeys' })
  t.notOk(key in (properties('PodSpec')['tolerations'] ?? {}), 'tolerations are replaced')
})

test('a custom kind is described by its own schema', async t => {
  const schema = documentOf('apis/argoproj.io/v1alpha1').components.schemas['io.argoproj.v1alpha1.Rollout']
  t.match(schema, {
    description: 'A rollout.',
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, spec: { type: 'object' } },
    'x-kubernetes-group-version-kind': [{ group: 'argoproj.io', version: 'v1alpha1', kind: 'Rollout' }],
  })
})
