// Malformed, ambiguous and awkward requests against a running proxy: each is refused, or reaches the pod in a form that
// can be read in one way only.
import { test } from 'tap'
import { bodies } from './hostile-bodies.ts'
import { AFTER, type Case, run, shown } from './hostile-kit.ts'
import { mutations, splits } from './hostile-mutations.ts'
import { notYet } from './hostile-not-yet.ts'
import { readRequest, targetFor } from './hostile-read.ts'
import { handWritten } from './hostile-requests.ts'
import { targetsAndMore } from './hostile-targets.ts'

const tables: readonly Case[] = [...handWritten, ...targetsAndMore, ...bodies]

test('no two cases have the same name', async t => {
  const all = [...tables, ...mutations(), ...splits()].map(one => one.name)
  t.strictSame(
    all.filter((name, i) => all.indexOf(name) !== i),
    [],
  )
})

test('the strict reader judges as the tables do', async t => {
  for (const { name, bytes, expect, seen = [] } of tables) {
    if (expect === 'either') continue
    const text = `${typeof bytes === 'string' ? bytes : bytes.join('')}${AFTER}`
    const read: string[] = []
    let verdict = 'clean'
    for (let at = 0; at < text.length; ) {
      const reading = readRequest(text, at)
      if (reading.kind !== 'request') {
        verdict = 'refused'
        break
      }
      at = reading.next
      const { request } = reading
      read.push(shown({ ...request, target: targetFor(request) }))
    }
    const mustBe = expect === 'clean' ? [...seen, 'GET /after after.test'] : [...seen]
    // Limits are the proxy's own: the reader has none.
    if (/^size:|beyond any measure|70 KB|5,000 fields|without end|endless|of 20 KB|of one letter/.test(name)) continue
    t.strictSame([verdict, read], [expect === 'clean' ? 'clean' : 'refused', mustBe], name)
  }
})

for (const [what, cases] of Object.entries({ tables, mutations: mutations(), splits: splits() })) {
  test(`${what}: ${cases.length} requests are refused or forwarded clean`, async t => {
    const wrong = await run(t, cases)
    for (const one of cases) {
      const found = wrong.get(one.name) ?? []
      // An entry that is no longer needed must go, or it would hide the next regression.
      if (notYet.has(one.name)) t.not(found.length, 0, `${one.name} passes: take it off the list`)
      else if (found.length > 0) t.fail(one.name, { found, bytes: one.bytes.toString().slice(0, 500) })
    }
    t.ok(cases.length > 250, 'there is a corpus')
  })
}
