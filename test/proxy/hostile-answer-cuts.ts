// Answers of pods that go wrong in their body, break off, fall silent, or come with interim answers; by hand, like
// hostile-answers.ts.
import type { AnswerCase } from './hostile-answer-kit.ts'
import { bads, chunked, EVIL, hello, listed, ok, relays, type Table } from './hostile-answers.ts'

const cuts = (group: string, table: Table, leaves?: 'end' | 'reset'): AnswerCase[] =>
  Object.entries(table).map(([name, answer]) => ({
    name: `${group}: ${name}${leaves ? `, then ${leaves}` : ''}`,
    answer,
    expect: 'cut',
    ...(leaves ? { leaves } : {}),
  }))
const interims: AnswerCase[] = [
  ...relays('interim', {
    'a hint': [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${hello()}`, 200, 'hello'],
    'three hints': [`${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(3)}${hello()}`, 200, 'hello'],
    'a hint, and the answer later': [['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 5, hello()], 200, 'hello'],
    '102': [`HTTP/1.1 102 Processing\r\n\r\n${hello()}`, 200, 'hello'],
    '100 unasked': [`HTTP/1.1 100 Continue\r\n\r\n${hello()}`, 200, 'hello'],
    'a hint, then 204': ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', 204, ''],
    'a hint for an old client': [
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${hello()}`,
      200,
      'hello',
      { request: 'GET /case HTTP/1.0\r\nHost: a\r\n\r\n' },
    ],
  }),
  ...bads('interim', {
    '101 unasked': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nevil',
    '101 unasked to websocket':
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nevil',
    '101 unasked with an answer behind it': `HTTP/1.1 101 Switching Protocols\r\n\r\n${EVIL}`,
    'a malformed hint': `HTTP/1.1 103 Early Hints\r\nLink : </a>\r\n\r\n${hello()}`,
    'a hint with a bare line feed': `HTTP/1.1 103 Early Hints\nLink: </a>\r\n\r\n${hello()}`,
    'a hint, then rubbish': 'HTTP/1.1 103 Early Hints\r\n\r\nrubbish\r\n\r\n',
    'a hint with both framings': `HTTP/1.1 103 Hi\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n${hello()}`,
    'a flood of hints': `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n`.repeat(10_000),
    'a flood of 100': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(10_000),
    'nothing but a hint': 'HTTP/1.1 103 Early Hints\r\n\r\n',
  }),
  ...[`HTTP/1.1 103 Hi\r\nContent-Length: 4\r\n\r\n${hello()}`, `HTTP/1.1 199 Odd\r\n\r\n${hello()}`].map(
    (answer, i): AnswerCase => {
      return { name: `interim: odd ${i}`, answer, expect: 'either', got: [200, 'hello'], why: 'if the length goes' }
    },
  ),
]

const chunks: AnswerCase[] = [
  ...cuts(
    'chunk size',
    listed(
      [
        ...[
          '',
          ' ',
          '0x5',
          '5h',
          '+5',
          '-5',
          ' 5',
          '5 ',
          '5\t',
          '5_0',
          'g',
          '5,',
          '5.0',
          '5 5',
          '5\x00',
          '\x005',
          '5\n',
          '5\r',
          '\n5',
        ],
        ...[
          'ffffffffffffffff',
          'fffffffffffffffb',
          '10000000000000005',
          '8000000000000005',
          '"5"',
          '5\x0b',
          '5;a\nb',
          '5;a\rb',
          '5;a\x00',
        ],
      ],
      size => chunked(`${size}\r\nhello\r\n0\r\n\r\n`),
    ),
  ),
  ...cuts('chunks', {
    'a line feed behind the size': chunked('5\nhello\r\n0\r\n\r\n'),
    'nothing behind the data': chunked('5\r\nhello0\r\n\r\n'),
    'a line feed behind the data': chunked('5\r\nhello\n0\r\n\r\n'),
    'data longer than the size': chunked('4\r\nhello\r\n0\r\n\r\n'),
    'data shorter than the size': chunked('6\r\nhello\r\n0\r\n\r\n'),
    'line feeds at the end': chunked('5\r\nhello\r\n0\n\n'),
    'a line feed for the last line': chunked('5\r\nhello\r\n0\r\n\n'),
    'an answer for the last line': chunked(`5\r\nhello\r\n0\r\n${EVIL}`),
    'an answer for a size': chunked(`5\r\nhello\r\n${EVIL}`),
    'no size at all': chunked('hello'.padEnd(20, '!')),
    'Content-Length in the trailer': chunked('5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'),
    'Transfer-Encoding in the trailer': chunked('5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    'Content-Type in the trailer': chunked('5\r\nhello\r\n0\r\nContent-Type: text/html\r\n\r\n'),
    'a fold in the trailer': chunked('5\r\nhello\r\n0\r\nX-A: 1\r\n 2\r\n\r\n'),
    'no colon in the trailer': chunked('5\r\nhello\r\n0\r\nX-A\r\n\r\n'),
    'a line feed in the trailer': chunked('5\r\nhello\r\n0\r\nX-A: 1\nX-B: 2\r\n\r\n'),
    'a trailer of 70 KB': chunked(`5\r\nhello\r\n0\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`),
    'an extension of 100 KB': chunked(`5;${'a'.repeat(100_000)}\r\nhello\r\n0\r\n\r\n`),
  }),
]

/** Proper answers that break off at each place. */
const breaks = (['end', 'reset'] as const).flatMap(leaves => {
  const length = hello('X-A: 1\r\n')
  const many = chunked('3\r\nhel\r\n2\r\nlo\r\n0\r\nX-A: 1\r\n\r\n')
  return [
    ...cuts('length', Object.fromEntries([...length].map((_, at) => [`cut at ${at}`, length.slice(0, at)])), leaves),
    ...cuts('chunks', Object.fromEntries([...many].map((_, at) => [`cut at ${at}`, many.slice(0, at)])), leaves),
  ]
})
const silences: AnswerCase[] = [
  ...bads('silence', {
    'at once': '',
    'behind the status line': 'HTTP/1.1 200 OK\r\n',
    'within a field': 'HTTP/1.1 200 OK\r\nX-A',
    'before the empty line': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n',
  }),
  ...cuts('until close', { 'a body': ok('', 'hello') }, 'reset'),
]

export const brokenAnswers: readonly AnswerCase[] = [...interims, ...chunks, ...breaks, ...silences]
