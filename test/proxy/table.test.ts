// Bad tables say what is wrong, where, and what becomes of it; good ones get their defaults.
import { test } from 'tap'
import { parseTable, readTable } from '../../src/proxy/table.ts'

const stable = { role: 'stable', weight: 100, upstream: 'http://127.0.0.1:1' }
const one = (route: object) => ({ routes: [{ name: 'web', dests: [stable], ...route }] })

test('a table gets its defaults and keeps what it does not know', async t => {
  const table = parseTable({ generation: 7, note: 'mine', ...one({ dests: [{ ...stable, zone: 'a' }] }) }, 'test')
  t.match(table, { generation: 7, note: 'mine' })
  t.match(table.routes[0], {
    total: 100,
    match: {},
    headerRoutes: [],
    mirrors: [],
    onEmpty: 'fail',
    dests: [{ zone: 'a' }],
  })
})

test('what is wrong is said with its place', async t => {
  // biome-ignore format: a table reads best as a table
  const table: Record<string, [unknown, RegExp]> = {
    'weights that do not sum up': [one({ dests: [{ ...stable, weight: 90 }] }), /routes\.0\.dests: the weights sum to 90, but total is 100/],
    'a broken weight': [one({ dests: [{ ...stable, weight: 0.5 }] }), /routes\.0\.dests\.0\.weight/],
    'a negative weight': [one({ dests: [{ ...stable, weight: -1 }] }), /weight/],
    'no destination': [one({ dests: [] }), /routes\.0\.dests/],
    'a role twice': [one({ dests: [{ ...stable, weight: 50 }, { ...stable, weight: 50 }] }), /role stable appears twice/],
    'a route twice': [{ routes: [...one({}).routes, ...one({}).routes] }, /routes\.1: route web appears twice/],
    'https upstream': [one({ dests: [{ ...stable, upstream: 'https://a' }] }), /http:\/\/host:port/],
    'a path in the upstream': [one({ dests: [{ ...stable, upstream: 'http://a:1/x' }] }), /http:\/\/host:port/],
    'a user in the upstream': [one({ dests: [{ ...stable, upstream: 'http://u:p@a:1' }] }), /http:\/\/host:port/],
    'a service without namespace': [one({ dests: [{ ...stable, upstream: { service: 'web' } }] }), /namespace\/name/],
    'preview without a preview version': [one({ preview: { pathPrefix: '/p' } }), /no destination has the role preview/],
    'a header route without canary': [one({ headerRoutes: [{ name: 'a', anyOf: [{ header: 'a', value: { exact: 'b' } }] }] }), /role canary/],
    'a broken expression': [one({ headerRoutes: [{ name: 'a', anyOf: [{ header: 'a', value: { regex: '(' } }] }] }), /not a regular expression/],
    'two kinds of match': [one({ headerRoutes: [{ name: 'a', anyOf: [{ header: 'a', value: { exact: 'a', prefix: 'b' } }] }] }), /exactly one/],
    'a hash that is no label': [one({ dests: [{ ...stable, hash: 'a\r\nX-Own: b' }] }), /routes\.0\.dests\.0\.hash: is not the value of a label/],
    'a path without slash': [one({ match: { pathPrefix: 'x' } }), /begin with \//],
    'path and prefix': [one({ match: { path: '/x', pathPrefix: '/x' } }), /not both/],
    'a service without its name': [one({ dests: [{ ...stable, upstream: { servce: 'a/b' } }] }), /upstream\.service: .*; .*upstream: Unrecognized key: "servce"/],
    'a protocol that is none': [one({ dests: [{ ...stable, upstream: { service: 'a/b', protocol: 'h2' } }] }), /upstream\.protocol: .* expected "h2c"/],
    'no upstream': [one({ dests: [{ role: 'stable', weight: 100 }] }), /dests\.0\.upstream: must be an address .*http:\/\/host:port.* or \{service: /],
    'a port that is none': [one({ dests: [{ ...stable, upstream: { service: 'a/b', port: true } }] }), /upstream\.port: must be the number or the name/],
    'a weight beyond the largest': [one({ dests: [{ ...stable, weight: 1e7 }] }), /dests\.0\.weight: Too big/],
    'times of requests in mode tcp': [one({ mode: 'tcp', timeouts: { answerSeconds: 5 } }), /routes\.0\.timeouts: means nothing in mode tcp/],
    'pipelining in mode tcp': [one({ mode: 'tcp', dests: [{ ...stable, pipelining: true }] }), /routes\.0\.dests\.0\.pipelining: means nothing in mode tcp/],
    'pipelining for h2c': [one({ dests: [{ ...stable, upstream: 'h2c://a:1', pipelining: true }] }), /pipelining: means nothing for pods that speak HTTP\/2/],
    'no table at all': [7, /table: /],
  }
  for (const [name, [raw, message]] of Object.entries(table))
    t.throws(() => parseTable(raw, 'routes.json'), { code: 'PIN4001', message, hint: /last good table/ }, name)
  t.throws(() => readTable('{', 'ConfigMap shop/web'), { message: /bad route table in ConfigMap shop\/web: not JSON/ })
})
