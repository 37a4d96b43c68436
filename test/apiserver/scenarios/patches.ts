// The three kinds of patches, and generations: what raises them and what does not.
import type { Scenario, Step } from '../kit/scenario.ts'
import {
  configMap,
  configMaps,
  deployment,
  deployments,
  gadget,
  gadgets,
  ingress,
  ingresses,
  JSON_PATCH,
  MERGE,
  pod,
  pods,
  STRATEGIC,
  widget,
  widgets,
} from './paths.ts'

const patch = (say: string, path: string, type: string, body: object, query = {}): Step => ({
  say,
  method: 'PATCH',
  path,
  type,
  body,
  query,
  ...(path.startsWith(deployments) ? { busy: true } : {}),
})

export const patches: readonly Scenario[] = [
  {
    name: 'patches of a ConfigMap',
    steps: [
      {
        say: 'there is one',
        method: 'POST',
        path: configMaps,
        body: configMap('a', { k: '1', l: '2' }, { labels: { x: 'y' } }),
      },
      patch('a merge patch sets and removes', `${configMaps}/a`, MERGE, { data: { k: '3', l: null, m: '4' } }),
      patch('a merge patch that changes nothing keeps the version', `${configMaps}/a`, MERGE, { data: { k: '3' } }),
      patch('a merge patch on nothing is refused', `${configMaps}/b`, MERGE, { data: { k: '3' } }),
      patch('a merge patch that is no object is refused', `${configMaps}/a`, MERGE, [1]),
      patch('a patch cannot rename', `${configMaps}/a`, MERGE, { metadata: { name: 'b' } }),
      patch('a patch from an old version is refused', `${configMaps}/a`, MERGE, {
        metadata: { resourceVersion: '1' },
        data: { k: '9' },
      }),
      {
        say: 'a patch from the present version is taken',
        method: 'PATCH',
        type: MERGE,
        path: `${configMaps}/a`,
        body: past => ({
          metadata: {
            resourceVersion: past('a merge patch that changes nothing keeps the version').metadata['resourceVersion'],
          },
          data: { k: '5' },
        }),
      },
      patch('a JSON patch adds, replaces and removes', `${configMaps}/a`, JSON_PATCH, [
        { op: 'test', path: '/data/k', value: '5' },
        { op: 'add', path: '/data/n', value: '6' },
        { op: 'remove', path: '/data/m' },
        { op: 'replace', path: '/metadata/labels/x', value: 'z' },
      ]),
      patch('a failed test changes nothing', `${configMaps}/a`, JSON_PATCH, [
        { op: 'test', path: '/data/k', value: 'no' },
      ]),
      patch('a path that is not there is refused', `${configMaps}/a`, JSON_PATCH, [
        { op: 'remove', path: '/data/none' },
      ]),
      patch('a JSON patch that is no list is refused', `${configMaps}/a`, JSON_PATCH, { op: 'remove' }),
      patch('a strategic patch merges', `${configMaps}/a`, STRATEGIC, { data: { s: '7' } }),
      patch('an unknown patch type is refused', `${configMaps}/a`, 'application/json', { data: { s: '7' } }),
      patch('a patch to another kind is refused', `${configMaps}/a`, MERGE, { kind: 'Secret' }),
      patch('a wrong type is refused', `${configMaps}/a`, MERGE, { data: { s: 7 } }),
      { say: 'it is as the patches left it', method: 'GET', path: `${configMaps}/a` },
    ],
  },
  {
    name: 'strategic patches of a Deployment',
    steps: [
      { say: 'there is one', method: 'POST', path: deployments, busy: true, body: deployment('a') },
      patch('containers merge by name', `${deployments}/a`, STRATEGIC, {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'side', image: 'example/side:1' },
                { name: 'main', image: 'example/app:2' },
              ],
            },
          },
        },
      }),
      patch('a container is deleted by directive', `${deployments}/a`, STRATEGIC, {
        spec: { template: { spec: { containers: [{ name: 'side', $patch: 'delete' }] } } },
      }),
      patch('a label is removed by null', `${deployments}/a`, STRATEGIC, {
        metadata: { labels: null, annotations: { x: 'y' } },
      }),
      patch('a merge patch replaces the list', `${deployments}/a`, MERGE, {
        spec: { template: { spec: { containers: [{ name: 'other', image: 'example/other:1' }] } } },
      }),
    ],
  },
  {
    name: 'patches of a custom object',
    steps: [
      {
        say: 'there is one',
        method: 'POST',
        path: widgets,
        body: widget('a', { size: 1, note: 'n', parts: [{ name: 'p' }] }),
      },
      patch('a merge patch', `${widgets}/a`, MERGE, { spec: { size: 2, note: null } }),
      patch('a JSON patch', `${widgets}/a`, JSON_PATCH, [
        { op: 'add', path: '/spec/parts/-', value: { name: 'q', weight: 5 } },
      ]),
      patch('a strategic patch is refused', `${widgets}/a`, STRATEGIC, { spec: { size: 3 } }),
      patch('a patch against the rules is refused', `${widgets}/a`, MERGE, { spec: { size: 1000 } }),
      patch('a list with the same key twice is refused', `${widgets}/a`, MERGE, {
        spec: { parts: [{ name: 'p' }, { name: 'p' }] },
      }),
      patch('a patch of status through the object does nothing', `${widgets}/a`, MERGE, { status: { phase: 'x' } }),
      patch('a patch of the status', `${widgets}/a/status`, MERGE, { status: { phase: 'x' }, spec: { size: 9 } }),
      patch('a status against the rules is refused', `${widgets}/a/status`, MERGE, {
        status: { phase: 'much too long' },
      }),
    ],
  },
  {
    name: 'generations',
    steps: [
      { say: 'a Widget starts at one', method: 'POST', path: widgets, body: widget('a', { size: 1 }) },
      patch('labels leave it', `${widgets}/a`, MERGE, { metadata: { labels: { x: 'y' }, annotations: { x: 'y' } } }),
      patch('the spec raises it', `${widgets}/a`, MERGE, { spec: { size: 2 } }),
      patch('the status leaves it', `${widgets}/a/status`, MERGE, { status: { phase: 'x' } }),
      patch('the scale raises it', `${widgets}/a/scale`, MERGE, { spec: { replicas: 4 } }),
      {
        say: 'the mark of a delete raises it',
        method: 'DELETE',
        path: `${widgets}/a`,
        query: { propagationPolicy: 'Foreground' },
      },
      {
        say: 'a Gadget starts at one',
        method: 'POST',
        path: gadgets,
        body: gadget('a', { x: 1 }, { finalizers: ['example.com/wait'] }),
      },
      patch('without the subresource the status raises it', `${gadgets}/a`, MERGE, { status: { phase: 'x' } }),
      patch('its finalizers leave it', `${gadgets}/a`, MERGE, { metadata: { finalizers: null } }),
      { say: 'a Deployment starts at one', method: 'POST', path: deployments, busy: true, body: deployment('a') },
      patch('its labels leave it', `${deployments}/a`, MERGE, { metadata: { labels: { x: 'y' } } }),
      patch('its annotations raise it', `${deployments}/a`, MERGE, { metadata: { annotations: { x: 'y' } } }),
      patch('its spec raises it', `${deployments}/a`, MERGE, { spec: { minReadySeconds: 5 } }),
      { say: 'a Pod has one', method: 'POST', path: pods, body: pod('a', { nodeName: 'n1' }) },
      patch('its labels leave it, too', `${pods}/a`, MERGE, { metadata: { labels: { x: 'y' } } }),
      patch('its image raises it', `${pods}/a`, STRATEGIC, {
        spec: { containers: [{ name: 'main', image: 'example/app:2' }] },
      }),
      { say: 'a ConfigMap has none', method: 'POST', path: configMaps, body: configMap('a') },
    ],
  },
  {
    name: 'status apart from spec',
    steps: [
      {
        say: 'a status on create is dropped',
        method: 'POST',
        path: widgets,
        body: { ...widget('a', { size: 1 }), status: { phase: 'x' } },
      },
      {
        say: 'a replaced status takes nothing else along',
        method: 'PUT',
        path: `${widgets}/a/status`,
        body: past => ({
          ...past('a status on create is dropped'),
          spec: { size: 50 },
          status: { phase: 'y', replicas: 2, selector: 'a=b' },
        }),
      },
      {
        say: 'labels do not come through the status of a custom object',
        method: 'PATCH',
        type: MERGE,
        path: `${widgets}/a/status`,
        body: { metadata: { labels: { x: 'y' } } },
      },
      { say: 'the status is read alone', method: 'GET', path: `${widgets}/a/status` },
      {
        say: 'a Deployment drops its status on create',
        method: 'POST',
        path: deployments,
        busy: true,
        body: { ...deployment('a'), status: { replicas: 7 } },
      },
      {
        say: 'its status is patched',
        method: 'PATCH',
        type: MERGE,
        path: `${deployments}/a/status`,
        busy: true,
        body: { spec: { replicas: 9 }, status: { observedGeneration: 1, replicas: 3 } },
      },
      {
        say: 'annotations come through the status of a Deployment, labels do not',
        method: 'PATCH',
        type: MERGE,
        path: `${deployments}/a/status`,
        busy: true,
        body: { metadata: { labels: { x: 'y' }, annotations: { x: 'y' } } },
      },
    ],
  },
  {
    name: 'the status of an Ingress',
    steps: [
      { say: 'a status on create is dropped', method: 'POST', path: ingresses, body: ingress('a') },
      {
        say: 'a status takes no spec along',
        method: 'PATCH',
        type: MERGE,
        path: `${ingresses}/a/status`,
        body: {
          metadata: { labels: { x: 'y' }, annotations: { x: 'y' } },
          spec: { ingressClassName: 'other' },
          status: { loadBalancer: { ingress: [{ hostname: 'b.example' }] } },
        },
      },
      patch('a spec takes no status along', `${ingresses}/a`, MERGE, {
        spec: { ingressClassName: 'third' },
        status: { loadBalancer: null },
      }),
      patch('annotations leave the generation', `${ingresses}/a`, MERGE, { metadata: { annotations: { x: 'z' } } }),
    ],
  },
  {
    name: 'scale',
    steps: [
      { say: 'there is a Widget', method: 'POST', path: widgets, body: widget('a', { size: 1, replicas: 2 }) },
      {
        say: 'its status says how many there are',
        method: 'PATCH',
        type: MERGE,
        path: `${widgets}/a/status`,
        body: { status: { replicas: 1, selector: 'app=a' } },
      },
      { say: 'its scale', method: 'GET', path: `${widgets}/a/scale` },
      {
        say: 'it is scaled by replacing',
        method: 'PUT',
        path: `${widgets}/a/scale`,
        body: past => ({ ...past('its scale'), spec: { replicas: 5 } }),
      },
      {
        say: 'an old version is refused',
        method: 'PUT',
        path: `${widgets}/a/scale`,
        body: past => ({ ...past('its scale'), spec: { replicas: 6 } }),
      },
      patch('it is scaled by a merge patch', `${widgets}/a/scale`, MERGE, { spec: { replicas: 7 } }),
      patch('less than nothing is refused', `${widgets}/a/scale`, MERGE, { spec: { replicas: -1 } }),
      { say: 'the Widget has followed', method: 'GET', path: `${widgets}/a` },
      { say: 'there is a Deployment', method: 'POST', path: deployments, busy: true, body: deployment('a', 3) },
      { say: 'the scale of the Deployment', method: 'GET', path: `${deployments}/a/scale`, busy: true },
      patch('to nothing', `${deployments}/a/scale`, MERGE, { spec: { replicas: 0 } }),
      { say: 'the scale of nothing', method: 'GET', path: `${deployments}/b/scale`, busy: true },
    ],
  },
]
