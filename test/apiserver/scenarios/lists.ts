// Lists: selectors, pages, versions, tables; and what a query must not ask for.
import type { Scenario, Step } from '../kit/scenario.ts'
import { configMap, configMaps, pod, pods, widget, widgets } from './paths.ts'

const list = (say: string, path: string, query: Record<string, string | number | boolean>, accept?: string): Step => ({
  say,
  method: 'GET',
  path,
  query,
  ...(accept ? { accept } : {}),
})
const make = (name: string, labels: object): Step => ({
  say: `${name} is made`,
  method: 'POST',
  path: widgets,
  body: widget(name, { size: 1, color: name === 'c' ? 'green' : 'red' }, { labels }),
})
const select = (labelSelector: string): Step => list(`labels ${labelSelector}`, widgets, { labelSelector })
const field = (fieldSelector: string): Step => list(`fields ${fieldSelector}`, widgets, { fieldSelector })
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const PARTIAL = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'
const PARTIAL_ONE = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'

export const lists: readonly Scenario[] = [
  {
    name: 'selectors',
    steps: [
      make('a', { app: 'web', tier: 'front' }),
      make('b', { app: 'web', tier: 'back' }),
      make('c', { app: 'db' }),
      make('d', {}),
      ...[
        'app=web',
        'app==web,tier!=back',
        'app!=web',
        'app in (db, web),tier',
        'app notin (db)',
        '!app',
        'tier',
        'app=',
      ].map(select),
      ...['app=web=x', 'app in web', 'app in (', '=x', 'a b'].map(select),
      ...[
        'metadata.name=b',
        'metadata.name!=b',
        'spec.color=green',
        'metadata.namespace={ns}',
        'spec.size=1',
        'nonsense',
      ].map(field),
      list('both', widgets, { labelSelector: 'app=web', fieldSelector: 'metadata.name=b' }),
    ],
  },
  {
    name: 'field selectors of Pods',
    steps: [
      { say: 'one', method: 'POST', path: pods, body: pod('a', { nodeName: 'n1' }) },
      { say: 'two', method: 'POST', path: pods, body: pod('b', { nodeName: 'n2' }) },
      list('by node', pods, { fieldSelector: 'spec.nodeName=n1' }, PARTIAL),
      list('not on a node', pods, { fieldSelector: 'spec.nodeName!=n1' }, PARTIAL),
      list('by phase', pods, { fieldSelector: 'status.phase=Pending,metadata.name=b' }, PARTIAL),
      list('an unknown field', pods, { fieldSelector: 'spec.hostname=x' }),
      list('an unknown field of a kind without fields', configMaps, { fieldSelector: 'data.x=y' }),
    ],
  },
  {
    name: 'pages',
    steps: [
      ...['a', 'b', 'c', 'd', 'e'].map(name => make(name, { x: name < 'c' ? 'y' : 'z' })),
      list('the first two', widgets, { limit: 2 }),
      { say: 'one is deleted meanwhile', method: 'DELETE', path: `${widgets}/c` },
      make('cc', {}),
      {
        say: 'the next two, as it was',
        method: 'GET',
        path: widgets,
        query: past => ({ limit: '2', continue: `${past('the first two').metadata['continue']}` }),
      },
      {
        say: 'the last one',
        method: 'GET',
        path: widgets,
        query: past => ({ limit: '2', continue: `${past('the next two, as it was').metadata['continue']}` }),
      },
      {
        say: 'the rest without a limit',
        method: 'GET',
        path: widgets,
        query: past => ({ continue: `${past('the first two').metadata['continue']}` }),
      },
      list('no count with a selector', widgets, { limit: 1, labelSelector: 'x=y' }),
      list('a token that is none', widgets, { limit: 1, continue: 'abc' }),
      {
        say: 'a version beside a token is refused',
        method: 'GET',
        path: widgets,
        query: past => ({ continue: `${past('the first two').metadata['continue']}`, resourceVersion: '5' }),
      },
    ],
  },
  {
    name: 'versions of lists',
    steps: [
      make('a', {}),
      make('b', {}),
      {
        say: 'a changes',
        method: 'PATCH',
        type: 'application/merge-patch+json',
        path: `${widgets}/a`,
        body: { spec: { size: 9 } },
      },
      {
        say: 'exactly as it was',
        method: 'GET',
        path: widgets,
        query: past => ({
          resourceVersion: `${past('b is made').metadata['resourceVersion']}`,
          resourceVersionMatch: 'Exact',
        }),
      },
      {
        say: 'at least as new',
        method: 'GET',
        path: widgets,
        query: past => ({
          resourceVersion: `${past('b is made').metadata['resourceVersion']}`,
          resourceVersionMatch: 'NotOlderThan',
        }),
      },
      list('any version', widgets, { resourceVersion: 0 }),
      list('a match without a version', widgets, { resourceVersionMatch: 'Exact' }),
      list('exactly nothing', widgets, { resourceVersion: 0, resourceVersionMatch: 'Exact' }),
      list('an unknown match', widgets, { resourceVersion: 1, resourceVersionMatch: 'Nearly' }),
      list('a version that is none', widgets, { resourceVersion: 'x' }),
      list('initial events of a list', widgets, { sendInitialEvents: true }),
    ],
  },
  {
    name: 'tables and metadata alone',
    steps: [
      make('a', { x: 'y' }),
      list('a table of custom objects', widgets, {}, TABLE),
      list('a table of one', `${widgets}/a`, {}, TABLE),
      list('a table without objects', widgets, { includeObject: 'None' }, TABLE),
      list('a table with whole objects', widgets, { includeObject: 'Object' }, TABLE),
      list('metadata of a list', widgets, {}, PARTIAL),
      list('metadata of one', `${widgets}/a`, {}, PARTIAL_ONE),
      { say: 'a ConfigMap', method: 'POST', path: configMaps, body: configMap('a', { k: 'v' }) },
      list('a table of a built-in kind', `${configMaps}/a`, {}, TABLE),
      list('an unknown form', `${configMaps}/a`, {}, 'application/json;as=Gizmo;v=v1;g=meta.k8s.io'),
    ],
  },
]
