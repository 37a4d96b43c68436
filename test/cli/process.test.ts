// Pintle as a process: names that it is called by, exit codes, pipes that close, signals.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { kubeconfigFor, serveHttp } from '../../src/apiserver/http.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/sim/clock.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

type Ended = Readonly<{ code: number | null; stdout: string; stderr: string }>

function pintle(args: readonly string[], env: Record<string, string> = {}, script = main): Promise<Ended> {
  return new Promise(resolve => {
    const options = { env: { ...process.env, NODE_OPTIONS: '', HOME: tmpdir(), KUBECONFIG: '', ...env } }
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

test('it runs, and says when it cannot', async t => {
  t.strictSame(await pintle(['version', '--short']), { code: 0, stdout: 'pintle: v0.1.0\n', stderr: '' })
  const { code, stderr } = await pintle(['list', 'rollouts', '--kubeconfig', '/nowhere/config'])
  t.equal(code, 1)
  t.match(stderr, /^Error: .*\/nowhere\/config.* \(PIN200\d\)\n.+\n$/, 'what is wrong, and what to do; no stack')
  const refused = await pintle(['list', 'rollouts'], { KUBECONFIG: '/nowhere/config' })
  t.equal(refused.code, 1)
})

test('as a plugin of kubectl it calls itself so', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pintle-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const link = (name: string) => {
    symlinkSync(main, join(folder, name))
    return join(folder, name)
  }
  t.match(await pintle(['--help'], { KUBECTL_PLUGINS_CALLER: 'kubectl' }), { stdout: /^Usage: kubectl pintle / })
  t.match(await pintle(['--help'], {}, link('kubectl-pintle.ts')), { stdout: /^Usage: kubectl pintle / })
  const completing = await pintle(['completion', 'f'], {}, link('kubectl_complete-pintle.ts'))
  t.strictSame(completing, { code: 0, stdout: 'fish\n:4\n', stderr: '' })
})

test('a server ends with a signal, with its work done', { skip: process.platform === 'win32' }, async t => {
  t.equal(await endedBySignal(['--stable', 'http://127.0.0.1:1']), 0)
})

test('the proxy speaks JSON where it is asked to', { skip: process.platform === 'win32' }, async t => {
  const args = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--stable', 'http://127.0.0.1:1']
  const child = spawn(process.execPath, [main, 'proxy', '-o', 'json', ...args], {
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const line = await new Promise<string>(resolve => child.stdout.once('data', text => resolve(String(text))))
  const local = /^http:\/\/127\.0\.0\.1:\d+$/
  t.match(JSON.parse(line), { url: local, admin: local, pid: Number })
  child.kill('SIGTERM')

  const bad = await pintle(['proxy', '-o', 'json', '--listen', '127.0.0.1:0', '--table', '/nowhere/routes.yaml'])
  t.match(
    { ...bad, stderr: JSON.parse(bad.stderr) },
    { code: 1, stdout: '', stderr: { level: 'error', code: 'PIN4004' } },
  )
  t.match(JSON.parse(bad.stderr), { msg: /\/nowhere\/routes\.yaml/, hint: /\w/ })
  const misused = await pintle(['proxy', '-o', 'json', '--weight', '10'])
  t.match(JSON.parse(misused.stderr), { level: 'error', code: 'PIN4005' }, 'wrong flags too')
  t.match(await pintle(['proxy', '-o', 'yaml']), { code: 1, stderr: /^Error: .*"yaml" \(PIN1002\)\nUse json/ })
})

test('and does not go on following a cluster', { skip: process.platform === 'win32' }, async t => {
  const server = createApiServer({ clock: systemClock({ unref: true }), random: Math.random })
  const api = await serveHttp(server, { host: '127.0.0.1', port: 0 })
  t.teardown(() => api.close())
  const file = join(t.testdir(), 'kubeconfig')
  writeFileSync(file, kubeconfigFor(api.url))
  t.equal(await endedBySignal(['--kubernetes', '--namespace', 'shop', '--kubeconfig', file]), 0)
})

/** Exit code of a proxy that is told to leave once it serves. */
async function endedBySignal(flags: readonly string[]): Promise<number | null> {
  const args = ['proxy', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...flags]
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, NODE_OPTIONS: '' } })
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
  await new Promise<void>(resolve => {
    child.stdout.on('data', text => String(text).includes('proxy on http://127.0.0.1:') && resolve())
  })
  child.kill('SIGTERM')
  return ended
}
