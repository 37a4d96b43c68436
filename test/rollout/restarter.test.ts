// A restart never takes more pods away than maxUnavailable allows, also when the counts of the ReplicaSet lag behind.
import { test } from 'tap'
import type { Pod, ReplicaSet } from '../../src/api/kube.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { needsRestart, planPodRestart } from '../../src/rollout/restarter.ts'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app-1', uid: 'rs', controller: true }

/** A pod of before the restart; `state` is what its status and metadata say. */
const pod = (name: string, state: 'ready' | 'starting' | 'leaving'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    creationTimestamp: '2026-11-24T11:00:00Z',
    ownerReferences: [owner],
    ...(state === 'leaving' ? { deletionTimestamp: '2026-11-24T11:59:59Z' } : {}),
  },
  status: { conditions: [{ type: 'Ready', status: state === 'starting' ? 'False' : 'True' }] },
})

const rs = (available: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'app-1', namespace: 'default', uid: 'rs' },
  spec: { replicas: 4, selector: {}, template: {} },
  status: { replicas: 4, availableReplicas: available },
})

function seen(available: number, pods: readonly Pod[]): Observed {
  const set = rs(available)
  const spec = { replicas: 4, restartAt: '2026-11-24T11:59:00Z', strategy: { canary: { maxUnavailable: 2 } } }
  const rollout = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'app' }, spec }
  return {
    rollout,
    spec,
    status: {},
    replicas: 4,
    allRSs: [set],
    stableRS: set,
    otherRSs: [],
    pods,
  } as unknown as Observed
}

const table: Readonly<Record<string, readonly [number, readonly Pod[], readonly string[]]>> = {
  'two of four go at once': [4, ['a', 'b', 'c', 'd'].map(name => pod(name, 'ready')), ['a', 'b']],
  'a count that lags behind our own evictions lets none go': [
    4,
    [pod('a', 'leaving'), pod('b', 'leaving'), pod('c', 'ready'), pod('d', 'ready')],
    [],
  ],
  'a pod that is not ready counts as missing': [
    4,
    [pod('a', 'starting'), ...['b', 'c', 'd'].map(n => pod(n, 'ready'))],
    ['a'],
  ],
  'the count of the ReplicaSet holds when it is lower': [
    3,
    ['a', 'b', 'c', 'd'].map(name => pod(name, 'ready')),
    ['a'],
  ],
}

for (const [name, [available, pods, evicted]] of Object.entries(table)) {
  test(name, async t => {
    const { part, evicted: any } = planPodRestart(seen(available, pods), NOW)
    t.strictSame(
      part.actions.map(action => (action.verb === 'evict' ? action.ref.name : action.verb)),
      evicted,
    )
    t.equal(any, evicted.length > 0)
  })
}

test('a restart begins after its time, and the pass before it asks to look again then', async t => {
  const given = { ...seen(4, []), status: {} }
  const at = Date.parse(given.spec.restartAt as string)
  t.notOk(needsRestart(given.rollout, at))
  t.equal(planPodRestart(given, at).part.recheckAt, at + 1)
  t.ok(needsRestart(given.rollout, at + 1))
})
