// A proxy that is replaced while it serves: the successor has the same listening sockets, so nobody is refused, and what is
// under way at the old one ends there. Real processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { createHeir, createTeller, lowest } from '../../src/proxy/handed.ts'
import { inheritedFrom } from '../../src/proxy/inherited.ts'
import { createStats } from '../../src/proxy/stats.ts'
import { ask, deadPort, eventually, pod, rawPod, wire } from './kit.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

type T = Parameters<typeof pod>[0] & { testdir(): string }

/** A proxy process; `pid` is that of the one that serves now. */
async function start(t: T, args: readonly string[], options: { port?: number; folder?: string; admin?: number } = {}) {
  const port = options.port ?? (await deadPort())
  const folder = options.folder ?? t.testdir()
  const file = join(folder, 'pid')
  const words = [
    'proxy',
    '--listen',
    `127.0.0.1:${port}`,
    '--admin',
    `127.0.0.1:${options.admin ?? 0}`,
    '--pid-file',
    file,
    ...args,
  ]
  const child: ChildProcess = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr!.on('data', data => {
    errors += data
  })
  const pid = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0)
  t.teardown(async () => {
    if (pid() > 0) process.kill(pid(), 'SIGKILL')
    child.kill('SIGKILL')
  })
  await eventually(() => pid() > 0, 'it serves', 15_000)
  const replace = async () => {
    const before = pid()
    process.kill(before, 'SIGUSR2')
    await eventually(() => pid() !== before && pid() > 0, 'the successor serves', 15_000)
  }
  return { port, url: `http://127.0.0.1:${port}`, pid, replace, errors: () => errors, child }
}

/** Requests as fast as they are answered, over these connections; how many failed, and how many there were. */
function load(t: Pick<T, 'teardown'>, url: string, agent: Agent | false, method: 'GET' | 'POST') {
  let [sent, isOver] = [0, false]
  const failed: string[] = []
  const one = () =>
    new Promise<void>(done => {
      sent += 1
      const req = request(url, { agent, method }, res => {
        res.resume().on('end', done)
        if (res.statusCode !== 200) failed.push(`status ${res.statusCode}`)
      })
      req.on('error', error => {
        failed.push(error.message)
        done()
      })
      req.end(method === 'POST' ? 'body' : undefined)
    })
  const running = (async () => {
    while (!isOver) {
      await one()
      await sleep(1)
    }
  })()
  t.teardown(() => {
    isOver = true
  })
  return async () => {
    isOver = true
    await running
    return { sent, failed }
  }
}

for (const workers of ['1', '2'])
  test(`nobody notices four successors (workers: ${workers})`, { timeout: 120_000 }, async t => {
    const p = await pod(t, (req, res) => void req.resume().on('end', () => res.end('ok')))
    const echo = await rawPod(t, socket => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
        socket.on('data', data => socket.write(data))
      })
    })
    const folder = t.testdir()
    const table = join(folder, 'routes.json')
    const route = (name: string, match: object, upstream: string) => ({
      name,
      match,
      dests: [{ role: 'stable', weight: 100, upstream }],
    })
    writeFileSync(
      table,
      JSON.stringify({ routes: [route('ws', { pathPrefix: '/ws' }, echo.url), route('all', {}, p.url)] }),
    )
    const proxy = await start(t, ['--table', table, '--workers', workers], { folder })

    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    t.teardown(() => agent.destroy())
    const loads = [
      load(t, proxy.url, false, 'GET'),
      load(t, proxy.url, false, 'POST'),
      load(t, proxy.url, agent, 'GET'),
    ]
    const ws = wire(t, proxy.port, 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await ws.until('101')
    const upload = connect(proxy.port, '127.0.0.1')
    let answer = ''
    upload.on('data', data => {
      answer += data
    })
    upload.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234')
    for (let i = 0; i < 4; i++) await proxy.replace()
    ws.socket.write('still there')
    await ws.until('still there')
    upload.write('56789')
    await eventually(() => answer.includes('200 OK'), 'an upload that began at the first proxy ends well')
    upload.destroy()
    for (const stop of loads) {
      const { sent, failed } = await stop()
      t.same(failed, [], `${sent} requests`)
      t.ok(sent > 50)
    }
  })

for (const workers of ['1', '2'])
  test(`what the ones before still have counts until they are gone (workers: ${workers})`, {
    timeout: 120_000,
  }, async t => {
    let hold: (() => void) | undefined
    const p = await pod(t, (req, res) => {
      if (req.url === '/slow') hold = () => res.end('slow')
      else res.end('ok')
    })
    const admin = await deadPort()
    const proxy = await start(t, ['--stable', p.url, '--workers', workers], { admin })
    type Dest = { inFlight: number; requests: number }
    const read = async () => {
      // The admin connections of the one that leaves are cut.
      const answer = await ask(`http://127.0.0.1:${admin}`, '/status').catch(() => undefined)
      if (!answer) return undefined
      const { routes, former } = JSON.parse(answer.body) as { routes: { dests: Dest[] }[]; former: Dest[] }
      const [dest] = routes[0]!.dests
      return { inFlight: dest!.inFlight, requests: dest!.requests, former }
    }
    /** Requests are counted after their clients have the answer. */
    const counts = async (inFlight: number, requests: number, why: string) => {
      const want = JSON.stringify({ inFlight, requests, former: [] })
      const seen = new Set<string>()
      for (const end = Date.now() + 20_000; !seen.has(want) && Date.now() < end; await sleep(20)) {
        const now = await read()
        if (now) seen.add(JSON.stringify(now))
      }
      t.ok(seen.has(want), `${why}: ${[...seen].join(' ')}`)
      return seen
    }
    for (let i = 0; i < 3; i++) await ask(proxy.url)
    const slow = ask(proxy.url, '/slow')
    await eventually(() => hold !== undefined, 'the pod has it')
    await counts(1, 3, 'before')
    await proxy.replace()
    const told = await counts(1, 3, 'told by the second')
    t.same(
      [...told].filter(text => text.includes('"inFlight":0')),
      [],
      'at once',
    )
    await ask(proxy.url)
    await counts(1, 4, 'with its own')
    await proxy.replace()
    await counts(1, 4, 'told by the third')
    hold!()
    t.equal((await slow).body, 'slow')
    await counts(0, 5, 'and when it is answered')
    if (workers === '2') return
    // On a connection of its own: those that are kept lead to the ones before.
    const lost = ask(proxy.url, '/slow', { agent: false }).catch(() => 'lost')
    await eventually(() => p.requests.length === 6, 'the pod has another')
    const old = proxy.pid()
    await proxy.replace()
    await counts(1, 5, 'another one')
    process.kill(old, 'SIGKILL')
    t.equal(await lost, 'lost')
    await counts(0, 5, 'one that is killed has nothing left')
  })

test('a pid file that cannot be written ends the proxy, as does a time that is none, and says why', async t => {
  const words = ['proxy', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--stable', 'http://127.0.0.1:9']
  const rows = [
    [['--pid-file', join(t.testdir(), 'no', 'pid')], /cannot write .*pid.*PIN4010/],
    [['--grace', 'soon'], /bad --grace soon .*PIN1003/],
    [['--grace=-1s'], /bad --grace -1s .*PIN1003/],
    [['--drain-limit', 'x'], /bad --drain-limit x .*PIN1003/],
  ] as const
  for (const [more, why] of rows) {
    const child = spawn(process.execPath, [main, ...words, ...more], { stdio: ['ignore', 'ignore', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    let errors = ''
    child.stderr.on('data', data => {
      errors += data
    })
    await eventually(() => child.exitCode !== null, `it ends: ${more}`, 15_000)
    t.not(child.exitCode, 0)
    t.match(errors, why)
  }
})

test('a successor that does not come up leaves everything as it was', { timeout: 60_000 }, async t => {
  const p = await pod(t, 'ok')
  const folder = t.testdir()
  const table = join(folder, 'routes.json')
  const good = JSON.stringify({ routes: [{ name: 'all', dests: [{ role: 'stable', weight: 100, upstream: p.url }] }] })
  writeFileSync(table, good)
  const proxy = await start(t, ['--table', table], { folder })
  const before = proxy.pid()
  writeFileSync(table, 'nonsense')
  process.kill(before, 'SIGUSR2')
  await eventually(() => /there is no successor; this proxy goes on/.test(proxy.errors()), 'it is told', 15_000)
  t.match(proxy.errors(), /exit code 1/)
  t.equal(proxy.pid(), before)
  t.equal((await ask(proxy.url)).body, 'ok')
  writeFileSync(table, good)
  await proxy.replace()
  t.equal((await ask(proxy.url)).body, 'ok', 'the next try counts')
})

test('SIGTERM ends the one that serves, and its pid file goes', { timeout: 60_000 }, async t => {
  const p = await pod(t, 'ok')
  const proxy = await start(t, ['--stable', p.url])
  await proxy.replace()
  process.kill(proxy.pid(), 'SIGTERM')
  await eventually(() => proxy.pid() === 0, 'the file is gone', 15_000)
  await t.rejects(ask(proxy.url), { code: 'ECONNREFUSED' })
})

test('sockets of systemd are taken', { timeout: 60_000 }, async t => {
  const p = await pod(t, 'ok')
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as { port: number }
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const words = ['proxy', '--stable', p.url, '--admin', '127.0.0.1:0']
  // As systemd does it: the pid in LISTEN_PID is that of the process itself.
  const shell = `LISTEN_PID=$$ LISTEN_FDS=1 exec ${process.execPath} ${main} ${words.join(' ')}`
  const child = spawn('/bin/sh', ['-c', shell], { stdio: ['ignore', 'pipe', 'inherit', fd] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout!.on('data', data => {
    said += data
  })
  server.close()
  await eventually(() => said.includes(`proxy on http://127.0.0.1:${port}`), 'it serves there', 15_000)
  t.equal((await ask(`http://127.0.0.1:${port}`)).body, 'ok')
})

test('what a process was given', t => {
  t.equal(inheritedFrom({}, 7), undefined)
  t.equal(inheritedFrom({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7), undefined, 'meant for another process')
  t.same(inheritedFrom({ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:admin' }, 7), {
    main: [3],
    ports: {},
    admin: 4,
  })
  t.throws(() => inheritedFrom({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7), { code: 'PIN4009' })
  t.throws(() => inheritedFrom({ PINTLE_INHERIT: '{' }, 7), { code: 'PIN4009' })
  t.end()
})

test('a table is in force when both have it', t => {
  t.same(lowest({ a: 3, b: 2, c: 1 }, { a: 2, b: 3 }), { a: 2, b: 2 })
  t.end()
})

test('what is told is added once, also by a version that counts other things', t => {
  const [old, heir] = [createStats(), createStats()]
  const name = { route: 'web', role: 'stable', hash: 'a' }
  const tell = createTeller(old, () => ({ 'shop/web': 3 }))
  const { take, end } = createHeir(heir)
  t.same(tell(), { applied: { 'shop/web': 3 }, series: [] })
  t.equal(tell(), undefined, 'nothing is new')
  const series = old.inherit(name)
  const own = heir.inherit(name)
  for (let i = 0; i < 3; i++) old.begin(series)
  heir.begin(own)
  take(tell()!)
  t.equal(own.inFlight, 4)
  old.end(series, 200, 5, false)
  old.end(series, 502, 5, true)
  take(tell()!)
  t.match(own, { inFlight: 2, errors: 1 })
  t.same([...own.classes], [0, 0, 1, 0, 0, 1])
  take({ applied: {}, series: [{ ...name, inFlight: 7, tunnels: 1, counts: [1, 2, 3] }] })
  t.match(own, { inFlight: 8, tunnels: 1, errors: 1 }, 'its sums are not understood')
  end()
  t.match(own, { inFlight: 1, tunnels: 0, errors: 1 }, 'nothing is left of it but its sums')
  t.end()
})
