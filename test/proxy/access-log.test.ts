// The access log: a line for each request, or for an exact share of them, without secrets.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { proxyOptionsFromFlags } from '../../src/proxy/flags.ts'
import { startProxy } from '../../src/proxy/start.ts'
import { ask, eventually, only, pod, proxy } from './kit.ts'

const linesIn = (file: string): Record<string, unknown>[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line))
    : []

test('each request is a line, without its query and headers', async t => {
  const p = await pod(t, (_req, res) => void res.writeHead(201).end('ok'))
  const file = join(t.testdir(), 'access.log')
  const running = await proxy(t, { table: only(p.url), accessLog: { file, sample: 1 } })
  await ask(running.url, '/a/b?token=secret', {
    method: 'POST',
    body: 'x',
    headers: { Host: 'shop.test', Cookie: 'k=v' },
  })
  await eventually(() => linesIn(file).length === 1, 'the line')
  const [line] = linesIn(file)
  t.match(line, { method: 'POST', host: 'shop.test', path: '/a/b', status: 201, route: 'web', role: 'stable' })
  t.type(line?.['ms'], 'number')
  t.notMatch(readFileSync(file, 'utf8'), /secret|k=v/)
})

test('a sample is exact, and what is left is written at the end', async t => {
  const p = await pod(t, 'ok')
  const file = join(t.testdir(), 'access.log')
  const running = await proxy(t, { table: only(p.url), accessLog: { file, sample: 0.25 } })
  for (let i = 0; i < 40; i++) await ask(running.url)
  await running.close()
  await eventually(() => linesIn(file).length === 10, 'ten of forty')
})

test('a file that cannot be written, and a share that is none, are clear errors', async t => {
  await t.rejects(startProxy({ accessLog: { file: '/nowhere/a.log', sample: 1 } }), {
    code: 'PIN4008',
    hint: /may write/,
  })
  const flags = { stable: 'http://127.0.0.1:1', accessLog: '-', accessLogSample: '2' }
  await t.rejects(proxyOptionsFromFlags(flags), { code: 'PIN4005', message: /access-log-sample 2/ })
})
