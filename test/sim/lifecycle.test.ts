import { test } from 'tap'
import { addressOf, ending, lifecycle, type PodStatus, type SimPod } from '../../src/sim/lifecycle.ts'
import { isMissing, workOf } from '../../src/sim/pod-command.ts'

const noon = Date.parse('2026-01-01T12:00:00Z')
type Fields = Readonly<Record<string, unknown>>

const podOf = (container: Fields = {}, spec: Fields = {}, metadata: Fields = {}, status: Fields = {}): SimPod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', uid: 'u-1', ...metadata },
    spec: { restartPolicy: 'Always', containers: [{ name: 'c', image: 'example/app:v1', ...container }], ...spec },
    status,
  }) as unknown as SimPod

const summary = (status: PodStatus) => {
  const state = status.containerStatuses?.[0]?.state ?? {}
  const reason = state.waiting?.['reason'] ?? state.terminated?.['reason'] ?? 'running'
  const ready = status.conditions?.find(c => c.type === 'Ready')?.status
  return `${status.phase} ${reason} ${ready}`
}

const job = { ownerReferences: [{ kind: 'Job', name: 'j', uid: 'x', apiVersion: 'batch/v1', controller: true }] }
const probe = { readinessProbe: { initialDelaySeconds: 3, httpGet: { port: 8080 } } }
const gate = { readinessGates: [{ conditionType: 'example.com/open' }] }

// biome-ignore format: a table reads best as a table
const table: Record<string, [pod: SimPod, age: number, summary: string, again: number | undefined]> = {
  'bound, but not started': [podOf(), 0, 'Pending ContainerCreating False', 2],
  'just before it starts': [podOf(), 1.999, 'Pending ContainerCreating False', 2],
  'started after two seconds, and nothing more to come': [podOf(), 2, 'Running running True', undefined],
  'a Job starts after one': [podOf({}, {}, job), 1, 'Running running True', undefined],
  'a probe keeps it unready': [podOf(probe), 2, 'Running running False', 6],
  'ready one second after the delay of the probe': [podOf(probe), 6, 'Running running True', undefined],
  'a readiness gate keeps it unready': [podOf({}, gate), 60, 'Running running False', undefined],
  'a gate that somebody opened': [podOf({}, gate, {}, { conditions: [{ type: 'example.com/open', status: 'True' }] }), 60, 'Running running True', undefined],
  'an image that is missing, at first': [podOf({ image: 'x:does-not-exist' }), 1, 'Pending ContainerCreating False', 5],
  'an image that is missing, refused': [podOf({ image: 'x:does-not-exist' }), 5, 'Pending ErrImagePull False', 7],
  'an image that is missing, given up': [podOf({ image: 'x:error' }), 90, 'Pending ImagePullBackOff False', undefined],
  'a command that cannot start': [podOf({ command: ['/no/such'] }), 2, 'Running RunContainerError False', 7],
  'a command that cannot start, again': [podOf({ command: ['/no/such'] }), 8, 'Running CrashLoopBackOff False', 17],
  'a command that cannot start and is not restarted': [podOf({ command: ['/no/such'] }, { restartPolicy: 'Never' }), 2, 'Failed StartError False', undefined],
  'a script at work': [podOf({ command: ['sh', '-c', 'sleep 3 && exit 1'] }, { restartPolicy: 'Never' }), 4, 'Running running True', 5],
  'a script that fails': [podOf({ command: ['sh', '-c', 'sleep 3 && exit 1'] }, { restartPolicy: 'Never' }), 5, 'Failed Error False', undefined],
  'a script that succeeds': [podOf({ command: ['sh', '-c'], args: ['exit 0'] }, { restartPolicy: 'Never' }), 5, 'Succeeded Completed False', undefined],
  'a postStart hook delays the start': [podOf({ lifecycle: { postStart: { sleep: { seconds: 5 } } } }), 4, 'Pending ContainerCreating False', 7],
  'after the postStart hook': [podOf({ lifecycle: { postStart: { sleep: { seconds: 5 } } } }), 7, 'Running running True', undefined],
}

for (const [name, [pod, age, wanted, again]] of Object.entries(table)) {
  test(`lifecycle: ${name}`, async t => {
    const life = lifecycle(pod, noon, noon + age * 1000, { start: 2000, ip: '10.128.0.1' })
    t.equal(summary(life.status), wanted)
    t.equal(life.again, again === undefined ? undefined : noon + again * 1000)
  })
}

test('a status that is written back does not change until its time', async t => {
  let pod = podOf(probe)
  for (const age of [0, 1, 2, 3, 6, 60]) {
    const { status } = lifecycle(pod, noon, noon + age * 1000, { start: 2000, ip: '10.128.0.1' })
    pod = { ...pod, status }
    t.same(
      lifecycle(pod, noon, noon + age * 1000 + 300, { start: 2000, ip: '10.128.0.1' }).status,
      status,
      `at ${age} s`,
    )
  }
  const ready = pod.status?.conditions?.find(c => c.type === 'Ready')
  t.equal(ready?.lastTransitionTime, '2026-01-01T12:00:06Z')
  t.equal(pod.status?.startTime, '2026-01-01T12:00:00Z')
})

test('a Pod has its address from its start on, the same for the same uid', async t => {
  const before = lifecycle(podOf(), noon, noon + 1999, { start: 2000, ip: addressOf('u-1') })
  const after = lifecycle(podOf(), noon, noon + 2000, { start: 2000, ip: addressOf('u-1') })
  t.equal(before.status.podIP, undefined)
  t.match(after.status.podIP, /^10\.(1[2-9]\d)\.\d+\.\d+$/)
  t.same(after.status.podIPs, [{ ip: addressOf('u-1') }])
  t.not(addressOf('u-1'), addressOf('u-2'))
})

const goes = (container: Fields, spec: Fields = {}, metadata: Fields = {}) =>
  (ending(podOf(container, spec, metadata, { phase: 'Running' }), noon, 200).at - noon) / 1000
const preStop = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } })

test('a deleted Pod goes after the shortest time, its preStop hook, or its grace', async t => {
  t.equal(goes({}), 0.2)
  t.equal(goes(preStop(5)), 5)
  t.equal(goes(preStop(60)), 30)
  t.equal(goes(preStop(60), {}, { deletionGracePeriodSeconds: 10 }), 10)
})

test('a deleted Pod with unfinished work fails first; one that is done does not', async t => {
  const running = podOf({}, { restartPolicy: 'Never' }, {}, { phase: 'Running' })
  t.equal(ending(running, noon, 200).last?.phase, 'Failed')
  t.equal(ending({ ...running, status: { phase: 'Succeeded' } }, noon, 200).last, undefined)
  t.equal(ending(podOf({}, {}, {}, { phase: 'Running' }), noon, 200).last, undefined)
})

// biome-ignore format: a table reads best as a table
const commands: Record<string, [readonly string[], string]> = {
  'none: the image runs for ever': [[], 'runs for ever'],
  'sleep': [['sleep', '5'], 'exit 0 after 5000'],
  'sleep with a unit': [['sleep', '2m'], 'exit 0 after 120000'],
  'sleep for ever': [['sleep', 'infinity'], 'runs for ever'],
  'false': [['false'], 'exit 1 after 0'],
  'a shell with several parts': [['sh', '-c', 'echo hi; sleep 1; sleep 0.5 && exit 3'], 'exit 3 after 1500'],
  'a shell with options apart': [['bash', '-e', '-c', 'exit 0'], 'exit 0 after 0'],
  'a program nobody knows': [['/usr/bin/serve'], 'cannot start'],
}
for (const [name, [command, wanted]] of Object.entries(commands)) {
  test(`command: ${name}`, async t => {
    const { runs, ends, code, duration } = workOf({ command })
    t.equal(!runs ? 'cannot start' : ends ? `exit ${code} after ${duration}` : 'runs for ever', wanted)
  })
}

test('images that cannot be pulled are told by their names', async t => {
  t.same(['app:v1', 'app:does-not-exist', 'nonexistent/app', 'app:error', 'error/app:v1'].map(isMissing), [
    false,
    true,
    true,
    true,
    false,
  ])
})
