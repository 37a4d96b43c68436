// Hostile request lines, hop-by-hop fields, sizes, and what is not HTTP at all; written by hand like hostile-requests.ts.
import type { Case } from './hostile-kit.ts'
import { cleans, eithers, get, post, refusals } from './hostile-requests.ts'

const line = (first: string) => `${first}\r\nHost: h.test\r\n\r\n`
const entries = (list: readonly string[], make: (one: string) => string) =>
  Object.fromEntries(list.map(one => [JSON.stringify(one.length > 40 ? `${one.slice(0, 40)}...` : one), make(one)]))

const requestLines: Case[] = [
  ...refusals(
    'request line',
    entries(
      [
        ...['GET  /x HTTP/1.1', 'GET /x  HTTP/1.1', 'GET\t/x HTTP/1.1', 'GET /x\tHTTP/1.1', ' GET /x HTTP/1.1'],
        ...[
          'GET /x HTTP/1.1 ',
          'GET /x HTTP/1.1\t',
          '\tGET /x HTTP/1.1',
          'GET /x',
          'GET /x ',
          'GET',
          'GET ',
          '/x HTTP/1.1',
        ],
        ...['GET /x y HTTP/1.1', 'GET /x HTTP/1.1 HTTP/1.1', 'GET HTTP/1.1', 'GET  HTTP/1.1', 'GET\x0b/x HTTP/1.1'],
        ...['GET\x0c/x\x0cHTTP/1.1', 'GET\xa0/x HTTP/1.1', 'GET\r/x HTTP/1.1', 'GET /x\rHTTP/1.1', 'GET /x\nHTTP/1.1'],
        ...[
          'GET\x00/x HTTP/1.1',
          'GET /x HTTP/1.1\x00',
          '\x00GET /x HTTP/1.1',
          '\xef\xbb\xbfGET /x HTTP/1.1',
          '\nGET /x HTTP/1.1',
        ],
        ...[
          'G@T /x HTTP/1.1',
          'G(T /x HTTP/1.1',
          'G/T /x HTTP/1.1',
          'GET: /x HTTP/1.1',
          'G\x80T /x HTTP/1.1',
          '"GET" /x HTTP/1.1',
        ],
      ],
      line,
    ),
  ),
  ...refusals(
    'version',
    entries(
      [
        ...['HTTP/0.9', 'HTTP/2.0', 'HTTP/2', 'HTTP/3.0', 'HTTP/1', 'HTTP/1.', 'HTTP/.1', 'HTTP/1.10', 'HTTP/01.1'],
        ...[
          'HTTP/1.01',
          'HTTP/11.1',
          'HTTP/1,1',
          'HTTP/1.1x',
          'HTTP/1.1.1',
          'HTTP/1-1',
          'HTTP/+1.1',
          'HTTP/1.+1',
          'HTTP/ 1.1',
        ],
        ...[
          'HTTP /1.1',
          'HTTP/1 .1',
          'HTTP/1. 1',
          'HTTP/1.a',
          'HTTP/a.1',
          'HTTP/1.\x00',
          'HTTP/1.1\x00',
          'HTTP\\1.1',
          'HTTP1.1',
        ],
        ...[
          'http/1.1',
          'Http/1.1',
          'hTTP/1.1',
          'HTTPS/1.1',
          'XHTTP/1.1',
          'RTSP/1.0',
          'ICE/1.0',
          'SIP/2.0',
          'HTTP',
          '1.1',
          'HTTP/',
        ],
        ...['HTTP/9.9', 'HTTP/1.\xb9', 'HTTP/-1.1', 'HTTP/4294967297.1', 'HTTP/1.4294967297', 'HTTP/1.1,HTTP/1.1'],
      ],
      version => line(`GET /x ${version}`),
    ),
  ),
  ...refusals(
    'target',
    entries(
      [
        ...[
          'x',
          '?x',
          '#x',
          '.',
          '..',
          '*',
          '/x#y',
          '/#',
          '/x?y#z',
          '/x\x80',
          '/gr\xc3\xbc\xc3\x9fe',
          '/x\x00',
          '/x\x00y',
          '/x\x01',
        ],
        ...[
          '/x\x7f',
          '/x\x1f',
          '/x\x0b',
          '/x\ty',
          '/x\ry',
          '\\x',
          '\\\\x',
          'http:',
          'http:/x',
          'http:///x',
          'http://',
          'http://:80/x',
        ],
        ...[
          'http://a@h.test/x',
          'http://a:b@h.test/x',
          'http://h.test\\x',
          'http://h.test:x/x',
          'http://h test/x',
          'http://[::1/x',
        ],
        ...[
          'http://h.test/x#y',
          'http://h.test#y',
          'http://?x',
          'https://',
          'https:///x',
          'httpss://h.test/x',
          'http+s://h.test/x',
          'http://h.te\x80st/x',
          'ftp://h.test/x',
          'file:///etc/passwd',
          'javascript:x',
          'h.test',
          'h.test:80',
        ],
        ...[
          'h.test/x',
          '[::1]:80',
          '%2fx',
          '"/x"',
          '</x>',
          'about:blank',
          'http://h.test:80:81/x',
          'http://h.test:123456/x',
        ],
      ],
      target => line(`GET ${target} HTTP/1.1`),
    ),
  ),
  ...refusals('target', {
    'CONNECT with an authority': line('CONNECT h.test:443 HTTP/1.1'),
    'CONNECT with a path': line('CONNECT /x HTTP/1.1'),
    'CONNECT with an absolute target': line('CONNECT http://h.test/ HTTP/1.1'),
    'a star with POST': line('POST * HTTP/1.1'),
    'a star and more with OPTIONS': line('OPTIONS *x HTTP/1.1'),
    'two stars with OPTIONS': line('OPTIONS ** HTTP/1.1'),
    'a path without a slash with OPTIONS': line('OPTIONS x HTTP/1.1'),
  }),
  ...cleans(
    'target',
    Object.fromEntries(
      [
        ...[
          '/',
          '//',
          '//a/x',
          '/x/',
          '/?',
          '/x?',
          '/x?y?z',
          '/x?/../y',
          '/a/../b',
          '/a/./b',
          '/%2e%2e/x',
          '/%00',
          '/%0d%0a',
        ],
        ...[
          '/%zz',
          '/%',
          '/x;y=z',
          '/x,y',
          '/x:80',
          '/@h',
          '/x=y',
          "/!$&'()*+,;=:@-._~",
          '/%C3%BC',
          '/%2F',
          '/http://a/x',
          '/.',
          '/..',
        ],
      ].map(target => [target, [line(`GET ${target} HTTP/1.1`), `GET ${target} h.test`] as const]),
    ),
  ),
  ...cleans('request line', {
    'OPTIONS with a star': [line('OPTIONS * HTTP/1.1'), 'OPTIONS * h.test'],
    'HTTP/1.0': [line('GET /x HTTP/1.0'), 'GET /x h.test'],
    'an absolute target of https': [line('GET https://a.test/x HTTP/1.1'), 'GET /x a.test'],
    'an absolute target without a path': [line('GET http://a.test HTTP/1.1'), 'GET / a.test'],
    'an absolute target with a query and no path': [line('GET http://a.test:81?x/y HTTP/1.1'), 'GET /?x/y a.test:81'],
    'the same in HTTP/1.0': ['GET http://a.test?x HTTP/1.0\r\n\r\n', 'GET /?x a.test'],
    'OPTIONS for a whole server': [line('OPTIONS http://a.test HTTP/1.1'), 'OPTIONS * a.test'],
    'OPTIONS for a root': [line('OPTIONS http://a.test/ HTTP/1.1'), 'OPTIONS / a.test'],
    'OPTIONS with a query and no path': [line('OPTIONS http://a.test?x HTTP/1.1'), 'OPTIONS /?x a.test'],
    PATCH: [post('Content-Length: 2\r\n', 'ab').replace('POST', 'PATCH'), 'PATCH /x h.test ab'],
    TRACE: [line('TRACE /x HTTP/1.1'), 'TRACE /x h.test'],
    PROPFIND: [line('PROPFIND /x HTTP/1.1'), 'PROPFIND /x h.test'],
  }),
  ...eithers('request line', {
    'a method in small letters': [line('get /x HTTP/1.1'), 'another method, maybe unknown', 'get /x h.test'],
    'a made-up method': [line('BREW /x HTTP/1.1'), 'maybe unknown', 'BREW /x h.test'],
    'a method of marks': [line("!#$%&'*+ /x HTTP/1.1"), 'maybe unknown', "!#$%&'*+ /x h.test"],
    'HTTP/1.2': [line('GET /x HTTP/1.2'), '505, or taken for 1.1', 'GET /x h.test'],
    'HTTP/1.9': [line('GET /x HTTP/1.9'), '505, or taken for 1.1', 'GET /x h.test'],
    'marks outside of the grammar': [
      line('GET /<>"{}|\\^` HTTP/1.1'),
      'no URI, but harmless',
      'GET /<>"{}|\\^` h.test',
    ],
  }),
]

const hop: Case[] = [
  ...refusals(
    'connection names',
    entries(
      [
        'Host',
        'host',
        'Content-Length',
        'content-length',
        'Transfer-Encoding',
        'close, Host',
        ' \tHost\t ',
        'x,Content-Length,y',
      ],
      names => post(`Connection: ${names}\r\nContent-Length: 5\r\n`),
    ),
  ),
  ...refusals('connection names', {
    'Transfer-Encoding of chunks': post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'Host on its second line': get('Connection: close\r\nConnection: Host\r\n'),
    'Content-Length that is not there': get('Connection: Content-Length\r\n'),
  }),
  ...cleans('hop', {
    'a field that Connection names': [get('X-S: 1\r\nConnection: X-S\r\nX-K: 1\r\n'), 'GET /x h.test'],
    'a field named twice': [get('Connection: X-S, x-s\r\nX-S: 1\r\nx-S: 2\r\n'), 'GET /x h.test'],
    'fields named on two lines': [get('Connection: X-S\r\nX-S: 1\r\nConnection: X-T\r\nX-T: 1\r\n'), 'GET /x h.test'],
    'what the proxy adds is named': [get('Connection: X-Forwarded-For, X-Forwarded-Host\r\n'), 'GET /x h.test'],
    'empty elements in Connection': [get('Connection: , ,X-S,,\r\nX-S: 1\r\n'), 'GET /x h.test'],
    'an empty Connection': [get('Connection:\r\n'), 'GET /x h.test'],
    'Keep-Alive': [get('Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n'), 'GET /x h.test'],
    'Proxy-Connection': [get('Proxy-Connection: close\r\n'), 'GET /x h.test'],
    'Proxy-Authorization': [get('Proxy-Authorization: Basic YTpi\r\nProxy-Authenticate: x\r\n'), 'GET /x h.test'],
    'TE with much in it': [get('TE: gzip, deflate;q=0.5, trailers\r\nConnection: TE\r\n'), 'GET /x h.test'],
    'TE without trailers': [get('TE: gzip\r\n'), 'GET /x h.test'],
    'a change to h2c': [
      get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n'),
      'GET /x h.test',
    ],
    'a change to h2c with a body': [
      post('Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n'),
      'POST /x h.test hello',
    ],
    'a change to an old TLS': [get('Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'), 'GET /x h.test'],
    'Upgrade without Connection': [get('Upgrade: websocket\r\n'), 'GET /x h.test'],
    'Connection without Upgrade': [get('Connection: Upgrade\r\n'), 'GET /x h.test'],
    'a WebSocket with POST': [
      post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n'),
      'POST /x h.test hello',
    ],
    'who asked, pretended': [
      get('X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n'),
      'GET /x h.test',
    ],
    close: [get('Connection: close\r\n'), 'GET /x h.test'],
    'close among others, in capitals': [get('Connection: X-S, CLOSE\r\nX-S: 1\r\n'), 'GET /x h.test'],
    'Expect in other letters': [post('Expect: 100-CONTINUE\r\nContent-Length: 5\r\n'), 'POST /x h.test hello'],
  }),
  ...eithers('hop', {
    'Connection with blanks between names': [get('Connection: X-S X-T\r\n'), 'no list of names', 'GET /x h.test'],
    'Connection with a quoted name': [get('Connection: "X-S"\r\nX-S: 1\r\n'), 'no list of names', 'GET /x h.test'],
    'a WebSocket with a body': [
      get('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n').concat('hello'),
      'no handshake; maybe a plain request',
      'GET /x h.test hello',
    ],
    'a WebSocket with chunks': [
      get('Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n').concat('0\r\n\r\n'),
      'no handshake; maybe a plain request',
      'GET /x h.test',
    ],
    'a WebSocket in HTTP/1.0': [
      'GET /x HTTP/1.0\r\nHost: h.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'HTTP/1.0 knows no change',
      'GET /x h.test',
    ],
  }),
  ...refusals('expect', {
    'something unknown': post('Expect: 200-ok\r\nContent-Length: 5\r\n'),
    nothing: post('Expect:\r\nContent-Length: 5\r\n'),
    'more than one thing': post('Expect: 100-continue, x\r\nContent-Length: 5\r\n'),
  }),
]

const many = (n: number) => Array.from({ length: n }, (_, i) => `X-${i}: ${i}\r\n`).join('')
const sizes: Case[] = [
  ...refusals('size', {
    'a head of 70 KB in one field': get(`X-A: ${'a'.repeat(70_000)}\r\n`),
    'a head of 70 KB in many fields': get(`X-A: ${'a'.repeat(700)}\r\n`.repeat(100)),
    'a head just beyond 32 KB': get(`X-A: ${'a'.repeat(32 * 1024)}\r\n`),
    'a head of 1 MB': get(`X-A: ${'a'.repeat(1_000_000)}\r\n`),
    'a name of 40 KB': get(`${'a'.repeat(40_000)}: 1\r\n`),
    'a method of 40 KB': line(`${'A'.repeat(40_000)} /x HTTP/1.1`),
    'a target of 40 KB': line(`GET /${'a'.repeat(40_000)} HTTP/1.1`),
    'a version of 40 KB': line(`GET /x HTTP/1.${'1'.repeat(40_000)}`),
    'a target of 20 KB': line(`GET /${'a'.repeat(20_000)} HTTP/1.1`),
    '1,000 fields of one letter': get('X: 1\r\n'.repeat(1000)),
    '3,000 fields': get(many(3000)),
    '3,000 fields, a length behind them': post(`${many(3000)}Content-Length: 5\r\n`),
    '5,000 fields without a name': get(':\r\n'.repeat(5000)),
    'blanks for 40 KB before a value': get(`X-A:${' '.repeat(40_000)}1\r\n`),
    'an empty head for 40 KB': `${'\r\n'.repeat(20_000)}${get()}`,
  }),
  ...cleans('size', {
    '100 fields': [get(many(100)), 'GET /x h.test'],
    'a value of 16 KB': [get(`X-A: ${'a'.repeat(16_000)}\r\n`), 'GET /x h.test'],
    'a target of 8 KB': [line(`GET /${'a'.repeat(8000)} HTTP/1.1`), `GET /${'a'.repeat(8000)} h.test`],
    'a host of 255 letters': [`GET /x HTTP/1.1\r\nHost: ${'a'.repeat(255)}\r\n\r\n`, `GET /x ${'a'.repeat(255)}`],
  }),
]

/** What never ends must be refused while it comes, not when memory does. */
const endless: Case[] = Object.entries({
  'a target': 'GET /',
  'a name': 'GET /x HTTP/1.1\r\nHost: h.test\r\nX',
  'a value': 'GET /x HTTP/1.1\r\nHost: h.test\r\nX: ',
  'a method': 'G',
}).map(([name, bytes]) => {
  const part = 'a'.repeat(5000)
  return { name: `endless: ${name}`, bytes: [bytes, ...Array(10).fill(part)], expect: 'refused', behind: '' }
})

const foreign: Case[] = refusals('not HTTP', {
  'a TLS greeting': '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'the preface of HTTP/2 and a frame': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00',
  'the PROXY protocol': `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${get()}`,
  'the PROXY protocol, version 2': `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x00\x02${get()}`,
  'an SSH greeting': 'SSH-2.0-OpenSSH_9.9\r\n\r\n',
  'an SMTP greeting': 'EHLO a\r\n\r\n',
  'an answer': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'NUL and NUL again': '\x00'.repeat(64),
  'all octets there are': Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join(''),
  'one line without end': 'A'.repeat(40_000),
  'HTTP/0.9': 'GET /x\r\n',
  JSON: '{"a":1}\r\n\r\n',
})

/** Lines that are wrong already, and nothing more: who sends them waits for an answer. */
const waiting: Case[] = Object.entries({
  'HTTP/0.9': ['GET ', '/x\r\n'],
  'HTTP/0.9 behind an empty line': ['\r\nGET ', '/x\r\n'],
  'a line of blanks': ['  ', '\r\n'],
  'no version': ['GET /x', ' \r\n'],
  'a small version': ['GET /x http/1.', '1\r\n'],
  'a field for a request': ['Host: ', 'h.test\r\n'],
  'a line feed behind the version': ['GET /x HTTP/1.1\n'],
  'a line feed behind the version, later': ['GET /x HTTP/1.1', '\n'],
  'a version cut short': ['GET /x HTTP/1\n'],
  'a field without a colon': [get().slice(0, -2), 'Transfer\r\n'],
  'a field with a control': [get('X-A: a').slice(0, -2), '\x07'],
  'a fold': [get().slice(0, -2), ' X-A: 1\r\n'],
  'a second Host': [get().slice(0, -2), 'Host: b.test\r\n'],
  'a second length': [get('Content-Length: 5\r\n').slice(0, -2), 'Content-Length: 5\r\n'],
  'a coding unknown': [get().slice(0, -2), 'Transfer-Encoding: cow\r\n'],
}).map(([name, bytes]) => ({ name: `waiting: ${name}`, bytes, expect: 'refused', behind: '' }))

export const targetsAndMore: readonly Case[] = [...requestLines, ...hop, ...sizes, ...endless, ...foreign, ...waiting]
