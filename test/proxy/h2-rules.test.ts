// What RFC 9113 says of each frame that is wrong, or looks it: the connection ends, the stream ends while others are served, or
// nothing happens at all. Numbers in front are its sections.
import { test } from 'tap'
import {
  and,
  BARE,
  data,
  dependence,
  HEAD,
  head,
  isServed,
  LARGEST,
  more,
  PADDED,
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
  without,
  x,
} from './h2-frames.ts'
import {
  asking,
  code,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  literals,
  PREFACE,
  type RawClient,
  rawClient,
  TYPE,
} from './h2-raw.ts'
import { eventually, only, proxy, wire } from './kit.ts'

const PUSH_PROMISE = 5
const UNKNOWN = 0xbe

const PROTOCOL = 1
const FLOW_CONTROL = 3
const STREAM_CLOSED = 5
const FRAME_SIZE = 6
const COMPRESSION = 9

/** What stream 1 has come to before. */
const STATES: Readonly<Record<string, readonly [frames: readonly Buffer[], is: (client: RawClient) => boolean]>> = {
  idle: [[], () => true],
  open: [[posting(1)], () => true],
  'half closed': [[to('/hold')], () => true],
  closed: [[asking(1)], client => isServed(client, 1)],
  'reset here': [[and(['X', 'y'])], client => resetOf(client, 1) !== undefined],
  'reset by the client': [[posting(1), reset(1)], () => true],
}

type Expected = readonly [what: 'ends' | 'resets' | 'served', code?: number]
const ends = (why: number): Expected => ['ends', why]
const resets = (why: number): Expected => ['resets', why]
const SERVED: Expected = ['served']
type Row = readonly [why: string, state: keyof typeof STATES, frames: readonly Buffer[], expected: Expected]

const ROWS: readonly Row[] = [
  ['4.1: an unknown type', 'idle', [frame(UNKNOWN, 0, 0, 'octets')], SERVED],
  ['4.1: the same on a stream', 'open', [frame(UNKNOWN, 0xff, 1), data(END_STREAM, 'x')], SERVED],
  ['4.1: the same on a stream that is idle', 'idle', [frame(UNKNOWN, 0, 7)], SERVED],
  ['4.1: unknown flags of PING', 'idle', [frame(TYPE.ping, 0xfe, 0, x(8))], SERVED],
  ['4.1: of SETTINGS', 'idle', [frame(TYPE.settings, 0xfe, 0)], SERVED],
  ['4.1: of RST_STREAM', 'open', [frame(TYPE.reset, 0xff, 1, code(8))], SERVED],
  ['4.1: of WINDOW_UPDATE', 'open', [frame(TYPE.window, 0xff, 1, code(1))], SERVED],
  ['4.1: of PRIORITY', 'open', [frame(TYPE.priority, 0xff, 1, dependence(3))], SERVED],
  ['4.1: of GOAWAY', 'open', [frame(TYPE.goaway, 0xff, 0, x(8))], SERVED],
  ['4.2: DATA of 2^14 octets', 'open', [data(END_STREAM, x(16_384))], SERVED],
  ['4.2: an unknown frame of 2^14', 'idle', [frame(UNKNOWN, 0, 0, x(16_384))], SERVED],
  ['4.2: one more, of DATA', 'open', [data(END_STREAM, x(16_385))], ends(FRAME_SIZE)],
  ['4.2: of HEADERS', 'idle', [head(BARE, x(16_385))], ends(FRAME_SIZE)],
  ['4.2: of CONTINUATION', 'idle', [head(END_STREAM, HEAD), more(END_HEADERS, x(16_385))], ends(FRAME_SIZE)],
  ['4.2: of SETTINGS', 'idle', [frame(TYPE.settings, 0, 0, x(16_386))], ends(FRAME_SIZE)],
  ['4.2: of an unknown type', 'idle', [frame(UNKNOWN, 0, 0, x(16_385))], ends(FRAME_SIZE)],
  ['4.2: only the head of it', 'idle', [Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])], ends(FRAME_SIZE)],
  ['4.3: a block that is no HPACK', 'idle', [head(BARE, '\x80')], ends(COMPRESSION)],
  ['4.3: in CONTINUATION', 'idle', [head(END_STREAM, HEAD), more(END_HEADERS, '\x80')], ends(COMPRESSION)],
  ['4.3: in trailers', 'open', [head(BARE, '\xff')], ends(COMPRESSION)],
  ['4.3: on a stream that was reset here', 'reset here', [head(BARE, '\x80')], ends(COMPRESSION)],
  [
    '4.3: a size update at the end',
    'idle',
    [head(BARE, Buffer.concat([HEAD, Buffer.from([0x20])]))],
    ends(COMPRESSION),
  ],
  ['5.1, idle: DATA', 'idle', [data(0, 'x')], ends(PROTOCOL)],
  ['5.1, idle: DATA without an octet', 'idle', [data(END_STREAM, '')], ends(PROTOCOL)],
  ['5.1, idle: DATA on one to come', 'open', [data(0, 'x', 3)], ends(PROTOCOL)],
  ['5.1, idle: DATA on an even number', 'open', [data(0, 'x', 2)], ends(PROTOCOL)],
  ['5.1, idle: on one below the last', 'closed', [asking(5), data(0, 'x', 4)], ends(PROTOCOL)],
  ['5.1, idle: RST_STREAM', 'idle', [reset(1)], ends(PROTOCOL)],
  ['5.1, idle: WINDOW_UPDATE', 'idle', [window(1, 100)], ends(PROTOCOL)],
  ['5.1, idle: CONTINUATION', 'idle', [more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['5.1, idle: PRIORITY', 'idle', [priority(1, 3)], SERVED],
  ['5.1, half closed: DATA', 'half closed', [data(END_STREAM, 'x')], resets(STREAM_CLOSED)],
  ['5.1, half closed: HEADERS', 'half closed', [asking(1)], resets(STREAM_CLOSED)],
  ['5.1, half closed: trailers', 'half closed', [trailers(['x', 'y'])], resets(STREAM_CLOSED)],
  ['5.1, half closed: CONTINUATION', 'half closed', [more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['5.1, half closed: WINDOW_UPDATE', 'half closed', [window(1, 100)], SERVED],
  ['5.1, half closed: PRIORITY', 'half closed', [priority(1, 3)], SERVED],
  ['5.1, half closed: RST_STREAM', 'half closed', [reset(1)], SERVED],
  ['5.1, closed: DATA', 'closed', [data(END_STREAM, 'x')], resets(STREAM_CLOSED)],
  ['5.1, closed: HEADERS', 'closed', [asking(1)], ends(STREAM_CLOSED)],
  ['5.1, closed: CONTINUATION', 'closed', [more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['5.1, closed: WINDOW_UPDATE', 'closed', [window(1, 100)], SERVED],
  ['5.1, closed: PRIORITY', 'closed', [priority(1, 3)], SERVED],
  ['5.1, closed: RST_STREAM', 'closed', [reset(1)], SERVED],
  ['5.1, reset here: DATA', 'reset here', [data(0, 'x'), data(END_STREAM, 'x')], SERVED],
  ['5.1, reset here: HEADERS', 'reset here', [asking(1)], SERVED],
  ['5.1, reset here: trailers', 'reset here', [trailers(['x', 'y'])], SERVED],
  ['5.1, reset here: WINDOW_UPDATE', 'reset here', [window(1, 100), window(1, LARGEST)], SERVED],
  ['5.1, reset here: PRIORITY', 'reset here', [priority(1, 3)], SERVED],
  ['5.1, reset here: RST_STREAM', 'reset here', [reset(1), reset(1)], SERVED],
  ['5.1, reset here: CONTINUATION', 'reset here', [more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['5.1, reset by the client: DATA', 'reset by the client', [data(END_STREAM, 'x')], resets(STREAM_CLOSED)],
  ['5.1, reset by the client: HEADERS', 'reset by the client', [asking(1)], ends(STREAM_CLOSED)],
  ['5.1, reset by the client: CONTINUATION', 'reset by the client', [more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['5.1, reset by the client: the same again', 'reset by the client', [reset(1)], SERVED],
  ['5.1, reset by the client: WINDOW_UPDATE', 'reset by the client', [window(1, 100)], SERVED],
  ['5.1.1: an even number', 'idle', [asking(2)], ends(PROTOCOL)],
  ['5.1.1: number 0', 'idle', [asking(0)], ends(PROTOCOL)],
  ['5.1.1: a number that was left out', 'idle', [asking(5), asking(3)], ends(PROTOCOL)],
  ['5.1.1: DATA on a number beyond the last', 'closed', [asking(5), data(0, 'x', 7)], ends(PROTOCOL)],
  [
    '5.3.1: HEADERS that depend on themselves',
    'idle',
    [head(BARE | WITH_PRIORITY, Buffer.concat([dependence(1), HEAD]))],
    resets(PROTOCOL),
  ],
  ['5.3.1: PRIORITY that depends on itself', 'open', [priority(1, 1)], resets(PROTOCOL)],
  ['5.3.1: the same on an idle stream', 'idle', [priority(1, 1)], ends(PROTOCOL)],
  ['5.3.1: PRIORITY, exclusively', 'open', [priority(1, 2 ** 31 + 3)], SERVED],
  ['5.5: an unknown frame in a block', 'idle', [head(END_STREAM, HEAD), frame(UNKNOWN, 0, 0)], ends(PROTOCOL)],
  ['6.1: DATA on stream 0', 'open', [data(0, 'x', 0)], ends(PROTOCOL)],
  ['6.1: as much padding as the frame has octets', 'open', [data(PADDED | END_STREAM, '\x04xxx')], ends(PROTOCOL)],
  ['6.1: more', 'open', [data(PADDED, '\xffxxx')], ends(PROTOCOL)],
  ['6.1: DATA of nothing but the length of its padding', 'open', [data(PADDED, '\x01')], ends(PROTOCOL)],
  [
    '6.2: HEADERS with as much padding',
    'idle',
    [head(BARE | PADDED, Buffer.concat([Buffer.from([HEAD.length + 1]), HEAD]))],
    ends(PROTOCOL),
  ],
  ['6.2: a short one with more', 'idle', [head(BARE | PADDED, '\x05xxx')], ends(PROTOCOL)],
  [
    '6.2: more padding behind a priority',
    'idle',
    [head(BARE | PADDED | WITH_PRIORITY, '\x02\0\0\0\x03\x0fx')],
    ends(PROTOCOL),
  ],
  ['6.2: no octet for padding', 'idle', [head(BARE | PADDED, '')], ends(FRAME_SIZE)],
  ['6.2: no room for a priority', 'idle', [head(BARE | WITH_PRIORITY, '\0\0\0\x03')], ends(FRAME_SIZE)],
  ['6.3: PRIORITY on stream 0', 'idle', [priority(0, 3)], ends(PROTOCOL)],
  ['6.3: PRIORITY of 4 octets', 'open', [frame(TYPE.priority, 0, 1, x(4))], ends(FRAME_SIZE)],
  ['6.3: PRIORITY of 6 octets', 'open', [frame(TYPE.priority, 0, 1, x(6))], ends(FRAME_SIZE)],
  ['6.4: RST_STREAM on stream 0', 'open', [reset(0)], ends(PROTOCOL)],
  ['6.4: RST_STREAM of 3 octets', 'open', [frame(TYPE.reset, 0, 1, x(3))], ends(FRAME_SIZE)],
  ['6.4: RST_STREAM of 5 octets', 'open', [frame(TYPE.reset, 0, 1, x(5))], ends(FRAME_SIZE)],
  ['6.5: ACK with a payload', 'idle', [frame(TYPE.settings, 1, 0, x(6))], ends(FRAME_SIZE)],
  ['6.5: ACK that nobody waits for', 'idle', [frame(TYPE.settings, 1, 0), frame(TYPE.settings, 1, 0)], SERVED],
  ['6.5: SETTINGS on a stream', 'open', [frame(TYPE.settings, 0, 1)], ends(PROTOCOL)],
  ['6.5: SETTINGS of 5 octets', 'idle', [frame(TYPE.settings, 0, 0, x(5))], ends(FRAME_SIZE)],
  ['6.5.2: pushes, 2', 'idle', [settings([2, 2])], ends(PROTOCOL)],
  ['6.5.2: pushes, 0 and 1', 'idle', [settings([2, 0], [2, 1])], SERVED],
  ['6.5.2: a window of 2^31', 'idle', [settings([4, 2 ** 31])], ends(FLOW_CONTROL)],
  ['6.5.2: a window of 2^31 - 1', 'idle', [settings([4, LARGEST])], SERVED],
  ['6.5.2: frames of 2^14 - 1', 'idle', [settings([5, 2 ** 14 - 1])], ends(PROTOCOL)],
  ['6.5.2: frames of 2^24', 'idle', [settings([5, 2 ** 24])], ends(PROTOCOL)],
  ['6.5.2: frames of 2^14, and of 2^24 - 1', 'idle', [settings([5, 2 ** 14], [5, 2 ** 24 - 1])], SERVED],
  ['6.5.2: a wrong value behind a right one', 'idle', [settings([1, 0], [2, 2])], ends(PROTOCOL)],
  ['6.5.2: no table', 'closed', [settings([1, 0])], SERVED],
  ['6.5.2: a table of 2^32 - 1', 'closed', [settings([1, 2 ** 32 - 1])], SERVED],
  ['6.5.2: no streams, which is of pushes', 'idle', [settings([3, 0])], SERVED],
  ['6.5.2: an unknown setting', 'idle', [settings([0xff, 2 ** 32 - 1], [0, 1])], SERVED],
  ['6.6: PUSH_PROMISE', 'open', [frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([code(2), HEAD]))], ends(PROTOCOL)],
  ['6.6: on stream 0', 'idle', [frame(PUSH_PROMISE, END_HEADERS, 0, Buffer.concat([code(2), HEAD]))], ends(PROTOCOL)],
  ['6.7: PING on a stream', 'open', [frame(TYPE.ping, 0, 1, x(8))], ends(PROTOCOL)],
  ['6.7: PING of 6 octets', 'idle', [frame(TYPE.ping, 0, 0, x(6))], ends(FRAME_SIZE)],
  ['6.7: PING of 9 octets', 'idle', [frame(TYPE.ping, 0, 0, x(9))], ends(FRAME_SIZE)],
  ['6.7: an answer to PING of 7 octets', 'idle', [frame(TYPE.ping, 1, 0, x(7))], ends(FRAME_SIZE)],
  ['6.8: GOAWAY on a stream', 'open', [frame(TYPE.goaway, 0, 1, x(8))], ends(PROTOCOL)],
  ['6.8: GOAWAY of 7 octets', 'open', [frame(TYPE.goaway, 0, 0, x(7))], ends(FRAME_SIZE)],
  ['6.8: GOAWAY with words', 'open', [frame(TYPE.goaway, 0, 0, x(100)), data(END_STREAM, 'x')], SERVED],
  ['6.9: WINDOW_UPDATE of 0', 'open', [window(0, 0)], ends(PROTOCOL)],
  ['6.9: of 0 without the reserved bit', 'open', [window(0, 2 ** 31)], ends(PROTOCOL)],
  ['6.9: of 0 on a stream', 'open', [window(1, 0)], resets(PROTOCOL)],
  ['6.9: WINDOW_UPDATE of 3 octets', 'open', [frame(TYPE.window, 0, 1, x(3))], ends(FRAME_SIZE)],
  ['6.9: WINDOW_UPDATE of 5 octets', 'open', [frame(TYPE.window, 0, 0, x(5))], ends(FRAME_SIZE)],
  ['6.9.1: as much as there can be', 'open', [window(0, LARGEST - 65_535), window(1, LARGEST - 65_535)], SERVED],
  ['6.9.1: one more', 'open', [window(0, LARGEST - 65_534)], ends(FLOW_CONTROL)],
  ['6.9.1: in two steps', 'open', [window(0, LARGEST), window(0, LARGEST)], ends(FLOW_CONTROL)],
  ['6.9.1: one more on a stream', 'open', [window(1, LARGEST - 65_534)], resets(FLOW_CONTROL)],
  ['6.9.2: too much by a setting', 'open', [window(1, LARGEST - 65_535), settings([4, 65_536])], ends(FLOW_CONTROL)],
  ['6.10: CONTINUATION behind a head', 'idle', [posting(1), more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  [
    '6.10: behind one that ended',
    'idle',
    [head(END_STREAM, HEAD), more(END_HEADERS, ''), more(END_HEADERS, '')],
    ends(PROTOCOL),
  ],
  ['6.10: behind DATA', 'open', [data(0, 'x'), more(END_HEADERS, HEAD)], ends(PROTOCOL)],
  ['6.10: on stream 0', 'idle', [head(END_STREAM, HEAD), more(END_HEADERS, '', 0)], ends(PROTOCOL)],
  ['6.10: on another stream', 'open', [head(END_STREAM, HEAD, 3), more(END_HEADERS, '', 1)], ends(PROTOCOL)],
  ['6.10: HEADERS in a block', 'idle', [head(END_STREAM, HEAD), asking(3)], ends(PROTOCOL)],
  ['6.10: HEADERS of the same stream in a block', 'idle', [head(END_STREAM, HEAD), asking(1)], ends(PROTOCOL)],
  ['6.10: DATA in a block', 'idle', [head(0, HEAD), data(END_STREAM, 'x')], ends(PROTOCOL)],
  ['6.10: PRIORITY in a block', 'idle', [head(END_STREAM, HEAD), priority(1, 3)], ends(PROTOCOL)],
  [
    '6.10: PING in a block, behind CONTINUATION',
    'idle',
    [head(END_STREAM, HEAD), more(0, ''), frame(TYPE.ping, 0, 0, x(8))],
    ends(PROTOCOL),
  ],
  ['6.10: RST_STREAM in a block', 'open', [head(END_STREAM, HEAD, 3), reset(1)], ends(PROTOCOL)],
  [
    '7: GOAWAY with an unknown code',
    'open',
    [frame(TYPE.goaway, 0, 0, Buffer.concat([code(0), code(0xff)])), data(END_STREAM, 'x')],
    SERVED,
  ],
  ['7: RST_STREAM with an unknown code', 'open', [reset(1, 0xffffffff)], SERVED],
  ['8.1: a second head that ends nothing', 'open', [head(END_HEADERS, literals([['x', 'y']]))], resets(PROTOCOL)],
  ['8.1: a pseudo-field in trailers', 'open', [trailers([':method', 'POST'])], resets(PROTOCOL)],
  ['8.1: a whole second request', 'open', [asking(1)], resets(PROTOCOL)],
  [
    '8.1.1: a body that is shorter',
    'idle',
    [posting(1, ['content-length', '5']), data(END_STREAM, 'abc')],
    resets(PROTOCOL),
  ],
  [
    '8.1.1: in pieces',
    'idle',
    [posting(1, ['content-length', '5']), data(0, 'ab'), data(END_STREAM, 'cd')],
    resets(PROTOCOL),
  ],
  [
    '8.1.1: with trailers',
    'idle',
    [posting(1, ['content-length', '5']), data(0, 'ab'), trailers(['x', 'y'])],
    resets(PROTOCOL),
  ],
  ['8.1.1: longer', 'idle', [posting(1, ['content-length', '5']), data(0, 'abc'), data(0, 'def')], resets(PROTOCOL)],
  [
    '8.1.1: longer, at its end',
    'idle',
    [posting(1, ['content-length', '5']), data(END_STREAM, 'abcdef')],
    resets(PROTOCOL),
  ],
  ['8.1.1: none', 'idle', [and(['content-length', '5'])], resets(PROTOCOL)],
  [
    '8.1.1: some where there is none',
    'idle',
    [posting(1, ['content-length', '0']), data(END_STREAM, 'a')],
    resets(PROTOCOL),
  ],
  ['8.2.1: a capital', 'idle', [and(['X-a', 'b'])], resets(PROTOCOL)],
  ['8.2.1: a capital in trailers', 'open', [trailers(['X', 'y'])], resets(PROTOCOL)],
  ['8.2.2: Connection', 'idle', [and(['connection', 'keep-alive'])], resets(PROTOCOL)],
  ['8.2.2: Connection in trailers', 'open', [trailers(['connection', 'close'])], resets(PROTOCOL)],
  ['8.2.2: TE that is not trailers', 'idle', [and(['te', 'trailers, deflate'])], resets(PROTOCOL)],
  ['8.3: an unknown pseudo-field', 'idle', [and([':test', 'x'])], resets(PROTOCOL)],
  ['8.3: one of answers', 'idle', [and([':status', '200'])], resets(PROTOCOL)],
  ['8.3: one behind a field', 'idle', [without(':path', ['x', 'y'], [':path', '/'])], resets(PROTOCOL)],
  ...[':method', ':scheme', ':path'].flatMap((name): Row[] => [
    [`8.3.1: no ${name}`, 'idle', [without(name)], resets(PROTOCOL)],
    [`8.3.1: ${name} twice`, 'idle', [and([name, GET.find(([n]) => n === name)![1]])], resets(PROTOCOL)],
  ]),
  ['8.3.1: an empty :path', 'idle', [without(':path', [':path', ''])], resets(PROTOCOL)],
]

test('what comes of each frame', async t => {
  const { urls } = await pods(t)
  for (const url of urls) {
    const running = await proxy(t, { table: only(url) })
    for (const [what, state, frames, [end, why]] of ROWS) {
      const row = `${what} (${url.split(':')[0]})`
      const client = rawClient(t, running.port)
      const [before, is] = STATES[state]!
      client.send(...before)
      await eventually(() => is(client), `${row}: ${state}`)
      const soFar = client.heard.length
      client.send(...frames)
      const isOver = (): boolean => client.goaway() !== undefined || client.isClosed()
      if (end === 'ends') {
        await eventually(isOver, row).catch(() => {})
        t.equal(client.goaway(), why, row)
        await eventually(client.isClosed, `${row}: closed`)
        continue
      }
      if (end === 'resets')
        await eventually(() => resetOf(client, 1, soFar) !== undefined || isOver(), row).catch(() => {})
      client.send(asking(99))
      await eventually(() => isServed(client, 99) || isOver(), row).catch(() => {})
      t.ok(isServed(client, 99), `${row}: another stream is served`)
      t.equal(resetOf(client, 1, soFar), why, row)
      t.equal(client.goaway(), undefined, row)
      client.socket.destroy()
    }
    await eventually(() => running.status().routes[0]?.dests[0]?.inFlight === 0, 'nothing is left in flight')
  }
})

test('the preface', async t => {
  const { urls } = await pods(t)
  const running = await proxy(t, { table: only(urls[0]!) })
  const text = (...octets: Buffer[]): string => Buffer.concat(octets).toString('latin1')
  const empty = settings()
  const rows: readonly (readonly [why: string, octets: string, code: number | undefined])[] = [
    ['another second half', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', PROTOCOL],
    ['one that ends otherwise', `${text(PREFACE).slice(0, -1)}x`, PROTOCOL],
    ['another version', 'PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n', undefined],
    ['it comes twice', text(PREFACE, PREFACE), FRAME_SIZE],
    ['PING before SETTINGS', text(PREFACE, ping('12345678')), PROTOCOL],
    ['a request before SETTINGS', text(PREFACE, asking(1)), PROTOCOL],
    ['an unknown frame before SETTINGS', text(PREFACE, frame(0xbe, 0, 0)), PROTOCOL],
    ['an answer to SETTINGS before SETTINGS', text(PREFACE, frame(TYPE.settings, 1, 0), empty), PROTOCOL],
    ['SETTINGS that are wrong', text(PREFACE, settings([2, 2])), PROTOCOL],
    ['SETTINGS on a stream', text(PREFACE, frame(TYPE.settings, 0, 1)), PROTOCOL],
  ]
  for (const [why, octets, code] of rows)
    for (const pieces of [[octets], [octets.slice(0, 20), octets.slice(20)], [...octets]]) {
      const w = wire(t, running.port)
      w.socket.setNoDelay(true)
      for (const piece of pieces) {
        w.socket.write(piece, 'latin1')
        if (pieces.length < 3) await new Promise(done => setTimeout(done, 5))
      }
      const said = await w.closed
      if (code === undefined) t.match(said, /^HTTP\/1.1 505 /, why)
      else t.equal(said.slice(-17), `\0\0\x08\x07${'\0'.repeat(12)}${String.fromCharCode(code)}`, why)
    }
  const w = wire(t, running.port)
  for (const octet of text(PREFACE, empty, asking(1))) w.socket.write(octet, 'latin1')
  const said = await w.until('GET / - - -')
  t.equal(said[3], '\x04', 'the first thing that the proxy says is SETTINGS')
  t.equal(said[4], '\0', 'and no answer to any')
})
