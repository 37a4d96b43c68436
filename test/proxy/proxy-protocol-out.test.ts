// Pods that are told who the client is: one header on each connection, which then speaks for one client's connection only.
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { proxyHeader, readProxyHeader } from '../../src/proxy/engine/proxy-header.ts'
import { parseTable } from '../../src/proxy/table.ts'
import { eventually, only, proxy, rawPod, split, wire } from './kit.ts'

/** A connection that the pod got: whom its header named, and how many requests came on it. */
type Line = { peer: string; port: number; requests: number; isOpen: boolean; said: string }

type T = Parameters<typeof rawPod>[0]

/** A pod that wants a header of version 2, answers GETs with whom it named, and echoes all else. */
async function toldPod(t: T) {
  const lines: Line[] = []
  const sockets = new Set<Socket>()
  const pod = await rawPod(t, socket => {
    const line: Line = { peer: '', port: 0, requests: 0, isOpen: true, said: '' }
    lines.push(line)
    sockets.add(socket)
    let came = Buffer.alloc(0)
    let isTold = false
    socket.on('close', () => {
      line.isOpen = false
    })
    socket.on('end', () => socket.end())
    socket.on('data', data => {
      came = Buffer.concat([came, data])
      if (!isTold) {
        const header = readProxyHeader(came)
        if (header === 'more') return
        if ('why' in header) {
          socket.destroy()
          return
        }
        isTold = true
        line.peer = header.peer ?? 'local'
        if (header.peer !== undefined) line.port = came.readUInt16BE(header.size - 4)
        came = came.subarray(header.size)
      }
      answer(socket, line, came.toString('latin1'))
      came = Buffer.alloc(0)
    })
  })
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return { ...pod, lines, hangUp }
}

function answer(socket: Socket, line: Line, text: string): void {
  line.said += text
  const asked = text.split('GET ').length - 1
  if (asked === 0) socket.write(text)
  for (let i = 0; i < asked; i++) {
    line.requests++
    const body = `${line.peer} ${line.port}`
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  }
}

/** A client at an address of this machine. */
function clientAt(t: T, port: number, localAddress: string) {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let said = ''
  socket.setEncoding('latin1').on('data', part => {
    said += part
  })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  let asked = 0
  const connected = new Promise(done => socket.once('connect', done))
  const ask = async () => {
    await connected
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    asked++
    const whole = `${localAddress} ${socket.localPort}`
    await eventually(() => said.split(whole).length - 1 === asked, `${whole} is named: ${said}`)
  }
  return { socket, ask }
}

const told = (url: string) => ({
  dests: [{ role: 'stable' as const, weight: 100, upstream: url, proxyProtocol: 'v2' as const }],
})

test('headers say what they are read as', t => {
  const rows: readonly (readonly [from: string, to: string, peer: string | undefined, size: number])[] = [
    ['192.0.2.7', '10.0.0.1', '192.0.2.7', 28],
    ['2001:db8::1', '::1', '2001:db8::1', 52],
    ['::', '::', '::', 52],
    ['1:2:3:4:5:6:7:8', '::1', '1:2:3:4:5:6:7:8', 52],
    ['fe80::1%eth0', 'fe80::2', 'fe80::1', 52],
    ['192.0.2.7', '::1', '192.0.2.7', 52],
    ['2001:db8::1', '10.0.0.1', '2001:db8::1', 52],
    ['192.0.2.7', '', '192.0.2.7', 28],
    ['', '10.0.0.1', undefined, 16],
  ]
  for (const [from, to, peer, size] of rows)
    t.same(
      readProxyHeader(proxyHeader({ address: from, port: 7 }, { address: to, port: 8 })),
      { size, peer },
      `${from} ${to}`,
    )
  t.end()
})

test('each client has connections of its own, and uses them again', async t => {
  const p = await toldPod(t)
  const running = await proxy(t, { table: only(p.url, told(p.url)) })
  const clients = ['127.0.0.1', '127.0.0.2', '127.0.0.2'].map(at => clientAt(t, running.port, at))
  for (let i = 0; i < 5; i++) await Promise.all(clients.map(client => client.ask()))
  for (const client of clients) for (let i = 0; i < 3; i++) await client.ask()
  t.equal(p.lines.length, 3, 'one connection a client')
  t.same(
    p.lines.map(({ requests }) => requests),
    [8, 8, 8],
  )
  t.same(new Set(p.lines.map(({ port }) => port)), new Set(clients.map(({ socket }) => socket.localPort)))
  for (const { socket } of clients) socket.destroy()
  await eventually(() => p.lines.every(({ isOpen }) => !isOpen), 'they end with their clients')
  t.equal(running.status().routes[0]?.dests[0]?.inFlight, 0)
})

test('an upload that breaks off, and a pod that hangs up, leave nobody with the line of another', async t => {
  const p = await toldPod(t)
  const running = await proxy(t, { table: only(p.url, told(p.url)) })
  const one = clientAt(t, running.port, '127.0.0.3')
  await one.ask()
  const broken = clientAt(t, running.port, '127.0.0.4')
  broken.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n123')
  await eventually(() => p.lines[1]?.said.includes('123') === true, 'an upload is under way')
  broken.socket.destroy()
  await eventually(() => p.lines[1]?.isOpen === false, 'and broken off')
  const next = clientAt(t, running.port, '127.0.0.5')
  await next.ask()
  p.hangUp()
  await eventually(() => p.lines.every(({ isOpen }) => !isOpen), 'the pod hangs up')
  await Promise.all([one.ask(), next.ask()])
  t.same(new Set(p.lines.slice(3).map(({ peer }) => peer)), new Set(['127.0.0.3', '127.0.0.5']), 'new ones, told anew')
})

test('who is behind a balancer is passed on', async t => {
  const p = await toldPod(t)
  const running = await proxy(t, { table: only(p.url, told(p.url)), proxyProtocol: ['127.0.0.1'] })
  const w = wire(t, running.port, 'PROXY TCP6 2001:db8::1 ::1 57005 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await w.until('2001:db8::1 0')
})

test('in TCP mode too, before the first octet', async t => {
  const p = await toldPod(t)
  const running = await proxy(t, { table: only(p.url, { ...told(p.url), mode: 'tcp' }), proxyProtocol: ['127.0.0.2'] })
  const plain = clientAt(t, running.port, '127.0.0.1')
  plain.socket.write('hello')
  await eventually(() => p.lines[0]?.said === 'hello', 'what the client says follows')
  t.match(p.lines[0], { peer: '127.0.0.1', port: plain.socket.localPort })
  const behind = clientAt(t, running.port, '127.0.0.2')
  behind.socket.write('PROXY TCP4 192.0.2.7 10.0.0.1 57005 80\r\nhello')
  await eventually(() => p.lines[1]?.said === 'hello', 'behind a balancer')
  t.equal(p.lines[1]?.peer, '192.0.2.7')
})

test('streams of HTTP/2 have a connection each', async t => {
  const p = await toldPod(t)
  const running = await proxy(t, { table: only(p.url, told(p.url)) })
  const session = connectHttp2(running.url)
  t.teardown(() => session.destroy())
  const ask = async () => {
    let body = ''
    for await (const part of session.request({ ':path': '/' }).setEncoding('utf8')) body += part
    return body
  }
  const port = () => session.socket.localPort
  t.same(await Promise.all([ask(), ask()]), [`127.0.0.1 ${port()}`, `127.0.0.1 ${port()}`])
  t.equal(await ask(), `127.0.0.1 ${port()}`)
  await eventually(() => p.lines.length === 3 && p.lines.every(({ isOpen }) => !isOpen), 'used once')
})

test('copies speak for nobody', async t => {
  const [stable, canary] = [await toldPod(t), await toldPod(t)]
  const { routes = [] } = split(stable.url, canary.url, 0)
  const [route] = routes
  const dests = route!.dests.map(dest => ({ ...dest, proxyProtocol: 'v2' as const }))
  const running = await proxy(t, {
    table: { routes: [{ ...route!, dests, mirrors: [{ name: 'all', percent: 100 }] }] },
  })
  await clientAt(t, running.port, '127.0.0.1').ask()
  await eventually(() => canary.lines[0]?.requests === 1, 'the copy came')
  t.equal(canary.lines[0]?.peer, 'local')
})

test('a version that begins or ceases to want it has new connections', async t => {
  const lines: string[] = []
  const p = await rawPod(t, socket => {
    const at = lines.push('') - 1
    socket.on('data', data => {
      lines[at] += data.toString('latin1').split('\r\n')[0] === '' ? 'told ' : 'plain '
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const running = await proxy(t, { table: only(p.url) })
  const w = wire(t, running.port)
  const ask = async (times: number) => {
    w.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => w.said().split('\r\n\r\nok').length - 1 === times, `${times} answers`)
  }
  await ask(1)
  running.swap(only(p.url, told(p.url)))
  await ask(2)
  running.swap(only(p.url))
  await ask(3)
  t.same(
    lines.map(line => line.split(' ')[0]),
    ['plain', 'told', 'plain'],
  )
})

test('what cannot be is refused', t => {
  const table = (more: object) => ({ routes: [{ name: 'web', dests: [{ role: 'stable', weight: 100, ...more }] }] })
  t.ok(parseTable(table({ upstream: 'http://a:1', proxyProtocol: 'v2' }), 'x'))
  const bad: readonly (readonly [more: object, message: RegExp])[] = [
    [{ upstream: 'http://a:1', proxyProtocol: 'v1' }, /dests\.0\.proxyProtocol/],
    [
      { upstream: 'h2c://a:1', proxyProtocol: 'v2' },
      /dests\.0\.proxyProtocol: cannot be sent to pods that speak HTTP\/2/,
    ],
    [
      { upstream: 'http://a:1', proxyProtocol: 'v2', pipelining: true },
      /dests\.0\.pipelining: a connection is one client's/,
    ],
  ]
  for (const [more, message] of bad) t.throws(() => parseTable(table(more), 'x'), { message })
  t.end()
})
