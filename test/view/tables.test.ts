// The small parts of views: ages, pod states, parts that a set plays, what is folded and what is left out.
import { test } from 'tap'
import { humanDuration } from '../../src/view/age.ts'
import { compact } from '../../src/view/compact.ts'
import { fold } from '../../src/view/fold.ts'
import { podIcon } from '../../src/view/icon.ts'
import { experimentLines, rolloutLines } from '../../src/view/list.ts'
import { podStatus } from '../../src/view/pod-status.ts'
import { rolesOf } from '../../src/view/replica-set-view.ts'
import type { ExperimentShape, PodShape, RolloutShape } from '../../src/view/shape.ts'
import type { Node } from '../../src/view/tree.ts'

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

// biome-ignore format: a table reads best as a table
const ages: Record<string, number> = {
  '<invalid>': -2 * second, '0s': 0, '1s': 1999, '119s': 119 * second, '2m': 2 * minute, '9m59s': 10 * minute - 1,
  '10m': 10 * minute + 30 * second, '179m': 3 * hour - 1, '3h': 3 * hour, '7h59m': 8 * hour - 1, '8h': 8 * hour + minute,
  '47h': 48 * hour - 1, '2d': 2 * day, '7d23h': 8 * day - 1, '8d': 8 * day + hour, '729d': 730 * day - 1,
  '2y': 730 * day, '2y5d': 735 * day, '8y': 2920 * day + day,
}

test('ages have two units at most, ever coarser', async t => {
  for (const [text, length] of Object.entries(ages)) t.equal(humanDuration(length), text)
  t.equal(humanDuration(-500), '0s', 'clocks may differ a little')
})

type Fields = Record<string, unknown>
const running = { ready: true, state: { running: {} } }
const waits = (reason: string) => ({ ready: false, state: { waiting: { reason } } })
const ended = (terminated: Fields) => ({ ready: false, state: { terminated } })
const pod = (status: Fields, spec: Fields = {}, metadata: Fields = {}): PodShape =>
  ({
    metadata: { name: 'p', ...metadata },
    spec: { containers: [{ name: 'a' }], ...spec },
    status: { phase: 'Running', ...status },
  }) as PodShape
const of = (...containerStatuses: Fields[]) => pod({ containerStatuses })
const init = { initContainers: [{ name: 'i' }, { name: 'j' }] }
const sidecar = { initContainers: [{ name: 'i', restartPolicy: 'Always' }] }

// biome-ignore format: a table reads best as a table
const pods: Record<string, [PodShape, string, string, string]> = {
  'runs': [of(running), 'Running', '✔', '1/1'],
  'is not bound yet': [pod({ phase: 'Pending' }), 'Pending', '◌', '0/1'],
  'must wait for a gate': [pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }), 'SchedulingGated', '◌', '0/1'],
  'is being made': [pod({ phase: 'Pending', containerStatuses: [waits('ContainerCreating')] }), 'ContainerCreating', '◌', '0/1'],
  'has no image': [of(waits('ErrImagePull')), 'ErrImagePull', '⚠', '0/1'],
  'falls over and over': [of(waits('CrashLoopBackOff')), 'CrashLoopBackOff', '✖', '0/1'],
  'was killed by a signal': [of(ended({ signal: 9 })), 'Signal:9', '✖', '0/1'],
  'ended with a code': [of(ended({ exitCode: 3 })), 'ExitCode:3', '✖', '0/1'],
  'has one container in trouble': [of(running, waits('CrashLoopBackOff')), 'CrashLoopBackOff', '✖', '1/1'],
  'has one that is through beside one that runs': [pod({ conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [ended({ reason: 'Completed' }), running] }), 'Running', '✔', '1/1'],
  'the same, not ready': [pod({ containerStatuses: [ended({ reason: 'Completed' }), running] }), 'NotReady', '⚠', '1/1'],
  'is evicted': [pod({ phase: 'Failed', reason: 'Evicted' }), 'Evicted', '✖', '0/1'],
  'goes': [pod({ containerStatuses: [running] }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Terminating', '◌', '1/1'],
  'is lost with its node': [pod({ reason: 'NodeLost' }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), 'Unknown', '?', '0/1'],
  'works on its second init container': [pod({ phase: 'Pending', initContainerStatuses: [ended({ exitCode: 0 }), waits('PodInitializing')] }, init), 'Init:1/2', '◌', '0/1'],
  'has an init container that fails': [pod({ phase: 'Pending', initContainerStatuses: [ended({ exitCode: 1, reason: 'Error' })] }, init), 'Init:Error', '◌', '0/1'],
  'has a sidecar': [pod({ containerStatuses: [running], initContainerStatuses: [{ name: 'i', started: true, ...running }] }, sidecar), 'Running', '✔', '2/2'],
}

for (const [name, [object, status, icon, ready]] of Object.entries(pods)) {
  test(`a pod that ${name}`, async t => {
    const seen = podStatus(object)
    t.strictSame([seen.status, podIcon(seen.status), seen.ready], [status, icon, ready])
  })
}

test('restarts of all containers are counted', async t => {
  t.equal(podStatus(of({ ...running, restartCount: 2 }, { ...running, restartCount: 1 })).restarts, 3)
})

const rollout = (strategy: Fields, status: Fields): RolloutShape =>
  ({ metadata: { name: 'web', namespace: 'shop' }, spec: { strategy }, status }) as RolloutShape
const canary = (status: Fields) => rollout({ canary: {} }, { stableRS: 'a', currentPodHash: 'b', ...status })
const blueGreen = (status: Fields) =>
  rollout({ blueGreen: {} }, { stableRS: 'a', currentPodHash: 'b', blueGreen: status })

// biome-ignore format: a table reads best as a table
const roles: Record<string, [RolloutShape, string, string[]]> = {
  'the stable set': [canary({}), 'a', ['stable']],
  'the new set': [canary({}), 'b', ['canary']],
  'a set that is both is stable': [canary({ currentPodHash: 'a' }), 'a', ['stable']],
  'any other set': [canary({}), 'c', []],
  'a set without a hash': [canary({ stableRS: '' }), '', []],
  'ping is stable': [canary({ canary: { stablePingPong: 'ping' } }), 'a', ['stable', 'ping']],
  'then the canary is pong': [canary({ canary: { stablePingPong: 'ping' } }), 'b', ['canary', 'pong']],
  'pong is stable': [canary({ canary: { stablePingPong: 'pong' } }), 'b', ['canary', 'ping']],
  'the active set may be stable too': [blueGreen({ activeSelector: 'a' }), 'a', ['stable', 'active']],
  'the preview': [blueGreen({ activeSelector: 'a', previewSelector: 'b' }), 'b', ['preview']],
  'a set that is active and preview is active': [blueGreen({ activeSelector: 'b', previewSelector: 'b' }), 'b', ['active']],
  'no strategy': [rollout({}, { stableRS: 'a' }), 'a', ['stable']],
}

for (const [name, [object, hash, wanted]] of Object.entries(roles)) {
  test(`parts: ${name}`, async t => {
    const played = Object.entries(rolesOf(object, hash)).filter(([, plays]) => plays)
    t.strictSame(
      played.map(([role]) => role),
      wanted,
    )
  })
}

test('names that are longer than their column widen it for all', async t => {
  const named = (name: string) => ({ ...rollout({}, {}), metadata: { name, namespace: 'shop' } }) as RolloutShape
  t.strictSame(rolloutLines([named('b'), named('a-rather-long-name')], { now: 0 }), [
    'NAME                STRATEGY   STATUS        STEP  SET-WEIGHT  READY  DESIRED  UP-TO-DATE  AVAILABLE',
    'a-rather-long-name  unknown    Progressing   -     -           0/0    1        0           0        ',
    'b                   unknown    Progressing   -     -           0/0    1        0           0        ',
  ])
})

test('experiments show how long they still run', async t => {
  const now = Date.parse('2026-01-01T00:10:00Z')
  const metadata = { name: 'trial', namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' }
  const trial = (status: Fields) => ({ metadata, spec: { duration: '30m' }, status }) as ExperimentShape
  const line = (status: Fields) => experimentLines([trial(status)], { now })[1]?.split(/ +/)
  t.strictSame(line({ phase: 'Running', availableAt: '2026-01-01T00:05:00Z' }), [
    'trial',
    'Running',
    '30m',
    '25m',
    '10m',
  ])
  t.strictSame(line({ phase: 'Successful', availableAt: '2026-01-01T00:05:00Z' }), [
    'trial',
    'Successful',
    '30m',
    '-',
    '10m',
  ])
  t.strictSame(line({}), ['trial', 'Pending', '30m', '-', '10m'])
})

test('what says nothing is left out, but nothing of what the user wrote', async t => {
  const steps = [{ setWeight: 0 }, { pause: {} }]
  const info = {
    status: 'Paused',
    message: '',
    ready: 0,
    stable: false,
    replicaSets: [],
    steps,
    deep: { icon: '', ready: 1 },
  }
  t.strictSame(compact(info), { status: 'Paused', steps, deep: { ready: 1 } })
  t.strictSame(compact({ objectMeta: { name: 'web', labels: {}, managedFields: [{}] } }), {
    objectMeta: { name: 'web', labels: {} },
  })
})

const node = (name: string, kind: string, children: Node[] = [], icon = '✔', status = ''): Node => ({
  sign: kind === '' ? '#' : '⧉',
  name,
  kind,
  icon,
  status,
  age: '',
  info: [],
  children,
})
const tree = node('web', 'Rollout', [
  node('revision:2', '', [
    node('new', 'ReplicaSet', [node('p1', 'Pod'), node('p2', 'Pod'), node('bad', 'Pod', [], '✖')]),
  ]),
  node('revision:1', '', [node('old', 'ReplicaSet', [], '•', 'ScaledDown')]),
])
const names = (root: Node): string[] => [root.name, ...root.children.flatMap(names)]

// biome-ignore format: a table reads best as a table
const folds: [number, string[]][] = [
  [8, ['web', 'revision:2', 'new', 'p1', 'p2', 'bad', 'revision:1', 'old']],
  [7, ['web', 'revision:2', 'new', 'bad', '2 pods ready', 'revision:1', 'old']],
  [6, ['web', 'revision:2', 'new', 'bad', '2 pods ready']],
  [3, ['web', 'revision:2', 'new']],
]

for (const [room, shown] of folds) {
  test(`a tree in ${room} lines keeps what matters most`, async t => {
    t.strictSame(names(fold(tree, room)), shown)
  })
}
