// Answers of pods that are malformed, ambiguous, cut off or merely awkward. A client must get a 502, an end that shows
// that the answer is not whole, or an answer that can be read in one way only; and nobody may ever get EVIL.
import type { AnswerCase } from './hostile-answer-kit.ts'

export const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
export const ok = (lines: string, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`
export const hello = (lines = '') => ok(`Content-Length: 5\r\n${lines}`, 'hello')
export const chunked = (body: string) => ok('Transfer-Encoding: chunked\r\n', body)

export type Table = Readonly<Record<string, string>>
export const bads = (group: string, table: Table): AnswerCase[] =>
  Object.entries(table).map(([name, answer]) => ({ name: `${group}: ${name}`, answer, expect: 'bad' }))
type Relayed = readonly [string | readonly (string | number)[], number, string, Partial<AnswerCase>?]
export const relays = (group: string, table: Readonly<Record<string, Relayed>>): AnswerCase[] =>
  Object.entries(table).map(([name, [answer, status, body, more]]) => {
    return { name: `${group}: ${name}`, answer, expect: 'relay', got: [status, body], ...more }
  })
export const listed = (list: readonly string[], make: (one: string) => string): Table =>
  Object.fromEntries(list.map(one => [JSON.stringify(one.slice(0, 50)), make(one)]))

const statusLines: AnswerCase[] = [
  ...bads(
    'status line',
    listed(
      [
        ...[
          'HTTP/1.1  200 OK',
          'HTTP/1.1\t200 OK',
          'HTTP/1.1 200\tOK',
          ' HTTP/1.1 200 OK',
          '\tHTTP/1.1 200 OK',
          'HTTP/1.1 2OO OK',
        ],
        ...[
          'HTTP/1.1 20 OK',
          'HTTP/1.1 2000 OK',
          'HTTP/1.1 20x OK',
          'HTTP/1.1 099 OK',
          'HTTP/1.1 000 OK',
          'HTTP/1.1 -200 OK',
        ],
        ...[
          'HTTP/1.1 +200 OK',
          'HTTP/1.1 0xc8 OK',
          'HTTP/1.1 2 00 OK',
          'HTTP/1.1 OK',
          'HTTP/1.1',
          'HTTP/1.1 ',
          'HTTP/2 200 OK',
        ],
        ...[
          'HTTP/2.0 200 OK',
          'HTTP/0.9 200 OK',
          'HTTP/1.2 200 OK',
          'HTTP/1.10 200 OK',
          'HTTP/1 200 OK',
          'http/1.1 200 OK',
        ],
        ...[
          'HTTPS/1.1 200 OK',
          'HTTP 200 OK',
          'ICY 200 OK',
          'RTSP/1.0 200 OK',
          'NOPE',
          '',
          '200 OK',
          'GET / HTTP/1.1',
          '<html>',
        ],
        ...[
          'HTTP/1.1 200 O\x00K',
          'HTTP/1.1 200 O\rK',
          'HTTP/1.1 200 O\x07K',
          'HTTP/1.1 200 OK\r',
          'HTTP/1.1 200 O\x7fK',
          '\x00',
          '{"a":1}',
        ],
        ...[
          '\nHTTP/1.1 200 OK',
          'HTTP/1.1\r200 OK',
          'HTTP/1.1\x00 200 OK',
          'HTTP/1,1 200 OK',
          'HTTP/1.1 2\xb200 OK',
          '\xef\xbb\xbfHTTP/1.1 200 OK',
        ],
      ],
      line => `${line}\r\nContent-Length: 5\r\n\r\nhello`,
    ),
  ),
  ...bads('status line', {
    'a bare line feed behind it': 'HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello',
    'bare line feeds throughout': 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello',
    'of 70 KB': `HTTP/1.1 200 ${'a'.repeat(70_000)}\r\nContent-Length: 5\r\n\r\nhello`,
    'a TLS alert': '\x15\x03\x03\x00\x02\x02\x0a\r\n\r\n',
    'a frame of HTTP/2': '\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\r\n\r\n',
  }),
  ...relays('status line', {
    'no reason': ['HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
    'a long reason': ['HTTP/1.1 200 it went very well indeed\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
    'a reason beyond ASCII': ['HTTP/1.1 200 sch\xf6n\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
    'an odd status': ['HTTP/1.1 299 Odd\r\nContent-Length: 5\r\n\r\nhello', 299, 'hello'],
    'a status of nobody': ['HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\n\r\nhello', 418, 'hello'],
    'an error': ['HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nhello', 500, 'hello'],
  }),
  ...[
    'HTTP/1.1 200',
    'HTTP/1.0 200',
    'HTTP/1.1 103\r\n\r\nHTTP/1.1 200',
    'HTTP/1.1 600 Odd',
    'HTTP/1.1 999 Odd',
    '\r\nHTTP/1.1 200 OK',
  ].map((line): AnswerCase => {
    const answer = `${line}\r\nContent-Length: 5\r\n\r\nhello`
    return { name: `status line: ${JSON.stringify(line)}`, answer, expect: 'either', why: 'seen in the wild' }
  }),
]

const framing: AnswerCase[] = [
  ...bads('framing', {
    'length, then chunked': ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'chunked, then length': ok('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'two lengths': ok('Content-Length: 5\r\nContent-Length: 9\r\n', 'hello'),
    'two lengths, the first of nothing': ok('Content-Length: 0\r\nContent-Length: 5\r\n', 'hello'),
    'chunked twice': ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'chunked, then gzip': ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n', '0\r\n\r\n'),
    'chunked in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a blank before the colon': ok('Content-Length : 5\r\n', 'hello'),
    'chunked before a blank and the colon': ok('Transfer-Encoding : chunked\r\nContent-Length: 5\r\n', 'hello'),
    'length on a folded line': ok('Content-Length:\r\n 5\r\n', 'hello'),
    'chunked on a folded line': ok('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'Connection names Content-Length': ok('Connection: Content-Length\r\nContent-Length: 5\r\n', 'hello'),
    'Connection names Transfer-Encoding': ok(
      'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n',
      '0\r\n\r\n',
    ),
  }),
  ...bads(
    'length',
    listed(
      [
        '',
        ' ',
        '+5',
        '-5',
        '0x5',
        '5x',
        '5 5',
        '5,5',
        '5, 5',
        '5,6',
        '5;',
        '5.0',
        '5e0',
        '"5"',
        '5\x00',
        '5\x0b',
        '5\xa0',
        '1'.repeat(40),
      ],
      value => ok(`Content-Length: ${value}\r\n`, 'hello'),
    ),
  ),
  ...bads(
    'coding',
    listed(
      [
        ...[
          '',
          'gzip, chunked',
          'chunked, chunked',
          'chunked, identity',
          'xchunked',
          'chunked;q=1',
          ',chunked',
          'chunked,',
        ],
        ...[
          '"chunked"',
          'chunked\x00',
          '\x0bchunked',
          'chunked\x0b',
          'chunked\xa0',
          'chun\xe2\x84\xaaed',
          'gzip',
          'identity',
          'chunk',
        ],
      ],
      value => ok(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n'),
    ),
  ),
  ...relays('framing', {
    'a length': [hello(), 200, 'hello'],
    'a length of nothing': [ok('Content-Length: 0\r\n'), 200, ''],
    'tabs and blanks around a length': [ok('Content-Length: \t5 \t\r\n', 'hello'), 200, 'hello'],
    chunks: [chunked('5\r\nhello\r\n0\r\n\r\n'), 200, 'hello'],
    'chunked in other letters': [ok('transfer-encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'), 200, 'hello'],
    'chunks with noughts and capitals': [chunked('000A\r\n0123456789\r\n000\r\n\r\n'), 200, '0123456789'],
    'chunks with extensions': [chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n'), 200, 'hello'],
    'chunks with a trailer': [chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'), 200, 'hello'],
    'an answer as data': [chunked(`${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`), 200, EVIL],
    'nothing until the end': [ok('', 'hello'), 200, 'hello', { leaves: 'end' }],
    'nothing at all until the end': [ok('', ''), 200, '', { leaves: 'end' }],
    'nothing until the end, in HTTP/1.0': ['HTTP/1.0 200 OK\r\n\r\nhello', 200, 'hello', { leaves: 'end' }],
    'an answer behind nothing, as its body': [ok('', EVIL), 200, EVIL, { leaves: 'end' }],
    'HTTP/1.0 with a length': ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello', { leaves: 'end' }],
    'HTTP/1.0 with a length, open': ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', 200, 'hello'],
    'HTTP/1.0 that is kept': [
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
      200,
      'hello',
    ],
    'close with a length': [hello('Connection: close\r\n'), 200, 'hello', { leaves: 'end' }],
    'close with a length, open': [hello('Connection: close\r\n'), 200, 'hello'],
    'a proper length, then a reset': [hello(), 200, 'hello', { leaves: 'reset' }],
    'for an old client: chunks': [
      chunked('3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n'),
      200,
      'hello',
      { request: 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n' },
    ],
    'for an old client: a length': [hello(), 200, 'hello', { request: 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n' }],
  }),
  ...['00005', '000000000000000000000005'].map((length): AnswerCase => {
    const answer = ok(`Content-Length: ${length}\r\n`, 'hello')
    return { name: `length: of ${length}`, answer, expect: 'either', got: [200, 'hello'], why: 'if it leaves as 5' }
  }),
  {
    name: 'framing: the same length twice',
    answer: ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    expect: 'bad',
  },
]

const REQUEST_HEAD = 'HEAD /case HTTP/1.1\r\nHost: a\r\n\r\n'
const OLD = ['GET', 'HEAD'].map(method => `${method} /case HTTP/1.0\r\nHost: a\r\n\r\n`)
const framed = (status: number) => `HTTP/1.1 ${status} Odd\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nX-B: 2\r\n\r\n`
const bodiless: AnswerCase[] = relays('no body', {
  'HEAD with a length': [ok('Content-Length: 5\r\n'), 200, '', { request: REQUEST_HEAD }],
  'HEAD with chunks': [ok('Transfer-Encoding: chunked\r\n'), 200, '', { request: REQUEST_HEAD }],
  'HEAD with a body all the same': [hello(), 200, '', { request: REQUEST_HEAD }],
  'HEAD with an answer behind it': [ok('Content-Length: 5\r\n', EVIL), 200, '', { request: REQUEST_HEAD }],
  'HEAD with chunks all the same': [chunked('5\r\nhello\r\n0\r\n\r\n'), 200, '', { request: REQUEST_HEAD }],
  '204': ['HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  '204 with a length': ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', 204, ''],
  '204 with a length of nothing': ['HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', 204, ''],
  '204 with chunks': ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 204, ''],
  '204 with an answer behind it': [`HTTP/1.1 204 No Content\r\n\r\n${EVIL}`, 204, ''],
  '304': ['HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304, ''],
  '304 with a length': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 304, ''],
  '304 with a body all the same': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello', 304, ''],
  '304 with chunks': ['HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', 304, ''],
  '304 with an answer behind it': [`HTTP/1.1 304 Not Modified\r\n\r\n${EVIL}`, 304, ''],
  '205 with a length of nothing': ['HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n', 205, ''],
  'for an old client: 204 with chunks': [framed(204), 204, '', { request: OLD[0]! }],
  'for an old client: 304 with chunks': [framed(304), 304, '', { request: OLD[0]! }],
  'for an old client: HEAD and 204 with chunks': [framed(204), 204, '', { request: OLD[1]! }],
  'for an old client: HEAD with chunks': [framed(200), 200, '', { request: OLD[1]! }],
})

const extra: AnswerCase[] = [
  ...relays('extra', {
    'an answer behind a length': [hello() + EVIL, 200, 'hello'],
    'an answer behind chunks': [chunked('5\r\nhello\r\n0\r\n\r\n') + EVIL, 200, 'hello'],
    'an answer behind a length of nothing': [ok('Content-Length: 0\r\n') + EVIL, 200, ''],
    'half an answer behind a length': [hello() + EVIL.slice(0, 20), 200, 'hello'],
    'an octet behind a length': [`${hello()}x`, 200, 'hello'],
    'a line end behind a length': [`${hello()}\r\n`, 200, 'hello'],
    'a line end behind chunks': [chunked('5\r\nhello\r\n0\r\n\r\n\r\n'), 200, 'hello'],
    '100 KB behind a length': [hello() + 'x'.repeat(100_000), 200, 'hello'],
    'an answer a little later': [[hello(), 10, EVIL], 200, 'hello'],
    'an octet a little later': [[hello(), 10, 'x'], 200, 'hello'],
    'a timeout of the pod a little later': [
      [hello(), 10, 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nevil'],
      200,
      'hello',
      { leaves: 'end' },
    ],
    'an answer a little later, behind 204': [['HTTP/1.1 204 No Content\r\n\r\n', 10, EVIL], 204, ''],
    'the end a little later': [[hello(), 10], 200, 'hello', { leaves: 'end' }],
    'a reset a little later': [[hello(), 10], 200, 'hello', { leaves: 'reset' }],
  }),
]

const lines: AnswerCase[] = [
  ...bads('line', {
    'a blank before the colon': hello('X-A : 1\r\n'),
    'no colon': hello('X-A\r\n'),
    'no name': hello(': 1\r\n'),
    'a folded line': hello('X-A: 1\r\n 2\r\n'),
    'a line folded with a tab': hello('X-A: 1\r\n\t2\r\n'),
    'a fold in front': 'HTTP/1.1 200 OK\r\n Content-Length: 5\r\n\r\nhello',
    'a bare line feed': hello('X-A: 1\nX-B: 2\r\n'),
    'a bare return': hello('X-A: 1\rX-B: 2\r\n'),
    'two returns': hello('X-A: 1\r\r\n'),
    'an answer behind a bare return': hello(`X-A: 1\r\r${EVIL.replaceAll('\r\n', '\r')}\r\n`),
    'NUL in a value': hello('X-A: a\x00b\r\n'),
    'NUL in a name': hello('X-\x00A: 1\r\n'),
    'DEL in a value': hello('X-A: a\x7fb\r\n'),
    'a bell in a value': hello('X-A: a\x07b\r\n'),
    'a name beyond ASCII': hello('X-\xe4: 1\r\n'),
    'a name with a blank': hello('X A: 1\r\n'),
    'a name in quotes': hello('"X-A": 1\r\n'),
    'a head of 40 KB': hello(`X-A: ${'a'.repeat(40_000)}\r\n`),
    'a head of 70 KB': hello(`X-A: ${'a'.repeat(70_000)}\r\n`),
    'a head of 1 MB': hello(`X-A: ${'a'.repeat(1_000_000)}\r\n`),
    '5,000 fields': hello('X-A: 1\r\n'.repeat(5000)),
    'a line feed for the empty line': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello',
  }),
  ...relays('line', {
    'an empty value': [hello('X-A:\r\n'), 200, 'hello'],
    'a value beyond ASCII': [hello('X-A: gr\xfc\xdfe\r\n'), 200, 'hello'],
    'a field many times': [hello('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n'), 200, 'hello'],
    '100 fields': [hello('X-A: 1\r\n'.repeat(100)), 200, 'hello'],
    'a head of 16 KB': [hello(`X-A: ${'a'.repeat(16_000)}\r\n`), 200, 'hello'],
    'fields for one hop': [
      hello('Connection: X-S, keep-alive\r\nX-S: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n'),
      200,
      'hello',
    ],
    'an offer of h2c': [hello('Upgrade: h2c\r\nConnection: Upgrade\r\n'), 200, 'hello'],
  }),
]

export const answers: readonly AnswerCase[] = [...statusLines, ...framing, ...bodiless, ...extra, ...lines]
