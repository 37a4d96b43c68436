// The session cookie over real sockets: on every kind of answer, and never at a pod.
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { test } from 'tap'
import { ask, eventually, pod, proxy, rawPod, split, wire } from './kit.ts'

const COOKIE = 'version'
type Table = ReturnType<typeof split>

function sticky(stable: string, canary: string, weight: number): Table {
  const table = split(stable, canary, weight)
  const [route] = table.routes!
  const dests = route!.dests.map(dest => ({ ...dest, hash: dest.role === 'canary' ? 'new' : 'old' }))
  return { routes: [{ ...route!, dests, sticky: { session: { cookie: COOKIE } } }] }
}

const setBy = (answer: { headers: NodeJS.Dict<string | string[]> }): string | undefined =>
  [answer.headers['set-cookie'] ?? []].flat().find(line => line.startsWith(`${COOKIE}=`))

test('a client keeps its version through growing weights, on connections of its own, until the release is over', async t => {
  const [old, fresh] = [await pod(t, 'old'), await pod(t, 'new')]
  const running = await proxy(t, { table: sticky(old.url, fresh.url, 50) })
  const first = await Promise.all(Array.from({ length: 20 }, () => ask(running.url)))
  t.equal(first.filter(({ body }) => body === 'new').length, 10, 'sessions begin by the exact weight')
  const clients = first.map(answer => ({ version: answer.body, cookie: setBy(answer)!.split(';')[0]! }))
  for (const weight of [50, 60, 90, 99]) {
    running.swap(sticky(old.url, fresh.url, weight))
    for (const { version, cookie } of clients) {
      const answer = await ask(running.url, '/', { headers: { cookie } })
      t.equal(answer.body, version)
      t.equal(setBy(answer), undefined)
    }
  }
  running.swap(sticky(old.url, fresh.url, 0))
  for (const { cookie } of clients) t.equal((await ask(running.url, '/', { headers: { cookie } })).body, 'old', 'abort')
  running.swap({
    routes: [
      { ...sticky(old.url, fresh.url, 0).routes![0]!, dests: [{ role: 'stable', weight: 100, upstream: fresh.url }] },
    ],
  })
  const last = await ask(running.url, '/', { headers: { cookie: clients[0]!.cookie } })
  t.match(setBy(last), /^version=; .*Max-Age=0$/)
  for (const { headers } of [...old.requests, ...fresh.requests]) t.notOk(headers.cookie, 'no pod has seen it')
})

test('other cookies reach the pod as they are, whatever stands around ours', async t => {
  const seen: string[] = []
  const p = await rawPod(t, socket => {
    let request = ''
    socket.on('data', data => {
      request += data.toString('latin1')
      if (!request.endsWith('\r\n\r\nbody')) return
      seen.push(request)
      request = ''
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const { port } = await proxy(t, { table: sticky(p.url, p.url, 50) })
  const ours = `${COOKIE}=old.new`
  // biome-ignore format: a table reads best as a table
  const table: [lines: string[], left: string[]][] = [
    [[`Cookie: ${ours}`], []],
    [[`Cookie: a=1; ${ours}`], ['Cookie: a=1']],
    [[`Cookie: ${ours}; a=1`], ['Cookie: a=1']],
    [[`Cookie: a=1; ${ours}; b=2`], ['Cookie: a=1; b=2']],
    [[`cOOkie:a=1;${ours};b=2`], ['cOOkie:a=1;b=2']],
    [[`Cookie: ${ours}; ${ours}; a=1; ${ours}; ${ours}; b=2; ${ours}`], ['Cookie: a=1; b=2']],
    [[`Cookie: ${ours}; ${ours};  ${ours}`], []],
    [[`Cookie: ${ours};`], []],
    [[`Cookie:\t ${COOKIE} = 1 ; a=1 `], ['Cookie:\t a=1 ']],
    [[`Cookie: a=1`, `Cookie: ${ours}`, 'Cookie: b=2'], ['Cookie: a=1', 'Cookie: b=2']],
    [[`Cookie: x${ours}; ${COOKIE}x=1; Version=2; a=${ours}; ${COOKIE}`], [`Cookie: x${ours}; ${COOKIE}x=1; Version=2; a=${ours}; ${COOKIE}`]],
    [['Cookie: '], ['Cookie: ']],
    [['Connection: Cookie', `Cookie: ${ours}; a=1`], []],
    [[`X-Cookie: ${ours}`, `Cookie: ${ours}`], [`X-Cookie: ${ours}`]],
  ]
  const w = wire(t, port)
  for (const [i, [lines, left]] of table.entries()) {
    w.socket.write(`POST /${i} HTTP/1.1\r\nHost: a\r\n${lines.join('\r\n')}\r\nContent-Length: 4\r\n\r\nbody`)
    await eventually(() => seen.length === i + 1 && w.said().split('\r\n\r\nok').length === i + 2, `answer ${i}`)
    const got = seen[i]!
    t.same(
      got.split('\r\n').filter(line => /cookie/i.test(line)),
      left,
      lines.join(' | '),
    )
    t.ok(got.startsWith(`POST /${i} HTTP/1.1\r\nHost: a\r\n`) && got.endsWith('\r\n\r\nbody'), got)
  }
})

test('the line is on every kind of answer, once, and takes nothing from it', async t => {
  const answers: Record<string, [method: string, bytes: string]> = {
    length: ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: 1\r\n\r\nbody'],
    chunked: ['GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-T: 1\r\n\r\n'],
    'no reason': ['GET', 'HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nbody'],
    'no field but one': ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    'not modified': ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
    head: ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'],
    error: ['GET', 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'],
    "beside the pod's own": [
      'GET',
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n',
    ],
    'after an early hint': [
      'GET',
      'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    ],
    'until the end': ['GET', 'HTTP/1.1 200 OK\r\n\r\nbody'],
  }
  for (const [name, [method, bytes]] of Object.entries(answers)) {
    const p = await rawPod(t, socket =>
      socket.on('data', () => (name === 'until the end' ? socket.end(bytes) : socket.write(bytes))),
    )
    const { port } = await proxy(t, { table: sticky(p.url, p.url, 50) })
    for (const end of ['close', 'keep-alive']) {
      const w = wire(t, port, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: ${end}\r\n\r\n`)
      const tail = bytes.slice(bytes.lastIndexOf('\r\n\r\n') + 4)
      await w.until(name === 'chunked' ? '0\r\nX-T: 1\r\n\r\n' : new RegExp(`Set-Cookie: version=[^]*\r\n\r\n${tail}`))
      const said = w.said()
      const bare = said.replace(/Set-Cookie: version=(old|new)\.new; Path=\/; HttpOnly; SameSite=Lax\r\n/, '')
      t.equal(said.length - bare.length, 'Set-Cookie: version=old.new; Path=/; HttpOnly; SameSite=Lax\r\n'.length, name)
      // A space that is missing is put in.
      const wanted = bytes.replace('Keep-Alive: timeout=5\r\n', '').replace('1 200\r\n', '1 200 \r\n')
      t.equal(bare.replace('Connection: close\r\n', ''), wanted, `${name}, ${end}: the rest is as the pod said it`)
      t.ok(!said.startsWith('HTTP/1.1 103') || said.indexOf('Set-Cookie') > said.indexOf('200 OK'), 'not on the hint')
    }
  }
})

test('an answer of one octet at a time, and of HTTP/1.0, has it too', async t => {
  const p = await rawPod(t, socket =>
    socket.on('data', async () => {
      for (const octet of 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n') {
        socket.write(octet)
        await new Promise(done => setImmediate(done))
      }
    }),
  )
  const { port } = await proxy(t, { table: sticky(p.url, p.url, 50) })
  const w = wire(t, port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  t.match(
    await w.closed,
    /^HTTP\/1\.1 200 OK\r\nSet-Cookie: version=(old|new)\.new;[^\r]*\r\nConnection: close\r\n\r\nbody$/,
  )
})

test('a WebSocket belongs to the session', async t => {
  const accept = (key: string) =>
    createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const seen: (string | undefined)[] = []
  const echo = async (name: string) => {
    const p = await pod(t, name)
    p.server.on('upgrade', (req, socket) => {
      seen.push(req.headers.cookie)
      const key = accept(req.headers['sec-websocket-key'] ?? '')
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n${name}`,
      )
    })
    return p
  }
  const running = await proxy(t, { table: sticky((await echo('old')).url, (await echo('new')).url, 50) })
  const open = (cookie?: string) =>
    new Promise<{ said: string; line: string | undefined }>((done, fail) => {
      const req = request(running.url, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
          ...(cookie === undefined ? {} : { cookie }),
        },
      })
      req.on('upgrade', (res, socket, head) => {
        let said = head.toString()
        socket.on('data', part => {
          said += part
        })
        socket.on('end', () => done({ said, line: setBy(res) }))
        socket.on('error', fail)
      })
      req.on('error', fail)
      req.end()
    })
  const first = await open()
  t.ok(first.line)
  for (let i = 0; i < 4; i++)
    t.same(await open(`${first.line!.split(';')[0]}; a=1`), { said: first.said, line: undefined })
  t.same(seen, [undefined, 'a=1', 'a=1', 'a=1', 'a=1'])
})

test('an answer that the proxy gives itself begins no session', async t => {
  const p = await rawPod(t, socket => socket.on('data', () => socket.destroy()))
  const { url } = await proxy(t, { table: sticky(p.url, p.url, 50) })
  const answer = await ask(url, '/', { method: 'POST', body: 'x' })
  t.equal(answer.status, 502)
  t.equal(setBy(answer), undefined)
})

test('a copy for the canary carries no session cookie either', async t => {
  const [old, fresh] = [await pod(t, 'old'), await pod(t, 'new')]
  const table = sticky(old.url, fresh.url, 50)
  const mirrors = [{ name: 'm', percent: 100 }]
  const { url } = await proxy(t, { table: { routes: [{ ...table.routes![0]!, mirrors }] } })
  await ask(url, '/', { headers: { cookie: `${COOKIE}=old.new; a=1` } })
  await eventually(() => fresh.requests.length === 1, 'the copy has arrived')
  t.equal(fresh.requests[0]?.headers.cookie, 'a=1')
})
