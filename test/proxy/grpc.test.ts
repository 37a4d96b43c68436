// gRPC through the proxy, end to end, as its wire protocol has it: every kind of call, every way to end, and pods that come,
// go and refuse.
import { once } from 'node:events'
import { type ClientHttp2Session, type IncomingHttpHeaders, type ServerHttp2Stream, sensitiveHeaders } from 'node:http2'
import { test } from 'tap'
import { call, h2cPod, open } from './h2-kit.ts'
import { deadPort, eventually, only, proxy, split } from './kit.ts'

const HEADERS = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }
const FINE = { 'grpc-status': '0' }

/** A message with its prefix: not compressed, and its length. */
function message(text: string): Buffer {
  const out = Buffer.alloc(5 + text.length)
  out.writeUInt32BE(text.length, 1)
  out.write(text, 5, 'latin1')
  return out
}

/** Messages of octets that came in whatever pieces. */
function messages(octets: string): string[] {
  const buf = Buffer.from(octets, 'latin1')
  const out: string[] = []
  for (let at = 0; at + 5 <= buf.length; at += 5 + buf.readUInt32BE(at + 1))
    out.push(buf.toString('latin1', at + 5, at + 5 + buf.readUInt32BE(at + 1)))
  return out
}

/** Answers in gRPC: a head, and trailers when the stream is ended. */
function answering(stream: ServerHttp2Stream, trailers: Record<string, string> = FINE): ServerHttp2Stream {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  return stream
}

/** A server with one method of each kind. */
const server = (t: Parameters<typeof h2cPod>[0], name: string, settings = {}) =>
  h2cPod(
    t,
    (stream, headers) => {
      const texts: string[] = []
      const path = headers[':path']
      if (path === '/s/Bidi') answering(stream)
      stream.on('data', part => {
        for (const text of messages(part.toString('latin1'))) {
          texts.push(text)
          if (path === '/s/Bidi') stream.write(message(text.toUpperCase()))
        }
      })
      stream.on('end', () => {
        if (path === '/s/Bidi') stream.end()
        else if (path === '/s/Unary') answering(stream).end(message(`${name}:${texts[0]}`))
        else if (path === '/s/ClientStream') answering(stream).end(message(texts.join('+')))
        else if (path === '/s/ServerStream') {
          answering(stream, { 'grpc-status': '0', 'x-count': '100' })
          for (let i = 0; i < 100; i++) stream.write(message(`${texts[0]}${i}`))
          stream.end()
        } else {
          const code = path?.split('/').at(-1) ?? ''
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code },
            { endStream: true },
          )
        }
      })
    },
    settings,
  )

/** A unary call: its message, or its gRPC code. */
async function unary(session: ClientHttp2Session, more = {}): Promise<string> {
  const heard = await call(session, { ...HEADERS, ':path': '/s/Unary', ...more }, message('hi'))
  const status = heard.trailers['grpc-status'] ?? heard.headers['grpc-status']
  return status === '0' ? messages(heard.body)[0]! : `code ${status ?? `reset ${heard.code}`}`
}

test('all four kinds of calls', async t => {
  const running = await proxy(t, { table: only((await server(t, 'pod')).url) })
  const session = open(t, running.url)
  t.equal(await unary(session), 'pod:hi')
  const streamed = await call(session, { ...HEADERS, ':path': '/s/ServerStream' }, message('m'))
  t.same(
    messages(streamed.body),
    Array.from({ length: 100 }, (_, i) => `m${i}`),
  )
  t.match(streamed.trailers, { 'grpc-status': '0', 'x-count': '100' })
  const many = Buffer.concat(Array.from({ length: 50 }, (_, i) => message(`${i}`)))
  const gathered = await call(session, { ...HEADERS, ':path': '/s/ClientStream' }, many)
  t.equal(messages(gathered.body)[0]?.split('+').length, 50)
  const bidi = session.request({ ...HEADERS, ':path': '/s/Bidi' })
  let said = ''
  bidi.setEncoding('latin1').on('data', part => {
    said += part
  })
  for (const text of ['a', 'b', 'c']) {
    bidi.write(message(text))
    await eventually(() => messages(said).at(-1) === text.toUpperCase(), 'the echo, before the call ends')
  }
  const [trailers] = await Promise.all([once(bidi, 'trailers'), bidi.end()])
  t.match(trailers[0], FINE)
})

test('a failed call counts as the canary failing; one that the client caused does not', async t => {
  const running = await proxy(t, { table: only((await server(t, 'pod')).url) })
  const session = open(t, running.url)
  const rows = [
    ['2', 1],
    ['4', 1],
    ['12', 1],
    ['13', 1],
    ['14', 1],
    ['15', 1],
    ['1', 0],
    ['3', 0],
    ['5', 0],
    ['7', 0],
    ['16', 0],
  ] as const
  let errors = 0
  let requests = 0
  for (const [status, fails] of rows) {
    const heard = await call(session, { ...HEADERS, ':path': `/s/Fail/${status}` }, message('x'))
    t.match(heard, { status: 200, body: '', headers: { 'grpc-status': status } }, 'trailers only, as they are')
    requests++
    errors += fails
    await eventually(() => running.stats('web', 60).total.requests === requests, 'counted')
    t.equal(running.stats('web', 60).total.errors, errors, `grpc-status ${status}`)
  }
  const trailing = await h2cPod(t, stream => {
    stream
      .resume()
      .on('end', () => answering(stream, { 'grpc-status': '13', 'grpc-message': 'late' }).end(message('half')))
  })
  running.swap(only(trailing.url))
  t.equal(await unary(session), 'code 13')
  await eventually(() => running.stats('web', 60).total.errors === errors + 1, 'in trailers behind messages too')
})

test('cancelled by the client, and by its deadline: the pod is told at once', async t => {
  const ends: number[] = []
  const seen: IncomingHttpHeaders[] = []
  const p = await h2cPod(t, (stream, headers) => {
    seen.push(headers)
    answering(stream).write(message('first'))
    stream.resume().on('close', () => ends.push(stream.rstCode))
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const stream = session.request({ ...HEADERS, ':path': '/s/Bidi', 'grpc-timeout': '100m' })
  stream.on('error', () => {})
  await once(stream, 'data')
  stream.close(8)
  await eventually(() => ends.length === 1, 'the pod knows')
  t.same(ends, [8])
  t.equal(seen[0]?.['grpc-timeout'], '100m', 'the deadline reaches the pod as it is')
  await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left')
  t.equal(running.stats('web', 60).total.errors, 0, 'nobody failed')
})

test("a call that its client gives up at its deadline is the failure of the pod that did not answer; before that it is nobody's", async t => {
  const p = await h2cPod(t, (stream, headers) => {
    if (headers[':path'] === '/s/Begun') answering(stream).write(message('first'))
    stream.resume()
  })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const giveUp = async (path: string, after: number): Promise<void> => {
    const stream = session.request({ ...HEADERS, ':path': path, 'grpc-timeout': '200m' })
    stream.on('error', () => {})
    setTimeout(() => stream.close(8), after)
    await once(stream, 'close')
  }
  const counted = () => running.status().routes[0]!.dests[0]!
  await giveUp('/s/Never', 50)
  await giveUp('/s/Begun', 50)
  await eventually(() => counted().inFlight === 0, 'over')
  t.equal(counted().errors, 0, 'given up early')
  await giveUp('/s/Never', 200)
  await eventually(() => counted().errors === 1, 'its deadline')
  await giveUp('/s/Begun', 200)
  await eventually(() => counted().errors === 2, 'its deadline, in mid-answer')
  t.match(running.stats('web', 60).total, { errors: 2 }, 'an analysis sees them')
})

test('what the proxy has to say, it says in gRPC', async t => {
  const mute = await h2cPod(t, () => {})
  const rows: readonly (readonly [
    why: string,
    url: string,
    code: string,
    said: RegExp,
    limits?: { answer: number },
  ])[] = [
    ['nobody listens', `h2c://127.0.0.1:${await deadPort()}`, '14', /no pod behind/],
    ['it does not answer', mute.url, '4', /no answer in time/, { answer: 100 }],
  ]
  for (const [why, url, status, said, limits] of rows) {
    const running = await proxy(t, { table: only(url), ...(limits ? { limits } : {}) })
    const session = open(t, running.url)
    const heard = await call(session, { ...HEADERS, ':path': '/s/Unary' }, message('x'))
    t.match(heard, { status: 200, headers: { 'grpc-status': status, 'grpc-message': said }, body: '', code: 0 }, why)
    await eventually(() => running.stats('web', 60).total.errors === 1, why)
    running.swap(only(url, { match: { pathPrefix: '/x' } }))
    t.match(await call(session, { ...HEADERS, ':path': '/s/Unary' }, 'x'), { headers: { 'grpc-status': '12' } })
  }
})

test('a pod that dies in mid-stream: the client sees a failure, and the next call goes elsewhere', async t => {
  const dying = await h2cPod(t, stream => {
    answering(stream).write(message('first'))
    setTimeout(() => {
      for (const session of dying.sessions) session.socket.destroy()
    }, 30)
  })
  const running = await proxy(t, { table: only(dying.url) })
  const session = open(t, running.url)
  const heard = await call(session, { ...HEADERS, ':path': '/s/Unary' }, message('x'))
  t.same([messages(heard.body), heard.code, heard.trailers['grpc-status']], [['first'], 2, undefined])
  await eventually(() => running.stats('web', 60).total.errors === 1, 'the pod failed')
  running.swap(only((await server(t, 'alive')).url))
  t.equal(await unary(session), 'alive:hi')
})

test('weights are exact over streams, whoever opens them on whichever connection', async t => {
  const [stable, canary] = [await server(t, 'stable'), await server(t, 'canary')]
  const running = await proxy(t, { table: split(stable.url, canary.url, 25) })
  const sessions = [1, 2, 3, 4].map(() => open(t, running.url))
  const all = await Promise.all(Array.from({ length: 200 }, (_, i) => unary(sessions[i % 4]!)))
  t.equal(all.filter(text => text === 'canary:hi').length, 50)
  t.equal(all.filter(text => text === 'stable:hi').length, 150)
})

test('a user who is known by a header stays on a version while the weight grows', async t => {
  const [stable, canary] = [await server(t, 'stable'), await server(t, 'canary')]
  const sticky = (weight: number) => ({
    routes: [
      { ...split(stable.url, canary.url, weight).routes![0]!, sticky: { by: 'header' as const, name: 'x-user' } },
    ],
  })
  const running = await proxy(t, { table: sticky(0) })
  const session = open(t, running.url)
  const users = Array.from({ length: 60 }, (_, i) => ({ 'x-user': `user ${i}` }))
  let before = new Set<number>()
  for (const weight of [20, 60, 100]) {
    running.swap(sticky(weight))
    const now = new Set<number>()
    for (const [i, user] of users.entries()) if ((await unary(session, user)) === 'canary:hi') now.add(i)
    for (const user of before) t.ok(now.has(user), `user ${user} stays at ${weight} %`)
    t.ok(now.size > before.size)
    before = now
  }
  t.equal(before.size, users.length)
})

test('a stream that a pod refuses unread goes to another pod, or to a new connection, body and all', async t => {
  let refused = 0
  const refusing = await h2cPod(t, stream => {
    refused++
    stream.close(7)
  })
  const good = await server(t, 'good')
  const table = (canary: string) => ({
    routes: [{ ...split(good.url, canary, 100).routes![0]!, rescue: {} }],
  })
  const running = await proxy(t, { table: table(refusing.url) })
  const session = open(t, running.url)
  t.equal(await unary(session), 'good:hi')
  t.equal(refused, 1)
  let seen = 0
  const leaving = await h2cPod(t, stream => {
    seen++
    if (seen === 1) {
      // It has not looked at the stream: the last one that it has is 0.
      stream.session?.goaway(0, 0, undefined)
      stream.close(7)
    } else stream.resume().on('end', () => answering(stream).end(message('second time')))
  })
  running.swap(only(leaving.url))
  t.equal(await unary(session), 'second time')
})

test('a pod that allows few streams at once gets more connections, and nobody waits', async t => {
  const open_ = new Set<ServerHttp2Stream>()
  const p = await h2cPod(t, stream => void open_.add(answering(stream)), { maxConcurrentStreams: 4 })
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const calls = Array.from({ length: 18 }, () => call(session, { ...HEADERS, ':path': '/s/Watch' }, message('x')))
  await eventually(() => open_.size === 18, 'all are open at once')
  t.equal(p.sessions.size, 5)
  for (const stream of open_) stream.end(message('done'))
  for (const heard of await Promise.all(calls)) t.match(heard.trailers, FINE)
})

test('draining: streams in flight end in their own time, new ones on their way are served, then the connection ends', async t => {
  const streams: ServerHttp2Stream[] = []
  const p = await h2cPod(t, stream => void streams.push(answering(stream)))
  const running = await proxy(t, { table: only(p.url) })
  const session = open(t, running.url)
  const first = call(session, { ...HEADERS, ':path': '/s/Watch' }, message('x'))
  await eventually(() => streams.length === 1, 'the first is there')
  const notice = once(session, 'goaway')
  const drained = running.drain()
  const [code, last] = await notice
  t.same([code, last], [0, 2 ** 31 - 1], 'a notice that refuses nothing yet (RFC 9113 6.8)')
  for (const stream of streams) {
    stream.write(message('still'))
    stream.end()
  }
  const heard = await first
  t.same([messages(heard.body), heard.trailers['grpc-status'], heard.code], [['still'], '0', 0])
  await drained
})

test('a field that its sender wants in no table is put into none by the proxy either, both ways', async t => {
  const marked = (headers: IncomingHttpHeaders): readonly string[] =>
    (headers as Record<symbol, string[] | undefined>)[sensitiveHeaders as symbol] ?? []
  const seen: (readonly string[])[] = []
  const p = await h2cPod(t, (stream, headers) => {
    seen.push(marked(headers))
    stream.respond({ 'x-plain': 'a', 'x-key': 'b', [sensitiveHeaders]: ['x-key'] }, { endStream: true })
  })
  const session = open(t, (await proxy(t, { table: only(p.url) })).url)
  for (let i = 0; i < 3; i++) {
    const asked = { ':path': '/', 'x-token': 'secret', 'x-other': 'c', [sensitiveHeaders]: ['x-token'] }
    t.match(marked((await call(session, asked)).headers), ['x-key'])
  }
  for (const names of seen) {
    t.ok(names.includes('x-token'))
    t.notOk(names.includes('x-other'))
  }
})

test('a pod that takes more streams than it said at first gets those that wait', async t => {
  const streams: ServerHttp2Stream[] = []
  const p = await h2cPod(t, stream => void streams.push(stream), { maxConcurrentStreams: 1 })
  const running = await proxy(t, { table: only(p.url), limits: { connect: 5000 } })
  const session = open(t, running.url)
  const calls = Array.from({ length: 34 }, () => call(session, { ':path': '/' }))
  await eventually(() => streams.length === 32, 'as many connections as there may be are full')
  for (const pod of p.sessions) pod.settings({ maxConcurrentStreams: 2 })
  await eventually(() => streams.length === 34, 'the last two are there')
  for (const stream of streams) stream.respond({ ':status': 200 }, { endStream: true })
  for (const heard of await Promise.all(calls)) t.equal(heard.status, 200)
})
