// What a Rollout may say about rules and stickiness is what the proxy's table takes: no more, or a proxy would refuse
// the table long after the Rollout was accepted; no less, or a file could say what a Rollout cannot.
import { test } from 'tap'
import { rules, sticky } from '../../adapters/traffic/_proxy-choice.ts'
import { parseTable } from '../../src/proxy/table.ts'

const dests = (['stable', 'canary', 'active', 'preview'] as const).map(role => ({
  role,
  weight: role === 'stable' ? 100 : 0,
  upstream: { service: `shop/${role}` },
}))

function isTaken(route: object): boolean {
  try {
    parseTable({ routes: [{ name: 'web', dests, ...route }] }, 'test')
    return true
  } catch {
    return false
  }
}

const session = { cookie: 'v' }
const match = { exact: 'a' }

test('stickiness is judged alike', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [good: boolean, sticky: unknown][] = [
    [true, { by: 'header', name: 'X-User' }], [true, { by: 'cookie', name: 'uid', salt: '' }],
    [true, { by: 'claim', name: 'https://example.com/id', salt: 'x' }], [true, { session }], [true, { session: { ...session, follow: true } }], [false, { session: { ...session, follow: 'yes' } }],
    [true, { session: { ...session, maxAge: 34_560_000, sameSite: 'None', secure: true } }],
    [true, { session: { cookie: '__Host-v', secure: true } }],
    [false, {}], [false, null], [false, 'header'], [false, { by: 'header' }], [false, { name: 'a' }],
    [false, { by: 'header', name: '' }], [false, { by: 'header', name: 'a b' }], [false, { by: 'cookie', name: 'a=b' }],
    [false, { by: 'ip', name: 'a' }], [false, { by: 'header', name: 'a', session }], [false, { name: 'a', session }],
    [false, { session, salt: 'x' }], [false, { session, mode: 'x' }], [false, { session: {} }],
    [false, { session: { cookie: 'a;b' } }], [false, { session: { cookie: 'a'.repeat(65) } }],
    [false, { session: { ...session, maxAge: 0 } }], [false, { session: { ...session, maxAge: 34_560_001 } }],
    [false, { session: { ...session, maxAge: 1.5 } }], [false, { session: { ...session, sameSite: 'None' } }],
    [false, { session: { ...session, sameSite: 'lax' } }], [false, { session: { cookie: '__Secure-v' } }],
    [false, { session: { ...session, path: '/' } }],
  ]
  for (const [good, value] of table) {
    t.equal(sticky.safeParse(value).success, good, `the Rollout: ${JSON.stringify(value)}`)
    t.equal(isTaken({ sticky: value }), good, `the table: ${JSON.stringify(value)}`)
  }
})

test('rules are judged alike', async t => {
  const canary = (...anyOf: unknown[]) => [{ to: 'canary', anyOf }]
  // biome-ignore format: a table reads best as a table
  const table: [good: boolean, rules: unknown][] = [
    [true, []], [true, canary({ method: match })], [true, canary({ path: { prefix: '/a' } }, { query: { a: match, b: { regex: '^x' } } })],
    [true, canary({ headers: { 'X-A': match }, cookies: { a: match } })],
    ...(['stable', 'active', 'preview'] as const).map((to): [boolean, unknown] => [true, [{ to, anyOf: [{ method: match }] }]]),
    [false, {}], [false, canary()], [false, canary({})], [false, [{ to: 'extra', anyOf: [{ method: match }] }]],
    [false, [{ anyOf: [{ method: match }] }]], [false, [{ to: 'canary' }]], [false, canary({ host: match })],
    [false, canary({ method: 'GET' })], [false, canary({ method: { exact: 'a', prefix: 'b' } })], [false, canary({ method: {} })],
    [false, canary({ path: { regex: '(' } })], [false, canary({ headers: { 'a b': match } })], [false, canary({ cookies: { 'a;': match } })],
    [false, canary({ query: { '': match } })], [false, [{ to: 'canary', anyOf: [{ method: match }], percent: 5 }]],
  ]
  for (const [good, value] of table) {
    t.equal(rules.safeParse(value).success, good, `the Rollout: ${JSON.stringify(value)}`)
    t.equal(isTaken({ rules: value }), good, `the table: ${JSON.stringify(value)}`)
  }
})
