// Laws of our HTTP/2, tried with whatever comes: frames mean the same however they are cut, no octets bring the proxy down, and
// each of many requests at once gets its own whole answer, with any windows and settings of clients and pods.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { test } from 'tap'
import { FrameReader } from '../../src/proxy/h2/wire/frame-reader.ts'
import type { RunningProxy } from '../../src/proxy/start.ts'
import { HEAD, head, more } from './h2-frames.ts'
import { call, h2cPod, open } from './h2-kit.ts'
import { asking, code, END_HEADERS, frame, GET, literals, PREFACE, TYPE } from './h2-raw.ts'
import { eventually, only, pod, proxy, rawPod } from './kit.ts'

/** What takes sockets takes its time, and many others would only fail for the same reason. */
const UNSHRUNK = { endOnFailure: true }

/** Frames that are mostly right, of few streams. */
const anyFrame = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom(0, 1, 3, 8, 9),
        fc.constantFrom(0, 1, 4, 5, 8, 9, 12, 13, 32, 45),
        fc.constantFrom(1, 3, 5),
      )
      .chain(([type, flags, stream]) => payloadOf(type, flags).map(payload => frame(type, flags, stream, payload))),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0, 0, 1, 0, 0, 1, 0, 0, 0, 9])),
      frame(TYPE.settings, 1, 0),
      frame(TYPE.ping, 0, 0, 'pingpong'),
      frame(TYPE.window, 0, 0, code(70_000)),
      frame(TYPE.priority, 0, 1, Buffer.alloc(5)),
      frame(0xbe, 0xff, 0, 'unknown'),
      frame(TYPE.goaway, 0, 0, 'goodbye, then'),
      asking(1),
      asking(3, [[':method', 'POST'], ...GET.slice(1)]),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1), fc.array(fc.nat(HEAD.length), { minLength: 1, maxLength: 3 }))
      .map(([flags, cuts]) => blockOf(flags, cuts)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(10), fc.nat(255), fc.nat(6), fc.uint8Array({ maxLength: 20 }))
      .map(([type, flags, stream, payload]) => frame(type, flags, stream, Buffer.from(payload))),
  },
)

/** A head that goes on in CONTINUATION, cut at these places. */
function blockOf(flags: number, cuts: readonly number[]): Buffer {
  const at = [0, ...cuts.toSorted((a, b) => a - b), HEAD.length]
  const pieces = cuts.map((_, i) => HEAD.subarray(at[i], at[i + 1]))
  const rest = pieces.slice(1).map(piece => more(0, piece))
  return Buffer.concat([head(flags, pieces[0]!), ...rest, more(END_HEADERS, HEAD.subarray(at.at(-2)))])
}

function payloadOf(type: number, flags: number): fc.Arbitrary<Buffer> {
  if (type === TYPE.reset || type === TYPE.window) return fc.constant(code(8))
  const octets =
    type === TYPE.data
      ? fc.uint8Array({ maxLength: 60 }).map(Buffer.from)
      : fc.constantFrom(literals(GET), Buffer.alloc(0))
  if ((flags & 8) === 0 || type === TYPE.continuation) return octets
  return fc.tuple(octets, fc.nat(30)).map(([o, n]) => Buffer.concat([Buffer.from([n]), o, Buffer.alloc(n)]))
}

const SETTINGS = frame(TYPE.settings, 0, 0)
const octetsOf = (begin: Buffer): fc.Arbitrary<Buffer> =>
  fc.array(anyFrame, { maxLength: 25, size: 'max' }).map(frames => Buffer.concat([begin, ...frames]))

/** What a reader tells of octets, in pieces of these sizes; those of one body are put together. */
function told(octets: Buffer, isServer: boolean, sizes: readonly number[], stopAt: number): string[] {
  const log: string[] = []
  const note = (what: string, ...more: readonly unknown[]): void => {
    log.push(`${what} ${more.join(' ')}`)
    // Not with a piece: those are cut anyhow.
    if (log.length === stopAt && what !== 'piece') reader.stop()
  }
  const text = (buf: Buffer, from: number, to: number): string => buf.toString('latin1', from, to)
  const reader: FrameReader = new FrameReader(
    {
      data: (...all) => note('data', ...all),
      dataPiece(buf, from, to) {
        if (log.at(-1)?.startsWith('piece')) log[log.length - 1] += text(buf, from, to)
        else note('piece', text(buf, from, to))
      },
      dataEnds: () => note('end'),
      head: (id, buf, from, to, isEnd, parent) => note('head', id, text(buf, from, to), isEnd, parent),
      priority: (...all) => note('priority', ...all),
      reset: (...all) => note('reset', ...all),
      setting: (...all) => note('setting', ...all),
      settled: () => note('settled'),
      ping: (buf, from) => note('ping', text(buf, from, from + 8)),
      goaway: last => note('goaway', last),
      windowUpdate: (...all) => note('window', ...all),
      beside: size => note('beside', size),
      fault: why => note('fault', why),
    },
    isServer,
  )
  // Buffers are good during the call only, so they are spoilt behind it; and octets around them mean something too.
  for (let at = 0, i = 0; at < octets.length; i++) {
    const size = Math.min(octets.length - at, sizes[i % sizes.length]!)
    const piece = Buffer.alloc(size + 6, 1)
    octets.copy(piece, 3, at, at + size)
    reader.take(piece, 3, 3 + size)
    piece.fill(0xee)
    at += size
  }
  return log
}

test('frames are told the same in pieces as in one', async t => {
  const kinds = new Set<string>()
  const pieces = fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 12 }),
      fc.nat(250).map(n => n + 1),
    ),
    { minLength: 1 },
  )
  const begin = fc.constantFrom(SETTINGS, SETTINGS, SETTINGS, Buffer.alloc(0))
  const octets = begin.chain(octetsOf)
  fc.assert(
    fc.property(octets, fc.boolean(), pieces, fc.option(fc.nat(20), { nil: -1 }), (frames, isServer, sizes, stopAt) => {
      const all = isServer ? Buffer.concat([PREFACE, frames]) : frames
      const whole = told(all, isServer, [all.length || 1], stopAt)
      deepStrictEqual(told(all, isServer, sizes, stopAt), whole)
      deepStrictEqual(told(all, isServer, [1], stopAt), whole)
      for (const line of whole) kinds.add(line.split(' ')[0]!)
    }),
    { numRuns: 1500 },
  )
  t.equal(kinds.size, 13, `all there is to tell was told: ${[...kinds]}`)
})

test('no octets of clients or pods bring the proxy down', async t => {
  const p = await pod(t, (req, res) => void req.resume().on('end', () => res.end('ok')))
  const h2 = await h2cPod(t, stream => {
    stream.resume().on('end', () => {
      if (stream.destroyed) return
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
  })
  let said: Buffer = Buffer.alloc(0)
  let size = 1
  let times = 0
  const wild = await rawPod(t, socket => {
    if (++times > 50) socket.destroy()
    socket.once('data', () => {
      for (let at = 0; at < said.length; at += size) socket.write(said.subarray(at, at + size))
      setTimeout(() => socket.destroy(), 30)
    })
  })
  const limits = { answer: 200, body: 200, send: 200 }
  const behind = (url: string) => proxy(t, { table: only(url), limits })
  const running = await Promise.all([p.url, h2.url, wild.url.replace('http', 'h2c')].map(behind))
  const others = running.map(r => open(t, r.url))
  const wildly = fc.oneof(octetsOf(SETTINGS), octetsOf(SETTINGS), fc.uint8Array({ maxLength: 400 }).map(Buffer.from))
  await fc.assert(
    fc.asyncProperty(wildly, fc.integer({ min: 1, max: 200 }), fc.nat(2), async (octets, piece, nth) => {
      if (nth < 2) {
        const socket = connect(Number(new URL(running[nth]!.url).port), '127.0.0.1')
        socket.on('error', () => {})
        socket.write(PREFACE)
        for (let at = 0; at < octets.length; at += piece) socket.write(octets.subarray(at, at + piece))
        await sleep(10)
        socket.destroy()
        const heard = await call(others[nth]!, { ':path': '/' })
        strictEqual(heard.body, 'ok')
      } else {
        said = octets
        size = piece
        times = 0
        // Whatever comes of it, it has an end.
        const post = { ':method': 'POST', ':path': '/' }
        await Promise.all([call(others[2]!, { ':path': '/' }), call(others[2]!, post, 'abc')])
        strictEqual(others[2]!.closed, false)
        ok(times <= 50, 'for two requests a pod is not dialled without end')
      }
    }),
    { numRuns: 150, ...UNSHRUNK },
  )
  for (const r of running)
    await eventually(() => r.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left in flight', 4000)
  for (const session of others) t.notOk(session.closed, 'the other client was never disturbed')
})

test('a pod that ends each connection with its first words is not dialled without end', async t => {
  const rows: readonly (readonly [why: string, said: Buffer])[] = [
    ['GOAWAY', frame(TYPE.goaway, 0, 0, Buffer.alloc(8))],
    ['a frame that is wrong', frame(TYPE.ping, 0, 0, 'short')],
  ]
  for (const [why, said] of rows) {
    let times = 0
    const bye = await rawPod(t, socket => {
      if (times++ < 50) socket.once('data', () => socket.write(Buffer.concat([SETTINGS, said])))
      else socket.destroy()
    })
    const running = await proxy(t, { table: only(bye.url.replace('http', 'h2c')), limits: { connect: 200 } })
    t.match(await call(open(t, running.url), { ':path': '/' }), { status: 502 }, why)
    t.ok(times < 10, `${why}: dialled ${times} times`)
  }
})

/** One request: its pieces, and after which of its answer's octets it is given up. */
type Plan = Readonly<{ pieces: readonly number[]; isMeasured: boolean; pause: number; cancelAt: number | undefined }>

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  pieces: fc.array(fc.oneof(fc.nat(300), fc.nat(300), fc.nat(40_000)), { maxLength: 6 }),
  isMeasured: fc.boolean(),
  pause: fc.constantFrom(0, 0, 1, 3),
  cancelAt: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constantFrom(-1, 0, 1, 20_000)),
})
const plans = fc.array(anyPlan, { minLength: 1, maxLength: 24, size: 'max' })

/** Octets that are of no other request, at no other place. */
function bodyOf(id: number, size: number): Buffer {
  const body = Buffer.alloc(size)
  for (let i = 0; i < size; i++) body[i] = (i * 31 + (i >> 8) * 7 + id * 101) & 255
  return body
}

/** Asks for an echo; what came, or undefined where it was given up. */
function echo(session: ClientHttp2Session, id: number, plan: Plan): Promise<void> {
  const { pieces, isMeasured, pause, cancelAt } = plan
  const body = bodyOf(
    id,
    pieces.reduce((a, b) => a + b, 0),
  )
  const length = isMeasured ? { 'content-length': `${body.length}` } : {}
  const stream = session.request({ ':method': 'POST', ':path': `/${id}`, 'x-id': `${id}`, ...length })
  const parts: Buffer[] = []
  let heard: { status: unknown; id: unknown; end?: unknown } | undefined
  let isCancelled = false
  let size = 0
  const cancel = (): void => {
    isCancelled = true
    stream.close(8)
  }
  stream.on('error', () => {})
  stream.on('response', got => {
    heard = { status: got[':status'], id: got['x-id'] }
    if (cancelAt === 0) cancel()
  })
  stream.on('trailers', got => {
    if (heard) heard.end = got['x-end']
  })
  stream.on('data', part => {
    parts.push(part)
    size += part.length
    if (cancelAt !== undefined && cancelAt > 0 && size >= cancelAt) cancel()
  })
  void (async () => {
    let at = 0
    for (const piece of pieces) {
      if (isCancelled) return
      stream.write(body.subarray(at, at + piece))
      at += piece
      if (pause > 0) await sleep(pause)
    }
    if (cancelAt === -1) cancel()
    else if (!isCancelled) stream.end()
  })()
  return new Promise<void>((done, fail) => {
    stream.on('close', () => {
      try {
        // A pod of node:http2 still counts streams that ended a moment ago, and refuses others in that way for them.
        if (!isCancelled && stream.rstCode === 11 && heard === undefined) done(echo(session, id, plan))
        else if (!isCancelled) {
          deepStrictEqual({ ...heard, code: stream.rstCode }, { status: 200, id: `${id}`, end: `${id}`, code: 0 })
          ok(Buffer.concat(parts).equals(body), `${id} has its own ${body.length} octets back, and not ${size}`)
        } else ok(Buffer.concat(parts).equals(body.subarray(0, size)), `what came of ${id} was its own`)
        done()
      } catch (error) {
        fail(error as Error)
      }
    })
  })
}

const echoH2 = (stream: ServerHttp2Stream, id: string): void => {
  stream.respond({ ':status': 200, 'x-id': id, 'x-other': 'the same each time' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': id }))
  stream.pipe(stream)
}

const tableSize = fc.constantFrom(0, 40, 100, 4096, 65_536)
const windowSize = fc.oneof(fc.constantFrom(1000, 16_384, 65_535, 300_000), fc.integer({ min: 200, max: 100_000 }))
const clientSettings = fc.record({ initialWindowSize: windowSize, headerTableSize: tableSize })
const podSettings = fc.record({
  maxConcurrentStreams: fc.constantFrom(1, 2, 5, 100),
  initialWindowSize: windowSize,
  headerTableSize: tableSize,
  maxFrameSize: fc.constantFrom(16_384, 100_000),
})

/** Sends all of it on one connection, twice. */
async function rush(running: RunningProxy, session: ClientHttp2Session, all: readonly Plan[]): Promise<void> {
  await Promise.all(all.map((one, id) => echo(session, id, one)))
  await Promise.all(all.slice(0, 3).map((one, id) => echo(session, 1000 + id, one)))
  strictEqual(session.closed, false, 'the connection goes on')
  session.destroy()
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left in flight')
}

test('each of many requests gets its own whole answer, whatever the client allows and cancels', async t => {
  const h1 = await pod(t, (req, res) => {
    const id = `${req.headers['x-id']}`
    res.writeHead(200, { 'x-id': id, trailer: 'x-end' })
    req.on('end', () => res.addTrailers({ 'x-end': id }))
    req.pipe(res)
  })
  const h2 = await h2cPod(t, (stream, headers) => echoH2(stream, `${headers['x-id']}`))
  const running = await Promise.all([h1.url, h2.url].map(url => proxy(t, { table: only(url) })))
  let asked = 0
  await fc.assert(
    fc.asyncProperty(plans, clientSettings, fc.nat(1), async (all, settings, nth) => {
      asked += all.length
      const session = open(t, running[nth]!.url, { settings })
      await rush(running[nth]!, session, all)
    }),
    { numRuns: 50, ...UNSHRUNK },
  )
  t.ok(asked > 100, `${asked} requests`)
})

test('and whatever the pod allows', async t => {
  let asked = 0
  await fc.assert(
    fc.asyncProperty(plans, podSettings, async (all, settings) => {
      const ends: (() => unknown)[] = []
      const own = { teardown: (end: () => unknown) => void ends.push(end) }
      try {
        const h2 = await h2cPod(own, (stream, headers) => echoH2(stream, `${headers['x-id']}`), settings)
        const running = await proxy(own, { table: only(h2.url) })
        asked += all.length
        await rush(running, open(own, running.url), all)
      } finally {
        for (const end of ends.reverse()) await end()
      }
    }),
    { numRuns: 30, ...UNSHRUNK },
  )
  t.ok(asked > 50, `${asked} requests`)
})
