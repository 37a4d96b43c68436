// The access log: a line for each request, or for an exact share of them, without secrets.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { connect as connectH2 } from 'node:http2'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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
  t.match(line, {
    client: '127.0.0.1',
    method: 'POST',
    host: 'shop.test',
    path: '/a/b',
    status: 201,
    route: 'web',
    role: 'stable',
  })
  t.type(line?.['ms'], 'number')
  t.notMatch(readFileSync(file, 'utf8'), /secret|k=v/)
})

test('the client is the one that the PROXY protocol names, over both HTTP versions', async t => {
  const file = join(t.testdir(), 'access.log')
  const options = { accessLog: { file, sample: 1 }, proxyProtocol: ['127.0.0.1'] }
  const running = await proxy(t, { table: only((await pod(t, 'ok')).url), ...options })
  const first = connect(running.port, '127.0.0.1')
  t.teardown(() => first.destroy())
  first.write('PROXY TCP4 192.0.2.7 10.0.0.1 57005 80\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
  const second = connect(running.port, '127.0.0.1')
  second.write('PROXY TCP6 2001:db8::1 ::1 57005 80\r\n')
  const session = connectH2('http://a', { createConnection: () => second })
  t.teardown(() => session.destroy())
  session.request({ ':path': '/2' }).resume().end()
  await eventually(() => linesIn(file).length === 2, 'both lines')
  const clients = Object.fromEntries(linesIn(file).map(({ path, client }) => [path, client]))
  t.same(clients, { '/1': '192.0.2.7', '/2': '2001:db8::1' })
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

test('a file that was renamed is left, and another one begun', async t => {
  const p = await pod(t, 'ok')
  const file = join(t.testdir(), 'access.log')
  const running = await proxy(t, { table: only(p.url), accessLog: { file, sample: 1 } })
  await ask(running.url, '/before')
  await eventually(() => linesIn(file).length === 1, 'the line')
  renameSync(file, `${file}.1`)
  for (const end = Date.now() + 10_000; linesIn(file).length === 0 && Date.now() < end; ) {
    await ask(running.url, '/after')
    await new Promise(done => setTimeout(done, 100))
  }
  t.match(linesIn(file)[0], { path: '/after' })
  t.match(linesIn(`${file}.1`)[0], { path: '/before' })
})

const LOGGER = `
  import { openAccessLog } from ${JSON.stringify(import.meta.resolve('../../src/proxy/access-log.ts'))}
  // Node makes a pipe non-blocking when it is first used.
  process.stdout.write('')
  const log = openAccessLog({ file: '-', sample: 1 })
  const asked = { method: () => 'GET', host: () => 'a', target: () => '/' + 'x'.repeat(200) }
  const series = { route: 'r', role: 'stable', hash: '' }
  const say = lines => {
    for (let i = 0; i < lines; i++) log.end(log.begin(asked, '192.0.2.7'), series, 200, 1)
  }
  say(2000)
  setTimeout(() => say(20_000), 400)
  setTimeout(() => log.close(), 1000)
`

test('standard output that stalls loses nothing that fits, and what does not is counted', async t => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--input-type=module', '-e', LOGGER], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise(done => setTimeout(done, 800))
  const lines = (await text(child.stdout))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { dropped?: number })
  const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
  const kept = lines.filter(line => line.dropped === undefined).length
  t.equal(kept + dropped, 22_000, 'every line is there or counted')
  t.ok(kept > 3000, `${kept} lines`)
})
