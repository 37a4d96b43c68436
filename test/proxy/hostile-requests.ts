// Requests that are malformed, ambiguous or merely awkward in their head, written by hand; bodies are in
// hostile-bodies.ts, programmed ones in hostile-mutations.ts. The classes are those of RFC 9112 and 9110 and of the
// holes that proxies and servers were found to have: two lengths of a body, line ends, names, hosts, request lines.
import type { Case } from './hostile-kit.ts'

/** A request for /x with more lines, each with its CRLF. */
export const get = (lines = '', line = 'GET /x HTTP/1.1') => `${line}\r\nHost: h.test\r\n${lines}\r\n`
export const post = (lines: string, body = 'hello') => `POST /x HTTP/1.1\r\nHost: h.test\r\n${lines}\r\n${body}`
const hosted = (host: string) => `GET /x HTTP/1.1\r\n${host}\r\n\r\n`
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: h.test\r\n\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const LENGTH = 'Content-Length: 5\r\n'

/** A table of what must be refused. */
export const refusals = (group: string, table: Readonly<Record<string, string>>): Case[] =>
  Object.entries(table).map(([name, bytes]) => ({ name: `${group}: ${name}`, bytes, expect: 'refused' }))

/** A table of what must arrive: bytes, and the requests that the pod must see. */
export const cleans = (group: string, table: Readonly<Record<string, readonly [string, ...string[]]>>): Case[] =>
  Object.entries(table).map(([name, [bytes, ...seen]]) => ({ name: `${group}: ${name}`, bytes, expect: 'clean', seen }))

/** A table of what may be refused or arrive: bytes, why both will do, and the requests that the pod sees then. */
export const eithers = (
  group: string,
  table: Readonly<Record<string, readonly [string, string, ...string[]]>>,
): Case[] =>
  Object.entries(table).map(([name, [bytes, why, ...seen]]) => {
    return { name: `${group}: ${name}`, bytes, expect: 'either', why, seen }
  })

const values = (name: string, list: readonly string[], make: (value: string) => string) =>
  Object.fromEntries(list.map(value => [`${name} ${JSON.stringify(value)}`, make(value)]))

const framing: Case[] = [
  ...refusals('framing', {
    'length, then chunked': post(`${LENGTH}${CHUNKED}`, '0\r\n\r\n'),
    'chunked, then length': post(`${CHUNKED}${LENGTH}`, '0\r\n\r\n'),
    'chunked and a length of nothing': post(`${CHUNKED}Content-Length: 0\r\n`, '0\r\n\r\n'),
    'length hides a request behind chunks': post(
      `Content-Length: ${5 + HIDDEN.length}\r\n${CHUNKED}`,
      `0\r\n\r\n${HIDDEN}`,
    ),
    'chunks hide a request behind a length': post(
      `Content-Length: 4\r\n${CHUNKED}`,
      `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    ),
    'two lengths': post(`Content-Length: 5\r\nContent-Length: 6\r\n`),
    'two lengths, the first of nothing': post(`Content-Length: 0\r\n${LENGTH}`),
    'the same length twice': post(LENGTH + LENGTH),
    'the same length twice in other letters': post(`${LENGTH}CONTENT-LENGTH: 5\r\n`),
    'chunked twice': post(CHUNKED + CHUNKED, '0\r\n\r\n'),
    'chunked, then identity': post(`${CHUNKED}Transfer-Encoding: identity\r\n`, '0\r\n\r\n'),
    'identity, then chunked': post(`Transfer-Encoding: identity\r\n${CHUNKED}`, '0\r\n\r\n'),
    'chunked, then nothing': post(`${CHUNKED}Transfer-Encoding:\r\n`, '0\r\n\r\n'),
    'chunked, then gzip': post(`${CHUNKED}Transfer-Encoding: gzip\r\n`, '0\r\n\r\n'),
    'chunked in HTTP/1.0': `POST /x HTTP/1.0\r\nHost: h.test\r\n${CHUNKED}\r\n0\r\n\r\n`,
    'chunked and a length in HTTP/1.0': `POST /x HTTP/1.0\r\nHost: h.test\r\n${CHUNKED}${LENGTH}\r\n0\r\n\r\n`,
    'chunked before a blank and the colon': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    'chunked on a folded line': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'chunked behind a folded line': post(`X-A: 1\r\n ${CHUNKED}`, '0\r\n\r\n'),
    'chunked behind a line feed': post(`X-A: 1\n${CHUNKED}${LENGTH}`),
    'chunked behind a return': post(`X-A: 1\r${CHUNKED}${LENGTH}`),
    'length on a folded line': post('Content-Length:\r\n 5\r\n'),
    'length before a blank and the colon': post('Content-Length : 5\r\n'),
    'length before a tab and the colon': post('Content-Length\t: 5\r\n'),
    'length behind a blank': post(' Content-Length: 5\r\n'),
  }),
  ...refusals(
    'length',
    values(
      'of',
      [
        ...[
          '',
          ' ',
          '+5',
          '-5',
          '-0',
          '+0',
          '0x5',
          '5x',
          '5 5',
          '5,5',
          '5, 5',
          '5,',
          ',5',
          '5;',
          '5;a=b',
          '5.0',
          '5e0',
        ],
        ...['1e1', '0b101', "'5'", '"5"', '5\x00', '\x005', '5\x0b', '\x0c5', '5\xa0', '\xb25', '5_0', '5\t5', 'five'],
        ...['NaN', '\xd9\xa5', '18446744073709551621'],
        ...['9223372036854775808', '4294967301999999999', `1${'0'.repeat(40)}`, `${'9'.repeat(400)}`, '5\r', '(5)'],
      ],
      value => post(`Content-Length: ${value}\r\n`),
    ),
  ),
  ...refusals(
    'coding',
    values(
      'of',
      [
        ...['', 'identity', 'gzip', 'deflate', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked,chunked'],
        ...['identity, chunked', 'chunked, identity', ',chunked', 'chunked,', 'chunked;', 'chunked;q=1', 'xchunked'],
        ...[
          'chunkedx',
          'chunk',
          'chunked chunked',
          'x chunked',
          '"chunked"',
          "'chunked'",
          '\x0bchunked',
          'chunked\x0b',
        ],
        ...['chunked\x00', '\x00chunked', 'chun\x00ked', 'chunked\x0c', 'chunked\xa0', '\xa0chunked', 'ch\xfcnked'],
        ...[
          'chun\xe2\x84\xaaed',
          'chunked\r',
          'chunked\x7f',
          'chunked/',
          '=chunked',
          'chunked=',
          'ch unked',
          '0',
          'none',
        ],
      ],
      value => post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n'),
    ),
  ),
  // Where the length cannot be told it is 400; an unknown coding that leaves no doubt of it may be 501.
  ...Object.entries({
    'chunked, gzip': '400',
    'chunked, chunked': '400',
    'chunked, gzip, chunked': '400',
    ', chunked': '400',
    'chunked,': '400',
    'chunked;q=1': '400',
    'cow chunked': '400',
    '"chunked"': '400',
    '': '400',
    'gzip, chunked': '501',
    gzip: '501',
  }).map(([value, status]): Case => {
    const bytes = post(`Transfer-Encoding: ${value}\r\n`, '0\r\n\r\n')
    return { name: `coding: status for ${JSON.stringify(value)}`, bytes, expect: 'refused', status }
  }),
  ...refusals('framing', { 'a TRACE with a body': get(LENGTH, 'TRACE /x HTTP/1.1').concat('hello') }),
  ...refusals('framing', { 'a TRACE with chunks': get(CHUNKED, 'TRACE /x HTTP/1.1').concat('0\r\n\r\n') }),
  ...cleans('framing', {
    'a length': [post(LENGTH), 'POST /x h.test hello'],
    'no blank behind the colon': [post('Content-Length:5\r\n'), 'POST /x h.test hello'],
    'tabs and blanks around a length': [post('Content-Length: \t5 \t\r\n'), 'POST /x h.test hello'],
    'a length in capitals': [post('CONTENT-LENGTH: 5\r\n'), 'POST /x h.test hello'],
    'a length of nothing': [post('Content-Length: 0\r\n', ''), 'POST /x h.test'],
    'no framing at all': [post('', ''), 'POST /x h.test'],
    'a GET with a body': [get(LENGTH).concat('hello'), 'GET /x h.test hello'],
    'a HEAD with a body': [get(LENGTH, 'HEAD /x HTTP/1.1').concat('hello'), 'HEAD /x h.test hello'],
    'a DELETE with a body': [get(LENGTH, 'DELETE /x HTTP/1.1').concat('hello'), 'DELETE /x h.test hello'],
    'an OPTIONS with chunks': [
      get(CHUNKED, 'OPTIONS /x HTTP/1.1').concat('5\r\nhello\r\n0\r\n\r\n'),
      'OPTIONS /x h.test hello',
    ],
    'a GET with chunks': [get(CHUNKED).concat('5\r\nhello\r\n0\r\n\r\n'), 'GET /x h.test hello'],
    'chunked in other letters': [post('tRANSFER-eNCODING: cHUNKED\r\n', '0\r\n\r\n'), 'POST /x h.test'],
    'blanks around chunked': [post('Transfer-Encoding: \t chunked \t\r\n', '0\r\n\r\n'), 'POST /x h.test'],
    'a body that looks like a request': [
      post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN),
      `POST /x h.test ${HIDDEN}`,
    ],
  }),
  ...eithers('framing', {
    'a length that looks octal': [
      post('Content-Length: 005\r\n'),
      'legal, if it is passed on as 5',
      'POST /x h.test hello',
    ],
    'a length of many noughts': [
      post(`Content-Length: ${'0'.repeat(30)}5\r\n`),
      'legal, if it is passed on as 5',
      'POST /x h.test hello',
    ],
    'nothing in many noughts': [post('Content-Length: 000\r\n', ''), 'legal, if passed on as 0', 'POST /x h.test'],
  }),
]

const DELIMITERS = ['(', ')', ',', '/', ';', '<', '=', '>', '?', '@', '[', '\\', ']', '{', '}', '"', ' ', '\t']
const lines: Case[] = [
  ...refusals('line', {
    'a blank before the colon': get('X-A : 1\r\n'),
    'a tab before the colon': get('X-A\t: 1\r\n'),
    'no colon': get('X-A\r\n'),
    'nothing but a colon': get(':\r\n'),
    'no name': get(': 1\r\n'),
    'a blank for a name': get(' : 1\r\n'),
    'a folded line': get('X-A: 1\r\n 2\r\n'),
    'a line folded with a tab': get('X-A: 1\r\n\t2\r\n'),
    'a line folded to nothing': get('X-A: 1\r\n \r\n'),
    'a fold behind an empty value': get('X-A:\r\n 1\r\n'),
    'a blank before the first line': `GET /x HTTP/1.1\r\n Host: h.test\r\n\r\n`,
    'a tab before the first line': `GET /x HTTP/1.1\r\n\tHost: h.test\r\n\r\n`,
    'a folded request line': 'GET /x\r\n HTTP/1.1\r\nHost: h.test\r\n\r\n',
    'a line of blanks': get('  \r\n'),
    'a bare line feed': get('X-A: 1\nX-B: 2\r\n'),
    'a bare line feed behind the request line': 'GET /x HTTP/1.1\nHost: h.test\r\n\r\n',
    'a bare line feed behind Host': 'GET /x HTTP/1.1\r\nHost: h.test\n\r\n',
    'a bare line feed for the empty line': 'GET /x HTTP/1.1\r\nHost: h.test\r\n\n',
    'bare line feeds throughout': 'GET /x HTTP/1.1\nHost: h.test\n\n',
    'a bare return': get('X-A: 1\rX-B: 2\r\n'),
    'a return in a value': get('X-A: a\rb\r\n'),
    'a return behind a name': get('X-A\r: 1\r\n'),
    'two returns and a line feed': get('X-A: 1\r\r\n'),
    'bare returns throughout': 'GET /x HTTP/1.1\rHost: h.test\r\r',
    'a line feed and a return': get('X-A: 1\n\rX-B: 2\r\n'),
    'a return for the empty line': 'GET /x HTTP/1.1\r\nHost: h.test\r\n\r',
    'NUL in a name': get('X-\x00A: 1\r\n'),
    'NUL for a name': get('\x00: 1\r\n'),
    'a name beyond ASCII': get('X-\xe4: 1\r\n'),
    'a no-break space behind a name': get('X-A\xa0: 1\r\n'),
    'NUL behind the head': 'GET /x HTTP/1.1\r\nHost: h.test\r\n\x00\r\n',
    'a request for a field': get('GET /hidden HTTP/1.1\r\n'),
  }),
  ...refusals(
    'name with',
    values('', DELIMITERS, value => get(`X${value}A: 1\r\n`)),
  ),
  ...refusals(
    'value with',
    values(
      '',
      Array.from({ length: 32 }, (_, i) => String.fromCharCode(i))
        .filter(c => c !== '\t')
        .concat('\x7f'),
      value => get(`X-A: a${value}b\r\n`),
    ),
  ),
  ...refusals('look-alike', {
    Content_Length: post('Content_Length: 5\r\n', ''),
    'Content Length': post('Content Length: 5\r\n', ''),
    'Content.Length': post('Content.Length: 5\r\n', ''),
    'Content-Length with NUL': post('Content-Length\x00: 5\r\n', ''),
    'Content\xadLength': post('Content\xadLength: 5\r\n', ''),
    Transfer_Encoding: post('Transfer_Encoding: chunked\r\n', ''),
    'transfer_encoding beside a length': post(`transfer_encoding: chunked\r\n${LENGTH}`),
    'Transfer~Encoding': post('Transfer~Encoding: chunked\r\n', ''),
    'Transfer---Encoding': post('Transfer---Encoding: chunked\r\n', ''),
    Transfer___Encoding: post(`Transfer___Encoding: chunked\r\n${LENGTH}`),
    TransferEncoding: post('TransferEncoding: chunked\r\n', ''),
    '-Transfer-Encoding': post('-Transfer-Encoding: chunked\r\n', ''),
    'Content-Length_': post('Content-Length_: 5\r\n', ''),
    _ContentLength: post(`_ContentLength: 7\r\n${LENGTH}`),
    Host_: get('Host_: a\r\n'),
    'Host!': get('Host!: a\r\n'),
  }),
  ...cleans('line', {
    'an empty value': [get('X-A:\r\n'), 'GET /x h.test'],
    'a value of blanks': [get('X-A: \t \r\n'), 'GET /x h.test'],
    'a tab within a value': [get('X-A: a\tb\r\n'), 'GET /x h.test'],
    'a value beyond ASCII': [get('X-A: gr\xfc\xdfe \xff\x80\r\n'), 'GET /x h.test'],
    'a value full of marks': [get(`X-A: ():;<=>?@[]{}"\\,/'\r\n`), 'GET /x h.test'],
    'a name full of marks': [get(`!#$%&'*+-.^_\`|~: 1\r\n`), 'GET /x h.test'],
    'a name of one letter': [get('x:1\r\n'), 'GET /x h.test'],
    'a field many times': [get('X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nx-a: 4\r\n'), 'GET /x h.test'],
    'Host is not the first': ['GET /x HTTP/1.1\r\nX-A: 1\r\nHost: h.test\r\nX-B: 2\r\n\r\n', 'GET /x h.test'],
    'an empty line in front': [`\r\n${get()}`, 'GET /x h.test'],
  }),
  ...eithers('line', {
    'three empty lines in front': [
      `\r\n\r\n\r\n${get()}`,
      'one must be let pass (RFC 9112 2.2), more may',
      'GET /x h.test',
    ],
  }),
]

const hosts: Case[] = [
  ...refusals('host', {
    none: 'GET /x HTTP/1.1\r\n\r\n',
    'none with an absolute target': 'GET http://h.test/x HTTP/1.1\r\n\r\n',
    two: get('Host: b.test\r\n'),
    'the same twice': get('Host: h.test\r\n'),
    'two in other letters': get('hOST: b.test\r\n'),
    'a blank before the colon': hosted('Host : h.test'),
    'behind a blank': 'GET /x HTTP/1.1\r\nX-A: 1\r\n Host: h.test\r\n\r\n',
    'a folded one': hosted('Host: h.test\r\n .evil'),
    'a second behind a line feed': get('X-A: 1\nHost: b.test\r\n'),
  }),
  ...refusals(
    'host',
    values(
      '',
      [
        ...['', ' ', 'a b', 'a, b', 'a/b', 'a?b', 'a#b', 'a@b', 'a:b@c', 'a\\b', 'a<b', 'a>b', 'a"b', 'a^b', 'a`b'],
        ...[
          'a{b}',
          'a|b',
          'a:b',
          'a:80:90',
          'a:80x',
          'a:+80',
          'a:-80',
          'a: 80',
          'a :80',
          'a:0x50',
          'a:123456',
          ':80',
          ':',
        ],
        ...[
          '[::1',
          '::1',
          '[::1]x',
          '[::g]',
          '[]',
          '[::1]:x',
          'a[::1]',
          '[::1]]',
          'http://a',
          '//a',
          'a\x00',
          'a\x00b',
        ],
        ...[
          'a,b',
          'a,',
          '..a',
          '.a',
          '.',
          '..',
          'a..b',
          'a..',
          'a..:80',
          'a%',
          'a%zz',
          'h%2etest',
          'a%00',
          'a%40b',
          'a%2fb',
        ],
        ...['a:65536', 'a:99999', '[...]', '[1]', '[:]', '[:::]', '[::1::2]', '[12345::]', '[1.2.3.4]', '[ab..cd::1]'],
        ...['[1:2:3:4:5:6:7:8:9]', '[::1%eth0]', '[::1].', '[::ffff:1.2.3.256]'],
        ...['a\x80', 'gr\xc3\xbc\xc3\x9fe', 'a\tb', 'a\x7f', 'a\xa0', '\x0ba', 'a:\xd9\xa8'],
      ],
      value => hosted(`Host: ${value}`),
    ),
  ),
  ...cleans('host', {
    'with a port': [hosted('Host: h.test:8080'), 'GET /x h.test:8080'],
    'an IPv4 address': [hosted('Host: 10.0.0.1:80'), 'GET /x 10.0.0.1:80'],
    'an IPv6 address': [hosted('Host: [2001:db8::1]'), 'GET /x [2001:db8::1]'],
    'an IPv6 address with a port': [hosted('Host: [::ffff:1.2.3.4]:80'), 'GET /x [::ffff:1.2.3.4]:80'],
    'an IPv4 address in an IPv6 address': [hosted('Host: [::1.2.3.4]'), 'GET /x [::1.2.3.4]'],
    'the highest port': [hosted('Host: h.test:65535'), 'GET /x h.test:65535'],
    'a dot at its end and a port': [hosted('Host: h.test.:80'), 'GET /x h.test.:80'],
    'blanks around it': [hosted('Host: \t h.test \t'), 'GET /x h.test'],
    'in capitals': [hosted('HOST: H.TEST'), 'GET /x H.TEST'],
    'a dot at its end': [hosted('Host: h.test.'), 'GET /x h.test.'],
    'an underscore': [hosted('Host: a_b.test'), 'GET /x a_b.test'],
    'an absolute target counts before it': [
      'GET http://a.test/x?y HTTP/1.1\r\nHost: b.test\r\n\r\n',
      'GET /x?y a.test',
    ],
    'an absolute target in capitals': ['GET HTTP://a.test:81/x HTTP/1.1\r\nHost: b.test\r\n\r\n', 'GET /x a.test:81'],
    'none in HTTP/1.0': ['GET /x HTTP/1.0\r\n\r\n', 'GET /x'],
  }),
  ...eithers('host', {
    'an empty port': [hosted('Host: h.test:'), 'legal by its grammar', 'GET /x h.test:'],
    'marks that a name may have': [hosted("Host: a!$&'()*+;=b"), 'legal by its grammar', "GET /x a!$&'()*+;=b"],
    'a dash in front': [hosted('Host: -a'), 'legal by its grammar', 'GET /x -a'],
    'an empty one in HTTP/1.0': ['GET /x HTTP/1.0\r\nHost:\r\n\r\n', 'an old client that knows no host', 'GET /x'],
  }),
]

export const handWritten: readonly Case[] = [...framing, ...lines, ...hosts]
