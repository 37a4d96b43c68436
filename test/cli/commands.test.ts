// Commands that the reference's transcript does not hold: wrong calls, exact stdout, exact stderr.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import type { World } from '../../src/sim/world.ts'
import { type Around, cliWorld, run, type Said, storyObjects, watching } from './kit.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const ANALYSIS_RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }
const EXPERIMENT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }

const ok = (stdout: string, stderr = ''): Said => ({ code: 0, stdout, stderr })
const failed = (stderr: string, stdout = ''): Said => ({ code: 1, stdout, stderr })

const template = (labels: Record<string, string>) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'web', image: 'example/web:v1' }] },
})

const run1: KubeObject = {
  ...ANALYSIS_RUN,
  metadata: { name: 'run1', namespace: 'default' },
  spec: { metrics: [{ name: 'm', provider: { web: { url: 'http://127.0.0.1:1' } } }] },
}
const trial: KubeObject = {
  ...EXPERIMENT,
  metadata: { name: 'trial', namespace: 'default' },
  spec: {
    duration: '1h',
    templates: [{ name: 'a', selector: { matchLabels: { app: 'x' } }, template: template({ app: 'x' }) }],
  },
}
const byRef: KubeObject = {
  ...ROLLOUT,
  metadata: { name: 'ref', namespace: 'default' },
  spec: {
    replicas: 1,
    workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'legacy' },
    strategy: { canary: {} },
  },
}
const legacy: KubeObject = {
  ...DEPLOYMENT,
  metadata: { name: 'legacy', namespace: 'default' },
  spec: { replicas: 0, selector: { matchLabels: { app: 'l' } }, template: template({ app: 'l' }) },
}

/** A world that stands still: what commands write stays as they wrote it. */
async function still(t: Test): Promise<World> {
  const world = await cliWorld(t, { controller: false })
  await world.apply([
    run1,
    trial,
    legacy,
    byRef,
    ...storyObjects('canary-steps', 'cart'),
    ...storyObjects('bg-manual', 'till'),
  ])
  return world
}

/** A world with a rollout that waits at 25 %. */
async function waiting(t: Test): Promise<World> {
  const world = await cliWorld(t)
  await world.apply(storyObjects('canary-steps', 'cart'))
  await world.run(10)
  await run(world, 'set image cart cart=example/app:v2')
  await world.run(10)
  return world
}

test('calls that need no cluster', async t => {
  const world = await cliWorld(t, { controller: false })
  const unreached: Around = {}
  // biome-ignore format: a table reads best as a table
  const table: Record<string, Said> = {
    'completion': failed('<usage>'),
    'completion tcsh': failed('Error: unsupported shell type "tcsh"\nUse one of: bash, zsh, fish.\n'),
    'promte cart': failed('Error: unknown command "promte" for "pintle"\nDid you mean "promote"?\nRun \'pintle --help\' for usage.\n'),
    'get rollout --namespace': failed('Error: flag needs an argument: --namespace\n'),
    'get rollout cart -q': failed('Error: unknown shorthand flag: -q\n'),
    'get rollout cart -o xml': failed('Error: unknown output format "xml" (PIN1002)\nUse one of: json, yaml, name.\n'),
    'status cart --timeout soon': failed('Error: time: invalid duration "soon" (PIN1003)\nWrite a duration such as 30s, 10m or 1h30m.\n'),
    'undo cart --to-revision two': failed('Error: invalid revision "two" (PIN1004)\nGive a whole number.\n'),
    'set image cart =example/app:v2': failed('<usage>'),
    'retry experiment': failed('<usage>'),
    'terminate analysisrun': failed('<usage>'),
    'create analysisrun --from-file nothing.yaml': failed('Error: open nothing.yaml: no such file or directory\n'),
    'dashboard --port many': failed('Error: invalid port "many" (PIN1006)\nGive a number from 0 to 65535.\n'),
    'proxy --weight 10': { ...failed('Error: --weight without --canary (PIN4005)\nSay where the canary is.\n'), code: 2 },
    'demo --nonsense': failed('Error: unknown flag: --nonsense\n'),
    'controller now': failed('<usage>'),
    'controller --aws-target-group-binding-api-version v1beta1': failed(
      'Error: invalid --aws-target-group-binding-api-version "v1beta1" (PIN1007)\nGive group and version, such as elbv2.k8s.aws/v1beta1.\n',
    ),
    'controller --rollout-threads none': failed('Error: invalid --rollout-threads "none" (PIN1007)\nGive a whole number from 1.\n'),
    'controller --leader-election-renew-deadline 20s': failed(
      'Error: the times of the leader election do not fit (PIN1009)\nThe lease must last longer than the renew deadline, and that longer than the retry period.\n',
    ),
    'controller --version --namespaced=1 --leader-elect=F --as-group a --as-group b --qps 1.5': ok('v0.1.0\n'),
    'controller --leader-elect=maybe': failed('Error: unknown flag: --leader-elect=maybe\n'),
    'controller --kloglevel high': failed('Error: invalid --kloglevel "high" (PIN1007)\nGive a whole number.\n'),
    'controller --qps none': failed('Error: invalid --qps "none" (PIN1007)\nGive a number above 0.\n'),
    'controller --controllers rollouts': failed('Error: unsupported controller: rollouts (PIN1011)\nLeave --controllers out, or give: analysis.\n'),
    'controller --loglevel loud': failed('Error: invalid --loglevel "loud" (PIN1010)\nGive debug, info, warn or error.\n'),
    'version --short --loglevel debug': ok('pintle: v0.1.0\n'),
    'version -o name': ok('v0.1.0\n'),
  }
  for (const [command, wanted] of Object.entries(table)) {
    const { code, stdout, stderr } = await run(world, command, unreached)
    t.strictSame({ code, stdout, stderr: stderr.startsWith('Usage: ') ? '<usage>' : stderr }, wanted, command)
  }
})

test('help names every command once, with what it does', async t => {
  const world = await cliWorld(t, { controller: false })
  const { code, stdout, stderr } = await run(world, '--help')
  t.same([code, stderr], [0, ''])
  const words = ['abort', 'completion', 'controller', 'create', 'dashboard', 'demo', 'get', 'lint', 'list', 'pause']
  for (const word of [
    ...words,
    'promote',
    'proxy',
    'restart',
    'retry',
    'set',
    'status',
    'terminate',
    'undo',
    'version',
  ]) {
    t.match(stdout, new RegExp(`^ {2}${word}\\b.* \\S`, 'm'), word)
  }
  t.notMatch(stdout, '__complete', 'what only shells ask is not offered')
  t.match(await run(world, 'promote --help'), {
    code: 0,
    stdout: /Examples:\n {2}pintle promote guestbook\n/,
    stderr: '',
  })
})

test('verbs write their patch and say so', async t => {
  const world = await still(t)
  t.strictSame(await run(world, 'terminate analysisrun run1'), ok("analysisRun 'run1' terminated\n"))
  t.match(world.get(ANALYSIS_RUN, 'run1'), { spec: { terminate: true } })
  t.strictSame(await run(world, 'terminate experiment trial'), ok("experiment 'trial' terminated\n"))
  t.match(world.get(EXPERIMENT, 'trial'), { spec: { terminate: true } })
  t.strictSame(await run(world, 'set image ref web=example/web:v2'), ok('deployment "legacy" image updated\n'))
  t.match(world.get(DEPLOYMENT, 'legacy'), {
    spec: { template: { spec: { containers: [{ image: 'example/web:v2' }] } } },
  })
  t.strictSame(
    await run(world, 'restart cart till --in 90s'),
    ok("rollout 'cart' restarts in 90s\nrollout 'till' restarts in 90s\n"),
  )
  const restartAt = `${new Date(world.clock.now() + 90_000).toISOString().slice(0, 19)}Z`
  t.match(world.get(ROLLOUT, 'cart'), { spec: { restartAt } })
  t.strictSame(await run(world, 'pause cart -o name'), ok('rollout.argoproj.io/cart\n'))
  t.match(world.get(ROLLOUT, 'cart'), { spec: { paused: true } })
})

test('of several names each is done, and the failures are told', async t => {
  const world = await still(t)
  const said = await run(world, 'pause cart missing till')
  const stderr = 'Error: rollouts.argoproj.io "missing" not found\n'
  t.strictSame(said, failed(stderr, "rollout 'cart' paused\nrollout 'till' paused\n"))
  t.match(world.get(ROLLOUT, 'till'), { spec: { paused: true } })
})

test('a template is run once, with values for its arguments', async t => {
  const world = await cliWorld(t, { controller: false })
  const spec = {
    args: [{ name: 'service' }, { name: 'limit', value: '5' }],
    metrics: (run1['spec'] as KubeObject)['metrics'],
  }
  await world.apply({ ...ROLLOUT, kind: 'AnalysisTemplate', metadata: { name: 'errors' }, spec })
  const said = await run(world, 'create analysisrun --from errors --name try -a service=web')
  t.strictSame(said, ok('analysisrun.argoproj.io/try created\n'))
  t.match(world.get(ANALYSIS_RUN, 'try'), {
    spec: {
      args: [
        { name: 'service', value: 'web' },
        { name: 'limit', value: '5' },
      ],
    },
  })
  const named = await run(world, 'create analysisrun --from errors -a service=web')
  t.match(named.stdout, /^analysisrun\.argoproj\.io\/errors-\w+ created\n$/)
  t.match(
    await run(world, 'create analysisrun --from errors -a service'),
    failed('Error: arguments must be in the form NAME=VALUE\n'),
  )
  t.match(
    await run(world, 'create analysisrun --from gone'),
    failed('Error: analysistemplates.argoproj.io "gone" not found\n'),
  )
})

test('files are created from, or refused before anything is', async t => {
  const world = await cliWorld(t, { controller: false })
  const folder = mkdtempSync(join(tmpdir(), 'pintle-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = (name: string, objects: readonly unknown[]) => {
    writeFileSync(join(folder, name), objects.map(object => JSON.stringify(object)).join('\n---\n'))
    return join(folder, name)
  }
  const two = file('two.yaml', [...storyObjects('canary-steps', 'a'), ...storyObjects('canary-steps', 'b')])
  t.strictSame(
    await run(world, `create -f ${two}`),
    ok('rollout.argoproj.io/a created\nrollout.argoproj.io/b created\n'),
  )
  const mixed = file('mixed.yaml', [...storyObjects('canary-steps', 'c'), { ...legacy }])
  t.strictSame(await run(world, `create -f ${mixed}`), failed('Error: creates of apps/Deployment unsupported\n'))
  t.equal(world.get(ROLLOUT, 'c'), undefined)
  const odd = file('odd.yaml', [{ hello: 'world' }])
  const message = `Error: ${odd}: a document lacks apiVersion, kind or metadata (PIN1005)\nEach must be an object.\n`
  t.strictSame(await run(world, `create -f ${odd}`), failed(message))
})

test('the same data for programs', async t => {
  const world = await waiting(t)
  const { stdout, code } = await run(world, 'get rollout cart -o json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    objectMeta: { name: 'cart' },
    status: 'Paused',
    step: '1/4',
    steps: [{ setWeight: 25 }, { pause: {} }, { setWeight: 75 }, { pause: { duration: '3s' } }],
    replicaSets: [
      { revision: 2, canary: true, pods: [{ ready: '1/1' }] },
      { revision: 1, stable: true },
    ],
  })
  t.match((await run(world, 'list rollouts -o yaml')).stdout, /^rollouts:\n {2}- objectMeta:\n/)
  t.strictSame(await run(world, 'list rollouts -A -o name'), ok('rollout.argoproj.io/cart\n'))
  t.match(JSON.parse((await run(world, 'status cart -o json')).stdout), { phase: 'Paused', message: 'CanaryPauseStep' })
})

test('colours are for terminals that want them', async t => {
  const world = await waiting(t)
  const colours = async (command: string, around: Around) =>
    (await run(world, command, around)).stdout.includes('\u001b[')
  t.equal(await colours('get rollout cart', { isTty: true }), true)
  t.equal(await colours('get rollout cart', {}), false)
  t.equal(await colours('get rollout cart --no-color', { isTty: true }), false)
  t.equal(await colours('get rollout cart', { isTty: true, env: { NO_COLOR: '1' } }), false)
  t.equal(await colours('get rollout cart', { env: { FORCE_COLOR: '1' } }), true)
})

test('status waits until the rollout settles', async t => {
  const world = await waiting(t)
  const waits = await watching(world, ['status', 'cart'])
  await world.run(5)
  t.equal(waits.stdout(), 'Paused - CanaryPauseStep\n')
  await run(world, 'promote cart --full')
  await world.run(30)
  const { code, stdout, stderr } = await waits.done
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^Paused - CanaryPauseStep\n(Progressing - .*\n)+Healthy\n$/)
})

test('status ends with Ctrl-C', async t => {
  const world = await waiting(t)
  const waits = await watching(world, ['status', 'cart'])
  await world.run(5)
  waits.stop()
  t.strictSame(await waits.done, { code: 130, stdout: 'Paused - CanaryPauseStep\n', stderr: '' })
})

test('shells are told what may follow', async t => {
  const world = await still(t)
  const complete = async (...words: string[]) => (await run(world, ['__complete', ...words])).stdout
  t.equal(
    await complete('pro'),
    'promote\tPromote a rollout: end its pause, or skip all that is left of the update\nproxy\tRun the proxy: exact weights, previews, live changes\n:4\n',
  )
  t.equal(
    await complete('get', ''),
    'experiment\tShow an experiment with its ReplicaSets and analysis\nrollout\tShow a rollout with its revisions, pods and analysis\n:4\n',
  )
  t.equal(await complete('promote', ''), 'cart\nref\ntill\n:4\n')
  t.equal(await complete('abort', 'cart', 't'), 'till\n:4\n')
  t.equal(await complete('terminate', 'analysisrun', ''), 'run1\n:4\n')
  t.equal(await complete('completion', 'z'), 'zsh\n:4\n')
  for (const shell of ['bash', 'zsh', 'fish']) {
    t.match(await run(world, `completion ${shell}`), { code: 0, stdout: /pintle __complete/, stderr: '' })
  }
})
