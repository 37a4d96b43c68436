// Ingress objects as routes, canaries merged as ingress-nginx merges them.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { routesFromIngresses } from '../../src/proxy/ingress.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
type Path = [path: string, service: string, type?: string]

function ingress(name: string, host: string, paths: Path[], notes: Record<string, string> = {}, more = {}): KubeObject {
  const annotations = Object.fromEntries(Object.entries(notes).map(([key, value]) => [`${NGINX}${key}`, value]))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', annotations },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        {
          ...(host === '' ? {} : { host }),
          http: {
            paths: paths.map(([path, service, pathType = 'Prefix']) => ({
              path,
              pathType,
              backend: { service: { name: service, port: { number: 80 } } },
            })),
          },
        },
      ],
      ...more,
    },
  }
}

/** Routes in short: name -> role service weight/total. */
function short(...ingresses: KubeObject[]) {
  const { routes, problems } = routesFromIngresses(ingresses, { ingressClass: 'nginx' })
  const text = (r: (typeof routes)[number]) =>
    r.dests
      .map(d => `${d.role} ${typeof d.upstream === 'string' ? '' : d.upstream.service} ${d.weight}/${r.total}`)
      .join(', ')
  return { routes: Object.fromEntries(routes.map(r => [r.name, text(r)])), problems }
}

const main = ingress('web', 'a.test', [['/', 'web-stable']])
const canary = (notes: Record<string, string>, path: Path = ['/', 'web-canary'], host = 'a.test') =>
  ingress('web-canary', host, [path], { canary: 'true', ...notes })

test('a pattern that could take for ever is told and matches nothing; the rest of the Ingress counts', async t => {
  for (const pattern of ['^(?!x)', '(a)\\1', '(']) {
    const by = canary({ 'canary-weight': '10', 'canary-by-header': 'X-C', 'canary-by-header-pattern': pattern })
    const { routes, problems } = short(main, by)
    t.same(routes, { 'shop/web a.test/': 'stable shop/web-stable 90/100, canary shop/web-canary 10/100' }, pattern)
    t.match(problems, [/^shop\/web-canary: canary-by-header-pattern .*: (could take for ever|is not).*nobody/], pattern)
  }
  const good = { 'canary-by-header': 'X-C', 'canary-by-header-pattern': '^v[0-9]{1,3}$' }
  t.same(short(main, canary(good)).problems, [])
})

test('two paths of one Ingress are two routes: active and preview', async t => {
  t.same(
    short(
      ingress('bg', '', [
        ['/', 'active'],
        ['/preview', 'preview'],
      ]),
    ),
    {
      routes: { 'shop/bg /': 'stable shop/active 100/100', 'shop/bg /preview': 'stable shop/preview 100/100' },
      problems: [],
    },
  )
})

test('weights are read as ingress-nginx reads them', async t => {
  // biome-ignore format: a table reads best as a table
  const table: [Record<string, string>, string][] = [
    [{}, '0/100'], [{ 'canary-weight': '5' }, '5/100'], [{ 'canary-weight': '100' }, '100/100'],
    [{ 'canary-weight': '250' }, '100/100'], [{ 'canary-weight': '-5' }, '0/100'], [{ 'canary-weight': '10%' }, '0/100'],
    [{ 'canary-weight': '10.5' }, '0/100'], [{ 'canary-weight': '' }, '0/100'],
    [{ 'canary-weight': '25', 'canary-weight-total': '1000' }, '25/1000'],
    [{ 'canary-weight': '25', 'canary-weight-total': '50' }, '25/100'],
  ]
  for (const [notes, share] of table) {
    const [text = ''] = Object.values(short(main, canary(notes)).routes)
    t.ok(text.endsWith(`canary shop/web-canary ${share}`), `${JSON.stringify(notes)}: ${text}`)
  }
})

test('header and cookie rules come along', async t => {
  const { routes } = routesFromIngresses(
    [main, canary({ 'canary-by-header': 'X-C', 'canary-by-header-value': 'v', 'canary-by-cookie': 'c' })],
    { ingressClass: 'nginx' },
  )
  t.same(routes[0]?.canaryBy, { header: 'X-C', value: 'v', cookie: 'c' })
  t.equal(routes[0]?.onEmpty, 'spill')
})

test('a canary needs the same host, path and path type, and then splits its Service everywhere', async t => {
  const alone = { 'shop/web a.test/': 'stable shop/web-stable 100/100' }
  t.same(short(main, canary({ 'canary-weight': '9' }, ['/', 'web-canary'], 'b.test')).routes, alone)
  t.same(short(main, canary({ 'canary-weight': '9' }, ['/x', 'web-canary'])).routes, alone)
  t.same(short(main, canary({ 'canary-weight': '9' }, ['/', 'web-canary', 'Exact'])).routes, alone)
  t.match(short(main, canary({}, ['/x', 'web-canary'])).problems, [/no ordinary Ingress has a\.test\/x/])
  t.same(short(main, ingress('api', 'b.test', [['/api', 'web-stable']]), canary({ 'canary-weight': '9' })).routes, {
    'shop/web a.test/': 'stable shop/web-stable 91/100, canary shop/web-canary 9/100',
    'shop/api b.test/api': 'stable shop/web-stable 91/100, canary shop/web-canary 9/100',
  })
})

test('what ingress-nginx would ignore is ignored and said', async t => {
  const second = ingress('second', 'a.test', [['/', 'web-other']], { canary: 'true', 'canary-weight': '50' })
  const two = short(main, canary({ 'canary-weight': '9' }), second)
  t.match(two.problems, [/already has the canary/])
  const used = short(main, ingress('try', 'try.test', [['/', 'web-canary']]), canary({ 'canary-weight': '9' }))
  t.match(used.problems, [/also used by an ordinary Ingress/])
  t.equal(used.routes['shop/web a.test/'], 'stable shop/web-stable 100/100')
  const twice = short(main, ingress('zzz', 'a.test', [['/', 'other']]))
  t.match(twice.problems, [/is taken by shop\/web/])
  const other = { ...main, spec: { ...(main['spec'] as object), ingressClassName: 'traefik' } }
  t.same(short(other), { routes: {}, problems: [] })
  const unmarked = short(
    main,
    ingress('web-canary', 'a.test', [['/', 'web-canary']], { canary: 'yes', 'canary-weight': '9' }),
  )
  t.match(unmarked.problems, [/is taken by/], 'not marked, it is an ordinary Ingress')
})

test('a default backend serves what no rule takes, and Exact is exact', async t => {
  const { routes } = routesFromIngresses(
    [
      ingress(
        'web',
        'a.test',
        [['/x', 'x', 'Exact']],
        {},
        { defaultBackend: { service: { name: 'rest', port: { name: 'http' } } } },
      ),
    ],
    { ingressClass: 'nginx' },
  )
  t.match(routes, [
    { match: { hosts: ['a.test'], path: '/x' } },
    { match: { pathPrefix: '/' }, dests: [{ upstream: { service: 'shop/rest', port: 'http' } }] },
  ])
})
