// Roles that run for long start themselves with a smaller heap, once, and only when nobody has chosen otherwise.
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { test } from 'tap'
import { leanArguments } from '../src/lean.ts'

const bare = { execArgv: [], env: {} }

test('which processes become lean', async t => {
  t.match(leanArguments(['proxy', '--table', 'a'], bare), ['--max-semi-space-size=1'])
  t.match(leanArguments(['proxy', '--tls-cert', 'a', '--tls-key', 'b'], bare), ['--max-semi-space-size=1'])
  t.match(leanArguments(['controller'], { execArgv: ['--cpu-prof'], env: {} }), [/semi-space/, /growing/, '--cpu-prof'])
  t.equal(leanArguments(['get', 'proxy'], bare), undefined, 'a command that ends soon')
  t.equal(leanArguments(['proxy', '--help'], bare), undefined)
  t.equal(leanArguments([], bare), undefined)
  t.equal(leanArguments(['constructor'], bare), undefined)
  t.equal(leanArguments(['proxy'], { execArgv: ['--max-semi-space-size=64'], env: {} }), undefined, 'chosen already')
  t.equal(leanArguments(['proxy'], { ...bare, env: { NODE_OPTIONS: '--max-old-space-size=500' } }), undefined)
})

test('a process that became lean still says what is wrong, with its exit code', async t => {
  const squatter = createServer()
  await new Promise<void>(done => squatter.listen(0, '127.0.0.1', done))
  t.teardown(() => squatter.close())
  const { port } = squatter.address() as { port: number }
  const main = new URL('../src/main.ts', import.meta.url).pathname
  const args = [main, 'proxy', '--stable', 'http://127.0.0.1:1', '--listen', `127.0.0.1:${port}`]
  await t.rejects(promisify(execFile)(process.execPath, args), { code: 1, stderr: /port \d+ is in use/ })
})
