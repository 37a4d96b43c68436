// Large, small and many bodies at once: each arrives whole and nobody's octets turn up in somebody else's, however slow
// a reader or a pod may be.
import { createHash } from 'node:crypto'
import { Agent, request, type ServerResponse } from 'node:http'
import { test } from 'tap'
import { crawl, get, pattern, patternPod, post } from './behave-pattern.ts'
import { chunksAt } from './hostile-read.ts'
import { ask, eventually, only, pod, proxy, rawPod, wire } from './kit.ts'

const MB = 1024 * 1024

test('24 MB both ways, fast and slow on either side, with small requests beside them', async t => {
  const p = await pod(t, patternPod)
  const { url } = await proxy(t, { table: only(p.url) })
  const size = 24 * MB
  let isOver = false
  const slowest = { ms: 0 }
  const small = async (): Promise<string[]> => {
    const faults: string[] = []
    for (let i = 0; !isOver || i < 100; i++) {
      const began = performance.now()
      faults.push(await (i % 2 ? get(url, 1000 + i, 700 + i) : post(url, 1000 + i, 700 + i)))
      slowest.ms = Math.max(slowest.ms, performance.now() - began)
    }
    return faults.filter(fault => fault !== '')
  }
  const beside = Promise.all([small(), small()])
  const large = await Promise.all([
    get(url, 1, size),
    get(url, 2, size, 'chunked'),
    get(url, 3, size, 'close'),
    get(url, 4, size, '', 1),
    get(url, 5, size, 'nap=5'),
    post(url, 6, size),
    post(url, 7, size, 'chunked'),
    post(url, 8, size, 'nap=1'),
    post(url, 9, size, 'chunked&nap=1'),
    post(url, 10, size, '', 1),
  ])
  isOver = true
  t.strictSame(large, Array(10).fill(''))
  t.strictSame((await beside).flat(), [])
  t.ok(slowest.ms < 2000, `the slowest small one took ${slowest.ms.toFixed()} ms`)
})

test('many that read slowly do not get, nor spoil, what belongs to others', async t => {
  const p = await pod(t, patternPod)
  const { url, port } = await proxy(t, { table: only(p.url) })
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.teardown(() => agent.destroy())
  const slow = Array.from({ length: 40 }, (_, i) => crawl(port, i, 3 * MB + i, 100_000, 10 + (i % 15)))
  const slowPods = Array.from({ length: 8 }, (_, i) => post(url, 200 + i, 3 * MB + i, `nap=${2 + (i % 3)}`))
  let isOver = false
  const fast = async (from: number): Promise<string[]> => {
    const faults: string[] = []
    for (let i = from; !isOver || faults.length < 60; i += 8) {
      const size = [1, 100, 1024, 5000, 16 * 1024, 40_000, 64 * 1024, 200_000][i % 8]! + (i % 64)
      const way = i % 3
      if (way === 0) faults.push(await get(url, i, size))
      else if (way === 1) faults.push(await post(url, i, size, i % 2 ? 'chunked' : ''))
      else {
        const { body } = await ask(url, `/${i}/${size}`, { agent })
        faults.push(Buffer.from(body, 'latin1').equals(pattern(i, size)) ? '' : 'differs')
      }
    }
    return faults
  }
  const beside = Promise.all(Array.from({ length: 8 }, (_, i) => fast(1000 + i)))
  t.strictSame([...(await Promise.all(slow)), ...(await Promise.all(slowPods))].filter(Boolean), [])
  isOver = true
  const faults = (await beside).flat()
  t.strictSame(faults.filter(Boolean), [])
})

test('connections to the pod that served those who do not read serve others all the same', async t => {
  const p = await pod(t, patternPod)
  const { url, port } = await proxy(t, { table: only(p.url) })
  // Each fills what the kernel holds for it to another degree, so that some answers end just when nothing more fits.
  const deaf = Array.from({ length: 80 }, (_, i) => {
    const w = wire(t, port, `GET /${i}/100000 HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(10 + i))
    w.socket.pause()
    return w
  })
  let last = -1
  while (last !== p.requests.length) {
    last = p.requests.length
    await new Promise(done => setTimeout(done, 100))
  }
  const late = new Promise<string[]>(done => setTimeout(done, 4000, ['somebody waits']).unref())
  const others = Promise.all(Array.from({ length: 120 }, (_, i) => get(url, i, 1000)))
  t.strictSame((await Promise.race([others, late])).filter(Boolean), [])
  for (const w of deaf) w.socket.destroy()
})

test('bodies of every awkward size, up and down, on one connection', async t => {
  const p = await pod(t, async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    if (!req.url?.includes('chunked')) res.setHeader('Content-Length', body.length)
    res.write(body.subarray(0, 1))
    res.end(body.subarray(1))
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const sizes = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 133_120, 262_144].flatMap(n => [
    n - 1,
    n,
    n + 1,
  ])
  const wrong: string[] = []
  for (const [i, size] of [0, 1, 2, ...sizes].entries()) {
    const body = pattern(i, size)
    for (const coding of ['length', 'chunked']) {
      const headers = coding === 'chunked' ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': size }
      const answer = await ask(url, `/${coding}`, { method: 'POST', body, headers, agent })
      if (!Buffer.from(answer.body, 'latin1').equals(body)) wrong.push(`${size} ${coding}: ${answer.body.length} came`)
    }
  }
  t.strictSame(wrong, [])
})

test('heads of every size up to the limit, with a body behind them in the same write', async t => {
  const p = await pod(t, (req, res) => {
    const hash = createHash('sha256')
    req
      .on('data', part => hash.update(part))
      .on('end', () => {
        const long = `${req.headers['x-long']}`
        res.writeHead(200, { 'X-Long': long, 'X-Sum': hash.digest('hex') }).end(long)
      })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const body = pattern(1, 50_000)
  const sum = createHash('sha256').update(body).digest('hex')
  for (const size of [1, 500, 1000, 1900, 2000, 2048, 3000, 4096, 8000, 12_000, 15_500]) {
    const long = 'x'.repeat(size)
    const w = wire(t, port)
    const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Long: ${long}\r\nContent-Length: ${body.length}\r\n\r\n`
    w.socket.write(Buffer.concat([Buffer.from(head), body]))
    const said = await w.closed
    const [answer = '', echo = ''] = said.split('\r\n\r\n')
    t.ok(answer.includes(sum), `the body behind a head of ${size}`)
    t.ok(answer.includes(`X-Long: ${long}\r\n`) && echo.includes(long), `the head of ${size}, both ways`)
  }
})

test('chunks of one octet, thousands of them, both ways', async t => {
  const count = 20_000
  const all = pattern(7, count)
  const chunks = [...all].map(octet => Buffer.concat([Buffer.from('1\r\n'), Buffer.from([octet]), Buffer.from('\r\n')]))
  const wireBytes = Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
  let got = Buffer.alloc(0)
  const p = await rawPod(t, s => {
    let text = Buffer.alloc(0)
    s.on('data', data => {
      text = Buffer.concat([text, data])
      const at = text.indexOf('\r\n\r\n')
      if (!text.subarray(-5).equals(Buffer.from('0\r\n\r\n'))) return
      got = text.subarray(at + 4)
      s.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let i = 0; i < wireBytes.length; i += 777) s.write(wireBytes.subarray(i, i + 777))
    })
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const answer = await new Promise<Buffer>((done, fail) => {
    const req = request(url, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }, res => {
      const parts: Buffer[] = []
      res.on('data', part => parts.push(part)).on('end', () => done(Buffer.concat(parts)))
    })
    req.on('error', fail)
    for (const octet of all) req.write(Buffer.from([octet]))
    req.end()
  })
  t.ok(answer.equals(all), 'down')
  const { body } = chunksAt(got.toString('latin1'), 0, [])
  t.ok(Buffer.from(body, 'latin1').equals(all), 'up')
})

test('a request and its answer flow at the same time: each part is echoed before the next is sent', async t => {
  const p = await pod(t, (req, res) => {
    res.flushHeaders()
    req.pipe(res)
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const agent = new Agent()
  t.teardown(() => agent.destroy())
  const echoed = await new Promise<string[]>((done, fail) => {
    const parts: string[] = []
    const req = request(url, { method: 'POST', agent }, res => {
      res.setEncoding('latin1')
      res.on('error', fail)
      res.on('data', part => {
        parts.push(part)
        if (parts.length < 20) req.write(`part ${parts.length}`)
        else req.end()
      })
      res.on('end', () => done(parts))
    })
    req.on('error', fail)
    req.write('part 0')
  })
  t.strictSame(
    echoed,
    Array.from({ length: 20 }, (_, i) => `part ${i}`),
  )
})

test('each event of a stream arrives alone and at once, for many listeners, and one who does not listen harms none', async t => {
  const streams: ServerResponse[] = []
  const p = await pod(t, (_req, res) => {
    streams.push(res)
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const ask = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const deaf = wire(t, port, ask)
  deaf.socket.pause()
  const listeners = Array.from({ length: 5 }, () => wire(t, port, ask))
  await Promise.all(listeners.map(w => w.until('text/event-stream')))
  await eventually(() => streams.length === 6, 'six streams')
  const padding = 'z'.repeat(50_000)
  for (let i = 0; i < 40; i++) {
    for (const stream of streams) stream.write(`data: ${i}\n${stream === streams[0] ? padding : ''}\n`)
    await Promise.all(listeners.map(w => w.until(`data: ${i}\n`)))
  }
  const [first, ...rest] = listeners
  t.equal(first?.said().match(/data: /g)?.length, 40)
  first?.socket.destroy()
  await eventually(() => streams.filter(s => s.destroyed).length === 1, 'whoever leaves is forgotten by the pod')
  for (const stream of streams) stream.end('data: last\n\n')
  await Promise.all(rest.map(w => w.until('data: last')))
})
