// What idle connections and unfinished heads cost the proxy, in a process of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { patternPod } from './behave-pattern.ts'
import { eventually, pod } from './kit.ts'
import { beside, child, crowd } from './slow-child.ts'

const MB = 1024 * 1024
const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n'

test('2,000 idle and 500 silent connections cost little and slow nobody down', async t => {
  const p = await pod(t, (req, res) => (req.url === '/' ? void res.end('ok') : patternPod(req, res)))
  const proxy = await child(t, p.url)
  await beside(t, proxy)
  const before = await proxy.cost()
  const idle = await crowd(t, proxy.port, 2000, `${HEAD}\r\n`)
  await crowd(t, proxy.port, 500, '')
  await Promise.all(idle.map(s => s.bytesRead > 0 || new Promise(done => s.once('data', done))))
  const ms = await beside(t, proxy)
  const after = await proxy.cost()
  const each = (after.rss - before.rss) / 2500 / 1024
  const held = (after.held - before.held) / 2500 / 1024
  await sleep(1000)
  const used = (await proxy.cost()).cpu - after.cpu
  t.comment(
    `${each.toFixed(1)} KB of memory each, ${held.toFixed(1)} KB held; ${used.toFixed()} ms of work in a second`,
  )
  t.ok(held < 8, `${held.toFixed(1)} KB held for each`)
  t.ok(each < 24, `${each.toFixed(1)} KB of memory for each`)
  t.ok(ms < 1000, `the slowest of the others took ${ms.toFixed()} ms`)
  t.ok(used < 100, `${used.toFixed()} ms of work in a second in which nothing happens`)
})

test('heads that never end are held once, and cost no more than their octets', async t => {
  const p = await pod(t, 'ok')
  const proxy = await child(t, p.url)
  await beside(t, proxy, '/')
  const before = await proxy.cost()
  const long = `${HEAD}X-A: ${'a'.repeat(30_000)}`
  const sockets = await crowd(t, proxy.port, 300, long)
  const ms = await beside(t, proxy, '/')
  const after = await proxy.cost()
  const held = (after.held - before.held) / 300 / 1024
  t.comment(
    `${held.toFixed(1)} KB held each, rss ${((after.rss - before.rss) / 300 / 1024).toFixed(1)}; slowest beside ${ms.toFixed()} ms`,
  )
  t.ok(held < 70, `${held.toFixed(1)} KB held for each head of 30 KB`)
  for (const socket of sockets) socket.destroy()
  await eventually(() => sockets.every(s => s.closed), 'all are gone')
  await beside(t, proxy, '/')
  const end = await proxy.cost()
  t.ok(end.held - before.held < 3 * MB, `${((end.held - before.held) / MB).toFixed(1)} MB held when they are gone`)
})

test('a head in many small pieces costs little work', async t => {
  const p = await pod(t, 'ok')
  const proxy = await child(t, p.url)
  await beside(t, proxy, '/')
  const before = await proxy.cost()
  const sockets = await crowd(t, proxy.port, 10, '')
  const pieces = 2500
  for (const socket of sockets) socket.setNoDelay(true)
  for (let i = 0; i < pieces; i++) {
    for (const socket of sockets) socket.write(i === 0 ? `${HEAD}X-A: ` : 'a'.repeat(5))
    await new Promise(setImmediate)
  }
  const after = await proxy.cost()
  const each = (after.cpu - before.cpu) / sockets.length
  t.comment(`${each.toFixed(1)} ms of work for a head of ${pieces} pieces`)
  t.ok(each < 150, `${each.toFixed()} ms of work for a head of ${pieces} pieces`)
  for (const socket of sockets) socket.write('\r\n\r\n')
  await eventually(() => p.requests.length === 30 + sockets.length, 'all are served')
})
