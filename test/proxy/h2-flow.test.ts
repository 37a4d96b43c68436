// Frames of HTTP/2 that are right, however they are cut and padded, mean what they say to the pod; and no more of an answer
// is sent than the client's windows let through, to the octet (RFC 9113 5.1.2, 5.2, 6 and 8.1).
import { test } from 'tap'
import {
  BARE,
  data,
  dependence,
  type Fields,
  HEAD,
  head,
  isServed,
  LARGEST,
  more,
  PADDED,
  padded,
  ping,
  pods,
  posting,
  priority,
  reset,
  resetOf,
  settings,
  to,
  trailers,
  WITH_PRIORITY,
  window,
  x,
} from './h2-frames.ts'
import { asking, END_HEADERS, END_STREAM, frame, GET, literals, type RawClient, rawClient, TYPE } from './h2-raw.ts'
import { eventually, only, proxy, rawPod } from './kit.ts'

/** Flags that mean nothing on any frame of a request. */
const NO_FLAGS = 0xd2

test('a request means the same, however its frames are cut and padded', async t => {
  const cut = (block: Buffer, pieces: number): Buffer[] => {
    const size = Math.ceil(block.length / pieces)
    return Array.from({ length: pieces }, (_, i) => block.subarray(i * size, (i + 1) * size))
  }
  const continued = (flags: number, pieces: readonly Buffer[]): Buffer[] =>
    pieces.map((piece, i) =>
      (i > 0 ? more : head)((i > 0 ? 0 : flags) | (i < pieces.length - 1 ? 0 : END_HEADERS), piece),
    )
  const POST: Fields = [[':method', 'POST'], ...GET.slice(1), ['x-a', 'b']]
  const post = literals(POST)
  const withPost = (...frames: Buffer[]): Buffer[] => [head(END_HEADERS, post), ...frames]
  const onHead = (flags: number, payload: Buffer): Buffer[] => [head(BARE | flags, payload)]
  const nothing = Buffer.alloc(0)
  const rows: readonly (readonly [why: string, frames: readonly Buffer[], seen: string, stream?: number])[] = [
    ['as it is', [asking(1)], 'GET / - - -'],
    ['HEADERS with padding', onHead(PADDED, padded(HEAD, 7)), 'GET / - - -'],
    ['of 255 octets', onHead(PADDED, padded(HEAD, 255)), 'GET / - - -'],
    ['of none', onHead(PADDED, padded(HEAD, 0)), 'GET / - - -'],
    ['a priority', onHead(WITH_PRIORITY, Buffer.concat([dependence(7), HEAD])), 'GET / - - -'],
    ['both', onHead(PADDED | WITH_PRIORITY, padded(Buffer.concat([dependence(7), HEAD]), 9)), 'GET / - - -'],
    ['flags that mean nothing', [head(BARE | NO_FLAGS, HEAD)], 'GET / - - -'],
    ['the reserved bit', [asking(2 ** 31 + 1)], 'GET / - - -'],
    ['the last number that there is', [asking(LARGEST)], 'GET / - - -', LARGEST],
    ['HEADERS and CONTINUATION', continued(END_STREAM, cut(HEAD, 2)), 'GET / - - -'],
    ['in many pieces', continued(END_STREAM, cut(HEAD, 24)), 'GET / - - -'],
    ['with pieces of nothing', continued(END_STREAM, [nothing, HEAD, nothing, nothing]), 'GET / - - -'],
    [
      'padding is of HEADERS alone',
      [head(END_STREAM | PADDED, padded(HEAD.subarray(0, 20), 30)), more(END_HEADERS | PADDED, HEAD.subarray(20))],
      'GET / - - -',
    ],
    [
      'END_STREAM is of HEADERS alone',
      [head(0, post.subarray(0, 9)), more(BARE, post.subarray(9)), data(END_STREAM, 'c')],
      'POST / b c -',
    ],
    ['a body', withPost(data(0, 'abc'), data(END_STREAM, 'def')), 'POST / b abcdef -'],
    [
      'with padding',
      withPost(data(PADDED, padded('abc', 200)), data(PADDED | END_STREAM, padded('def', 1))),
      'POST / b abcdef -',
    ],
    ['with no padding', withPost(data(PADDED | END_STREAM, padded('abc', 0))), 'POST / b abc -'],
    [
      'frames of padding alone',
      withPost(data(PADDED, padded('', 9)), data(PADDED | END_STREAM, padded('a', 255))),
      'POST / b a -',
    ],
    ['an end of padding alone', withPost(data(0, 'abc'), data(PADDED | END_STREAM, padded('', 9))), 'POST / b abc -'],
    [
      'frames without an octet',
      withPost(data(0, ''), data(0, 'abc'), data(0, ''), data(END_STREAM, '')),
      'POST / b abc -',
    ],
    ['flags that mean nothing on DATA', withPost(data(END_STREAM | 0xf6, 'abc')), 'POST / b abc -'],
    ['the reserved bit on DATA', withPost(data(END_STREAM, 'abc', 2 ** 31 + 1)), 'POST / b abc -'],
    ['a body of nothing', withPost(data(END_STREAM, '')), 'POST / b - -'],
    ['trailers', withPost(data(0, 'abc'), trailers(['x-end', 'z'])), 'POST / b abc z'],
    ['trailers without a body', withPost(trailers(['x-end', 'z'])), 'POST / b - z'],
    [
      'trailers with padding',
      withPost(data(0, 'a'), head(BARE | PADDED, padded(literals([['x-end', 'z']]), 5))),
      'POST / b a z',
    ],
    [
      'trailers in pieces',
      withPost(data(0, 'a'), ...continued(END_STREAM, cut(literals([['x-end', 'z']]), 5))),
      'POST / b a z',
    ],
    ['trailers without a field', withPost(data(0, 'a'), head(BARE, '')), 'POST / b a -'],
    [
      'a length that is kept, with padding',
      [
        head(END_HEADERS, literals([...POST, ['content-length', '3']])),
        data(PADDED, padded('ab', 100)),
        data(PADDED | END_STREAM, padded('c', 100)),
      ],
      'POST / b abc -',
    ],
    [
      'others in between',
      withPost(
        priority(1, 3),
        frame(0xbe, 0, 1),
        ping('12345678'),
        data(0, 'abc'),
        settings(),
        window(1, 5),
        data(END_STREAM, 'd'),
      ),
      'POST / b abcd -',
    ],
    [
      'another stream in between',
      withPost(data(0, 'ab'), posting(3, ['x-a', 'other']), data(0, 'XX', 3), data(END_STREAM, 'cd'), reset(3)),
      'POST / b abcd -',
    ],
    ['HEAD', [asking(1, [[':method', 'HEAD'], ...GET.slice(1)])], 'HEAD / - - -'],
    [
      'a field of the table, put there by a head that is malformed',
      [
        head(BARE, Buffer.concat([HEAD, Buffer.from('\x40\x03x-a\x01b\0\x01X\x01y')])),
        head(BARE, Buffer.concat([HEAD, Buffer.from([0xbe])]), 3),
      ],
      'GET / b - -',
      3,
    ],
    [
      'one put there by trailers on a stream that was given up',
      [
        head(END_HEADERS, literals([...POST, ['X', 'y']])),
        head(BARE, Buffer.from('\x40\x03x-a\x01b')),
        head(BARE, Buffer.concat([HEAD, Buffer.from([0xbe])]), 3),
      ],
      'GET / b - -',
      3,
    ],
    [
      'who says GOAWAY may still ask',
      [frame(TYPE.goaway, 0, 0, x(8)), head(BARE, Buffer.concat([HEAD, Buffer.from('\x40\x03x-a\x01b')]))],
      'GET / b - -',
    ],
  ]
  const { urls, seen } = await pods(t)
  for (const url of urls) {
    const running = await proxy(t, { table: only(url) })
    for (const [why, frames, wanted, stream = 1] of rows) {
      const client = rawClient(t, running.port)
      client.send(...frames)
      await eventually(() => isServed(client, stream), why).catch(() => {})
      t.ok(isServed(client, stream), why)
      t.same(seen.splice(0), [wanted], why)
      client.socket.destroy()
    }
  }
})

/** Waits until all that may be sent has come: what is answered in two turns was not the first thing to be sent. */
async function quiet(client: RawClient): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const soFar = client.heard.filter(f => f.type === TYPE.ping).length
    client.send(ping('12345678'))
    await eventually(() => client.heard.filter(f => f.type === TYPE.ping).length > soFar, 'PING is answered')
  }
}

test('PING and SETTINGS are answered once each, and what answers them is not', async t => {
  const { urls } = await pods(t)
  const running = await proxy(t, { table: only(urls[0]!) })
  const client = rawClient(t, running.port)
  client.send(settings([4, 70_000]), frame(TYPE.ping, 1, 0, 'answered'), settings(), ping('question'))
  client.send(frame(TYPE.settings, 1, 0), ping('\0\xff345678'))
  await quiet(client)
  const of = (type: number): string[] =>
    client.heard.filter(f => f.type === type).map(f => `${f.flags} ${f.stream} ${f.payload.toString('latin1')}`)
  t.same(of(TYPE.ping), ['1 0 question', '1 0 \0\xff345678', '1 0 12345678', '1 0 12345678'])
  t.same(of(TYPE.settings).slice(1), ['1 0 ', '1 0 ', '1 0 '])
})

test('no octet is sent that the windows do not let through', async t => {
  // Frames, and the sizes of the DATA frames that come of them, on each stream; a dot is their end.
  type Step = readonly [frames: readonly Buffer[], stream1: string, stream3?: string]
  const rows: readonly (readonly [why: string, steps: readonly Step[]])[] = [
    [
      'none, and then one octet after the other',
      [
        [[settings([4, 0]), to('/3')], ''],
        [[window(1, 1)], '1'],
        [[window(1, 1)], '1 1'],
        [[window(1, 1)], '1 1 1.'],
      ],
    ],
    [
      'one octet',
      [
        [[settings([4, 1]), to('/3')], '1'],
        [[window(1, 9)], '1 2.'],
      ],
    ],
    ['as many as it takes', [[[settings([4, 3]), to('/3')], '3.']]],
    ['none for an answer of nothing', [[[settings([4, 0]), to('/0')], '.']]],
    [
      'an update that comes before its octets',
      [
        [[settings([4, 0]), posting(1), window(1, 5), data(END_STREAM, '')], '5'],
        [[window(1, 99)], '5 7.'],
      ],
    ],
    [
      'a setting that opens it',
      [
        [[settings([4, 0]), to('/3')], ''],
        [[settings([4, 2])], '2'],
        [[settings([4, 9])], '2 1.'],
      ],
    ],
    [
      'one that brings it below nothing',
      [
        [[settings([4, 10]), to('/30')], '10'],
        [[settings([4, 4])], '10'],
        [[window(1, 5)], '10'],
        [[window(1, 1)], '10'],
        [[window(1, 1)], '10 1'],
        [[settings([4, 8])], '10 1 4'],
        [[window(1, 100)], '10 1 4 15.'],
      ],
    ],
    ['the last of two settings in one frame', [[[settings([4, 100], [4, 1]), to('/3')], '1']]],
    [
      'a setting holds for streams to come',
      [
        [[to('/3')], '3.'],
        [[settings([4, 1]), to('/3', 3)], '3.', '1'],
      ],
    ],
    [
      'one stream does not wait for another',
      [
        [[settings([4, 2]), to('/3'), to('/3', 3)], '2', '2'],
        [[window(3, 1)], '2', '2 1.'],
        [[window(1, 1)], '2 1.', '2 1.'],
      ],
    ],
    [
      'frames of 2^14 octets, whatever the client may take',
      [[[settings([4, 100_000], [5, 100_000]), to('/40000')], '16384 16384 7232.']],
    ],
    [
      'a window of all streams',
      [
        [[settings([4, 100_000]), to('/65000')], '16384 16384 16384 15848.'],
        [[to('/1000', 3)], '16384 16384 16384 15848.', '535'],
        [[window(3, 1000)], '16384 16384 16384 15848.', '535'],
        [[window(0, 5)], '16384 16384 16384 15848.', '535 5'],
        [[window(0, 9999)], '16384 16384 16384 15848.', '535 5 460.'],
      ],
    ],
    [
      'both',
      [
        [[window(0, 1), to('/70000')], '16384 16384 16384 16383'],
        [[window(1, 3)], '16384 16384 16384 16383 1'],
        [[window(0, 1)], '16384 16384 16384 16383 1 1'],
        [[window(0, 9999)], '16384 16384 16384 16383 1 1 1'],
        [[window(1, 9999)], '16384 16384 16384 16383 1 1 1 4462.'],
      ],
    ],
    [
      'a stream that was reset leaves what it had to others',
      [
        [[settings([4, 0]), to('/9'), to('/9', 3)], ''],
        [[reset(1), window(0, 1), window(1, 9), window(3, 9)], '', '9.'],
      ],
    ],
  ]
  const { urls } = await pods(t)
  const sizes = (client: RawClient, stream: number): string => {
    const own = client.heard.filter(f => f.stream === stream && f.type <= TYPE.headers)
    const pieces = own.flatMap(f => (f.type === TYPE.data && f.payload.length > 0 ? [f.payload.length] : []))
    return pieces.join(' ') + (own.some(f => (f.flags & END_STREAM) !== 0) ? '.' : '')
  }
  for (const url of urls) {
    const running = await proxy(t, { table: only(url) })
    for (const [why, steps] of rows) {
      const client = rawClient(t, running.port)
      for (const [i, [frames, wanted, third = '']] of steps.entries()) {
        client.send(...frames)
        const is = (): boolean => sizes(client, 1) === wanted && sizes(client, 3) === third
        await eventually(is, why, 500).catch(() => {})
        await quiet(client)
        t.same([sizes(client, 1), sizes(client, 3)], [wanted, third], `${why}, step ${i + 1} (${url.split(':')[0]})`)
      }
      t.equal(client.goaway(), undefined, why)
      client.socket.destroy()
    }
  }
})

test('streams beyond the number that is allowed are refused, and others go on', async t => {
  const { urls } = await pods(t)
  const running = await proxy(t, { table: only(urls[1]!) })
  const client = rawClient(t, running.port)
  for (let id = 1; id < 500; id += 2) client.send(to('/hold', id))
  client.send(asking(501), asking(503), reset(7))
  await eventually(() => resetOf(client, 503) !== undefined, 'refused')
  t.same([resetOf(client, 501), resetOf(client, 503)], [7, 7])
  client.send(asking(505))
  await eventually(() => isServed(client, 505), 'one that takes the place of another')
  t.equal(client.heard.filter(f => f.type === TYPE.reset).length, 2, 'and no other is')
})

test('a client that sends more than it was allowed is stopped, on a stream or on all', async t => {
  const mute = await rawPod(t, socket => socket.pause())
  const running = await proxy(t, { table: only(mute.url) })
  const client = rawClient(t, running.port)
  client.send(posting(1))
  // What the kernel takes is allowed: nobody knows how much that is.
  for (let sent = 0; resetOf(client, 1) === undefined && sent < 64 * 1024 * 1024; sent += 16_384) {
    client.send(data(0, x(16_384)))
    await new Promise(done => setImmediate(done))
  }
  await eventually(() => resetOf(client, 1) !== undefined, 'it is reset').catch(() => {})
  t.equal(resetOf(client, 1), 3, 'FLOW_CONTROL_ERROR')
  t.equal(client.goaway(), undefined)
  const greedy = rawClient(t, running.port)
  for (let id = 1; id < 40; id += 2)
    greedy.send(posting(id), ...Array.from({ length: 15 }, () => data(0, x(16_384), id)))
  for (let i = 0; greedy.goaway() === undefined && i < 4000; i++) {
    greedy.send(data(0, x(16_384), 1 + 2 * (i % 20)))
    await new Promise(done => setImmediate(done))
  }
  await eventually(() => greedy.goaway() !== undefined || greedy.isClosed(), 'it ends').catch(() => {})
  t.equal(greedy.goaway(), 3, 'FLOW_CONTROL_ERROR for all')
})

test('an answer that its pod has given whole goes on as its client takes it', async t => {
  const { urls } = await pods(t)
  for (const url of urls)
    for (const size of [40_000, 150_000]) {
      const running = await proxy(t, { table: only(url) })
      const client = rawClient(t, running.port)
      client.send(settings([4, 1000]), to(`/${size}`))
      const came = (): number => client.heard.reduce((sum, f) => sum + (f.type === TYPE.data ? f.payload.length : 0), 0)
      for (let wanted = 1000; wanted < size && resetOf(client, 1) === undefined; wanted += 3000) {
        await eventually(() => came() === wanted || resetOf(client, 1) !== undefined, `${wanted} octets`)
        client.send(window(1, 3000), window(0, 3000))
      }
      await eventually(() => isServed(client, 1) || resetOf(client, 1) !== undefined, 'its end')
      t.same([came(), resetOf(client, 1)], [size, undefined], `${size} octets (${url.split(':')[0]})`)
    }
})

test('padding is given back to the windows', async t => {
  const { urls } = await pods(t)
  const running = await proxy(t, { table: only(urls[0]!) })
  const client = rawClient(t, running.port)
  client.send(posting(1))
  // What may be sent on all together, and on the stream, by what the proxy said.
  const allowed = (stream: number): number =>
    client.heard
      .filter(f => f.type === TYPE.window && f.stream === stream)
      .reduce((sum, f) => sum + f.payload.readUInt32BE(), stream === 0 ? 65_535 : 256 * 1024)
  const one = data(PADDED, padded('x', 255))
  for (let sent = 0; sent < 4_000_000; sent += 100 * 257) {
    await eventually(() => Math.min(allowed(0), allowed(1)) >= sent + 100 * 257, `more than ${sent} octets`)
    client.send(...Array.from({ length: 100 }, () => one))
  }
  client.send(data(END_STREAM, ''))
  await eventually(() => isServed(client, 1), 'it is served')
  t.equal(client.goaway(), undefined)
})
