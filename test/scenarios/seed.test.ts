// The story that Pintle began with, on real sockets: quarkus-rollout-bluegreen, applied with kubectl, driven with pintle,
// seen by curl through the proxy.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { startDemoWorld } from '../../src/sim/demo-world.ts'
import { applyTo } from '../../src/sim/world.ts'

const run = promisify(execFile)
const NAME = 'quarkus-rollout-bluegreen'
const silent = { debug() {}, info() {}, warn() {}, error() {} }

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'quarkus' }, ports: [{ port: 80, targetPort: 8080 }] },
})
const path = (at: string, name: string) => ({
  path: at,
  pathType: 'Prefix',
  backend: { service: { name, port: { number: 80 } } },
})
const objects: readonly KubeObject[] = [
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: NAME },
    spec: {
      replicas: 2,
      revisionHistoryLimit: 2,
      selector: { matchLabels: { app: 'quarkus' } },
      template: {
        metadata: { labels: { app: 'quarkus' } },
        spec: {
          containers: [{ name: 'quarkus', image: 'example/quarkus:1.0', ports: [{ containerPort: 8080 }] }],
        },
      },
      strategy: {
        blueGreen: {
          activeService: 'quarkus-active',
          previewService: 'quarkus-preview',
          autoPromotionEnabled: false,
          scaleDownDelaySeconds: 2,
        },
      },
    },
  },
  service('quarkus-active'),
  service('quarkus-preview'),
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'quarkus' },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ http: { paths: [path('/', 'quarkus-active'), path('/preview', 'quarkus-preview')] } }],
    },
  },
]

/** A kubectl of a known version, or any; undefined when there is none. */
const kubectl = ['KUBECTL', 'kubectl.1.32']
  .map(name => (name === 'KUBECTL' ? (process.env['KUBECTL'] ?? '') : name))
  .concat((process.env['PATH'] ?? '').split(':').map(folder => join(folder, 'kubectl.1.32')))
  .find(file => file !== '' && existsSync(file))

test('blue-green from the first apply to the undo, as a user drives it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'pintle-seed-'))
  const world = await startDemoWorld({ proxy: 0, admin: 0, api: 0 }, silent, folder)
  t.teardown(async () => {
    await world.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const env = { ...process.env, KUBECONFIG: world.kubeconfig, NO_COLOR: '1' }
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const pintle = async (...args: string[]) => (await run(process.execPath, [main, ...args], { env })).stdout
  const version = async (at: string) => (await (await fetch(`${world.proxy.url}${at}`)).json()) as { version: string }
  const get = (kind: string, apiVersion: string, name: string) =>
    world.cluster.server.get({ apiVersion, kind }, 'default', name)
  const selector = (name: string) =>
    (get('Service', 'v1', name)!['spec'] as { selector: Record<string, string> }).selector['rollouts-pod-template-hash']
  const until = async (what: string, met: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 200; i++) {
      if (await met()) return t.pass(what)
      await sleep(50)
    }
    return t.fail(`${what}: waited in vain; ${await pintle('get', 'rollout', NAME)}`)
  }
  const shows = (text: string | RegExp) => async () => {
    const screen = await pintle('get', 'rollout', NAME)
    return typeof text === 'string' ? screen.includes(text) : text.test(screen)
  }

  if (kubectl) {
    const file = join(folder, 'seed.json')
    await writeFile(file, objects.map(object => JSON.stringify(object)).join('\n'))
    const { stdout } = await run(kubectl, ['apply', '-f', file, '--cache-dir', join(folder, 'cache')], { env })
    t.match(stdout, /rollout.argoproj.io\/quarkus-rollout-bluegreen created/)
  } else {
    t.comment('no kubectl here: the objects are applied without it')
    for (const object of objects) applyTo(world.cluster.server, object, 'default')
  }
  await until(
    'the first version is healthy, stable and active',
    shows(/✔ Healthy[\s\S]*# revision:1[\s\S]*stable,active/),
  )
  t.ok(selector('quarkus-active'), 'the active Service carries the hash')
  t.equal(selector('quarkus-preview'), selector('quarkus-active'), 'so does the preview Service')
  const first = selector('quarkus-active')

  t.equal(await pintle('set', 'image', NAME, 'quarkus=example/quarkus:2.0'), `rollout "${NAME}" image updated\n`)
  await until('the update is paused', shows(/॥ Paused\nMessage: +BlueGreenPause[\s\S]*# revision:2[\s\S]*preview/))
  t.match(await pintle('get', 'rollout', NAME), /Current: +4/)
  t.equal((await version('/hello')).version, '1.0', 'users get the old version')
  t.equal((await version('/preview/hello')).version, '2.0', 'the preview path shows the new one')

  t.equal(await pintle('promote', NAME), `rollout '${NAME}' promoted\n`)
  await until('users get the new version', async () => (await version('/hello')).version === '2.0')
  t.not(selector('quarkus-active'), first)
  await until('the old pods go, their ReplicaSet stays', shows(/# revision:1[\s\S]*ScaledDown/))

  t.equal(await pintle('undo', NAME, '--to-revision', '1'), `rollout '${NAME}' undo\n`)
  await until('the way back is paused too', shows(/॥ Paused[\s\S]*# revision:3/))
  await pintle('promote', NAME)
  await until('users are back on the first version', async () => (await version('/hello')).version === '1.0')
  t.equal(selector('quarkus-active'), first, 'under its old hash')
})
