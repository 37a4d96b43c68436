// A controller that lost its lease does nothing any more: it must end, so that whoever runs it starts it anew. One that
// stayed would look healthy and never lead again.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { kubeconfigFor, serveHttp } from '../../src/apiserver/http.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/sim/clock.ts'

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const
const NAME = 'argo-rollouts-controller-lock'

test('a controller whose lease somebody else takes ends by itself', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'lease-'))
  const server = createApiServer({ clock: systemClock({ unref: true }), random: Math.random })
  for (const crd of crds()) server.create(crd)
  const web = await serveHttp(server, { host: '127.0.0.1', port: 0 })
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigFor(web.url))
  const main = join(import.meta.dirname, '../../src/main.ts')
  const flags = ['--leader-election-namespace', 'default', '--metricsport', '0', '--healthzPort', '0']
  const child = spawn(process.execPath, [main, 'controller', ...flags, '--kubeconfig', kubeconfig], {
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await web.close()
    rmSync(folder, { recursive: true })
  })
  let said = ''
  const isReady = new Promise<void>(done => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', text => {
        said += text
        if (said.includes('controller is ready')) done()
      })
  })
  const ended = new Promise<number | null>(done => child.once('exit', done))
  await isReady
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  const spec = { holderIdentity: 'another', leaseDurationSeconds: 60, renewTime }
  server.patch({ ...LEASE, namespace: 'default', name: NAME }, 'merge', { spec })
  t.equal(await ended, 1)
  t.match(said, /no longer leads/)
})
