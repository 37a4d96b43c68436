// Law: of a request's head exactly the cookies of one name are left out, however the lines are written.
import fc from 'fast-check'
import { test } from 'tap'
import { cutCookie } from '../../src/proxy/engine/cut-cookie.ts'
import { readRequest } from '../../src/proxy/engine/read-request.ts'
import { head } from '../../src/proxy/engine/request-head.ts'

/** What the pod gets of a head. */
function passed(text: string, name: string): string {
  const buf = Buffer.from(text, 'latin1')
  if (readRequest(buf, 0, buf.length, false) !== 1) throw new Error(`refused: ${head.why}`)
  cutCookie(buf, head, name)
  const out = Buffer.alloc(buf.length)
  return out.toString('latin1', 0, head.cuts.copy(buf, 0, buf.length, out, 0))
}

/** Pairs of a Cookie line that say something. */
const pairsOf = (line: string): string[] =>
  line
    .slice(line.indexOf(':') + 1)
    .split(';')
    .map(pair => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter(pair => pair !== '')

const isOurs = (pair: string): boolean => /^v[ \t]*=/.test(pair)

const blank = fc.constantFrom('', ' ', '  ', '\t')
const pair = fc
  .tuple(
    blank,
    fc.constantFrom('v=1', 'v=', 'v =2', 'v', 'V=1', 'vv=1', 'a=v=1', 'a="v=1"', 'a', 'b=2', '=v', '', 'v=1=2'),
    blank,
  )
  .map(parts => parts.join(''))
const line = fc
  .tuple(fc.constantFrom('Cookie', 'cookie', 'COOKIE', 'X-Cookie', 'Cookies'), fc.array(pair, { maxLength: 9 }))
  .map(([name, pairs]) => `${name}:${pairs.join(';')}`)

test('exactly the pairs of that name go, and nothing else of the head changes', async t => {
  let cut = 0
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), lines => {
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${lines.map(l => `${l}\r\n`).join('')}X-Last: v=1\r\n\r\n`
      const out = passed(text, 'v')
      const isCookie = (l: string) => l.toLowerCase().startsWith('cookie:')
      const wanted = lines.flatMap(l => (isCookie(l) ? pairsOf(l).filter(p => !isOurs(p)) : [l]))
      const left = out.split('\r\n').slice(2, -3)
      const got = left.flatMap(l => (isCookie(l) ? pairsOf(l) : [l]))
      if (out.length < text.length) cut++
      const isWhole = out.startsWith('GET / HTTP/1.1\r\nHost: a\r\n') && out.endsWith('X-Last: v=1\r\n\r\n')
      const untouched = lines.filter(l => !isCookie(l) || !pairsOf(l).some(isOurs))
      return isWhole && got.join('|') === wanted.join('|') && untouched.every(l => left.includes(l))
    }),
    { numRuns: 3000 },
  )
  t.ok(cut > 1000, `${cut} of 3000 heads had something to cut`)
})

test('a line that is full of it goes as a whole, so that the cuts of a head never run out', async t => {
  const many = Array.from({ length: 300 }, (_, i) => `v=1; a${i}=1`).join('; ')
  t.equal(
    passed(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${many}\r\nX: 1\r\n\r\n`, 'v'),
    'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n',
  )
  const lines = `Cookie: b=1; v=1\r\n`.repeat(100)
  t.equal(
    passed(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'v'),
    `GET / HTTP/1.1\r\nHost: a\r\n${'Cookie: b=1\r\n'.repeat(100)}\r\n`,
  )
})
