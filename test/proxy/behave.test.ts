// How the proxy carries itself between a client and a pod: order, expectations, connections, heads that stay as they are.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { notYetBehaviours } from './hostile-not-yet.ts'
import { readRequest } from './hostile-read.ts'
import { readAnswer } from './hostile-read-answer.ts'
import { ask, eventually, only, pod, proxy, rawPod, wire } from './kit.ts'

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const post = (path: string, body: string, more = '') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`

/** Statuses and bodies of the answers in what a client was told, to requests of these methods. */
function answersIn(said: string, methods: readonly string[]): string[] {
  const found: string[] = []
  let at = 0
  for (const method of methods) {
    const reading = readAnswer(said, at, method, true)
    if (reading.kind !== 'answer') return [...found, reading.kind]
    found.push(`${reading.answer.status} ${reading.answer.body}`.trim())
    at = reading.next
  }
  return at === said.length ? found : [...found, `and more: ${said.slice(at)}`]
}

test('pipelined requests reach the pod one after the other and are answered in order, however long each takes', async t => {
  let atOnce = 0
  let most = 0
  const seen: string[] = []
  const p = await pod(t, async (req, res) => {
    most = Math.max(most, ++atOnce)
    let body = ''
    for await (const part of req) body += part
    seen.push(`${req.method} ${req.url}`)
    await sleep((seen.length * 7) % 5)
    atOnce--
    if (req.url?.startsWith('/204')) res.writeHead(204).end()
    else if (req.url?.startsWith('/304')) res.writeHead(304, { ETag: '"a"' }).end()
    else if (req.url?.startsWith('/stream')) {
      res.write('in ')
      setImmediate(() => res.end(`parts${body}`))
    } else res.end(`${req.url}${body}`)
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const kinds = ['GET', 'POST', 'HEAD', 'GET', 'GET', 'GET', 'POST', 'DELETE']
  const paths = ['/a', '/b', '/c', '/204', '/304', '/stream', '/stream', '/d']
  const methods: string[] = []
  const wanted: string[] = []
  const requests: string[] = []
  let bytes = ''
  for (let i = 0; i < 48; i++) {
    const method = kinds[i % 8]!
    const path = `${paths[i % 8]}-${i}`
    methods.push(method)
    requests.push(`${method} ${path}`)
    const body = method === 'POST' ? `body ${i}` : ''
    if (method === 'POST' && i % 16 < 8)
      bytes += `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n${`${i}`.length + 1}\r\n ${i}\r\n0\r\n\r\n`
    else bytes += method === 'POST' ? post(path, body) : get(path).replace('GET', method)
    const plain = path.startsWith('/stream') ? `200 in parts${body}` : `200 ${path}${body}`
    wanted.push(method === 'HEAD' ? '200' : path.startsWith('/204') ? '204' : path.startsWith('/304') ? '304' : plain)
  }
  const w = wire(t, port, bytes + get('/last', 'Connection: close\r\n'))
  const said = await w.closed
  t.strictSame(answersIn(said, [...methods, 'GET']), [...wanted, '200 /last'])
  t.strictSame(seen, [...requests, 'GET /last'])
  t.equal(most, 1, 'never two at once')
})

test('more pipelined requests than are kept back wait in the kernel, and are all answered', async t => {
  let isFirst = true
  const p = await pod(t, (_req, res) => {
    if (isFirst) setTimeout(() => res.end('ok'), 50)
    else res.end('ok')
    isFirst = false
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const long = get('/', `X-Long: ${'a'.repeat(1000)}\r\n`)
  const said = await wire(t, port, long.repeat(300) + get('/', 'Connection: close\r\n')).closed
  t.equal(said.match(/\r\n\r\nok/g)?.length, 301)
})

test('nothing behind Connection: close is served, nor behind HTTP/1.0', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url) })
  for (const first of [get('/1', 'Connection: close\r\n'), 'GET /1 HTTP/1.0\r\nHost: a\r\n\r\n']) {
    const said = await wire(t, port, first + get('/2')).closed
    t.strictSame(answersIn(said, ['GET']), ['200 ok'])
    t.match(said, /\r\nConnection: close\r\n/i)
  }
  t.strictSame(
    p.requests.map(r => r.url),
    ['/1', '/1'],
  )
})

test('an old client that asks to keep its connection keeps it', async t => {
  const p = await pod(t, (_req, res) => res.writeHead(200, { 'Content-Length': 2 }).end('ok'))
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, 'GET /1 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
  t.match(await w.until('ok'), /\r\nConnection: keep-alive\r\n/i)
  w.socket.write('GET /2 HTTP/1.0\r\nHost: a\r\n\r\n')
  t.equal((await w.closed).match(/ok/g)?.length, 2)
})

test('an expectation that the pod refuses: the answer is passed on, the body neither asked for nor taken for a request', async t => {
  let bodies = 0
  const p = await pod(t, 'plain')
  p.server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    req.on('data', () => bodies++)
    res.writeHead(417, { 'Content-Length': 2 }).end('no')
  })
  const { port, url } = await proxy(t, { table: only(p.url) })
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 36\r\n\r\n'
  const w = wire(t, port, head)
  const said = await w.until('no')
  t.notMatch(said, /100 Continue/)
  w.socket.write(get('/hidden').padEnd(36, '!'))
  t.strictSame(answersIn(await w.closed, ['POST']), ['417 no'])
  t.equal((await ask(url, '/next')).body, 'plain', 'the pod is in step')
  t.strictSame([p.requests.map(r => r.url), bodies], [['/next'], 0])
})

test('a client that does not wait for 100, and a pod that never says it', async t => {
  const p = await rawPod(t, socket => {
    let text = ''
    socket.on('data', data => {
      text += data
      const reading = readRequest(text, 0)
      if (reading.kind !== 'request') return
      text = text.slice(reading.next)
      const { body } = reading.request
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const hasty = wire(t, port, post('/', 'hasty', 'Expect: 100-continue\r\n') + get('/2', 'Connection: close\r\n'))
  t.strictSame(answersIn(await hasty.closed, ['POST', 'GET']), ['200 hasty', '200'])
  const patient = wire(t, port, post('/', 'patient', 'Expect: 100-continue\r\n').slice(0, -7))
  await sleep(30)
  patient.socket.write('patient')
  t.match(await patient.until('patient'), /200 OK/)
})

test('a HEAD that is refused gets no body, whatever came before it', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url) })
  const bad = (method: string): string => `${method} / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n`
  t.match(await wire(t, port, bad('HEAD')).closed, /^HTTP\/1.1 400 .*\r\n\r\n$/s)
  t.match(await wire(t, port, get('/') + bad('HEAD')).closed, /ok.*HTTP\/1.1 400 .*\r\n\r\n$/s)
  t.match(await wire(t, port, `HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${bad('GET')}`).closed, /a malformed field line\n$/)
  t.match(await wire(t, port, `HEAD / HTTP/1.1\r\nHost: a\r\n\r\nno request\r\n`).closed, /pintle proxy: .*\n$/)
})

test('a status line without a reason gets the space that its pod left out', async t => {
  const p = await rawPod(t, socket =>
    socket.on('data', () => {
      socket.write('HTTP/1.1 103\r\nLink: a\r\n\r\n')
      socket.write('HTTP/1.0 200\r\nConnection: keep-alive, X-S\r\nX-A: 1\r\nX-S: 1\r\nContent-Length: 2\r\n\r\nok')
    }),
  )
  const { port } = await proxy(t, { table: only(p.url) })
  t.equal(
    await wire(t, port, get('/', 'Connection: close\r\n')).closed,
    'HTTP/1.1 103 \r\nLink: a\r\n\r\nHTTP/1.1 200 \r\nConnection: close\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok',
  )
})

test('a head keeps its order and its letters, both ways', async t => {
  const lines = [
    'x-SMALL: a  b',
    'X-Tab: a\tb',
    'X-Empty:',
    'Accept: */*',
    'COOKIE: a=1; b="2"',
    'x-small: twice',
    'Via: 1.1 x',
  ]
  const answerLines = [
    'sERVER: odd',
    'X-B: 2',
    'Set-Cookie: a=1',
    'X-A: 1',
    'Set-Cookie: b=2',
    'Date: never',
    'etag: "a"',
  ]
  let got = ''
  const p = await rawPod(t, s =>
    s.on('data', data => {
      got += data.toString('latin1')
      s.write(`HTTP/1.1 200 Fine indeed\r\n${answerLines.join('\r\n')}\r\nContent-Length: 2\r\n\r\nok`)
    }),
  )
  const { port } = await proxy(t, { table: only(p.url) })
  const said = await wire(t, port, get('/a?b=%20c', `${lines.join('\r\n')}\r\n`)).until('ok')
  const kept = (text: string, of: readonly string[]) => text.split('\r\n').filter(line => of.includes(line))
  t.strictSame(kept(got, lines), lines)
  t.ok(got.startsWith('GET /a?b=%20c HTTP/1.1\r\n'))
  t.strictSame(kept(said, answerLines), answerLines)
  t.ok(said.startsWith('HTTP/1.1 200 Fine indeed\r\n'), 'the reason too')
  t.equal(said.split('\r\n').length, answerLines.length + 4, 'and nothing is added')
})

/** A pod on raw sockets that answers GET / with `answer` and counts its connections. */
async function counting(
  t: Parameters<typeof rawPod>[0],
  answer: string,
): Promise<{ url: string; count: () => number }> {
  let connections = 0
  const p = await rawPod(t, socket => {
    connections++
    socket.on('data', () => void socket.write(answer))
  })
  return { url: p.url, count: () => connections }
}

test('a connection to a pod is used again if, and only if, the pod keeps it', async t => {
  const table: Record<string, [string, number]> = {
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok': ['kept', 1],
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n': ['kept', 1],
    'HTTP/1.1 204 Fine\r\n\r\n': ['kept', 1],
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok': ['close', 5],
    'HTTP/1.1 200 OK\r\nConnection: X-A, CLOSE\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok': ['close among others', 5],
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok': ['HTTP/1.0', 5],
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok': ['HTTP/1.0 that keeps', 1],
    'HTTP/1.1 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 2\r\n\r\nok': ['close, keep-alive', 5],
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokk': ['an octet too many', 5],
  }
  for (const [answer, [what, connections]] of Object.entries(table)) {
    const p = await counting(t, answer)
    const { url } = await proxy(t, { table: only(p.url) })
    for (let i = 0; i < 5; i++) t.equal((await ask(url)).status, answer.includes('204') ? 204 : 200, what)
    t.equal(p.count(), connections, what)
  }
})

test('a connection on which the pod speaks unasked, or whose request was not sent whole, is not used again', async t => {
  let connections = 0
  const p = await rawPod(t, socket => {
    const mine = ++connections
    socket.setNoDelay(true)
    socket.on('data', data => {
      const [, path = ''] = /^(?:GET|POST) (\S+) /.exec(data.toString('latin1')) ?? []
      if (path === '') return
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${mine}`)
      if (path === '/late') setTimeout(() => socket.write('x'), 10)
    })
  })
  const { url, port } = await proxy(t, { table: only(p.url), limits: { gathered: 0 } })
  t.equal((await ask(url, '/')).body, '1')
  t.equal((await ask(url, '/late')).body, '1', 'used again')
  await sleep(40)
  t.equal((await ask(url, '/')).body, '2', 'an octet came meanwhile')
  const w = wire(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nhalf of it')
  t.match(await w.until(/\r\n\r\n2/), /200 OK/)
  t.equal((await ask(url, '/')).body, '3', 'the other half was still to come')
  w.socket.write('other half')
  w.socket.write(get('/'))
  t.match(await w.until(/\r\n\r\n3$/), /200 OK/, 'whoever sent it may go on')
})

test('in HTTP/1.0 too, close counts and keep-alive beside it does not', async t => {
  for (const connection of ['close, keep-alive', 'keep-alive, close', 'close\r\nConnection: keep-alive']) {
    const p = await counting(t, `HTTP/1.0 200 OK\r\nConnection: ${connection}\r\nContent-Length: 2\r\n\r\nok`)
    const { url, port } = await proxy(t, { table: only(p.url) })
    for (let i = 0; i < 3; i++) await ask(url)
    const w = wire(t, port, `GET / HTTP/1.0\r\nHost: a\r\nConnection: ${connection}\r\n\r\n`)
    await w.until('ok')
    const isClosed = await Promise.race([w.closed.then(() => true), sleep(300).then(() => false)])
    const isRight = isClosed && p.count() === 4
    if (connection.startsWith('close') && notYetBehaviours.has('close beside keep-alive in HTTP/1.0'))
      t.notOk(isRight, `${connection} passes: take it off the list`)
    else t.ok(isRight, `${connection}: closed ${isClosed}, ${p.count()} connections for 4 requests`)
  }
})

test('a trailer follows a body that streams, both ways, and an old client gets the body alone', async t => {
  let up = {}
  const p = await pod(t, (req, res) => {
    res.writeHead(200, { Trailer: 'X-Sum' })
    req.on('data', part => res.write(part))
    req.on('end', () => {
      up = req.trailers
      res.addTrailers({ 'X-Sum': '9' })
      res.end()
    })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n'
  const w = wire(t, port, `${head}3\r\none\r\n`)
  await w.until('one')
  w.socket.write('3\r\ntwo\r\n0\r\nX-')
  await w.until('two')
  w.socket.write('Up: 7\r\n\r\n')
  const reading = readAnswer(await w.until('X-Sum: 9\r\n\r\n'), 0, 'POST', false)
  t.match(reading, { kind: 'answer', answer: { body: 'onetwo', trailers: [['x-sum', '9']] } })
  t.same(up, { 'x-up': '7' })
  const old = await wire(t, port, 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nold').closed
  t.strictSame(answersIn(old, ['POST']), ['200 old'])
  t.notMatch(old, /X-Sum: 9|Transfer-Encoding/i)
})

test('OPTIONS for the whole server reaches a pod', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url) })
  await wire(t, port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n').until('ok')
  t.match([p.requests[0]?.method, p.requests[0]?.url], ['OPTIONS', '*'])
})

test('an answer before the end of a large upload is passed on while the client goes on sending', async t => {
  const p = await pod(t, (req, res) => {
    if (req.url === '/') res.writeHead(413, { 'Content-Length': 8 }).end('too much')
    else req.resume().on('end', () => res.end('ok'))
  })
  const { port, url } = await proxy(t, { table: only(p.url) })
  const size = 24 * 1024 * 1024
  const w = wire(t, port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  const part = Buffer.alloc(256 * 1024)
  let sent = 0
  const more = (): void => {
    while (sent < size && w.socket.writable) {
      sent += part.length
      if (!w.socket.write(part)) return void w.socket.once('drain', more)
    }
  }
  more()
  t.match(await w.until('too much'), /^HTTP\/1\.1 413 /)
  t.equal((await ask(url, '/next')).body, 'ok')
  await eventually(() => sent === size || w.socket.destroyed, 'the client is rid of its body, or told to stop')
})

test('an answer of the proxy itself reaches a client that goes on sending', async t => {
  const { port } = await proxy(t, { table: only('http://127.0.0.1:1', { match: { hosts: ['b'] } }) })
  const size = 8 * 1024 * 1024
  const w = wire(t, port, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
  const part = Buffer.alloc(size / 16)
  for (let i = 0; i < 16 && w.socket.writable; i++) {
    w.socket.write(part)
    await sleep(5)
  }
  t.match(await w.until('no route'), /^HTTP\/1\.1 404 [\s\S]*\r\nConnection: close\r\n/)
})

test('a pod that breaks off within an upload is a 502, and the client may ask again', async t => {
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const p = await rawPod(t, (socket: Socket) => {
      let got = 0
      socket.on('data', data => {
        got += data.length
        if (data.includes('GET /next')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else if (got > 1_000_000) socket[leave]()
      })
    })
    const running = await proxy(t, { table: only(p.url) })
    const body = Buffer.alloc(8_000_000)
    const outcome = await ask(running.url, '/', { method: 'POST', body }).then(
      a => a.status,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    )
    // A client that is still sending may find its connection closed before it reads the answer.
    t.ok([502, 'ECONNRESET', 'EPIPE'].includes(outcome), `${leave}: ${outcome}`)
    t.equal((await ask(running.url, '/next')).body, 'ok')
    await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing in flight')
    t.equal(running.stats('web', 60).total.errors, 1, 'it counts as an error of the version')
  }
})
