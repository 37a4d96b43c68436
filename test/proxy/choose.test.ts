// Which version a request gets: host, port and path first, then headers and cookies, then the weight.
import { test } from 'tap'
import { choose, findWay } from '../../src/proxy/choose.ts'
import { compile, type Memory } from '../../src/proxy/compile.ts'
import { endpointAt } from '../../src/proxy/endpoints.ts'
import { stripPrefix } from '../../src/proxy/match.ts'
import { parseTable, type RouteTableInput } from '../../src/proxy/table.ts'

type RouteInput = NonNullable<RouteTableInput['routes']>[number]
const fresh = (): Memory => ({ seed: 1, lags: new Map() })

function chooser(routes: RouteInput[], memory = fresh(), empty = '') {
  const snapshot = compile(parseTable({ routes }, 'test'), memory, service => ({
    endpoints: service === empty ? [] : [endpointAt('127.0.0.1', 1)],
  }))
  return (target: string, headers: Record<string, string> = {}, port = 80): string => {
    const asked = {
      method: () => 'GET',
      target: () => target,
      host: () => headers['host'] ?? '',
      header: (name: string) => headers[name],
    }
    const way = findWay(snapshot, port, asked)
    if (!way) return 'none'
    return `${way.route.name} ${choose(way, asked).role} ${way.strip ? stripPrefix(target, way.prefix) : target}`
  }
}

const to = (role: 'stable' | 'canary' | 'active' | 'preview', weight: number) => ({
  role,
  weight,
  upstream: { service: `shop/${role}` },
})
const plain = (name: string, match: RouteInput['match']): RouteInput => ({ name, match, dests: [to('stable', 100)] })

test('the most specific host, then the longest path wins, in whatever order the table is', async t => {
  const routes = [
    plain('any', {}),
    plain('wild', { hosts: ['*.shop.test'] }),
    plain('host', { hosts: ['www.shop.test'] }),
    plain('host-app', { hosts: ['www.shop.test'], pathPrefix: '/app' }),
    plain('host-app-x', { hosts: ['www.shop.test'], pathPrefix: '/app/x/' }),
    plain('exact', { hosts: ['www.shop.test'], path: '/app' }),
    plain('any-app', { pathPrefix: '/app' }),
  ]
  // biome-ignore format: a table reads best as a table
  const table: [host: string, target: string, route: string][] = [
    ['www.shop.test', '/', 'host'],
    ['WWW.Shop.Test.:8080', '/', 'host'],
    ['www.shop.test', '/app', 'exact'],
    ['www.shop.test', '/app?x=/app/x', 'exact'],
    ['www.shop.test', '/app/', 'host-app'],
    ['www.shop.test', '/apple', 'host'],
    ['www.shop.test', '/app/x', 'host-app-x'],
    ['www.shop.test', '/app/x/y', 'host-app-x'],
    ['www.shop.test', '/app/xy', 'host-app'],
    ['a.shop.test', '/app', 'wild'],
    ['a.b.shop.test', '/', 'any'],
    ['shop.test', '/app', 'any-app'],
    ['', '/', 'any'],
  ]
  for (const order of [routes, [...routes].reverse()]) {
    const at = chooser(order)
    for (const [host, target, route] of table) t.match(at(target, { host }), `${route} stable`, `${host}${target}`)
  }
  t.equal(chooser([plain('app', { pathPrefix: '/app' })])('/other'), 'none')
})

const blueGreen = (preview: RouteInput['preview']): RouteInput => ({
  name: 'bg',
  dests: [to('active', 100), to('preview', 0)],
  preview,
})

test('preview is reached by path, by header and by port, and by nothing else', async t => {
  const at = chooser([blueGreen({ pathPrefix: '/preview', header: { name: 'X-Try', value: 'yes' }, port: 8081 })])
  t.equal(at('/hello'), 'bg active /hello')
  t.equal(at('/preview/hello?a=1'), 'bg preview /preview/hello?a=1', 'an Ingress path is not cut')
  t.equal(at('/previews'), 'bg active /previews')
  t.equal(at('/hello', { 'x-try': 'yes' }), 'bg preview /hello')
  t.equal(at('/hello', { 'x-try': 'no' }), 'bg active /hello')
  t.equal(at('/hello', {}, 8081), 'bg preview /hello')
  const cut = chooser([blueGreen({ pathPrefix: '/preview', stripPrefix: true })])
  t.equal(cut('/preview/hello?a=1'), 'bg preview /hello?a=1')
  t.equal(cut('/preview'), 'bg preview /')
  t.equal(cut('/preview?a=1'), 'bg preview /?a=1')
})

const canary = (more: Partial<RouteInput>, weight = 0): RouteInput => ({
  name: 'c',
  dests: [to('stable', 100 - weight), to('canary', weight)],
  ...more,
})

test('header routes lead to the canary: any entry is enough, exact, prefix or expression', async t => {
  const at = chooser([
    canary({
      headerRoutes: [
        {
          name: 'a',
          anyOf: [
            { header: 'X-User', value: { exact: 'ann' } },
            { header: 'X-User', value: { prefix: 'in-' } },
          ],
        },
        { name: 'b', anyOf: [{ header: 'X-Agent', value: { regex: '^curl/[78]' } }] },
      ],
    }),
  ])
  const hits: Record<string, string>[] = [{ 'x-user': 'ann' }, { 'x-user': 'in-bob' }, { 'x-agent': 'curl/8.1' }]
  const misses: Record<string, string>[] = [{}, { 'x-user': 'bob' }, { 'x-agent': 'curl/6' }, { 'x-other': 'ann' }]
  for (const headers of hits) t.equal(at('/', headers), 'c canary /', JSON.stringify(headers))
  for (const headers of misses) t.equal(at('/', headers), 'c stable /', JSON.stringify(headers))
})

test('the rules of ingress-nginx decide in its order: header, cookie, weight', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [by: RouteInput['canaryBy'], weight: number, headers: Record<string, string>, role: string][] = [
    [{ header: 'X-C' }, 0, { 'x-c': 'always' }, 'canary'],
    [{ header: 'X-C' }, 100, { 'x-c': 'never' }, 'stable'],
    [{ header: 'X-C' }, 100, { 'x-c': 'other' }, 'canary'],
    [{ header: 'X-C', value: 'v' }, 0, { 'x-c': 'v' }, 'canary'],
    [{ header: 'X-C', value: 'v' }, 0, { 'x-c': 'always' }, 'stable'],
    [{ header: 'X-C', value: 'v' }, 100, { 'x-c': 'never' }, 'canary'],
    [{ header: 'X-C', pattern: '^v' }, 0, { 'x-c': 'v1' }, 'canary'],
    [{ header: 'X-C', pattern: '^v' }, 100, { 'x-c': 'w' }, 'canary'],
    [{ header: 'X-C', pattern: '(' }, 100, { 'x-c': 'v' }, 'stable'],
    // Tried, it would take longer than anybody waits.
    [{ header: 'X-C', pattern: '^(?=a)(a+)+$' }, 100, { 'x-c': `${'a'.repeat(60)}!` }, 'stable'],
    [{ cookie: 'c' }, 0, { cookie: 'a=1; c=always' }, 'canary'],
    [{ cookie: 'c' }, 100, { cookie: 'c=never' }, 'stable'],
    [{ cookie: 'c' }, 0, { cookie: 'cc=always' }, 'stable'],
    [{ header: 'X-C', cookie: 'c' }, 0, { 'x-c': 'never', cookie: 'c=always' }, 'stable'],
    [{ header: 'X-C', value: 'v', cookie: 'c' }, 0, { 'x-c': 'w', cookie: 'c=always' }, 'canary'],
  ]
  for (const [canaryBy, weight, headers, role] of table)
    t.equal(chooser([canary({ canaryBy }, weight)])('/', headers), `c ${role} /`, JSON.stringify([canaryBy, headers]))
})

test('a canary without pods answers for itself, or spills to stable where that is asked for', async t => {
  t.equal(chooser([canary({}, 100)], fresh(), 'shop/canary')('/'), 'c canary /')
  t.equal(chooser([canary({ onEmpty: 'spill' }, 100)], fresh(), 'shop/canary')('/'), 'c stable /')
})

test('a swap does not reset the share', async t => {
  const memory = fresh()
  let hits = 0
  for (let i = 0; i < 1000; i++) if (chooser([canary({}, 10)], memory)('/') === 'c canary /') hits++
  t.equal(hits, 100)
})
