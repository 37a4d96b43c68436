// Clients that are slow, on purpose or not: each step has its limit, what keeps moving is let be, and others do
// not notice.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { crawl, get, patternPod } from './behave-pattern.ts'
import { ask, eventually, only, pod, proxy, rawPod, type Wire, wire } from './kit.ts'

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n'

/** Sends `text` octet by octet, `ms` apart, until it is out or the connection is gone; then goes on with `more`. */
async function drip(w: Wire, text: string, ms: number): Promise<void> {
  for (const octet of text) {
    if (!w.socket.writable) return
    w.socket.write(octet)
    await sleep(ms)
  }
}

/** Milliseconds until the connection is closed. */
async function lasts(w: Wire): Promise<number> {
  const began = performance.now()
  await w.closed
  return performance.now() - began
}

test('heads that come octet by octet are given up after the limit for the whole, and others are served meanwhile', async t => {
  const p = await pod(t, 'ok')
  const running = await proxy(t, { table: only(p.url), limits: { head: 300 } })
  const slow = Array.from({ length: 200 }, (_, i) => {
    const w = wire(t, running.port)
    void drip(w, `${HEAD}X-A: ${'a'.repeat(1000)}`, 15 + (i % 20))
    return w
  })
  const closing = Promise.all(slow.map(lasts))
  let isOver = false
  const times: number[] = []
  const beside = (async () => {
    while (!isOver || times.length < 20) {
      const began = performance.now()
      t.equal((await ask(running.url)).body, 'ok')
      times.push(performance.now() - began)
    }
  })()
  const lived = await closing
  isOver = true
  await beside
  t.ok(Math.min(...lived) >= 200, `the first was given up after ${Math.min(...lived).toFixed()} ms`)
  t.ok(Math.max(...lived) < 3000, `the last was given up after ${Math.max(...lived).toFixed()} ms`)
  for (const w of slow) t.match(w.said(), /^HTTP\/1\.1 408 /)
  t.ok(Math.max(...times) < 1000, `the slowest of ${times.length} others took ${Math.max(...times).toFixed()} ms`)
  t.equal(p.requests.length, times.length, 'the pod saw the others only')
})

test('the head of a later request has the same limit', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url), limits: { head: 300 } })
  const w = wire(t, port, `${HEAD}\r\n`)
  await w.until('ok')
  // Each line is read as it ends: the time goes on all the same.
  const lines = wire(t, port, `${HEAD}\r\n`)
  await lines.until('ok')
  void drip(w, `${HEAD}X-A: ${'a'.repeat(1000)}`, 20)
  void drip(lines, `${HEAD}${'X: 1\r\n'.repeat(100)}`, 20)
  for (const lived of await Promise.all([w, lines].map(lasts)))
    t.ok(lived >= 200 && lived < 3000, `given up after ${lived.toFixed()} ms`)
  for (const one of [w, lines]) t.match(one.said(), /ok[\s\S]*HTTP\/1\.1 408 /)
})

test('a connection on which nothing is said is closed without a word, and a head that is slow but in time is served', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url), limits: { head: 1000 } })
  const silent = wire(t, port)
  const late = wire(t, port)
  await drip(late, `${HEAD}\r\n`, 4)
  t.match(await late.until('ok'), /200 OK/)
  const lived = await lasts(silent)
  t.equal(await silent.closed, '')
  t.ok(lived > 800 && lived < 3000, `${lived.toFixed()} ms`)
})

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n'
const BODIES: Readonly<Record<string, string>> = {
  'before the body': `${POST}Content-Length: 9\r\n\r\n`,
  'within the body': `${POST}Content-Length: 9\r\n\r\nhalf`,
  'before the chunks': `${POST}Transfer-Encoding: chunked\r\n\r\n`,
  'within a size': `${POST}Transfer-Encoding: chunked\r\n\r\n1`,
  'within a chunk': `${POST}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`,
  'behind a chunk': `${POST}Transfer-Encoding: chunked\r\n\r\n4\r\nfour`,
  'before the end': `${POST}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n`,
  'within a trailer': `${POST}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\nX-A: `,
}

test('a body that stops is given up, at the pod too', async t => {
  let open = 0
  const p = await rawPod(t, socket => {
    open++
    socket.resume().on('close', () => open--)
  })
  const running = await proxy(t, { table: only(p.url), limits: { body: 500 } })
  await Promise.all(
    Object.entries(BODIES).map(async ([where, bytes]) => {
      const w = wire(t, running.port, bytes)
      const lived = await lasts(w)
      t.match(w.said(), /^HTTP\/1\.1 408 /, where)
      t.ok(lived >= 200 && lived < 3000, `${where}: given up after ${lived.toFixed()} ms`)
    }),
  )
  await eventually(() => open === 0, 'the pod is rid of them')
  t.equal(running.status().routes[0]?.dests[0]?.inFlight, 0)
  t.equal(running.stats('web', 60).total.errors, 0, 'none of it is an error of the version')
})

test('a body that is slow but moves is let be', async t => {
  const p = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => {
      body += part
    })
    req.on('end', () => res.end(body))
  })
  const { port } = await proxy(t, { table: only(p.url), limits: { body: 500 } })
  const w = wire(t, port, `${POST}Content-Length: 12\r\n\r\n`)
  const chunked = wire(t, port, `${POST}Transfer-Encoding: chunked\r\n\r\n`)
  await Promise.all([drip(w, 'twelve bytes', 90), drip(chunked, '5\r\nhello\r\n0\r\n\r\n', 90)])
  t.match(await w.until('twelve bytes'), /200 OK/)
  t.match(await chunked.until('hello'), /200 OK/)
})

test('a client that does not read is given up, at the pod too; one that reads slowly gets all', async t => {
  let open = 0
  const p = await pod(t, (req, res) => {
    if (req.url !== '/') return patternPod(req, res)
    open++
    res.on('close', () => open--)
    const part = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (!res.destroyed && res.write(part));
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  })
  const running = await proxy(t, { table: only(p.url), limits: { send: 700 } })
  const slow = crawl(running.port, 1, 8_000_000, 65_536, 4)
  const deaf = Array.from({ length: 10 }, () => {
    const socket = connect(running.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.write(`${HEAD}\r\n`)
    return socket
  })
  await eventually(() => open === deaf.length, 'all are served')
  await eventually(() => open === 0, 'none is served any more')
  t.equal(await get(running.url, 3, 1000), '')
  t.equal(await slow, '')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing in flight')
})

test('an idle connection is kept for its time after each answer, and no longer', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url), limits: { idle: 600 } })
  const w = wire(t, port)
  for (let i = 1; i <= 4; i++) {
    w.socket.write(`${HEAD}\r\n`)
    await eventually(() => (w.said().match(/ok/g)?.length ?? 0) === i, 'the answer')
    if (i < 4) await sleep(250)
  }
  const lived = await lasts(w)
  t.ok(lived >= 400 && lived < 3000, `closed after ${lived.toFixed()} ms`)
  t.equal(w.said().match(/HTTP\/1\.1/g)?.length, 4, 'without a word')
})
