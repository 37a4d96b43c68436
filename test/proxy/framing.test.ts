// Framing held against another parser: what the engine takes, Node's own (llhttp) must take too, and read in the same way.
// Looser than llhttp is a defect; stricter is meant.
import { createServer, type IncomingMessage, METHODS } from 'node:http'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { test } from 'tap'
import { Chunks } from '../../src/proxy/engine/chunks.ts'
import { readRequest } from '../../src/proxy/engine/read-request.ts'
import { CHUNKED, head, LENGTH } from '../../src/proxy/engine/request-head.ts'

type Read = { method: string; target: string; body: string }
type Taken = { read: Read; size: number }

/** What the engine makes of a message, and of how many octets; undefined when it refuses it or waits for more. */
function ours(bytes: Buffer): Taken | undefined {
  const buf = Buffer.concat([Buffer.alloc(2048), bytes])
  if (readRequest(buf, 2048, buf.length, false) !== 1) return undefined
  const method = buf.toString('latin1', head.begin, head.methodTo)
  const target = buf.toString('latin1', head.targetFrom, head.targetTo)
  const { end, framing, length } = head
  const taken = (body: string, to: number): Taken => ({ read: { method, target, body }, size: to - 2048 })
  if (framing === CHUNKED) {
    const chunks = new Chunks()
    chunks.begin(true)
    if (!chunks.follow(buf, end, buf.length) || !chunks.done) return undefined
    const size = chunks.next
    return taken(buf.toString('latin1', chunks.from, chunks.to), size)
  }
  if (framing !== LENGTH) return taken('', end)
  return end + length > buf.length ? undefined : taken(buf.toString('latin1', end, end + length), end + length)
}

/** What Node's server makes of it. */
function theirs(bytes: Buffer): Promise<Read | undefined> {
  return new Promise(done => {
    const server = createServer({ requireHostHeader: false })
    const serve = (req: IncomingMessage): void => {
      let body = ''
      req.setEncoding('latin1').on('data', part => {
        body += part
      })
      req.on('end', () => done({ method: req.method ?? '', target: req.url ?? '', body }))
      req.on('error', () => done(undefined))
    }
    server.on('request', serve).on('checkContinue', serve)
    server.on('upgrade', req => done({ method: req.method ?? '', target: req.url ?? '', body: '' }))
    server.on('clientError', () => done(undefined))
    const wire = new Duplex({ read() {}, write: (_chunk, _encoding, next) => next() })
    server.emit('connection', wire)
    wire.on('close', () => done(undefined))
    wire.push(bytes)
    setTimeout(() => {
      done(undefined)
      wire.destroy()
    }, 300).unref()
  })
}

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)
const line = oneOf(
  'GET / HTTP/1.1',
  'POST /a?b=1 HTTP/1.1',
  'PUT /x HTTP/1.0',
  'DELETE /y HTTP/1.1',
  'OPTIONS * HTTP/1.1',
)
const field = oneOf(
  'Content-Length: 3',
  'Content-Length: 0',
  'Content-Length: 03',
  'Content-Length: 3, 3',
  'content-length:3',
  'Transfer-Encoding: chunked',
  'transfer-encoding:  CHUNKED ',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, identity',
  'Connection: close',
  'Connection: keep-alive, X-A',
  'X-A: 1',
  'X-B: \t two words\t',
  'Upgrade: h2c',
  'Expect: 100-continue',
)
const body = oneOf('', 'abc', '3\r\nabc\r\n0\r\n\r\n', '3;x=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n', '03\r\nabc\r\n00\r\n\r\n')
const message = fc
  .tuple(line, fc.array(field, { maxLength: 5 }), body)
  .map(([first, fields, rest]) => Buffer.from(`${[first, 'Host: a', ...fields].join('\r\n')}\r\n\r\n${rest}`, 'latin1'))
/** A few octets changed, taken out or put in. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  is: oneOf('change', 'remove', 'insert'),
  octet: oneOf(0, 9, 10, 13, 32, 44, 48, 51, 58, 59, 65, 95, 97, 127, 128, 255),
})
const mangled = fc.tuple(message, fc.array(edit, { maxLength: 3 })).map(([bytes, edits]) => {
  let out = [...bytes]
  for (const { at, is, octet } of edits) {
    const i = Math.floor(at * out.length)
    if (is === 'change') out[i] = octet
    else out = [...out.slice(0, i), ...(is === 'insert' ? [octet] : []), ...out.slice(i + (is === 'remove' ? 1 : 0))]
  }
  return Buffer.from(out)
})

test('what the engine takes, llhttp takes too, and reads in the same way', async t => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(mangled, async bytes => {
      const mine = ours(bytes)
      // llhttp knows a list of methods; any other token is one for us (RFC 9110 9.1).
      if (mine === undefined || !METHODS.includes(mine.read.method)) return
      taken++
      const message = bytes.subarray(0, mine.size)
      t.strictSame(await theirs(message), mine.read, JSON.stringify(message.toString('latin1')))
    }),
    { numRuns: 20_000, seed: 20261127 },
  )
  t.ok(taken > 300, `${taken} messages were taken by both`)
})
