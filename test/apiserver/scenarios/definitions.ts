// Definitions and namespaces: kinds that come and go, and what goes with them.
import type { Scenario, Step } from '../kit/scenario.ts'
import { MERGE } from './paths.ts'

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const sprockets = '/apis/{ns}.pintle.dev/v1/sprockets'

const definition = (more: object = {}, version: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'sprockets.{ns}.pintle.dev' },
  spec: {
    group: '{ns}.pintle.dev',
    scope: 'Cluster',
    names: { plural: 'sprockets', kind: 'Sprocket', ...more },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { teeth: { type: 'integer' } } } },
          },
        },
        ...version,
      },
    ],
  },
})
const sprocket = (name: string, metadata: object = {}) => ({
  apiVersion: '{ns}.pintle.dev/v1',
  kind: 'Sprocket',
  metadata: { name, ...metadata },
})
const define = (say: string, body: object): Step => ({ say, method: 'POST', path: CRDS, body })

export const definitions: readonly Scenario[] = [
  {
    name: 'a kind comes and goes',
    steps: [
      { say: 'it is unknown', method: 'GET', path: '/apis/{ns}.pintle.dev/v1/sprockets', until: 404, quietBody: true },
      { ...define('it is defined', definition({ shortNames: ['sp'] })), bodyOf: 'spec' },
      { say: 'it is served', method: 'GET', path: sprockets, until: 200 },
      {
        say: 'one is made',
        method: 'POST',
        path: sprockets,
        body: sprocket('a', { finalizers: ['example.com/wait'] }),
      },
      { say: 'an unknown field is dropped', method: 'PATCH', type: MERGE, path: `${sprockets}/a`, body: { wheel: 1 } },
      { say: 'it has a condition', method: 'GET', path: `${CRDS}/sprockets.{ns}.pintle.dev`, bodyOf: 'spec' },
      { say: 'the definition is deleted', method: 'DELETE', path: `${CRDS}/sprockets.{ns}.pintle.dev`, bodyOf: 'spec' },
      { say: 'it waits for its object', method: 'GET', path: `${CRDS}/sprockets.{ns}.pintle.dev`, bodyOf: 'spec' },
      { say: 'no more are made', method: 'POST', path: sprockets, until: 403, body: sprocket('b') },
      {
        say: 'the object may go',
        method: 'PATCH',
        type: MERGE,
        path: `${sprockets}/a`,
        body: { metadata: { finalizers: null } },
        quietBody: true,
      },
      { say: 'the definition is gone', method: 'GET', path: `${CRDS}/sprockets.{ns}.pintle.dev`, until: 404 },
      { say: 'nobody serves it', method: 'GET', path: sprockets, until: 404, quietBody: true },
    ],
  },
  {
    name: 'definitions that are refused',
    steps: [
      define('a name that is not its plural', { ...definition(), metadata: { name: 'gears.{ns}.pintle.dev' } }),
      define('no scope', { ...definition(), spec: { ...definition().spec, scope: undefined } }),
      define('no schema', definition({}, { schema: undefined })),
      define('two storage versions', {
        ...definition(),
        spec: {
          ...definition().spec,
          versions: ['v1', 'v2'].map(name => ({ ...definition().spec.versions[0], name })),
        },
      }),
    ],
  },
  {
    name: 'a namespace goes',
    steps: [
      { say: 'it is made', method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: '{ns}-x' } } },
      {
        say: 'something holds it',
        method: 'POST',
        path: '/api/v1/namespaces/{ns}-x/configmaps',
        body: { metadata: { name: 'a', finalizers: ['example.com/wait'] } },
      },
      { say: 'it is marked', method: 'DELETE', path: '/api/v1/namespaces/{ns}-x' },
      {
        say: 'its content is marked',
        method: 'GET',
        path: '/api/v1/namespaces/{ns}-x/configmaps/a',
        until: 200,
        quietBody: true,
      },
      {
        say: 'nothing new gets in',
        method: 'POST',
        path: '/api/v1/namespaces/{ns}-x/configmaps',
        body: { metadata: { name: 'b' } },
      },
      {
        say: 'the last thing goes',
        method: 'PATCH',
        type: MERGE,
        path: '/api/v1/namespaces/{ns}-x/configmaps/a',
        body: { metadata: { finalizers: null } },
        quietBody: true,
      },
      { say: 'so does the namespace', method: 'GET', path: '/api/v1/namespaces/{ns}-x', until: 404 },
      { say: 'some stay for ever', method: 'DELETE', path: '/api/v1/namespaces/default' },
      {
        say: 'a name with dots is refused',
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { metadata: { name: 'a.b' } },
      },
    ],
  },
]
