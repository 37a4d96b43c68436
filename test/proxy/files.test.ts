// A process that may open few files turns clients away; those that it has taken are served.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'tap'
import { connectionsByFiles } from '../../src/proxy/files.ts'
import { eventually, pod, wire } from './kit.ts'

const table = { '1024': 482, '20': 1, '20000': 0, unlimited: 0 }
for (const [files, connections] of Object.entries(table)) {
  test(`${files} files are enough for ${connections || 'as many connections as come'}`, async t => {
    const text = `Limit           Soft Limit  Hard Limit  Units\nMax open files  ${files}    ${files}    files\n`
    t.equal(
      connectionsByFiles(() => text),
      connections,
    )
  })
}

test('where nobody says how many files there are there is no limit', async t => {
  const nowhere = () => {
    throw new Error('no such file')
  }
  t.equal(connectionsByFiles(nowhere), 0)
})

test('with 300 files 200 clients get no error', { skip: process.platform !== 'linux' }, async t => {
  const p = await pod(t, (_req, res) => void setTimeout(() => res.end('ok'), 20))
  const main = join(import.meta.dirname, '../../src/main.ts')
  const args = ['proxy', '--stable', p.url, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'].join(' ')
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn('sh', ['-c', `ulimit -n 300; exec "${process.execPath}" "${main}" ${args}`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const port = await new Promise<number>(done => {
    createInterface(child.stdout).on('line', line => {
      const said = /proxy on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)
      if (said) done(Number(said[1]))
    })
  })
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  let away = 0
  const lines = Array.from({ length: 200 }, () => {
    const line = wire(t, port, get)
    void line.closed.then(said => {
      if (said === '') away++
    })
    return line
  })
  const served = () => lines.filter(line => line.said().endsWith('ok')).length
  await eventually(() => served() + away === 200, 'each is served or turned away', 10_000)
  t.equal(served(), 120)
  for (const line of lines) if (!line.socket.destroyed && line.said() !== '') line.socket.write(get)
  await eventually(() => lines.filter(line => (line.said().match(/ 200 /g)?.length ?? 0) === 2).length === 120, 'again')
  t.notMatch(lines.map(line => line.said()).join(''), / 50\d /)
})
