// On a real API server: the controller is killed with SIGKILL in the middle of its work, again and again, and the
// release still ends where it should. Needs KUBECONFIG. The last line is `N passed, N failed`.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rollout } from '../../src/api/rollout.ts'
import type { KubeObject } from '../../src/contract.ts'
import { createKube } from '../../src/kube/kube.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import { planPromote } from '../../src/rollout/promote.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { blueGreenApp, canaryApp, shipped } from '../kit/apps.ts'

const root = join(import.meta.dirname, '../..')
const transport = undiciTransport(await loadKubeconfig({}))
const kube = createKube(transport, { clock: systemClock() })
const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }

/** Starts the controller as a process and kills it after a while, over and over, until told to leave one alive. */
function mortalController(namespace: string) {
  let child: ChildProcess | undefined
  let deaths = 0
  let isOver = false
  const start = () => {
    const alone = ['--no-leader-elect', '--metricsPort', '0', '--healthzPort', '0']
    const args = ['src/main.ts', 'controller', '--namespace', namespace, ...alone]
    child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  start()
  const killing = (async () => {
    while (!isOver) {
      // Long enough to start, list and do a little; never the same moment.
      await sleep(900 + Math.random() * 700)
      if (isOver) break
      child?.kill('SIGKILL')
      deaths += 1
      start()
    }
  })()
  return {
    deaths: () => deaths,
    async letLive() {
      isOver = true
      await killing
    },
    async stop() {
      isOver = true
      await killing
      child?.kill('SIGTERM')
    },
  }
}

async function play(name: string, objects: readonly KubeObject[]): Promise<string | undefined> {
  const namespace = `crash-${name}-${process.pid}`
  const put = (object: KubeObject) =>
    kube.perform({
      verb: 'create',
      object: { ...object, metadata: { ...object.metadata, namespace } },
      why: 'the test',
    })
  await kube.perform({
    verb: 'create',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    why: 'the test',
  })
  for (const object of objects) await put(object)
  const controller = mortalController(namespace)
  const read = async () => (await kube.get({ ...ROLLOUT, namespace, name: 'app' })) as Rollout
  const patch = (body: unknown, subresource?: 'status') =>
    kube.perform({
      verb: 'patch',
      ref: { ...ROLLOUT, namespace, name: 'app' },
      type: 'merge',
      patch: body,
      why: 'the test',
      ...(subresource ? { subresource } : {}),
    })
  const until = async (phase: string) => {
    for (let i = 0; i < 600; i++) {
      const { status, metadata } = await read()
      if (status?.phase === phase && status.observedGeneration === `${metadata.generation}`) return
      await sleep(100)
    }
    throw new Error(`waits in vain for ${phase}: ${JSON.stringify((await read()).status)}`)
  }
  try {
    await until('Healthy')
    await patch(shipped('v2'))
    await until('Paused')
    await patch({ status: planPromote(await read(), {}).status ?? {} }, 'status')
    await sleep(3000)
    await controller.letLive()
    await until('Healthy')
    const { items } = await kube.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, { namespace })
    const hashes = items.map(rs => rs.metadata.labels?.['rollouts-pod-template-hash'])
    if (items.length !== 2 || new Set(hashes).size !== 2)
      return `there are ${items.length} ReplicaSets: ${hashes.join(', ')}`
    const { status } = await read()
    if (status?.stableRS !== status?.currentPodHash) return 'v2 is not stable'
    return controller.deaths() >= 5 ? undefined : `the controller died only ${controller.deaths()} times`
  } catch (error) {
    return String(error)
  } finally {
    await controller.stop()
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace }
    await kube.perform({ verb: 'delete', ref, why: 'the test is over' }).catch(() => {})
  }
}

const apps: Readonly<Record<string, readonly KubeObject[]>> = {
  'canary-nginx': canaryApp({ nginx: { stableIngress: 'app' } }),
  'blue-green': blueGreenApp(),
}
let [passed, failed] = [0, 0]
for (const [name, objects] of Object.entries(apps)) {
  const problem = await play(name, objects)
  process.stdout.write(problem === undefined ? `ok ${name}\n` : `not ok ${name}: ${problem}\n`)
  if (problem === undefined) passed += 1
  else failed += 1
}
await transport.close()
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0
