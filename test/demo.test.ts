// `npm start` as a user meets it: its three stories, Ctrl-C at any moment, a port that is taken, a folder that is a file.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { freeOrAny } from '../src/sim/free-port.ts'

const main = new URL('../src/main.ts', import.meta.url).pathname

type Teardown = Readonly<{ teardown(run: () => unknown): unknown }>

async function folderOf(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pintle-demo-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function start(t: Teardown, cwd: string, ...args: string[]) {
  const env = { ...process.env, NO_COLOR: '1' }
  const child: ChildProcess = spawn(process.execPath, [main, 'demo', '--fast', ...args], { cwd, env })
  const text = { out: '', err: '' }
  child.stdout!.on('data', chunk => {
    text.out += chunk
  })
  child.stderr!.on('data', chunk => {
    text.err += chunk
  })
  const exit = new Promise<number | string | null>(resolve =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  t.teardown(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  })
  /** Waits until the output has this text; false when the demo ends or the seconds are over. */
  const says = async (wanted: string | RegExp, seconds = 60): Promise<boolean> => {
    const has = () => (typeof wanted === 'string' ? text.out.includes(wanted) : wanted.test(text.out))
    for (let i = 0; i < seconds * 20 && !has() && child.exitCode === null; i++) await sleep(50)
    return has()
  }
  return { child, text, exit, says }
}

const isOpen = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const ANY = ['--port', '0', '--dashboard-port', '0']

test('the demo tells its three stories without losing a request, and Ctrl-C ends it', { timeout: 120_000 }, async t => {
  const demo = start(t, await folderOf(t), ...ANY)
  t.ok(await demo.says('It is yours now', 75), 'the stories are told')
  const { out } = demo.text
  t.match(out, '✔ pay v2 is active', 'blue-green')
  t.match(out, '✔ shop v2 is stable', 'canary')
  t.match(out, /✖ RolloutAborted: .*(Failed|failed|Fail)/, 'the bad version is refused for a reason')
  const took = Number(/nothing more, (\d+) ms after the verdict/.exec(out)?.[1] ?? Number.NaN)
  t.ok(took <= 2000, `it is back at weight 0 after ${took} ms`)
  const lost = out.match(/(\d+) lost/g) ?? []
  t.ok(lost.length > 0, 'the score is told')
  t.ok(
    lost.every(one => one === '0 lost'),
    `no request is lost: ${lost.at(-1)}`,
  )
  const ports = [...out.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(match => Number(match[1]))
  t.ok(ports.length >= 3, 'proxy, page and metrics have addresses')
  for (const port of ports) t.ok(await isOpen(port), `${port} is served`)
  demo.child.kill('SIGINT')
  t.equal(await demo.exit, 0, 'it ends well')
  for (const port of ports) t.notOk(await isOpen(port), `${port} is closed`)
  t.equal(demo.text.err, '', 'nothing to complain about')
})

test('Ctrl-C in the first moments ends the demo too', { timeout: 60_000 }, async t => {
  const demo = start(t, await folderOf(t), ...ANY)
  t.ok(await demo.says('Pintle demo', 20))
  demo.child.kill('SIGINT')
  t.equal(await demo.exit, 0)
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(demo.text.out)?.[1])
  t.notOk(await isOpen(port), 'nobody is left at the proxy’s port')
})

test('a port in use is a clear error', { timeout: 60_000 }, async t => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  for (const args of [
    ['--port', `${port}`, '--dashboard-port', '0'],
    ['--port', '0', '--dashboard-port', `${port}`],
  ]) {
    const demo = start(t, await folderOf(t), ...args)
    t.equal(await demo.exit, 1, `exit code with ${args.join(' ')}`)
    t.match(demo.text.err, new RegExp(`${port}`), 'the port is named')
    t.match(demo.text.err, /in use/)
    t.notMatch(demo.text.err, / {4}at /, 'no stack')
  }
})

test('a usual port that is taken is left alone, and another one taken', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  t.equal(await freeOrAny(port), 0)
  await new Promise(resolve => server.close(resolve))
  t.equal(await freeOrAny(port), port)
})

test('a folder that cannot be written is a clear error', { timeout: 60_000 }, async t => {
  const folder = await folderOf(t)
  await writeFile(join(folder, '.pintle'), 'a file where the folder should be')
  const demo = start(t, folder, ...ANY)
  t.equal(await demo.exit, 1)
  t.match(demo.text.err, /cannot write .*kubeconfig/)
  t.notMatch(demo.text.err, / {4}at /, 'no stack')
})
