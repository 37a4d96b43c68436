// kubectl is the second client: what people type works against the embedded server, in its own words.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { crds } from '../../src/api/crd.ts'
import { kubeconfigFor, serveHttp } from '../../src/apiserver/http.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/sim/clock.ts'

const kubectl = process.env['KUBECTL'] ?? 'kubectl'

/** Why this kubectl cannot be used; undefined when it can. */
const unfit = (): string | undefined => {
  try {
    const text = execFileSync(kubectl, ['version', '--client', '-o', 'json'], { encoding: 'utf8', stdio: 'pipe' })
    const { clientVersion } = JSON.parse(text) as { clientVersion: { minor: string; gitVersion: string } }
    // A dispatcher answers for another program, which it picks by the server's version.
    if (clientVersion.gitVersion.includes('dispatcher')) return `${kubectl} is a dispatcher; name one in KUBECTL`
    return Number.parseInt(clientVersion.minor, 10) < 29 ? `${kubectl} is older than 1.29` : undefined
  } catch {
    return `there is no ${kubectl}`
  }
}

const manifests = (image: string, replicas: number) => `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  replicas: 1
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: main, image: "${image}", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {image: "${image}"}
`

const reason = unfit()

t.test('kubectl', { skip: reason ?? false }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'kubectl-'))
  const server = createApiServer({ clock: systemClock({ unref: true }), random: Math.random })
  for (const crd of crds()) server.create(crd)
  const web = await serveHttp(server, { host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await web.close()
    rmSync(folder, { recursive: true })
  })
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(web.url))
  const options = ['--kubeconfig', kubeconfig, '--cache-dir', join(folder, 'cache')]
  const first = join(folder, 'first.yaml')
  const second = join(folder, 'second.yaml')
  writeFileSync(first, manifests('example/app:1', 2))
  writeFileSync(second, manifests('example/app:2', 3))

  type Ran = { code: number; out: string; err: string }
  const run = (...args: string[]): Promise<Ran> =>
    new Promise(resolve => {
      execFile(kubectl, [...options, ...args], { timeout: 20_000 }, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, out: out.trim(), err: err.trim() })
      })
    })
  const says = async (t: { equal(a: string, b: string, c: string): unknown }, words: string, expected: string) => {
    const { out, err } = await run(...words.split(' '))
    t.equal(out || err, expected, `kubectl ${words.replaceAll(folder, '')}`)
  }
  const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
  const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
  const specOf = (kind: typeof ROLLOUT, name: string) => server.get(kind, 'default', name)?.['spec']

  await t.test('apply creates, then does nothing, then changes', async t => {
    const words = (word: string) =>
      `rollout.argoproj.io/web ${word}\ndeployment.apps/api ${word}\nconfigmap/settings ${word}`
    await says(t, `apply -f ${first}`, words('created'))
    const before = server.core.store.version()
    await says(t, `apply -f ${first}`, words('unchanged'))
    t.equal(server.core.store.version(), before, 'nothing was written')
    await says(t, `apply -f ${second}`, words('configured'))
    t.match(specOf(DEPLOYMENT, 'api'), { template: { spec: { containers: [{ image: 'example/app:2' }] } } })
    t.match(specOf(ROLLOUT, 'web'), { replicas: 3 })
  })

  await t.test('apply and create refuse what the definition does not know', async t => {
    const wrong = join(folder, 'wrong.yaml')
    writeFileSync(wrong, manifests('example/app:1', 1).replace('replicas: 1', 'replica: 1'))
    const { code, err } = await run('apply', '-f', wrong)
    t.equal(code, 1)
    t.match(err, /strict decoding error: unknown field "spec.replica"/)
  })

  await t.test('get prints the columns of the definition', async t => {
    const { out } = await run('get', 'rollouts,deploy,cm')
    const [heads = '', row = '', , deployments, deployment, , maps, map] = out.split('\n')
    t.match(heads, /^NAME +DESIRED +CURRENT +UP-TO-DATE +AVAILABLE +AGE$/)
    t.match(row, /^rollout.argoproj.io\/web +3 +\d+s$/)
    t.match(deployments, /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$/)
    t.match(deployment, /^deployment.apps\/api +0\/1 +0 +0 +\d+s$/)
    t.match(maps, /^NAME +DATA +AGE$/)
    t.match(map, /^configmap\/settings +1 +\d+s$/)
  })

  await t.test('get -w prints what happens', async t => {
    const child = spawn(kubectl, [...options, 'get', 'cm', '-w', '--no-headers'])
    let printed = ''
    let check = () => {}
    child.stdout.on('data', chunk => {
      printed += chunk
      check()
    })
    const lines = (count: number) =>
      new Promise<void>(resolve => {
        check = () => {
          if (printed.split('\n').length > count) resolve()
        }
        check()
      })
    await lines(1)
    server.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new', namespace: 'default' } })
    await lines(2)
    child.kill()
    t.match(printed, /^settings +1 +\d+s\nnew +0 +\d+s\n$/)
  })

  await t.test('the verbs that change one thing', async t => {
    await says(t, 'scale rollout web --replicas 5', 'rollout.argoproj.io/web scaled')
    await says(t, 'scale deploy api --replicas 5', 'deployment.apps/api scaled')
    await says(t, 'set image deploy/api main=example/app:3', 'deployment.apps/api image updated')
    await says(t, 'label rollout web tier=front', 'rollout.argoproj.io/web labeled')
    await says(t, 'annotate rollout web note=x', 'rollout.argoproj.io/web annotated')
    await says(t, 'patch rollout web --type merge -p {"spec":{"paused":true}}', 'rollout.argoproj.io/web patched')
    await says(
      t,
      'patch rollout web --type json -p [{"op":"remove","path":"/spec/paused"}]',
      'rollout.argoproj.io/web patched',
    )
    await says(
      t,
      'patch rollout web --subresource status --type merge -p {"status":{"phase":"Paused"}}',
      'rollout.argoproj.io/web patched',
    )
    await says(t, 'patch deploy api -p {"spec":{"paused":true}}', 'deployment.apps/api patched')
    t.match(specOf(DEPLOYMENT, 'api'), {
      replicas: 5,
      paused: true,
      template: { spec: { containers: [{ image: 'example/app:3' }] } },
    })
    t.match(server.get(ROLLOUT, 'default', 'web'), {
      metadata: { labels: { tier: 'front' }, annotations: { note: 'x' } },
      spec: { replicas: 5 },
      status: { phase: 'Paused' },
    })
  })

  await t.test('a strategic patch of a custom object is refused, with what would do', async t => {
    const { code, err } = await run('patch', 'rollout', 'web', '-p', '{"spec":{"paused":true}}')
    t.equal(code, 1)
    t.match(err, 'application/merge-patch+json')
  })

  await t.test('server-side apply is refused cleanly', async t => {
    const { code, err } = await run('apply', '--server-side', '-f', first)
    t.equal(code, 1)
    t.match(err, /^Server-side apply not available on the server/)
  })

  await t.test('describe, explain and api-resources read the definition', async t => {
    t.match(
      (await run('describe', 'rollout', 'web')).out,
      /Kind: +Rollout\n[\s\S]*Replicas: +5\n[\s\S]*Events: +<none>$/,
    )
    t.match((await run('describe', 'deploy', 'api')).out, /Image: +example\/app:3/)
    t.match((await run('explain', 'rollout.spec.strategy.canary')).out, /FIELD: canary <Object>/)
    t.match(
      (await run('api-resources', '--api-group', 'argoproj.io', '--no-headers')).out,
      /^rollouts +ro +argoproj.io\/v1alpha1 +true +Rollout$/m,
    )
  })

  await t.test('wait and rollout status follow what happens', async t => {
    await says(
      t,
      'wait rollout web --for=jsonpath={.status.phase}=Paused --timeout 10s',
      'rollout.argoproj.io/web condition met',
    )
    const waiting = run('rollout', 'status', 'deploy/api', '--timeout', '15s')
    const status = { observedGeneration: 9, replicas: 5, updatedReplicas: 5, availableReplicas: 5, readyReplicas: 5 }
    server.patch({ ...DEPLOYMENT, namespace: 'default', name: 'api' }, 'merge', { status }, { subresource: 'status' })
    t.match((await waiting).out, /deployment "api" successfully rolled out$/)
  })

  await t.test('replace, edit and delete', async t => {
    await says(
      t,
      `replace -f ${first}`,
      'rollout.argoproj.io/web replaced\ndeployment.apps/api replaced\nconfigmap/settings replaced',
    )
    t.match((await run('delete', 'rollout', 'web')).out, /^rollout.argoproj.io "web" deleted/)
    t.match((await run('delete', '-f', first, '--ignore-not-found')).out, /^deployment.apps "api" deleted/)
    t.equal(server.get(DEPLOYMENT, 'default', 'api'), undefined)
  })

  await t.test('a namespace comes and goes', async t => {
    const file = join(folder, 'namespace.json')
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'there' } }))
    await says(t, `create -f ${file}`, 'namespace/there created')
    t.match((await run('delete', 'ns', 'there')).out, /^namespace "there" deleted/)
    t.match((await run('get', 'ns', 'there')).err, /^Error from server \(NotFound\): namespaces "there" not found$/)
  })
})
