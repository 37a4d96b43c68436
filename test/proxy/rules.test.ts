// Rules on method, path, query, headers and cookies, and who has the say before whom.
import { test } from 'tap'
import { chooser, type Request, type RouteInput, to, tokenOf } from './choice-kit.ts'

type Match = NonNullable<RouteInput['rules']>[number]['anyOf'][number]

const route = (weight: number, more: Partial<RouteInput>): RouteInput => ({
  name: 'web',
  dests: [to('stable', 100 - weight), to('canary', weight)],
  ...more,
})

test('an entry matches when all that it says holds', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [match: Match, hits: Request[], misses: Request[]][] = [
    [{ method: { exact: 'POST' } }, [{ method: 'POST' }], [{ method: 'GET' }, { method: 'post' }]],
    [{ path: { exact: '/a' } }, [{ target: '/a' }, { target: '/a?b=1' }], [{ target: '/a/' }, { target: '/x?/a' }]],
    [{ path: { prefix: '/a' } }, [{ target: '/a/b' }, { target: '/ab' }], [{ target: '/b/a' }]],
    [{ path: { regex: '^/v[12]/' } }, [{ target: '/v2/x' }], [{ target: '/v3/x' }, { target: '/?/v1/' }]],
    [{ query: { beta: { exact: '1' } } }, [{ target: '/?beta=1' }, { target: '/?a=2&beta=1' }, { target: '/?beta=1&beta=2' }, { target: '/?b%65ta=%31' }],
      [{ target: '/' }, { target: '/beta=1' }, { target: '/?beta=2' }, { target: '/?beta=2&beta=1' }, { target: '/?abeta=1' }]],
    [{ query: { q: { prefix: 'a b' } } }, [{ target: '/?q=a+bc' }, { target: '/?q=a%20b' }], [{ target: '/?q=ab' }]],
    [{ query: { q: { exact: '' } } }, [{ target: '/?q' }, { target: '/?q=' }], [{ target: '/?' }, { target: '/?q=1' }]],
    [{ headers: { 'X-Team': { exact: 'blue' } } }, [{ headers: { 'x-team': 'blue' } }], [{}, { headers: { 'x-team': 'Blue' } }]],
    [{ cookies: { beta: { exact: 'yes' } } }, [{ headers: { cookie: 'a=1; beta=yes' } }], [{}, { headers: { cookie: 'xbeta=yes' } }, { headers: { cookie: 'Beta=yes' } }]],
    [{ method: { exact: 'GET' }, query: { a: { exact: '1' }, b: { exact: '2' } }, headers: { x: { exact: 'y' } } },
      [{ target: '/?b=2&a=1', headers: { x: 'y' } }],
      [{ target: '/?a=1', headers: { x: 'y' } }, { target: '/?b=2&a=1' }, { method: 'PUT', target: '/?b=2&a=1', headers: { x: 'y' } }]],
  ]
  for (const [match, hits, misses] of table) {
    const at = chooser(route(0, { rules: [{ to: 'canary', anyOf: [match] }] }))
    for (const hit of hits) t.equal(at(hit).dest.role, 'canary', JSON.stringify([match, hit]))
    for (const miss of misses) t.equal(at(miss).dest.role, 'stable', JSON.stringify([match, miss]))
  }
})

test('one entry is enough, and the first rule that matches decides', async t => {
  const at = chooser(
    route(100, {
      rules: [
        { to: 'stable', anyOf: [{ path: { prefix: '/pay' } }, { method: { exact: 'DELETE' } }] },
        { to: 'canary', anyOf: [{ path: { prefix: '/' } }] },
      ],
    }),
  )
  t.equal(at({ target: '/pay/now' }).dest.role, 'stable')
  t.equal(at({ target: '/cart', method: 'DELETE' }).dest.role, 'stable')
  t.equal(at({ target: '/cart' }).dest.role, 'canary')
})

test('a rule is passed over while its version has no pods', async t => {
  const rules: RouteInput['rules'] = [{ to: 'canary', anyOf: [{ path: { prefix: '/' } }] }]
  t.equal(chooser(route(0, { rules }))({}).dest.role, 'canary')
  t.equal(chooser(route(0, { rules }), undefined, ['shop/canary'])({}).dest.role, 'stable')
})

test('who has the say: preview, header routes, rules, the rules of ingress-nginx, stickiness, the weight', async t => {
  const whole: RouteInput = {
    name: 'web',
    dests: [to('stable', 0), to('canary', 100), to('preview', 0)],
    preview: { header: { name: 'X-Preview' } },
    headerRoutes: [{ name: 'in', anyOf: [{ header: 'X-In', value: { exact: '1' } }] }],
    rules: [{ to: 'stable', anyOf: [{ headers: { 'X-Rule': { exact: '1' } } }] }],
    canaryBy: { header: 'X-C' },
    sticky: { by: 'claim', name: 'sub' },
  }
  const at = chooser(whole)
  const say = (headers: Record<string, string>) => at({ headers }).dest.role
  t.equal(say({ 'x-preview': '1', 'x-in': '1', 'x-rule': '1', 'x-c': 'never' }), 'preview')
  t.equal(say({ 'x-in': '1', 'x-rule': '1', 'x-c': 'never' }), 'canary')
  t.equal(say({ 'x-rule': '1', 'x-c': 'always' }), 'stable')
  t.equal(say({ 'x-c': 'never' }), 'stable')
  // Half of the users are in the canary; they stay there against any weight's turn, and step aside for a rule.
  const half = chooser({ ...whole, dests: [to('stable', 50), to('canary', 50), to('preview', 0)] })
  const headersOf = (user: number) => ({ authorization: `Bearer ${tokenOf({ sub: `u${user}` })}` })
  const users = Array.from({ length: 20 }, (_, i) => i)
  const first = users.map(user => half({ headers: headersOf(user) }).dest.role)
  t.same(new Set(first), new Set(['stable', 'canary']))
  t.same(
    users.map(user => half({ headers: headersOf(user) }).dest.role),
    first,
  )
  for (const user of users) t.equal(half({ headers: { ...headersOf(user), 'x-c': 'never' } }).dest.role, 'stable')
})

test('mirror routes know query and cookies too', async t => {
  const mirrors: RouteInput['mirrors'] = [
    { name: 'm', percent: 100, anyOf: [{ query: { copy: { exact: '1' } }, cookies: { c: { prefix: 'y' } } }] },
  ]
  const at = chooser(route(0, { mirrors }))
  const takes = (target: string, cookie: string) => {
    const request = { method: () => 'GET', target: () => target, host: () => '', header: () => cookie }
    return at({}).entry.route.mirrors[0]!.takes(request)
  }
  t.equal(takes('/?copy=1', 'c=yes'), true)
  t.equal(takes('/?copy=2', 'c=yes'), false)
  t.equal(takes('/?copy=1', 'c=no'), false)
})
