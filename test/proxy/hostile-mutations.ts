// Requests made from good ones by program: one octet replaced, put in, doubled or left out at each place, and cuts into
// pieces at each place. What must become of each is worked out by the strict reader, which is slow, plain and not ours
// to ship; hostile-requests.test.ts checks the reader against the tables that were written by hand.
import { AFTER, type Case, shown } from './hostile-kit.ts'
import { readRequest, targetFor } from './hostile-read.ts'

const POST = 'POST /m?n HTTP/1.1\r\nHost: m.test\r\nX-One: a b\r\nContent-Length: 6\r\n\r\n(body)'
const CHUNKS =
  'PUT /m HTTP/1.1\r\nHost: m.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n(bod\r\n2;e=1\r\ny)\r\n0\r\nX-T: 1\r\n\r\n'
export const OCTETS: Readonly<Record<string, string>> = {
  NUL: '\x00',
  CR: '\r',
  LF: '\n',
  TAB: '\t',
  SP: ' ',
  DEL: '\x7f',
  x80: '\x80',
  xFF: '\xff',
  colon: ':',
  comma: ',',
  semicolon: ';',
  CRLF: '\r\n',
}
const KNOWN_METHODS = new Set(['POST', 'PUT', 'GET'])

/** What must become of the bytes; nothing when they would wait for more, or when a rule of the proxy's own decides. */
function settle(name: string, bytes: string): Case[] {
  const whole = bytes + AFTER
  const seen: string[] = []
  const methods: string[] = []
  let at = 0
  let isCut = false
  let doubts = 0
  for (;;) {
    const reading = readRequest(whole, at)
    if (reading.kind === 'more') {
      if (at < whole.length) return []
      break
    }
    if (reading.kind === 'bad') {
      const headEnd = whole.indexOf('\r\n\r\n', at)
      isCut = headEnd > 0 && /\r\ntransfer-encoding: *chunked *\r\n/i.test(whole.slice(at, headEnd + 2))
      const odd = methods.filter(method => !KNOWN_METHODS.has(method))
      if (odd.length > 0) return [{ name, bytes, expect: 'either', seen: [], why: 'an unknown method' }]
      return [{ name, bytes, expect: isCut ? 'cut' : 'refused', seen }]
    }
    if (at >= bytes.length) break
    const { request, next } = reading
    // A body that takes in what follows would be read otherwise each time.
    if (next > bytes.length) {
      if (bytes.slice(at) !== '\r\n') return []
      break
    }
    at = next
    doubts += request.doubts.filter(doubt => doubt !== 'a chunk extension').length
    methods.push(request.method)
    seen.push(shown({ ...request, target: targetFor(request) }))
  }
  const unknown = methods.some(method => !KNOWN_METHODS.has(method))
  // Request targets outside of the grammar of URIs, hosts of odd marks: legal enough to pass, odd enough to refuse.
  if (unknown || doubts > 0) return [{ name, bytes, expect: 'either', seen, why: 'legal but odd' }]
  return [{ name, bytes, expect: 'clean', seen }]
}

export const put = (text: string, at: number, what: string, drop: number) =>
  text.slice(0, at) + what + text.slice(at + drop)

function mutate(label: string, text: string): Case[] {
  const cases: Case[] = []
  for (let at = 0; at < text.length; at++) {
    const here = `${label} at ${at}`
    for (const [octet, what] of Object.entries(OCTETS)) {
      if (what !== text[at])
        cases.push(...settle(`${here}: ${octet} for ${JSON.stringify(text[at])}`, put(text, at, what, 1)))
      cases.push(...settle(`${here}: ${octet} put in`, put(text, at, what, 0)))
    }
    cases.push(...settle(`${here}: ${JSON.stringify(text[at])} left out`, put(text, at, '', 1)))
    cases.push(...settle(`${here}: ${JSON.stringify(text[at])} twice`, put(text, at, text[at]!, 0)))
  }
  return cases
}

/** Each place of a request with a length and of one with chunks, changed in every way. */
export const mutations = (): Case[] => [...mutate('length', POST), ...mutate('chunks', CHUNKS)]

const HOSTILE: Readonly<Record<string, string>> = {
  'both framings': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a bare line feed': 'GET /x HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n',
  'a folded line': 'GET /x HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n',
  'two hosts': 'GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'a blank before the colon': 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nGET ',
}
const HOSTILE_BODIES: Readonly<Record<string, string>> = {
  'a chunk too long': 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
  'a line feed in an extension':
    'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;\nx\r\nab\r\n0\r\n\r\n',
  'a length in a trailer':
    'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n',
}

/** Good requests and hostile ones in two pieces, cut at each place, and octet by octet. */
export function splits(): Case[] {
  const cases: Case[] = []
  const add = (label: string, text: string, more: Pick<Case, 'expect' | 'seen'>): void => {
    for (let at = 1; at < text.length; at++)
      cases.push({ name: `${label}, cut at ${at}`, bytes: [text.slice(0, at), text.slice(at)], ...more })
    cases.push({ name: `${label}, octet by octet`, bytes: [...text], ...more })
  }
  add('length', POST, { expect: 'clean', seen: ['POST /m?n m.test (body)'] })
  add('chunks', CHUNKS, { expect: 'clean', seen: ['PUT /m m.test (body)'] })
  add('two', `GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n`, {
    expect: 'clean',
    seen: ['GET /a a', 'GET /b b'],
  })
  add('an empty line in front', `\r\n${POST}`, { expect: 'clean', seen: ['POST /m?n m.test (body)'] })
  add('an empty line between', `${POST}\r\n${POST}`, {
    expect: 'clean',
    seen: ['POST /m?n m.test (body)', 'POST /m?n m.test (body)'],
  })
  for (const [name, text] of Object.entries(HOSTILE)) add(name, text, { expect: 'refused' })
  for (const [name, text] of Object.entries(HOSTILE_BODIES)) add(name, text, { expect: 'cut' })
  return cases
}
