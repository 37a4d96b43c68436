// Users spread by a key of their own: nobody leaves the canary while it grows, and it holds the share that it should.
import fc from 'fast-check'
import { test } from 'tap'
import { placesFor } from '../../src/proxy/sticky.ts'
import { chooser, type DestInput, type Request, type RouteInput, to, tokenOf } from './choice-kit.ts'

type Sticky = RouteInput['sticky']

const USERS = Array.from({ length: 10_000 }, (_, i) => `user-${i}`)
const byHeader: Sticky = { by: 'header', name: 'X-User' }
const asHeader = (user: string): Request => ({ headers: { 'x-user': user } })

const split = (weight: number, more: Partial<RouteInput> = {}, total = 100): RouteInput => ({
  name: 'web',
  total,
  dests: [to('stable', total - weight, 'old'), to('canary', weight, 'new')],
  sticky: byHeader,
  ...more,
})

/** The version of each of the users. */
function versions(route: RouteInput, as = asHeader, users = USERS): readonly string[] {
  const at = chooser(route)
  return users.map(user => at(as(user)).dest.hash)
}

const share = (all: readonly string[], hash = 'new'): number => all.filter(h => h === hash).length / all.length

test('10,000 users, by header, cookie and claim: none leaves the canary while it grows, to the end of the release', async t => {
  const ways: [Sticky, (user: string) => Request][] = [
    [byHeader, asHeader],
    [{ by: 'cookie', name: 'uid' }, user => ({ headers: { cookie: `theme=dark; uid=${user}; x=1` } })],
    [{ by: 'claim', name: 'sub' }, user => ({ headers: { authorization: `Bearer ${tokenOf({ sub: user })}` } })],
  ]
  const seen = new Set<string>()
  for (const [sticky, as] of ways) {
    const weights = [0, 1, 2, 5, 10, 20, 25, 33, 50, 75, 99, 100]
    const moves = weights.map(weight => versions(split(weight, { sticky }), as))
    const done = { sticky, dests: [to('stable', 100, 'new'), to('canary', 0, 'new')] }
    moves.push(versions({ ...split(0), ...done }, as))
    let flips = 0
    for (const [i, now] of moves.entries())
      if (i > 0) for (const [user, hash] of now.entries()) if (moves[i - 1]![user] === 'new' && hash !== 'new') flips++
    t.equal(flips, 0, JSON.stringify(sticky))
    t.equal(share(moves[0]!), 0, 'at 0 nobody')
    t.equal(share(moves[11]!), 1, 'at 100 everybody')
    seen.add(moves[4]!.join())
  }
  t.equal(seen.size, 1, 'the same key is the same user, wherever it is read')
})

test('law: whatever the weights and the total, a canary that grows only gains users, and extras of one weight keep theirs', async () => {
  const growing = fc.record({
    total: fc.constantFrom(7, 100, 1000, 1_000_000),
    parts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 6 }).map(p => p.toSorted()),
    extra: fc.double({ min: 0, max: 0.3, noNaN: true }),
    salt: fc.string(),
    order: fc.nat(5),
  })
  fc.assert(
    fc.property(growing, ({ total, parts, extra, salt, order }) => {
      const each = Math.floor(extra * total)
      let before: readonly string[] = []
      return parts
        .toSorted((a, b) => a - b)
        .every(part => {
          const weight = Math.floor(part * (total - 2 * each))
          const dests: DestInput[] = [
            to('canary', weight, 'new'),
            to('stable', total - weight - 2 * each, 'old'),
            to('extra', each, 'try-a'),
            to('extra', each, 'try-b'),
          ]
          // Whoever writes the table may list them in any order.
          const turned = [...dests.slice(order % 4), ...dests.slice(0, order % 4)]
          const users = USERS.slice(0, 500)
          const now = versions({ name: 'web', total, dests: turned, sticky: { ...byHeader, salt } }, asHeader, users)
          const isKept = before.every((hash, user) => hash === now[user] || (hash === 'old' && now[user] === 'new'))
          before = now
          return isKept
        })
    }),
    { numRuns: 150 },
  )
})

test('an abort takes every user back, and a second try takes the same ones', async t => {
  const first = versions(split(20))
  t.same(new Set(versions(split(0))), new Set(['old']))
  t.same(versions(split(20)), first)
})

test('the share of 10,000 equal users is within four standard deviations of the weight, whatever the salt', async t => {
  for (const weight of [1, 5, 20, 50]) {
    const p = weight / 100
    const most = 4 * Math.sqrt((p * (1 - p)) / USERS.length)
    for (let i = 0; i < 40; i++) {
      const got = share(versions(split(weight, { sticky: { ...byHeader, salt: `release-${i}` } })))
      t.ok(Math.abs(got - p) < most, `weight ${weight}, salt ${i}: ${got}`)
    }
  }
})

test('three versions hold their shares', async t => {
  const dests = [to('stable', 60, 'old'), to('canary', 25, 'new'), to('extra', 15, 'try')]
  const all = versions(split(0, { dests }))
  for (const [hash, wanted] of [
    ['old', 0.6],
    ['new', 0.25],
    ['try', 0.15],
  ] as const)
    t.ok(Math.abs(share(all, hash) - wanted) < 0.02, `${hash}: ${share(all, hash)}`)
})

test('keys of any kind spread evenly, and alike keys do not stay together', async t => {
  const kinds: [string, (i: number) => string][] = [
    ['numbers', i => `${i}`],
    ['long numbers', i => `${1_000_000_000_000 + i * 4096}`],
    ['addresses', i => `10.0.${i >> 8}.${i & 255}`],
    ['mails', i => `someone.${i}@example.com`],
    ['one letter and another', i => String.fromCharCode(97 + (i % 26)).repeat(1 + Math.floor(i / 26))],
  ]
  for (const [name, key] of kinds) {
    const place = placesFor('web')
    const cells = new Array(64).fill(0)
    const n = name.startsWith('one') ? 2600 : 64_000
    for (let i = 0; i < n; i++) cells[place(key(i)) >>> 26]++
    const chi = cells.reduce((sum, count) => sum + (count - n / 64) ** 2 / (n / 64), 0)
    // 63 degrees of freedom: above 120 once in some 50,000 times for places by chance.
    t.ok(chi < 120, `${name}: ${chi}`)
  }
})

test('routes of different names choose different users, routes of one salt the same', async t => {
  const one = versions(split(10, { name: 'shop/cart' }))
  const two = versions(split(10, { name: 'shop/pay' }))
  const both = one.filter((hash, i) => hash === 'new' && two[i] === 'new').length
  t.ok(both > 50 && both < 150, `about 100 of 10,000 are in both, got ${both}`)
  const salted = (name: string) => versions(split(10, { name, sticky: { ...byHeader, salt: 'autumn' } }))
  t.same(salted('shop/cart'), salted('shop/pay'))
})

test('users of unequal weight: the share strays as far as the formula in the docs says', async t => {
  const shares = Array.from({ length: 1000 }, (_, i) => 1 / (i + 1))
  const sum = shares.reduce((a, b) => a + b)
  const squares = shares.reduce((all, s) => all + (s / sum) ** 2, 0)
  const deviation = Math.sqrt(0.05 * 0.95 * squares)
  let found = 0
  for (let i = 0; i < 400; i++) {
    const place = placesFor(`salt ${i}`)
    const canary = shares.reduce((all, s, user) => all + (place(`user-${user}`) < 0.05 * 2 ** 32 ? s / sum : 0), 0)
    found += (canary - 0.05) ** 2 / 400
  }
  t.ok(Math.abs(Math.sqrt(found) / deviation - 1) < 0.25, `${Math.sqrt(found)} where ${deviation} is expected`)
})

test('whoever brings no key is chosen by the exact weight', async t => {
  const at = chooser(split(10, { sticky: { by: 'claim', name: 'sub' } }))
  const bearer = (claims: unknown): Request => ({ headers: { authorization: `Bearer ${tokenOf(claims)}` } })
  // biome-ignore format: a table reads best as a table
  const keyless: [string, Request][] = [
    ['no header', {}],
    ['no token', { headers: { authorization: 'Basic YTpi' } }],
    ['no JSON', { headers: { authorization: 'Bearer e30.e30x.c2ln' } }],
    ['no three parts', { headers: { authorization: 'Bearer e30' } }],
    ['two tokens', { headers: { authorization: `Bearer ${tokenOf({ sub: 'a' })}, Bearer ${tokenOf({ sub: 'a' })}` } }],
    ['no such claim', bearer({ name: 'a' })],
    ['an empty claim', bearer({ sub: '' })],
    ['a claim that is a list', bearer({ sub: ['a'] })],
    ['claims that are null', bearer(null)],
  ]
  for (const [name, request] of keyless) {
    let canary = 0
    for (let i = 0; i < 100; i++) if (at(request).dest.role === 'canary') canary++
    t.equal(canary, 10, name)
  }
  const inherited = chooser(split(10, { sticky: { by: 'claim', name: 'toString' } }))
  t.equal(Array.from({ length: 100 }, () => inherited(bearer({})).dest.role).filter(r => r === 'canary').length, 10)
})

test('a claim may be a number, and the scheme be written in any case', async t => {
  const at = chooser(split(50, { sticky: { by: 'claim', name: 'uid' } }))
  const one = (headers: Record<string, string>) => at({ headers }).dest.hash
  for (let uid = 0; uid < 50; uid++) {
    const upper = one({ authorization: `BEARER ${tokenOf({ uid })}` })
    t.equal(one({ authorization: `bearer ${tokenOf({ uid: `${uid}` })}` }), upper)
  }
})

test('a user whose version has no pods is treated like anybody else there', async t => {
  const user = USERS.find((_, i) => versions(split(10))[i] === 'new')!
  t.equal(chooser(split(10), undefined, ['shop/canary'])(asHeader(user)).dest.role, 'canary', 'answered with 503')
  const spilling = split(10, { onEmpty: 'spill' })
  t.equal(chooser(spilling, undefined, ['shop/canary'])(asHeader(user)).dest.role, 'stable')
})
