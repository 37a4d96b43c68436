// Plain requests through the proxy over real sockets: nothing is lost, added, held back or left behind.
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { ask, counted, deadPort, eventually, only, pod, proxy, rawPod, split, wire } from './kit.ts'

test('method, path, query, headers and status pass untouched', async t => {
  const p = await pod(t, (_req, res) => {
    res.writeHead(418, 'Short and stout', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Odd', 'v']).end('tea')
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const answer = await ask(url, '/a%2Fb/?q=1&q=2', { method: 'PUT', headers: { 'X-Twice': ['1', '2'] } })
  t.match(answer, { status: 418, body: 'tea', headers: { 'set-cookie': ['a=1', 'b=2'], 'x-odd': 'v' } })
  const [seen] = p.requests
  t.equal(seen?.url, '/a%2Fb/?q=1&q=2')
  t.equal(seen?.method, 'PUT')
  t.equal(seen?.headers['x-twice'], '1, 2')
})

test('the pod learns who asked, and nobody can pretend to be somebody else', async t => {
  const p = await pod(t, 'ok')
  const plain = await proxy(t, { table: only(p.url) })
  const headers = {
    'X-Forwarded-For': '6.6.6.6',
    'X-Forwarded-Proto': 'https',
    Forwarded: 'for=6.6.6.6',
    Host: 'shop.test',
  }
  await ask(plain.url, '/', { headers })
  const trusting = await proxy(t, { table: only(p.url), trust: ['127.0.0.0/8'] })
  await ask(trusting.url, '/', { headers })
  const [a, b] = p.requests.map(r => r.headers)
  t.equal(a?.['x-forwarded-for'], '127.0.0.1')
  t.equal(a?.['x-forwarded-proto'], 'http')
  t.equal(a?.['x-forwarded-host'], 'shop.test')
  t.equal(a?.['forwarded'], undefined)
  t.equal(a?.host, 'shop.test', 'Host is kept')
  t.equal(b?.['x-forwarded-for'], '6.6.6.6, 127.0.0.1')
  t.equal(b?.['x-forwarded-proto'], 'https')
})

test('hop-by-hop headers and what Connection names end here, both ways', async t => {
  const p = await rawPod(t, socket =>
    socket.on('data', data => {
      seen += data
      socket.write(
        'HTTP/1.1 200 OK\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\nok',
      )
    }),
  )
  let seen = ''
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(
    t,
    port,
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n' +
      'Proxy-Authorization: b\r\nUpgrade: h2c\r\nTE: gzip\r\nX-Kept: 1\r\n\r\n',
  )
  const said = await w.until('ok')
  for (const gone of ['X-Secret', 'Keep-Alive: 5', 'Proxy-Authorization', 'h2c', 'gzip'])
    t.notOk(seen.includes(gone), gone)
  t.ok(seen.includes('X-Kept: 1'))
  t.notOk(/X-Mine|timeout=9/.test(said), said)
  t.ok(said.includes('X-Kept: 1'))
})

test('large bodies arrive whole both ways, through a slow pod and a slow client', async t => {
  const body = randomBytes(8_000_000)
  const sum = createHash('sha256').update(body).digest('hex')
  const p = await pod(t, async (req, res) => {
    const hash = createHash('sha256')
    for await (const chunk of req) {
      hash.update(chunk)
      if (Math.random() < 0.02) await new Promise(done => setTimeout(done, 1))
    }
    res.setHeader('X-Sum', hash.digest('hex'))
    res.end(body)
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const answers = await Promise.all([
    ask(url, '/', { method: 'POST', body }),
    ask(url, '/', { method: 'POST', body, headers: { 'Transfer-Encoding': 'chunked' } }),
  ])
  for (const answer of answers) {
    t.equal(answer.headers['x-sum'], sum)
    t.equal(createHash('sha256').update(Buffer.from(answer.body, 'latin1')).digest('hex'), sum)
  }
})

test('a slow reader holds the pod back instead of filling memory', async t => {
  let sent = 0
  const p = await pod(t, (_req, res) => {
    const chunk = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (sent < 400 * 1024 * 1024) {
        sent += chunk.length
        if (!res.write(chunk)) return void res.once('drain', more)
      }
      res.end()
    }
    more()
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await w.until('200 OK')
  w.socket.pause()
  let last = -1
  await eventually(() => {
    const still = sent === last
    last = sent
    return still && sent > 0
  }, 'the pod is held back')
  t.ok(sent < 100 * 1024 * 1024, `the pod got rid of ${sent} bytes`)
})

test('each event of a stream leaves at once, the head too', async t => {
  let send: ServerResponse | undefined
  const p = await pod(t, (_req, res) => {
    send = res
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.flushHeaders()
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await w.until('text/event-stream')
  send?.write('data: 1\n\n')
  await w.until('data: 1')
  send?.write('data: 2\n\n')
  t.ok(await w.until('data: 2'))
})

test('a pod that breaks off in the middle is seen by the client, with and without length', async t => {
  for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
    const part = head.startsWith('C') ? 'half' : '4\r\nhalf\r\n'
    const p = await rawPod(t, s => s.on('data', () => s.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${part}`)))
    const running = await proxy(t, { table: only(p.url) })
    await t.rejects(ask(running.url), head)
    await eventually(() => running.stats('web', 60).total.errors === 1, 'it counts as an error of the version')
  }
})

test('a client that leaves cancels the request at the pod, by reset and by closing its side', async t => {
  for (const leave of ['destroy', 'end', 'resetAndDestroy'] as const) {
    let cancelled = false
    const p = await pod(t, (req, _res) => void req.on('close', () => (cancelled = true)))
    const running = await proxy(t, { table: only(p.url) })
    const w = wire(t, running.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => p.requests.length === 1, 'the pod has the request')
    w.socket[leave]()
    await eventually(() => cancelled, `cancelled after ${leave}`)
    await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing in flight')
    t.match(running.status().routes[0]?.dests[0], { inFlight: 0, aborts: 1, errors: 0 }, 'no error of the version')
  }
})

test('an upload that breaks off is cancelled at the pod', async t => {
  let state = ''
  const p = await pod(t, req => {
    req.on('error', () => (state = 'broken'))
    req.on('end', () => (state = 'whole'))
    req.resume()
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome')
  await eventually(() => p.requests.length === 1, 'the pod has the head')
  w.socket.destroy()
  await eventually(() => state !== '', 'the pod notices')
  t.equal(state, 'broken')
})

test('HEAD, 204 and 304 have no body and keep the connection in step', async t => {
  const p = await pod(t, (req, res) => {
    if (req.url === '/204') return void res.writeHead(204).end()
    if (req.url === '/304') return void res.writeHead(304, { ETag: '"a"' }).end()
    res.writeHead(200, { 'Content-Length': 5 }).end('hello')
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const get = (method: string, path: string) => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  const w = wire(t, port, get('HEAD', '/'))
  const head = await w.until('\r\n\r\n')
  t.match(head, /Content-Length: 5/i)
  w.socket.write(get('GET', '/204'))
  await w.until('204 No Content')
  w.socket.write(get('GET', '/304'))
  await w.until('304 Not Modified')
  w.socket.write(get('GET', '/'))
  const all = await w.until('hello')
  t.equal(all.match(/HTTP\/1\.1/g)?.length, 4)
})

test('Expect: 100-continue waits for the pod, and 103 hints come through', async t => {
  const p = await pod(t, 'unused')
  p.server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload' })
    res.writeContinue()
    req.resume().on('end', () => res.end('taken'))
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
  t.match(await w.until('100 Continue'), /103 Early Hints[\s\S]*style\.css/)
  w.socket.write('abc')
  t.ok(await w.until('taken'))
})

test('trailers pass both ways', async t => {
  let got = {}
  const p = await pod(t, (req, res) => {
    req.resume().on('end', () => {
      got = req.trailers
      res.writeHead(200, { Trailer: 'X-Sum' })
      res.write('body')
      res.addTrailers({ 'X-Sum': '9' })
      res.end()
    })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(
    t,
    port,
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n2\r\nab\r\n0\r\nX-Up: 7\r\n\r\n',
  )
  t.match(await w.until('X-Sum: 9'), /body/)
  t.same(got, { 'x-up': '7' })
})

test('a chunked DELETE smuggles nothing, and its body arrives', async t => {
  const bodies: string[] = []
  const p = await pod(t, (req, res) => {
    let body = ''
    req.setEncoding('latin1').on('data', part => {
      body += part
    })
    req.on('end', () => {
      bodies.push(`${req.method} ${req.url} ${body}`)
      res.end('ok')
    })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
  const size = hidden.length.toString(16)
  const w = wire(
    t,
    port,
    `DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${hidden}\r\n0\r\n\r\n` +
      'GET /next HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  await w.until(/ok[\s\S]*ok/)
  t.same(bodies, [`DELETE / ${hidden}`, 'GET /next '])
})

test('requests that two parsers could read differently are refused and the connection closed', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url) })
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n'
  const post = 'POST / HTTP/1.1\r\nHost: a\r\n'
  const table: Record<string, string> = {
    'length and chunked': `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    'the same length twice': `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
    'a list of lengths': `${post}Content-Length: 1, 1\r\n\r\na`,
    'a signed length': `${post}Content-Length: +1\r\n\r\na`,
    'gzip, chunked': `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    'chunked twice': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'chunked in 1.0': 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'an underscore in the name': `${post}Content_Length: 1\r\n\r\n`,
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'two hosts': `${get}Host: b\r\n\r\n`,
    'an odd host': 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
    'a fragment': 'GET /#a HTTP/1.1\r\nHost: a\r\n\r\n',
    'a space before the colon': `${get}X-A : 1\r\n\r\n`,
    'a folded line': `${get}X-A: 1\r\n 2\r\n\r\n`,
    'a bare line feed': `${get}X-A: 1\nX-B: 2\r\n\r\n`,
    'Connection that names Content-Length': `${post}Connection: Content-Length\r\nContent-Length: 1\r\n\r\na`,
    CONNECT: 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'a target without slash': 'GET a HTTP/1.1\r\nHost: a\r\n\r\n',
  }
  for (const [name, bytes] of Object.entries(table)) {
    const said = await wire(t, port, `${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`).closed
    t.match(said, /^HTTP\/1\.1 (400|501) /, name)
    t.equal(said.match(/HTTP\/1\.1/g)?.length, 1, `${name}: nothing after it is served`)
  }
  t.same(
    p.requests.map(r => r.url),
    [],
    'the pod saw none of them',
  )
})

test('an absolute target counts before Host', async t => {
  const p = await pod(t, 'ok')
  const { port } = await proxy(t, { table: only(p.url, { match: { hosts: ['shop.test'] } }) })
  await wire(t, port, 'GET http://shop.test/x HTTP/1.1\r\nHost: other.test\r\n\r\n').until('ok')
  t.match([p.requests[0]?.headers.host, p.requests[0]?.url], ['shop.test', '/x'])
})

test('a pod that cannot be reached is passed over, whatever the method, and the body is not lost', async t => {
  const p = await pod(t, (req, res) => {
    let body = ''
    req.on('data', part => {
      body += part
    })
    req.on('end', () => res.end(body))
  })
  const dead = await deadPort()
  const running = await proxy(t, {})
  const upstream = { service: 'shop/web' }
  running.swap({ routes: [{ name: 'web', dests: [{ role: 'stable', weight: 100, upstream }] }] }, () => ({
    endpoints: [dead, p.port].map(port => ({ key: `127.0.0.1:${port}`, host: '127.0.0.1', port })),
  }))
  for (let i = 0; i < 20; i++) t.equal((await ask(running.url, '/', { method: 'POST', body: `n${i}` })).body, `n${i}`)
  await counted(running, 20)
  t.equal(running.stats('web', 60).total.errors, 0)
  t.ok((running.status().routes[0]?.dests[0]?.retries ?? 0) > 0)
})

test('no pod at all is a quick 503 or 502 that says which', async t => {
  const running = await proxy(t, { table: only(`http://127.0.0.1:${await deadPort()}`) })
  t.match(await ask(running.url), { status: 502, body: /no pod behind/ })
  const upstream = { service: 'shop/web' }
  running.swap({ routes: [{ name: 'web', dests: [{ role: 'stable', weight: 100, upstream }] }] }, () => ({
    endpoints: [],
  }))
  t.match(await ask(running.url), { status: 503, body: /no ready pod behind shop\/web/ })
  await counted(running, 2)
  t.equal(running.stats('web', 60).total.errors, 2)
  running.swap(only('http://127.0.0.1:1', { match: { pathPrefix: '/x' } }))
  t.match(await ask(running.url), { status: 404, body: /no route/ })
})

test('a stale connection is tried again for GET, never for POST, and never after the first byte', async t => {
  let connections = 0
  const p = await rawPod(t, socket => {
    connections++
    let requests = 0
    socket.on('data', () => {
      // Serves one request a connection and then breaks off without a word.
      if (++requests > 1) return void socket.destroy()
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const post = async () => (await ask(url, '/', { method: 'POST', body: 'a' })).status
  t.equal((await ask(url)).status, 200)
  t.equal(await post(), 502, 'the pod may have done it already')
  t.equal(await post(), 200, 'a new connection')
  t.equal(connections, 2)
  t.equal((await ask(url)).status, 200, 'GET: tried again on a new connection')
  t.equal(connections, 3)
  t.equal(await post(), 200, 'the pod is known to close connections early: each POST has a new one')
  t.equal(connections, 4)
})

test('a POST is given no connection that is about as old as the pod lets them grow', async t => {
  const p = await rawPod(t, socket => {
    let timer: NodeJS.Timeout | undefined
    socket.on('close', () => clearTimeout(timer))
    socket.on('data', () => {
      clearTimeout(timer)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      timer = setTimeout(() => socket.destroy(), 300)
    })
  })
  const { url } = await proxy(t, { table: only(p.url) })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const post = async () => (await ask(url, '/', { method: 'POST', body: 'a', agent })).status
  t.equal(await post(), 200)
  await sleep(400)
  // Beside the moment at which the pod closes.
  for (const rest of [295, 299, 300, 301, 305]) {
    t.equal(await post(), 200, `after ${rest} ms`)
    await sleep(rest)
  }
})

test('an answer before the whole upload is passed on, and the client may go on', async t => {
  const p = await pod(t, (_req, res) => res.writeHead(413).end('too much'))
  const { url } = await proxy(t, { table: only(p.url) })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const answer = await ask(url, '/', { method: 'POST', body: randomBytes(3_000_000), agent })
  t.match(answer, { status: 413, body: 'too much' })
})

test('a pod that is too slow to answer is a 504', async t => {
  const p = await pod(t, () => {})
  const { url } = await proxy(t, { table: only(p.url), limits: { answer: 30 } })
  t.match(await ask(url), { status: 504, body: /no answer in time/ })
})

test('a 101 that nobody asked for does not become a tunnel', async t => {
  const p = await rawPod(t, s =>
    s.on('data', () => s.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')),
  )
  const { url } = await proxy(t, { table: only(p.url) })
  t.match(await ask(url), { status: 502 })
})

test('garbage from a pod is a 502, and bytes after an answer never reach the next client', async t => {
  const p = await rawPod(t, s => s.on('data', () => s.write('NOPE\r\n\r\n')))
  const bad = await proxy(t, { table: only(p.url) })
  t.match(await ask(bad.url), { status: 502 })
  const extra = await rawPod(t, s =>
    s.on('data', () =>
      s.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    ),
  )
  const { url } = await proxy(t, { table: only(extra.url) })
  for (let i = 0; i < 5; i++) t.not((await ask(url)).body, 'evil')
})

test('weights are exact to the request while they change under keep-alive load, and nothing fails', async t => {
  const stable = await pod(t, 'stable')
  const canary = await pod(t, 'canary')
  const { url, swap } = await proxy(t, { table: split(stable.url, canary.url, 0) })
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.teardown(() => agent.destroy())
  for (const weight of [0, 10, 50, 5, 100, 33, 0]) {
    swap(split(stable.url, canary.url, weight))
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(url, '/', { agent })))
    const hits = answers.filter(a => a.body === 'canary').length
    t.ok(answers.every(a => a.status === 200))
    t.ok(Math.abs(hits - weight * 2) <= 1, `weight ${weight}: ${hits} of 200`)
  }
})

test('the endpoint that leaves the table gets no more requests, its idle connections go, the one in flight finishes', async t => {
  let finish = (): void => {}
  const old = await pod(t, (req, res) => {
    if (req.url === '/slow') finish = () => void res.end('slow done')
    else res.end('old')
  })
  const young = await pod(t, 'young')
  const { url, swap } = await proxy(t, { table: only(old.url) })
  await ask(url)
  const slow = ask(url, '/slow')
  await eventually(() => old.requests.length === 2, 'the slow one is there')
  await ask(url)
  swap(only(young.url))
  t.equal((await ask(url)).body, 'young')
  const connections = () => new Promise<number>(done => old.server.getConnections((_e, n) => done(n)))
  let open = 9
  await eventually(() => {
    void connections().then(n => (open = n))
    return open === 1
  }, 'only the busy connection is left')
  finish()
  t.equal((await slow).body, 'slow done')
  await eventually(() => {
    void connections().then(n => (open = n))
    return open === 0
  }, 'and then it closes too')
})
