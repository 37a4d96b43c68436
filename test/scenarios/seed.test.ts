// The story that Pintle began with, on real sockets: quarkus-rollout-bluegreen, applied with kubectl, driven with pintle,
// seen by users through the proxy; then a Deployment's template taken over through workloadRef. SEED_CLUSTER=1 tells it
// on the real API server of KUBECONFIG, on which no kubelet may run (`npm run test:cluster -- seed` sees to that).
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Test, test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { clusterPlace, demoPlace, type SeedPlace } from '../kit/seed-place.ts'

const run = promisify(execFile)
const NAME = 'quarkus-rollout-bluegreen'
type Hashed = Readonly<Record<string, string>>

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

/** A place for a story and what a user has at hand there. */
async function begin(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'pintle-seed-'))
  const isReal = process.env['SEED_CLUSTER'] !== undefined
  const place: SeedPlace = isReal ? await clusterPlace(process.env['KUBECONFIG'] ?? '') : await demoPlace(folder)
  t.teardown(async () => {
    await place.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const env = { ...process.env, KUBECONFIG: place.kubeconfig, NO_COLOR: '1' }
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const pintle = async (...args: string[]) => (await run(process.execPath, [main, ...args], { env })).stdout
  const until = async (what: string, met: () => boolean | Promise<boolean>, name = NAME) => {
    for (let i = 0; i < 200; i++) {
      if (await met()) return t.pass(what)
      await sleep(50)
    }
    return t.fail(`${what}: waited in vain; ${await pintle('get', 'rollout', name)}`)
  }
  const shows =
    (text: string | RegExp, name = NAME) =>
    async () => {
      const screen = await pintle('get', 'rollout', name)
      return typeof text === 'string' ? screen.includes(text) : text.test(screen)
    }
  const apply = async (objects: readonly KubeObject[]) => {
    if (!kubectl) {
      t.comment('no kubectl here: the objects are applied without it')
      for (const object of objects) await place.create(object)
      return
    }
    const file = join(folder, 'objects.json')
    await writeFile(file, objects.map(object => JSON.stringify(object)).join('\n'))
    const { stdout } = await run(kubectl, ['apply', '-f', file, '--cache-dir', join(folder, 'cache')], { env })
    t.equal(stdout.match(/ created$/gm)?.length, objects.length, 'kubectl creates all of them')
  }
  return { place, pintle, until, shows, apply }
}

test('blue-green from the first apply to the undo, as a user drives it', async t => {
  const { place, pintle, until, shows, apply } = await begin(t)
  const version = async (at: string) => (await (await fetch(`${place.url}${at}`)).json()) as { version: string }
  const selector = async (name: string) => {
    const { spec } = (await place.read('v1', 'Service', name)) as unknown as { spec: { selector: Hashed } }
    return spec.selector['rollouts-pod-template-hash']
  }

  await apply(objects)
  await until(
    'the first version is healthy, stable and active',
    shows(/✔ Healthy[\s\S]*# revision:1[\s\S]*stable,active/),
  )
  t.ok(await selector('quarkus-active'), 'the active Service carries the hash')
  t.equal(await selector('quarkus-preview'), await selector('quarkus-active'), 'so does the preview Service')
  const first = await selector('quarkus-active')

  t.equal(await pintle('set', 'image', NAME, 'quarkus=example/quarkus:2.0'), `rollout "${NAME}" image updated\n`)
  await until('the update is paused', shows(/॥ Paused\nMessage: +BlueGreenPause[\s\S]*# revision:2[\s\S]*preview/))
  t.match(await pintle('get', 'rollout', NAME), /Current: +4/)
  t.equal((await version('/hello')).version, '1.0', 'users get the old version')
  t.equal((await version('/preview/hello')).version, '2.0', 'the preview path shows the new one')

  t.equal(await pintle('promote', NAME), `rollout '${NAME}' promoted\n`)
  await until('users get the new version', async () => (await version('/hello')).version === '2.0')
  t.not(await selector('quarkus-active'), first)
  await until('the old pods go, their ReplicaSet stays', shows(/# revision:1[\s\S]*ScaledDown/))

  t.equal(await pintle('undo', NAME, '--to-revision', '1'), `rollout '${NAME}' undo\n`)
  await until('the way back is paused too', shows(/॥ Paused[\s\S]*# revision:3/))
  await pintle('promote', NAME)
  await until('users are back on the first version', async () => (await version('/hello')).version === '1.0')
  t.equal(await selector('quarkus-active'), first, 'under its old hash')
})

/** A Deployment and the Rollout that takes its template from it. */
const taken = (name: string, scaleDown: string): readonly KubeObject[] => {
  const labels = { app: name }
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'quarkus', image: 'example/quarkus:1.0', ports: [{ containerPort: 8080 }] }] },
  }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } }
  const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name, scaleDown }
  return [
    { ...deployment, spec: { replicas: 2, selector: { matchLabels: labels }, template } },
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name },
      spec: { replicas: 2, workloadRef, strategy: { canary: { steps: [{ setWeight: 50 }, { pause: {} }] } } },
    },
  ]
}

for (const [scaleDown, left] of Object.entries({ onsuccess: 0, never: 2, progressively: 0 })) {
  test(`a Deployment's template through workloadRef, scaleDown ${scaleDown}`, async t => {
    const { place, pintle, until, shows, apply } = await begin(t)
    const name = `taken-${scaleDown}`
    const size = async () => {
      const { spec } = (await place.read('apps/v1', 'Deployment', name)) as unknown as { spec: { replicas: number } }
      return spec.replicas
    }
    await apply(taken(name, scaleDown))
    await until('the template becomes revision 1', shows(/✔ Healthy[\s\S]*# revision:1[\s\S]*stable/, name), name)
    await until(`the Deployment has ${left} pods left`, async () => (await size()) === left, name)
    await pintle('set', 'image', name, 'quarkus=example/quarkus:2.0')
    await until("the Deployment's new image is a canary", shows(/॥ Paused[\s\S]*# revision:2[\s\S]*canary/, name), name)
    await pintle('promote', name)
    await until('and becomes stable', shows(/✔ Healthy[\s\S]*# revision:2[\s\S]*stable/, name), name)
    t.equal(await size(), left, 'the Deployment stays as it is')
  })
}
