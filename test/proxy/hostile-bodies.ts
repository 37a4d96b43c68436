// Chunked bodies of requests that are malformed, ambiguous or merely awkward, and requests that hide behind others.
// `cut` where a body goes wrong: a proxy that streams may have passed on the beginning, but never the end of it.
import type { Case } from './hostile-kit.ts'
import { cleans, eithers, get, post, refusals } from './hostile-requests.ts'

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: h.test\r\n\r\n'
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body)
/** One chunk of `hello` under the size line `size`. */
const sized = (size: string) => chunked(`${size}\r\nhello\r\n0\r\n\r\n`)

const cuts = (group: string, table: Readonly<Record<string, string>>): Case[] =>
  Object.entries(table).map(([name, bytes]) => ({ name: `${group}: ${name}`, bytes, expect: 'cut' }))
const listed = (list: readonly string[], make: (one: string) => string) =>
  Object.fromEntries(list.map(one => [JSON.stringify(one.length > 40 ? `${one.slice(0, 40)}...` : one), make(one)]))

const sizes: Case[] = [
  ...cuts(
    'chunk size',
    listed(
      [
        ...[
          '',
          ' ',
          '0x5',
          '5h',
          '0X5',
          '+5',
          '-5',
          '-0',
          '+0',
          ' 5',
          '\t5',
          '5 ',
          '5\t',
          '5_0',
          '0_5',
          '5g',
          'g',
          '5,',
          '5.0',
        ],
        ...['5 5', '5\x00', '\x005', '5\x0b', '\x0c5', '5\xa0', '"5"', "'5'", '5:', '5=', '\xb5', '\xef\xbc\x95'],
        ...[
          'ffffffffffffffff',
          'fffffffffffffffb',
          '10000000000000005',
          '8000000000000005',
          'ffffffffffffffffffff5',
          '80000000',
          '100000005',
          'ffffffffffff',
          `1${'0'.repeat(40)}`,
        ],
        ...[
          '5\r',
          '\r5',
          '\n5',
          '5\n',
          '5\r\r',
          '5\n\r',
          '5\x7f',
          '5\\',
          '5/',
          '(5)',
          '5&',
          'five',
          '5#',
          '5!',
          ';',
          ';a=b',
        ],
      ],
      sized,
    ),
  ),
  ...cleans('chunk size', {
    'one digit': [sized('5'), 'POST /x h.test hello'],
    'noughts in front': [sized('0005'), 'POST /x h.test hello'],
    'a small letter': [chunked('a\r\n0123456789\r\n0\r\n\r\n'), 'POST /x h.test 0123456789'],
    'a capital': [chunked('A\r\n0123456789\r\n0\r\n\r\n'), 'POST /x h.test 0123456789'],
    'two chunks': [chunked('3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'), 'POST /x h.test hello'],
    'a chunk for each octet': [
      chunked(`${[...'hello'].map(c => `1\r\n${c}\r\n`).join('')}0\r\n\r\n`),
      'POST /x h.test hello',
    ],
    'many noughts at the end': [chunked('5\r\nhello\r\n0000\r\n\r\n'), 'POST /x h.test hello'],
    'nothing at all': [chunked('0\r\n\r\n'), 'POST /x h.test'],
    'line ends as data': [chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'), 'POST /x h.test \r\n\r\n'],
    'an end as data': [chunked('5\r\n0\r\n\r\n\r\n0\r\n\r\n'), 'POST /x h.test 0\r\n\r\n'],
    'a request as data': [
      chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
      `POST /x h.test ${HIDDEN}`,
    ],
    'all octets there are as data': [
      chunked(`100\r\n${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')}\r\n0\r\n\r\n`),
      `POST /x h.test ${Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')}`,
    ],
  }),
  ...eithers('chunk size', {
    'more noughts than a number has': [
      sized(`${'0'.repeat(40)}5`),
      'legal; if passed on, then short',
      'POST /x h.test hello',
    ],
    'very many noughts': [sized(`${'0'.repeat(4000)}5`), 'legal; if passed on, then short', 'POST /x h.test hello'],
    'very many noughts at the end': [
      chunked(`5\r\nhello\r\n${'0'.repeat(4000)}\r\n\r\n`),
      'legal',
      'POST /x h.test hello',
    ],
    'a blank before an extension': [sized('5 ;a'), 'legal, but to be avoided', 'POST /x h.test hello'],
  }),
]

const ends: Case[] = [
  ...cuts('chunk end', {
    'a line feed behind the size': chunked('5\nhello\r\n0\r\n\r\n'),
    'a return behind the size': chunked('5\rhello\r\n0\r\n\r\n'),
    'nothing behind the data': chunked('5\r\nhello0\r\n\r\n'),
    'a line feed behind the data': chunked('5\r\nhello\n0\r\n\r\n'),
    'a return behind the data': chunked('5\r\nhello\r0\r\n\r\n'),
    'a line feed and a return behind the data': chunked('5\r\nhello\n\r0\r\n\r\n'),
    'two letters behind the data': chunked('5\r\nhelloXX0\r\n\r\n'),
    'a blank behind the data': chunked('5\r\nhello \r\n0\r\n\r\n'),
    'an empty line behind the data': chunked('5\r\nhello\r\n\r\n0\r\n\r\n'),
    'data longer than the size': chunked('4\r\nhello\r\n0\r\n\r\n'),
    'data shorter than the size': chunked('6\r\nhello\r\n0\r\n\r\n'),
    'data shorter than the size by two': chunked('7\r\nhello\r\n0\r\n\r\n'),
    'a line feed behind the last size': chunked('5\r\nhello\r\n0\n\r\n'),
    'line feeds at the end': chunked('5\r\nhello\r\n0\n\n'),
    'a line feed for the last line': chunked('5\r\nhello\r\n0\r\n\n'),
    'a return for the last line': chunked('5\r\nhello\r\n0\r\n\rX'),
    'no empty line at the end': chunked('5\r\nhello\r\n0\r\nX'),
    'no last chunk': chunked('5\r\nhello\r\n\r\n'),
    'an empty line in front': chunked('\r\n5\r\nhello\r\n0\r\n\r\n'),
    'line feeds throughout': chunked('5\nhello\n0\n\n'),
    'NUL behind the last size': chunked('5\r\nhello\r\n0\x00\r\n\r\n'),
    'a size that hides a request in two readings': chunked(
      `5\r\nhello\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    ),
  }),
]

const extensions: Case[] = [
  ...cuts('chunk extension', {
    'a line feed within': sized('5;a\nb'),
    'a line feed at its end': chunked('5;a\nhello\r\n0\r\n\r\n'),
    'a line feed within, and a request behind': chunked(`5;\n${HIDDEN}\r\nhello\r\n0\r\n\r\n`),
    'a return within': sized('5;a\rb'),
    'two returns at its end': sized('5;a\r'),
    'a return at its end': chunked('5;a\rhello\r\n0\r\n\r\n'),
    'a line feed within quotes': sized('5;a="b\nc"'),
    'NUL within': sized('5;a\x00b'),
    'DEL within': sized('5;a\x7f'),
    'a bell within': sized('5;\x07'),
    'beyond any measure': sized(`5;${'a'.repeat(100_000)}`),
    'a line feed in the last one': chunked('5\r\nhello\r\n0;a\n\r\n\r\n'),
    'a line feed behind the semicolon': sized('5;\n'),
    'no size in front': sized(';a=b'),
    'an octet escaped that may not be': sized('5;a="\\\x07"'),
    'a line feed escaped': sized('5;a="\\\n"'),
    'a return behind quotes': sized('5;a="b"\r'),
    ...listed(
      [
        ...[
          ';',
          ';;',
          ';a;',
          ';a=',
          ';=b',
          ';a==b',
          ';a=b=c',
          ';a b',
          ';a=b c',
          ';a,b',
          ';a:b',
          ';a/b',
          '; ',
          ';a ',
          ';a= ',
        ],
        ...[
          ';"a"',
          ';"a"=b',
          ';a"b"',
          ';a="',
          ';a="b',
          ';a="b"c',
          ';a="b" "c"',
          ';a=b"c"',
          ';a="b\\"',
          ';<a>=(b)',
          ';a=[b]',
          ';@',
        ],
        ...[';\xe4', ';a=\xe4', ';a="b" '],
      ],
      extension => sized(`5${extension}`),
    ),
  }),
  ...cleans('chunk extension', {
    'a name': [sized('5;a'), 'POST /x h.test hello'],
    'a name and a value': [sized('5;a=b'), 'POST /x h.test hello'],
    'a quoted value': [sized('5;a="b c;d"'), 'POST /x h.test hello'],
    two: [sized('5;a=b;c'), 'POST /x h.test hello'],
    'escapes in a quoted value': [sized('5;a="\\"b\\\\";c'), 'POST /x h.test hello'],
    'all that may be quoted': [sized('5;a="\t !#[]~\x80\xff";b=""'), 'POST /x h.test hello'],
    'on the last chunk': [chunked('5\r\nhello\r\n0;a=b\r\n\r\n'), 'POST /x h.test hello'],
    'on each chunk': [chunked('3;a\r\nhel\r\n2;b\r\nlo\r\n0;c\r\n\r\n'), 'POST /x h.test hello'],
  }),
  ...eithers('chunk extension', {
    'blanks within': [sized('5; a = b'), 'legal, but to be avoided', 'POST /x h.test hello'],
    'blanks before the next': [sized('5;a="b" ;\tc'), 'legal, but to be avoided', 'POST /x h.test hello'],
    'a size behind it': [sized('5;6'), 'legal: 6 is a name', 'POST /x h.test hello'],
  }),
]

/** `hello` with a trailer. */
const trailed = (trailer: string) => chunked(`5\r\nhello\r\n0\r\n${trailer}\r\n`)
const trailers: Case[] = [
  ...cuts('trailer', {
    'Content-Length': trailed('Content-Length: 5\r\n'),
    'Transfer-Encoding': trailed('Transfer-Encoding: chunked\r\n'),
    'transfer-encoding behind another': trailed('X-A: 1\r\ntransfer-encoding: chunked\r\n'),
    'Host, nearly': trailed('Host_: b.test\r\n'),
    'Transfer-Encoding, nearly': trailed('Transfer--Encoding: chunked\r\n'),
    Host: trailed('Host: b.test\r\n'),
    Connection: trailed('Connection: close\r\n'),
    Upgrade: trailed('Upgrade: websocket\r\n'),
    TE: trailed('TE: trailers\r\n'),
    Expect: trailed('Expect: 100-continue\r\n'),
    Cookie: trailed('Cookie: a=b\r\n'),
    Range: trailed('Range: bytes=0-1\r\n'),
    'Content-Type': trailed('Content-Type: text/html\r\n'),
    'Content-Encoding': trailed('X-A: 1\r\ncontent-encoding: gzip\r\n'),
    'Content-Range': trailed('Content_Range: bytes 0-1/2\r\n'),
    'Max-Forwards': trailed('Max-Forwards: 1\r\n'),
    'Proxy-Authorization': trailed('Proxy-Authorization: Basic YTpi\r\n'),
    'who asked': trailed('X-Forwarded-For: 6.6.6.6\r\n'),
    'who asked, nearly': trailed('X_Forwarded_For: 6.6.6.6\r\n'),
    'the host that was asked for': trailed('X-A: 1\r\nx-forwarded-host: b.test\r\n'),
    'a look-alike': trailed('Content_Length: 5\r\n'),
    'no colon': trailed('X-A\r\n'),
    'no name': trailed(': 1\r\n'),
    'a blank before the colon': trailed('X-A : 1\r\n'),
    'a folded line': trailed('X-A: 1\r\n 2\r\n'),
    'a fold in front': trailed(' X-A: 1\r\n'),
    'a bare line feed': trailed('X-A: 1\nX-B: 2\r\n'),
    'a bare return': trailed('X-A: 1\rX-B: 2\r\n'),
    NUL: trailed('X-A: a\x00b\r\n'),
    'a line feed at its end': chunked('5\r\nhello\r\n0\r\nX-A: 1\r\n\n'),
    'a request for a field': trailed('GET /hidden HTTP/1.1\r\n'),
    'of 70 KB': trailed(`X-A: ${'a'.repeat(70_000)}\r\n`),
    '5,000 fields': trailed('X-A: 1\r\n'.repeat(5000)),
  }),
  ...cleans('trailer', {
    'one field': [trailed('X-A: 1\r\n'), 'POST /x h.test hello'],
    'two fields': [trailed('X-A: 1\r\nX-B: 2\r\n'), 'POST /x h.test hello'],
    'the same field twice': [trailed('X-A: 1\r\nX-A: 2\r\n'), 'POST /x h.test hello'],
    announced: [
      post('Trailer: X-A\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-A: 1\r\n\r\n'),
      'POST /x h.test hello',
    ],
    'of an empty body': [chunked('0\r\nX-A: 1\r\n\r\n'), 'POST /x h.test'],
    'one that two octets taken for its line end make a request': [
      trailed('X:POST /hidden HTTP/1.1\r\n'),
      'POST /x h.test hello',
    ],
    'an empty value': [trailed('X-A:\r\n'), 'POST /x h.test hello'],
  }),
]

/** What never ends must be refused while it comes, not when memory does. */
const endless: Case[] = Object.entries({
  'a size': '0',
  'an extension': '5;a',
  'a trailer': '5\r\nhello\r\n0\r\nX-A: a',
}).map(([name, body]) => {
  const part = (body === '0' ? '0' : 'a').repeat(5000)
  return { name: `endless: ${name}`, bytes: [chunked(body), ...Array(10).fill(part)], expect: 'cut', behind: '' }
})

const pair = (a: string, b: string) => a + b
const sequences: Case[] = [
  ...cleans('sequence', {
    'two at once': [pair(get(), get('', 'GET /y HTTP/1.1')), 'GET /x h.test', 'GET /y h.test'],
    'a body, then another request': [
      pair(post('Content-Length: 5\r\n'), get('', 'GET /y HTTP/1.1')),
      'POST /x h.test hello',
      'GET /y h.test',
    ],
    'chunks, then a length, then nothing': [
      pair(chunked('5\r\nhello\r\n0\r\n\r\n'), pair(post('Content-Length: 2\r\n', 'ab'), get('', 'HEAD /y HTTP/1.1'))),
      'POST /x h.test hello',
      'POST /x h.test ab',
      'HEAD /y h.test',
    ],
    'an empty line between': [pair(`${get()}\r\n`, get('', 'GET /y HTTP/1.1')), 'GET /x h.test', 'GET /y h.test'],
    'an empty line behind a body': [
      pair(post('Content-Length: 5\r\n', 'hello\r\n'), get('', 'GET /y HTTP/1.1')),
      'POST /x h.test hello',
      'GET /y h.test',
    ],
    'twenty at once': [get().repeat(20), ...Array.from({ length: 20 }, () => 'GET /x h.test')],
    'hosts by turns': [
      pair(get(), 'GET /y HTTP/1.1\r\nHost: other.test\r\n\r\n'),
      'GET /x h.test',
      'GET /y other.test',
    ],
  }),
  ...cleans('sequence', {
    'hosts of one length by turns': [
      pair(get(), 'GET /y HTTP/1.1\r\nHost: i.test\r\n\r\n'),
      'GET /x h.test',
      'GET /y i.test',
    ],
    'a host that begins as the one before': [
      pair(get(), 'GET /y HTTP/1.1\r\nHost: h.te\r\n\r\n'),
      'GET /x h.test',
      'GET /y h.te',
    ],
    'a host that the one before begins': [
      pair(get(), 'GET /y HTTP/1.1\r\nHost: h.test:80\r\n\r\n'),
      'GET /x h.test',
      'GET /y h.test:80',
    ],
  }),
  ...[
    { name: 'a hidden length behind a good request', bad: post('Content-Length: 5\r\nContent-Length: 5\r\n') },
    { name: 'a bare line feed behind a good request', bad: 'GET /y HTTP/1.1\nHost: h.test\r\n\r\n' },
    { name: 'a second Host behind a good request', bad: get('Host: b.test\r\n') },
    { name: 'rubbish behind a good request', bad: 'rubbish\r\n\r\n' },
    { name: 'NUL behind a good request', bad: '\x00' },
    {
      name: 'both framings behind a good request',
      bad: post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    },
    { name: 'a good request with a body too long', bad: '(more)' },
  ].map(({ name, bad }): Case => {
    const first = post('Content-Length: 5\r\n')
    return { name: `sequence: ${name}`, bytes: `${first}${bad}`, expect: 'refused', seen: ['POST /x h.test hello'] }
  }),
  ...refusals('sequence', {
    'a chunked body without chunks hides a request': chunked(HIDDEN),
    'a length of nothing by a list': post(`Content-Length: 0,${HIDDEN.length}\r\n`, HIDDEN),
  }).map((one): Case => (one.name.includes('without chunks') ? { ...one, expect: 'cut' } : one)),
]

export const bodies: readonly Case[] = [...sizes, ...ends, ...extensions, ...trailers, ...endless, ...sequences]
