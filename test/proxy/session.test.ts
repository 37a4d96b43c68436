// Sessions by a cookie of the proxy's own: begun by the exact weight, kept while their version gets traffic, ended with
// the release.
import { test } from 'tap'
import { parseTable } from '../../src/proxy/table.ts'
import { asked, chooser, freshMemory, type RouteInput, to } from './choice-kit.ts'

const session = { cookie: 'version' }
const split = (weight: number, more: Partial<RouteInput> = {}): RouteInput => ({
  name: 'web',
  dests: [to('canary', weight, 'new'), to('stable', 100 - weight, 'old')],
  sticky: { session },
  ...more,
})

/** A browser: keeps the one cookie that matters here. */
type Browser = { value?: string }

/** Lets browsers ask on a route. */
function visits(route: RouteInput, memory = freshMemory(), empty: readonly string[] = []) {
  const at = chooser(route, memory, empty)
  return (browser: Browser, headers: Record<string, string> = {}) => {
    const cookie: Record<string, string> =
      browser.value === undefined ? {} : { cookie: `a=1; version=${browser.value}; b=2` }
    const request = { headers: { ...headers, ...cookie } }
    const { dest, entry } = at(request)
    const line = entry.route.session?.line(entry, asked(request), dest)?.toString()
    if (line?.includes('Max-Age=0')) delete browser.value
    else if (line !== undefined) browser.value = /version=([^;]*)/.exec(line)![1]!
    return { version: dest.hash, line }
  }
}

test('10,000 sessions begin by the exact weight, and none flips while the canary grows', async t => {
  const memory = freshMemory()
  const browsers: Browser[] = []
  const was = new Map<Browser, string>()
  let flips = 0
  for (const [round, weight] of [1, 5, 10, 25, 50, 75, 90, 99].entries()) {
    const visit = visits(split(weight), memory)
    const before = browsers.length
    let canary = 0
    for (let i = 0; i < 1250; i++) {
      const browser = {}
      browsers.push(browser)
      const { version } = visit(browser)
      was.set(browser, version)
      if (version === 'new') canary++
      // In between somebody comes back; that must not move the share of the new ones.
      if (before > 0)
        if (visit(browsers[(i * 7919) % before]!).version !== was.get(browsers[(i * 7919) % before]!)) flips++
    }
    t.ok(Math.abs(canary - 12.5 * weight) < 2, `round ${round}, weight ${weight}: ${canary} of 1250`)
    for (const browser of browsers) if (visit(browser).version !== was.get(browser)) flips++
  }
  t.equal(browsers.length, 10_000)
  t.equal(flips, 0)
})

test('the cookie names version and release; a client that has it is told nothing more', async t => {
  const browser: Browser = {}
  const visit = visits(split(50))
  const { version, line } = visit(browser)
  t.equal(line, `Set-Cookie: version=${version}.new; Path=/; HttpOnly; SameSite=Lax\r\n`)
  for (let i = 0; i < 20; i++) t.same(visit(browser), { version, line: undefined })
})

test('an abort takes every session back at once, and their cookies too', async t => {
  const browser: Browser = { value: 'new.new' }
  t.match(visits(split(0))(browser), { version: 'old', line: /^Set-Cookie: version=; Path=\/.*; Max-Age=0\r\n$/ })
  t.same(browser, {})
  t.same(visits(split(0))(browser), { version: 'old', line: undefined }, 'nothing to keep: nobody gets one')
})

test('a version whose pods are gone lets go of its sessions', async t => {
  const visit = visits(split(50, { onEmpty: 'spill' }), freshMemory(), ['shop/canary'])
  const browser: Browser = { value: 'new.new' }
  t.match(visit(browser), { version: 'old', line: /version=old\.new;/ })
})

test('the last step moves everybody, and the end of the release takes the cookies', async t => {
  const [a, b]: Browser[] = [{ value: 'old.new' }, { value: 'new.new' }]
  t.match(visits(split(100))(a!), { version: 'new', line: /Max-Age=0/ }, 'stable gets nothing any more')
  t.same(visits(split(100))(b!), { version: 'new', line: undefined })
  const done = split(0, { dests: [to('canary', 0, 'new'), to('stable', 100, 'new')] })
  t.match(visits(done)(b!), { version: 'new', line: /Max-Age=0/ })
  t.same(visits(done)(b!), { version: 'new', line: undefined })
  const alone = split(0, { dests: [to('stable', 100, 'new')] })
  t.match(visits(alone)({ value: 'new.new' }), { version: 'new', line: /Max-Age=0/ })
})

test('a cookie of another release is void: its holder is chosen anew, by the weight', async t => {
  const next = split(25, { dests: [to('canary', 25, 'newer'), to('stable', 75, 'old')] })
  const visit = visits(next)
  const got = { old: 0, newer: 0 }
  for (let i = 0; i < 100; i++) {
    // They stayed on stable when the last release was taken back.
    const browser: Browser = { value: 'old.new' }
    const { version, line } = visit(browser)
    got[version as 'old' | 'newer']++
    t.equal(line?.includes(`version=${version}.newer;`), true)
  }
  t.same(got, { old: 75, newer: 25 })
})

test('what somebody makes up counts for nothing', async t => {
  const visit = visits(split(0))
  for (const value of ['', 'new', 'canary', 'new.', '.new', 'new.new.new', '__proto__', 'toString'])
    t.match(visit({ value }), { version: 'old', line: /Max-Age=0/ }, value)
})

test('a request that a rule decides neither begins nor ends a session', async t => {
  const visit = visits(split(50, { canaryBy: { header: 'x-c' } }))
  t.same(visit({}, { 'x-c': 'always' }), { version: 'new', line: undefined })
  const browser: Browser = { value: 'old.new' }
  t.same(visit(browser, { 'x-c': 'always' }), { version: 'new', line: undefined })
  t.same(visit(browser), { version: 'old', line: undefined })
})

test('sessions that follow: all 10,000 join as the weight says, to within a few, and none leaves', async t => {
  const memory = freshMemory()
  const follow = { sticky: { session: { ...session, follow: true } } }
  const browsers = Array.from({ length: 10_000 }, (): Browser => ({}))
  let was: string[] = []
  for (const weight of [1, 5, 10, 25, 50, 75, 99]) {
    const visit = visits(split(weight, follow), memory)
    const now = browsers.map(browser => visit(browser).version)
    t.notOk(
      was.some((version, i) => version === 'new' && now[i] !== 'new'),
      `weight ${weight}: none leaves`,
    )
    const canary = now.filter(version => version === 'new').length
    t.ok(Math.abs(canary - 100 * weight) < 10, `weight ${weight}: ${canary} of 10,000`)
    const again = browsers.map(browser => visit(browser))
    t.notOk(
      again.some(({ version, line }, i) => version !== now[i] || line !== undefined),
      'the next request agrees',
    )
    was = now
  }
})

test('sessions that follow begin at any weight, come back when they like, and do not come in step with the weights', async t => {
  const memory = freshMemory()
  const follow = { sticky: { session: { ...session, follow: true } } }
  const browsers: Browser[] = []
  for (const weight of [2, 20, 40, 60]) {
    const visit = visits(split(weight, follow), memory)
    for (let i = 0; i < 2500; i++) browsers.push({})
    // Only every third of the old ones is here at this weight.
    for (const [i, browser] of browsers.entries())
      if (browser.value === undefined || i % 3 === weight % 3) visit(browser)
  }
  const last = visits(split(60, follow), memory)
  const canary = browsers.filter(browser => last(browser).version === 'new').length
  t.ok(Math.abs(canary - 6000) < 20, `60 %: ${canary} of 10,000`)
})

test('requests of a following session that are under way at once agree on where it goes', async t => {
  const memory = freshMemory()
  const follow = { sticky: { session: { ...session, follow: true } } }
  const begun = visits(split(10, follow), memory)
  const grown = visits(split(50, follow), memory)
  let joined = 0
  let disagree = 0
  for (let i = 0; i < 200; i++) {
    const browser: Browser = {}
    begun(browser)
    const { value } = browser
    const answers = Array.from({ length: 5 }, () => grown({ value: value! }))
    if (new Set(answers.map(a => `${a.version} ${a.line}`)).size > 1) disagree++
    if (value!.startsWith('old') && answers[0]!.version === 'new') joined++
  }
  t.equal(disagree, 0)
  t.ok(Math.abs(joined - 80) < 4, `of 180 on stable 80 join, got ${joined}`)
})

test('a following session stays with stable while the canary has no pods, and a shrinking weight moves nobody', async t => {
  const follow = { sticky: { session: { ...session, follow: true } } }
  const early: Browser = { value: 'old.new.1000' }
  t.same(visits(split(50, follow), freshMemory(), ['shop/canary'])(early), { version: 'old', line: undefined })
  t.match(visits(split(50, follow))(early), { version: 'new', line: /version=new\.new;/ })
  t.same(visits(split(10, follow))(early), { version: 'new', line: undefined })
  for (const value of ['old.new.12345678', 'old.new.-1', 'old.new.1.1'])
    t.match(visits(split(50, follow))({ value }).line, /^Set-Cookie/, `${value} is none`)
})

test('three versions are three kinds of sessions', async t => {
  const three = split(0, { dests: [to('canary', 20, 'new'), to('stable', 70, 'old'), to('extra', 10, 'try')] })
  const visit = visits(three)
  const got: Record<string, number> = {}
  let flips = 0
  for (let i = 0; i < 1000; i++) {
    const browser: Browser = {}
    const { version } = visit(browser)
    got[version] = (got[version] ?? 0) + 1
    if (visit(browser).version !== version) flips++
  }
  t.equal(flips, 0)
  for (const [version, wanted] of Object.entries({ new: 200, old: 700, try: 100 }))
    t.ok(Math.abs(got[version]! - wanted) < 2, `${version}: ${got[version]}`)
})

test('attributes: what the table says, a path of its own for each route, and names that ask for more', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [session: object, match: RouteInput['match'], attributes: string][] = [
    [{ cookie: 'v', maxAge: 3600 }, {}, 'Path=/; HttpOnly; SameSite=Lax; Max-Age=3600'],
    [{ cookie: 'v', secure: true, sameSite: 'None' }, {}, 'Path=/; HttpOnly; Secure; SameSite=None'],
    [{ cookie: 'v', sameSite: 'Strict' }, { pathPrefix: '/app/' }, 'Path=/app; HttpOnly; SameSite=Strict'],
    [{ cookie: '__Host-v', secure: true }, { pathPrefix: '/app' }, 'Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ cookie: 'v' }, { pathPrefix: '/a;Domain=evil' }, 'Path=/; HttpOnly; SameSite=Lax'],
    [{ cookie: 'v' }, { pathPrefix: `/${'a'.repeat(3000)}` }, 'Path=/; HttpOnly; SameSite=Lax'],
  ]
  for (const [session, match, attributes] of table) {
    const route = split(50, { match, sticky: { session: session as { cookie: string } } })
    const request = { target: match?.pathPrefix ?? '/' }
    const { dest, entry } = chooser(route)(request)
    const line = entry.route.session!.line(entry, asked(request), dest)!.toString()
    t.equal(line.slice(line.indexOf(' Path') + 1), `${attributes}\r\n`)
  }
})

test('without hashes the cookie names the role; what does not fit into a cookie is hashed', async t => {
  const dests = [to('canary', 50), { ...to('stable', 50), hash: 'a.b' }]
  const lines = new Set<string>()
  const at = chooser(split(0, { dests }))
  for (let i = 0; i < 10; i++) {
    const { dest, entry } = at({})
    lines.add(entry.route.session!.line(entry, asked({}), dest)!.toString().split(';')[0]!)
  }
  t.match([...lines].toSorted(), ['Set-Cookie: version=canary.canary', /version=(?!canary)[0-9a-z]+\.canary$/])
})

test('what cannot work is refused with the reason', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [sticky: object, message: RegExp][] = [
    [{}, /either by and name, or session/],
    [{ by: 'header' }, /either by and name, or session/],
    [{ by: 'cookie', name: 'a', session }, /either by and name, or session/],
    [{ name: 'a', session }, /either by and name, or session/],
    [{ session, salt: 'x' }, /needs no salt/],
    [{ by: 'header', name: 'a b' }, /a b is not a header name/],
    [{ by: 'cookie', name: 'a;b' }, /a;b is not a cookie name/],
    [{ by: 'address', name: 'a' }, /sticky\.by/],
    [{ session: { cookie: 'a=b' } }, /is not a cookie name/],
    [{ session: { cookie: 'a', sameSite: 'None' } }, /browsers want secure: true/],
    [{ session: { cookie: '__Secure-a' } }, /browsers want secure: true/],
    [{ session: { cookie: 'a', maxAge: 0 } }, /maxAge/],
    [{ session: { cookie: 'a', domain: 'x' } }, /domain/],
  ]
  for (const [sticky, message] of table)
    t.throws(
      () => parseTable({ routes: [{ ...split(10), sticky }] }, 'test'),
      { code: 'PIN4001', message },
      `${message}`,
    )
})
