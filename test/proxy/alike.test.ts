// Answers that are alike take a short cut, and heads that come before their bodies wait a moment for them: nobody may get
// anything else for it, or wait for long.
import fc from 'fast-check'
import { test } from 'tap'
import { eventually, only, proxy, rawPod, wire } from './kit.ts'

const GET = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n'

test('whatever a pod answers in whatever order, the client gets exactly that', async t => {
  const asked: (() => void)[] = []
  let say: (text: string) => void = () => {}
  const pod = await rawPod(t, socket => {
    say = text => void socket.write(text)
    socket.on('data', () => asked.shift()?.())
  })
  const running = await proxy(t, { table: only(pod.url) })
  // Heads of one length whose octets differ early, late, and in what they mean.
  const answers = fc.array(
    fc.record({
      status: fc.constantFrom('200 OK', '200 OK', '200 OK', '404 OK', '304 OK'),
      date: fc.constantFrom('10:00:00', '10:00:01'),
      size: fc.constantFrom(3, 3, 5),
      hop: fc.constantFrom('Connection: keep-alive', 'Connection: keep-alivf', 'Xonnection: keep-alive'),
      letter: fc.constantFrom('a', 'b'),
    }),
    { minLength: 4, maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(answers, async all => {
      const w = wire(t, running.port)
      let wanted = ''
      for (const { status, date, size, hop, letter } of all) {
        const body = status.startsWith('304') ? '' : letter.repeat(size)
        const [line, more] = [`HTTP/1.1 ${status}\r\nDate: ${date}\r\n`, `Content-Length: ${size}\r\n\r\n${body}`]
        const heard = new Promise<void>(done => asked.push(done))
        w.socket.write(GET)
        await heard
        say(`${line}${hop}\r\nkeep-alivf: 1\r\n${more}`)
        const kept = hop.startsWith('X') ? `${hop}\r\nkeep-alivf: 1\r\n` : hop.endsWith('f') ? '' : 'keep-alivf: 1\r\n'
        wanted += line + kept + more
        await eventually(() => w.said().length >= wanted.length, 'the answer')
      }
      w.socket.destroy()
      t.equal(w.said(), wanted)
    }),
    { numRuns: 40 },
  )
})

test('a head that comes alone does not wait for a body that is late', async t => {
  let end = (): void => {}
  const pod = await rawPod(t, socket =>
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
      end = () => void socket.write('hello')
    }),
  )
  const running = await proxy(t, { table: only(pod.url) })
  const w = wire(t, running.port, GET)
  t.equal(await w.until('\r\n\r\n'), 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
  end()
  t.equal(await w.until('hello'), 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  w.socket.write(GET)
  await eventually(() => w.said().split('HTTP/1.1').length === 3, 'the next head')
  end()
  await eventually(() => w.said().endsWith('hello'), 'the next body')
})

test('a head whose body never comes is never taken for a whole answer, nor for the head of another', async t => {
  let connections = 0
  const pod = await rawPod(t, socket => {
    const isFirst = connections++ === 0
    socket.on('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${isFirst ? 5 : 2}\r\n\r\n`)
      if (isFirst) socket.destroy()
      else setTimeout(() => socket.write('ok'), 5)
    })
  })
  const running = await proxy(t, { table: only(pod.url) })
  const first = wire(t, running.port, GET)
  t.notMatch(await first.closed, /ok/)
  const second = wire(t, running.port, GET)
  t.equal(await second.until('ok'), 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
})

test('a client that leaves between head and body leaves nothing behind', async t => {
  const sockets: import('node:net').Socket[] = []
  const pod = await rawPod(t, socket => {
    sockets.push(socket)
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'))
  })
  const running = await proxy(t, { table: only(pod.url) })
  for (let i = 0; i < 5; i++) {
    const w = wire(t, running.port, GET)
    await eventually(() => sockets.length === i + 1, 'asked')
    w.socket.destroy()
    await new Promise(done => sockets[i]!.once('close', done))
  }
  await eventually(() => running.stats(null, 300).total.inFlight === 0, 'none in flight')
})
