// What clients and pods that do not read cost the proxy, in a process of its own: it is bounded, they are held back, and
// others do not notice.
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { get, patternPod } from './behave-pattern.ts'
import { asking, frame, GET, PREFACE, TYPE } from './h2-raw.ts'
import { pod, rawPod } from './kit.ts'
import { beside, child, crowd, push } from './slow-child.ts'

const MB = 1024 * 1024

test('a client that asks and asks and does not read is held back', async t => {
  let asked = 0
  const p = await pod(t, (req, res) => {
    asked++
    patternPod(req, res)
  })
  const proxy = await child(t, p.url)
  await beside(t, proxy)
  const before = await proxy.cost()
  const sockets = await crowd(t, proxy.port, 4, '')
  for (const socket of sockets) socket.pause()
  const flood = Buffer.from(`GET /1/60000 HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(1000))
  const sent = await push(sockets, flood, 200 * MB)
  for (let last = -1; last !== asked; await sleep(150)) last = asked
  const after = await proxy.cost()
  t.comment(
    `sent ${(sent / MB).toFixed(1)} MB, held ${((after.held - before.held) / MB).toFixed(1)} MB, rss ${((after.rss - before.rss) / MB).toFixed(1)}`,
  )
  t.ok(sent < 100 * MB, `${(sent / MB).toFixed(1)} MB of requests were taken`)
  t.ok(after.held - before.held < 4 * MB, `${((after.held - before.held) / MB).toFixed(1)} MB held`)
  t.equal(await get(proxy.url, 1, 1000), '')
})

/** A pod that writes as long as somebody takes it, and what it has got rid of. */
async function floodPod(t: Parameters<typeof pod>[0]): Promise<Readonly<{ url: string; sent: () => number }>> {
  let sent = 0
  const part = Buffer.alloc(64 * 1024)
  const { url } = await pod(t, (req, res) => {
    if (req.url !== '/flood') return void res.end('ok')
    const more = (): void => {
      while (!res.destroyed) {
        sent += part.length
        if (!res.write(part)) return void res.once('drain', more)
      }
    }
    more()
  })
  return { url, sent: () => sent }
}

const FLOOD = 'GET /flood HTTP/1.1\r\nHost: a\r\n\r\n'

test('large answers that nobody reads are not gathered', async t => {
  const { url, sent } = await floodPod(t)
  const proxy = await child(t, url)
  await beside(t, proxy)
  const before = await proxy.cost()
  const sockets = await crowd(t, proxy.port, 60, FLOOD)
  for (const socket of sockets) socket.pause()
  for (let last = -1; last !== sent(); await sleep(150)) last = sent()
  const ms = await beside(t, proxy)
  const after = await proxy.cost()
  const held = (after.held - before.held) / 60 / 1024
  t.comment(
    `${held.toFixed(1)} KB held each, rss ${((after.rss - before.rss) / MB).toFixed(1)} MB; slowest beside ${ms.toFixed()} ms`,
  )
  t.ok(held < 400, `${held.toFixed()} KB held for each`)
  t.ok(ms < 1000, `the slowest of the others took ${ms.toFixed()} ms`)
})

test('a crowd of slow readers keeps little more than the bound beyond which reads are small', async t => {
  const { url, sent } = await floodPod(t)
  const proxy = await child(t, url)
  const before = await proxy.cost()
  const sockets = await crowd(t, proxy.port, 1800, FLOOD)
  for (const socket of sockets) socket.pause()
  for (let last = -1; last !== sent(); await sleep(300)) last = sent()
  const after = await proxy.cost()
  const held = (after.held - before.held) / MB
  t.comment(`${held.toFixed()} MB held, rss ${((after.rss - before.rss) / MB).toFixed()} MB`)
  // 64 MB, then 8 KB for each; some 15 KB for the two sockets of each.
  t.ok(held < 115, `${held.toFixed()} MB held`)
})

test('HTTP/2 clients that open many streams and read none of their answers keep no more, and nothing once they are gone', async t => {
  const { url, sent } = await floodPod(t)
  const proxy = await child(t, url)
  const before = await proxy.cost()
  const fields: readonly (readonly [string, string])[] = GET.map(([name, value]) => [
    name,
    name === ':path' ? '/flood' : value,
  ])
  const asked = Array.from({ length: 250 }, (_, n) => asking(2 * n + 1, fields))
  // A window of no octets for each stream (RFC 9113 6.5.2).
  const hello = [PREFACE, frame(TYPE.settings, 0, 0, '\0\x04\0\0\0\0')]
  const sockets = await crowd(t, proxy.port, 7, Buffer.concat([...hello, ...asked]))
  for (let last = -1; last !== sent(); await sleep(300)) last = sent()
  const ms = await beside(t, proxy)
  const held = ((await proxy.cost()).held - before.held) / MB
  for (const socket of sockets) socket.destroy()
  await sleep(500)
  const left = ((await proxy.cost()).held - before.held) / MB
  t.comment(`${held.toFixed()} MB held, ${left.toFixed(1)} MB at the end; slowest beside ${ms.toFixed()} ms`)
  t.ok(held < 130, `${held.toFixed()} MB held`)
  t.ok(left < 5, `${left.toFixed(1)} MB held when they are gone`)
  t.ok(ms < 1000, `the slowest of the others took ${ms.toFixed()} ms`)
})

test('uploads that no pod reads are not gathered, and hold their clients back', async t => {
  const p = await rawPod(t, socket => {
    socket.once('data', data => {
      if (!data.includes('GET ')) return void socket.pause()
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const proxy = await child(t, p.url)
  await beside(t, proxy)
  const before = await proxy.cost()
  const sockets = await crowd(t, proxy.port, 20, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n')
  const sent = await push(sockets, Buffer.alloc(MB), 1000 * MB)
  const ms = await beside(t, proxy)
  const after = await proxy.cost()
  const held = (after.held - before.held) / 20 / 1024
  t.comment(
    `sent ${(sent / MB).toFixed(1)} MB, ${held.toFixed(1)} KB held each, rss ${((after.rss - before.rss) / MB).toFixed(1)} MB; beside ${ms.toFixed()} ms`,
  )
  t.ok(sent < 500 * MB, `${(sent / MB).toFixed()} MB were taken`)
  t.ok(held < 400, `${held.toFixed()} KB held for each`)
  t.ok(ms < 1000, `the slowest of the others took ${ms.toFixed()} ms`)
})
