// Clients that leave at each stage, and WebSockets under load: the pod learns at once, nothing stays open, and whoever
// is served beside them does not notice.
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { Checker, get, pattern, patternPod } from './behave-pattern.ts'
import { notYetBehaviours } from './hostile-not-yet.ts'
import { ask, eventually, only, pod, proxy, rawPod, wire } from './kit.ts'

const HOST = 'HTTP/1.1\r\nHost: a\r\n'
/** What a client has sent when it leaves, whether the pod has been asked by then, and what must have come back. */
const STAGES: Readonly<Record<string, readonly [string, boolean, string?]>> = {
  'before a word': ['', false],
  'within the request line': ['GET /ha', false],
  'within the head': [`GET /hang ${HOST}X-A: 1`, false],
  'before the empty line': [`GET /hang ${HOST}`, false],
  'behind the head': [`GET /hang ${HOST}\r\n`, true],
  'before a small body': [`POST /hang ${HOST}Content-Length: 9\r\n\r\n`, false],
  'within a small body': [`POST /hang ${HOST}Content-Length: 9\r\n\r\nhalf`, false],
  'before the body': [`POST /hang ${HOST}Content-Length: 99999\r\n\r\n`, true],
  'within the body': [`POST /hang ${HOST}Content-Length: 99999\r\n\r\nhalf`, true],
  'behind the body': [`POST /hang ${HOST}Content-Length: 4\r\n\r\nfour`, true],
  'before the chunks': [`POST /hang ${HOST}Transfer-Encoding: chunked\r\n\r\n`, true],
  'within a size': [`POST /hang ${HOST}Transfer-Encoding: chunked\r\n\r\n1`, true],
  'within a chunk': [`POST /hang ${HOST}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`, true],
  'before the last chunk': [`POST /hang ${HOST}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n`, true],
  'within the trailer': [`POST /hang ${HOST}Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\nX-`, true],
  'within an answer with a length': [`GET /length ${HOST}\r\n`, true, 'half'],
  'within an answer of chunks': [`GET /chunks ${HOST}\r\n`, true, 'half'],
  'within an answer until the end': [`GET /end ${HOST}\r\n`, true, 'half'],
  'behind a hint': [`GET /hint ${HOST}\r\n`, true, 'Early Hints'],
  'with more requests behind': [`GET /hang ${HOST}\r\n`.repeat(5), true],
  'within an answer, with more requests behind': [`GET /length ${HOST}\r\n`.repeat(5), true, 'half'],
}
const ANSWERS: Readonly<Record<string, string>> = {
  '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf',
  '/chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf',
  '/end': 'HTTP/1.1 200 OK\r\n\r\nhalf',
  '/hint': 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
}

test('a client that leaves at any stage is forgotten, and its request with it', async t => {
  let asked = 0
  const open = new Set<Socket>()
  const p = await rawPod(t, socket => {
    let isFirst = true
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('data', data => {
      const [, path = ''] = /^(?:GET|POST) (\S+) /.exec(data.toString('latin1')) ?? []
      if (path === '/fine') return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')
      if (isFirst) asked++
      isFirst = false
      if (ANSWERS[path]) socket.write(ANSWERS[path])
    })
  })
  const running = await proxy(t, { table: only(p.url) })
  const inFlight = () => running.status().routes[0]?.dests[0]?.inFlight
  const beside = wire(t, running.port, `GET /length ${HOST}\r\n`)
  await beside.until('half')
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    for (const [stage, [bytes, isAsked, answer]] of Object.entries(STAGES)) {
      const before = asked
      const w = wire(t, running.port, bytes)
      await new Promise(done => w.socket.once('connect', done))
      if (isAsked) await eventually(() => asked === before + 1, `${stage}: the pod is asked`)
      if (answer) await w.until(answer)
      w.socket[leave]()
      await eventually(() => open.size === 1 && inFlight() === 1, `${leave} ${stage}: only the other one is served`)
      t.equal(asked, before + (isAsked ? 1 : 0), `${leave} ${stage}: no more than one request reached the pod`)
    }
    t.equal((await ask(running.url, '/fine')).body, 'fine')
  }
  for (const socket of open) socket.write('z'.repeat(996))
  await beside.until('z'.repeat(996))
  t.equal(running.stats('web', 300).total.errors, 0, 'none of it is an error of the version')
})

test('a request over which a pod breaks off is not sent to it again', async t => {
  let asked = 0
  const p = await rawPod(t, socket => {
    socket.on('data', () => {
      asked++
      socket.destroy()
    })
  })
  const { url } = await proxy(t, { table: only(p.url) })
  t.equal((await ask(url)).status, 502)
  t.equal(asked, 1, 'it was a new connection: the request may have killed the pod')
})

test('a client that leaves within a large answer stops it at the pod', async t => {
  let isStopped = false
  const p = await pod(t, (req, res) => {
    if (req.url !== '/') return patternPod(req, res)
    res.on('close', () => {
      isStopped = !res.writableFinished
    })
    const part = Buffer.alloc(64 * 1024)
    const more = (): void => {
      while (!res.destroyed && res.write(part));
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  })
  const running = await proxy(t, { table: only(p.url) })
  const beside = get(running.url, 1, 8_000_000, '', 1)
  for (const leave of ['destroy', 'resetAndDestroy'] as const) {
    isStopped = false
    const socket = connect(running.port, '127.0.0.1')
    socket.write(`GET / ${HOST}\r\n`)
    await new Promise(done => socket.once('data', done))
    socket.pause()
    socket[leave]()
    await eventually(() => isStopped, `${leave}: the pod is stopped`)
  }
  t.equal(await beside, '', 'somebody beside got all of a large answer')
})

const HELLO = `GET /SEED ${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n`
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** Reads a head off a socket, then hands over what follows. */
function behindHead(socket: Socket, head: (text: string) => void, take: (part: Buffer) => void): void {
  let text: Buffer | undefined = Buffer.alloc(0)
  socket.on('data', part => {
    if (text === undefined) return take(part)
    text = Buffer.concat([text, part])
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return
    const rest = text.subarray(end + 4)
    const said = text.toString('latin1', 0, end)
    text = undefined
    head(said)
    if (rest.length > 0) take(rest)
  })
}

/** Writes all of `body` as the socket takes it, then ends its side. */
function pour(socket: Socket, body: Buffer): void {
  let at = 0
  const more = (): void => {
    while (at < body.length) {
      const part = body.subarray(at, at + 50_000)
      at += part.length
      if (!socket.write(part)) return void socket.once('drain', more)
    }
  }
  more()
}

type Test = Parameters<typeof rawPod>[0]

/** Runs WebSockets with `size` octets each way at once; the faults of what pods and clients got. */
async function carry(t: Test, count: number, size: number, early: boolean): Promise<string[]> {
  const fromClient = new Map<number, Checker>()
  const nap = (socket: Socket): void => {
    socket.pause()
    setTimeout(() => socket.resume(), 1)
  }
  const p = await rawPod(t, socket => {
    let seed = 0
    behindHead(
      socket,
      head => {
        seed = Number(/^GET \/(\d+) /.exec(head)?.[1])
        fromClient.set(seed, new Checker(100 + seed, size))
        // Early words are all there by then.
        setTimeout(() => socket.write(SWITCH), early ? 30 : 0)
        setTimeout(() => pour(socket, pattern(seed, size)), early ? 30 : 0)
      },
      part => {
        fromClient.get(seed)?.take(part)
        if (seed % 2 === 0) nap(socket)
      },
    )
  })
  const running = await proxy(t, { table: only(p.url) })
  const checkers = Array.from({ length: count }, (_, seed) => {
    const checker = new Checker(seed, size)
    const socket = connect(running.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    const say = (): void => pour(socket, pattern(100 + seed, size))
    behindHead(socket, early ? () => {} : say, part => {
      checker.take(part)
      if (seed % 3 === 0) nap(socket)
    })
    socket.write(HELLO.replace('SEED', `${seed}`))
    if (early) say()
    return checker
  })
  const faults = () => [...checkers, ...fromClient.values()].map(checker => checker.fault)
  const end = Date.now() + (early ? 2000 : 8000)
  while (faults().some(Boolean) && Date.now() < end) await new Promise(done => setTimeout(done, 10))
  return faults()
}

test('WebSockets carry 8 MB both ways at once, slow readers among them', async t => {
  t.strictSame(await carry(t, 6, 8_000_000, false), Array(12).fill(''))
})

test('a WebSocket whose client says a little before the pod has agreed', async t => {
  t.strictSame(await carry(t, 3, 60_000, true), Array(6).fill(''))
})

test('a WebSocket whose client says much before the pod has agreed', async t => {
  const faults = await carry(t, 3, 1_000_000, true)
  // See hostile-not-yet.ts.
  if (notYetBehaviours.has('more than 64 KB before the 101'))
    t.match(faults.join(), /octets/, 'it passes: take it off the list')
  else t.strictSame(faults, Array(6).fill(''))
})

test('a WebSocket whose client says nothing more still hears the pod out, and the other way', async t => {
  const p = await rawPod(t, socket => {
    socket.allowHalfOpen = true
    socket.once('data', () => socket.write(SWITCH))
    socket.once('end', () => {
      socket.write('farewell')
      socket.end()
    })
  })
  const { port } = await proxy(t, { table: only(p.url) })
  const w = wire(t, port, HELLO)
  w.socket.allowHalfOpen = true
  await w.until('101')
  w.socket.end()
  t.match(await w.closed, /farewell$/)
})

test('a pod whose WebSocket is not read is held back, and so is a client', async t => {
  for (const who of ['pod', 'client'] as const) {
    let sent = 0
    const flood = (socket: Socket): void => {
      const part = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (sent < 300_000_000) {
          sent += part.length
          if (!socket.write(part)) return void socket.once('drain', more)
        }
      }
      more()
    }
    const p = await rawPod(t, socket =>
      socket.once('data', () => {
        socket.write(SWITCH)
        socket.pause()
        if (who === 'pod') flood(socket)
      }),
    )
    const { port } = await proxy(t, { table: only(p.url) })
    const w = wire(t, port, HELLO)
    await w.until('101')
    w.socket.pause()
    if (who === 'client') flood(w.socket)
    let last = -1
    let stillFor = 0
    // A moment's rest is none.
    await eventually(() => {
      stillFor = sent === last ? stillFor + 1 : 0
      last = sent
      return stillFor > 30 || sent > 100_000_000
    }, `the ${who} is held back`)
    t.ok(sent < 100_000_000, `the ${who} got rid of ${sent} octets`)
  }
})
