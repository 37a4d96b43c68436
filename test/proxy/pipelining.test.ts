// Versions with `pipelining`: requests share connections, and nobody feels it: not who waits behind a slow answer, nor a
// slow reader, nor somebody who left, nor whose pod closed or lost step.
import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { eventually, only, proxy, wire } from './kit.ts'
import { answerTo, crowd, get, pipePod, release, sharing } from './pipelining-kit.ts'

const settled = (running: Awaited<ReturnType<typeof sharing>>) =>
  eventually(() => running.stats(null, 300).total.inFlight === 0, 'nothing is in flight')

test('answers in one packet go to who asked, in order', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.due = []
  line.socket.write(paths.map(path => answerTo(path)).join(''))
  release(pod)
  for (const [i, w] of inLine.entries()) {
    const said = await w.until(`<${paths[i]}>`)
    t.notOk(
      paths.some((path, j) => j !== i && said.includes(`<${path}>`)),
      'no other answer',
    )
  }
  await settled(running)
})

test('answers in packets that end anywhere go to who asked', async t => {
  for (const cut of [3, 20, 30, 44, 47, 50, 60, 80, 90]) {
    const pod = await pipePod(t)
    const running = await sharing(t, pod)
    const { line, inLine, paths } = await crowd(t, running, pod)
    line.due = []
    const [chunked, ...rest] = paths as [string, ...string[]]
    const all = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${(chunked.length + 2).toString(16)}\r\n<${chunked}>\r\n0\r\n\r\n${rest.map(path => answerTo(path)).join('')}`
    for (let at = 0; at < all.length; at += cut) {
      line.socket.write(all.slice(at, at + cut))
      await new Promise(done => setImmediate(done))
    }
    for (const [i, w] of inLine.entries()) {
      const said = await w.until(`<${paths[i]}>`)
      t.notOk(
        paths.some((path, j) => j !== i && said.includes(`<${path}>`)),
        'no other answer',
      )
    }
    release(pod)
    await settled(running)
  }
})

test('lines that the proxy adds to answers do not touch the answers before', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod, { marks: { versionHeader: 'X-Version', serverTiming: true } })
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.due = []
  line.socket.write(paths.map(path => answerTo(path, 'Connection: keep-alive\r\n')).join(''))
  release(pod)
  for (const [i, w] of inLine.entries()) {
    const said = await w.until(`<${paths[i]}>`)
    t.match(
      said.slice(said.indexOf('HTTP', 10)),
      /^HTTP\/1.1 200 OK\r\nX-Version: stable\r\nServer-Timing: .*\r\nContent-Length: \d+\r\n\r\n<.*>$/,
    )
  }
})

test('a pod that closes after some answers: the others ask again, nobody hears of it', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.end(answerTo(paths[0]!))
  release(pod, line)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  t.notMatch(inLine.map(w => w.said()).join(''), /HTTP\/1.1 5/)
  await settled(running)
  t.equal(running.stats(null, 300).total.errors, 0)
})

test('a pod that resets the connection before any answer: all ask again', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.resetAndDestroy()
  release(pod, line)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  t.notMatch(inLine.map(w => w.said()).join(''), /HTTP\/1.1 5/)
})

test('a pod that says that an answer is its last: the others ask again at once, and the client may go on', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.write(answerTo(paths[0]!) + answerTo(paths[1]!, 'Connection: close\r\n'))
  release(pod, line)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  await eventually(() => !line.isOpen, 'the connection is not kept')
  inLine[1]!.socket.write(get('/after'))
  await inLine[1]!.until('</after>')
})

test('an answer that ends with the connection goes to one, the others ask again', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.write('HTTP/1.1 200 OK\r\n\r\nuntil')
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  line.socket.end('the end')
  t.match(await inLine[0]!.closed, /\r\n\r\nuntilthe end$/)
})

test('a malformed answer behind a good one: that one counts, whoever comes behind asks again', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.write(`${answerTo(paths[0]!)}HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy`)
  release(pod, line)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  await eventually(() => !line.isOpen, 'the connection is not kept')
})

test('an answer that breaks off in the middle is cut for one, the others ask again', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.end(`${answerTo(paths[0]!)}HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf`)
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i !== 1) await w.until(`<${paths[i]}>`)
  const said = await inLine[1]!.closed
  t.notMatch(said.slice(said.indexOf('>')), /HTTP\/1.1 5/)
})

test('more answers than questions: nobody ever gets them', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.due = []
  line.socket.write(`${paths.map(path => answerTo(path)).join('')}${answerTo('/stray')}`)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  await eventually(() => !line.isOpen, 'the connection is not kept')
  release(pod)
  for (const w of inLine) w.socket.write(get('/after'))
  for (const w of inLine) t.notMatch(await w.until('</after>'), /stray/)
})

test('an answer that comes before its question is no answer', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const w = wire(t, running.port, get('/first'))
  await w.until('</first>')
  pod.lines[0]!.socket.write(answerTo('/stray'))
  w.socket.write(get('/second'))
  t.notMatch(await w.until('</second>'), /stray/)
})

test('a switch of protocols that nobody asked for reaches nobody', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfree octets')
  release(pod, line)
  for (const [i, w] of inLine.entries()) t.notMatch(await w.until(`<${paths[i]}>`), /free octets/)
})

test('a slow answer holds nobody for long', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  t.notMatch(inLine[0]!.said(), `<${paths[0]}>`, 'the slow one still waits')
  line.socket.write(paths.map(path => answerTo(path)).join(''))
  await inLine[0]!.until(`<${paths[0]}>`)
  await eventually(() => !line.isOpen, 'the answers that nobody wants any more go with the connection')
  await settled(running)
})

test('an answer that never ends holds nobody', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  line.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n')
  const beat = setInterval(() => line.socket.write('5\r\nevent\r\n'), 20)
  t.teardown(() => clearInterval(beat))
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  await inLine[0]!.until(/(5\r\nevent\r\n){3}/)
})

test('a client that leaves takes nobody with it, and its answer is read to nobody', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  const [left] = inLine
  left!.socket.destroy()
  await eventually(() => running.stats(null, 300).total.inFlight === 7, 'it is gone')
  line.due = []
  line.socket.write(paths.map(path => answerTo(path)).join(''))
  release(pod)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  await settled(running)
})

test('when everybody on a connection leaves, the pod is told', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine } = await crowd(t, running, pod)
  for (const w of inLine) w.socket.destroy()
  await eventually(() => !line.isOpen, 'the connection ends')
  release(pod, line)
  await settled(running)
})

test('a long answer that nobody wants any more is not waited for', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  inLine[0]!.socket.destroy()
  await eventually(() => running.stats(null, 300).total.inFlight === 7, 'it is gone')
  line.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(1_000_000)}`)
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  await eventually(() => !line.isOpen, 'the connection ends')
})

test('a slow reader holds nobody, and gets all of its answer', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  const size = 24_000_000
  inLine[0]!.socket.pause()
  line.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
  line.socket.write('x'.repeat(size))
  release(pod, line)
  for (const [i, w] of inLine.entries()) if (i > 0) await w.until(`<${paths[i]}>`)
  inLine[0]!.socket.resume()
  await eventually(() => inLine[0]!.said().length > size, 'all of it', 20_000)
  t.ok(inLine[0]!.said().endsWith(`\r\n\r\n${'x'.repeat(size)}`))
  await settled(running)
})

test('requests with a body, upgrades and expectations have a connection of their own', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const { line } = await crowd(t, running, pod)
  const special = {
    post: 'POST /post HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabc',
    bodyless: 'POST /bodyless HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n',
    remove: 'DELETE /remove HTTP/1.1\r\nHost: shop.test\r\n\r\n',
    withBody: 'GET /with-body HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabc',
    trace: 'TRACE /trace HTTP/1.1\r\nHost: shop.test\r\n\r\n',
    expecting: 'GET /expecting HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\n\r\n',
    upgrade:
      'GET /upgrade HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n',
  }
  for (const bytes of Object.values(special)) wire(t, running.port, bytes)
  for (const path of Object.values(special).map(bytes => bytes.split(' ')[1]!)) {
    const found = () => pod.lines.find(l => l.due.includes(path))
    await eventually(() => found() !== undefined, `${path} came`)
    t.strictSame(found()!.due, [path], `${path} is alone`)
  }
  t.ok(line.isOpen)
})

test('HEAD and OPTIONS share too, and are answered as what they are', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  const wires = Array.from({ length: 30 }, () => wire(t, running.port))
  for (let round = 0; round < 10; round++)
    for (const [i, w] of wires.entries()) w.socket.write(get(`/${round}-${i}`, ['GET', 'HEAD', 'OPTIONS'][i % 3]))
  for (const [i, w] of wires.entries()) {
    const rounds = Array.from({ length: 10 }, (_, round) => `/${round}-${i}`)
    const whole = rounds
      .map(path => answerTo(path))
      .map(text => (i % 3 === 1 ? text.slice(0, text.indexOf('<')) : text))
      .join('')
    await eventually(() => w.said().length >= whole.length, 'all answers')
    t.equal(w.said(), whole)
  }
})

test('an answer that does not come in time is one 504, and nobody else has it', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod, {}, { timeouts: { answerSeconds: 0.6 } })
  const { line, inLine, paths } = await crowd(t, running, pod)
  release(pod, line)
  await inLine[0]!.until('HTTP/1.1 504')
  for (const [i, w] of inLine.entries()) if (i > 0) t.notMatch(await w.until(`<${paths[i]}>`), 'HTTP/1.1 504')
  await settled(running)
  t.equal(running.stats(null, 300).total.errors, 1)
})

test('every request counts once, has one line in the access log, and weights are exact', async t => {
  const pods = [await pipePod(t), await pipePod(t)] as const
  const file = `${t.testdir({})}/access.log`
  const dests = pods.map(({ url }, i) => ({
    role: i === 0 ? ('stable' as const) : ('canary' as const),
    weight: i === 0 ? 75 : 25,
    upstream: url,
    pipelining: true,
  }))
  const running = await proxy(t, { table: { routes: [{ name: 'web', dests }] }, accessLog: { file, sample: 1 } })
  const wires = Array.from({ length: 20 }, () => wire(t, running.port))
  for (let round = 0; round < 20; round++) {
    for (const [i, w] of wires.entries()) w.socket.write(get(`/${round}-${i}`))
    const isAnswered = (i: number) => wires[i]!.said().endsWith(`</${round}-${i}>`)
    for (const i of wires.keys()) await eventually(() => isAnswered(i), 'the answer')
  }
  await settled(running)
  const { total, byRole } = running.stats(null, 300)
  t.match(
    { total, byRole },
    { total: { requests: 400, errors: 0 }, byRole: { stable: { requests: 300 }, canary: { requests: 100 } } },
  )
  const heads = pods.flatMap(pod => pod.lines.flatMap(line => line.heads))
  t.equal(heads.length, 400, 'each came to a pod once')
  await eventually(() => readFileSync(file, 'utf8').split('\n').length === 401, 'lines')
})

test('a pod that goes: its shared connections end, nobody is cut', async t => {
  const [pod, next] = [await pipePod(t), await pipePod(t)]
  const running = await sharing(t, pod)
  const { line, inLine, paths } = await crowd(t, running, pod)
  const table = only(next.url)
  table.routes![0]!.dests[0]!.pipelining = true
  await running.swap(table)
  release(pod)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
  await eventually(() => !line.isOpen, 'no connection to it is kept')
  inLine[0]!.socket.write(get('/next'))
  await inLine[0]!.until('</next>')
  t.ok(next.lines[0]!.heads.length > 0)
})

test('streams on every shared connection do not end the sharing', async t => {
  const pod = await pipePod(t)
  const running = await sharing(t, pod)
  await wire(t, running.port, get('/warm')).until('</warm>')
  pod.isQuick = false
  for (let i = 0; i < 12; i++) {
    const w = wire(t, running.port, get(`/stream${i}`))
    const line = () => pod.lines.find(l => l.due.includes(`/stream${i}`))
    await eventually(() => line() !== undefined, 'it is at the pod')
    line()!.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n')
    line()!.due = []
    await w.until('event')
  }
  pod.isQuick = true
  // They have been at it for long.
  await new Promise(done => setTimeout(done, 250))
  const { inLine, paths } = await crowd(t, running, pod)
  release(pod)
  for (const [i, w] of inLine.entries()) await w.until(`<${paths[i]}>`)
})

test('without the opt-in no two requests wait on one connection', async t => {
  const pod = await pipePod(t)
  const running = await proxy(t, { table: only(pod.url) })
  pod.isQuick = false
  const wires = Array.from({ length: 20 }, (_, i) => wire(t, running.port, get(`/${i}`)))
  await eventually(() => pod.lines.flatMap(l => l.due).length === 20, 'all came')
  t.ok(pod.lines.every(l => l.due.length === 1))
  release(pod)
  for (const [i, w] of wires.entries()) await w.until(`</${i}>`)
})
