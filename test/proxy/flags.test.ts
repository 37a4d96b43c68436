// Flags that cannot be used are refused before anything is served: which one, and what to write instead.
import { test } from 'tap'
import { type ProxyFlags, proxyOptionsFromFlags } from '../../src/proxy/start.ts'
import type { RouteTable } from '../../src/proxy/table.ts'
import { ask, pod, proxy } from './kit.ts'

const split = { stable: 'http://a:1', canary: 'http://b:1' }
const blueGreen = { active: 'http://a:1', preview: 'http://b:1' }

const REFUSED: readonly (readonly [flags: ProxyFlags, message: RegExp])[] = [
  [{}, /nothing to route to/],
  [{ canary: 'http://a:1' }, /nothing to route to/],
  [{ stable: 'a:1' }, /--stable a:1 is not an address/],
  [{ stable: '' }, /--stable {2}is not an address/],
  [{ stable: 'https://a:1' }, /--stable https:\/\/a:1 is not an address/],
  [{ stable: 'http://a:1/path' }, /is not an address/],
  [{ stable: 'http://a:0' }, /is not an address/],
  [{ stable: 'http://a:65536' }, /is not an address/],
  [{ stable: 'http://[::g]:1' }, /is not an address/],
  [{ ...split, canary: 'http://u:p@b:1' }, /--canary .* is not an address/],
  [{ stable: 'http://a:1', weight: 5 }, /--weight without --canary/],
  [{ ...blueGreen, weight: 5 }, /--weight without --canary/],
  [{ table: 'x.json', weight: 5 }, /--weight without --canary/],
  ...['many', '101', '', '-1', '5%', '0.001', '1e1', '0x5', ' 5'].map(
    weight => [{ ...split, weight }, /is not a share/] as const,
  ),
  [{ stable: 'http://a:1', active: 'http://b:1' }, /do not go together/],
  [{ stable: 'http://a:1', table: 'x.json' }, /one place only/],
  [{ kubernetes: true, table: 'x.json' }, /one place only/],
  [{ kubernetes: true }, /no cluster/],
  [{ ...split, annotationPrefix: 'a' }, /--annotation-prefix without --ingress-class/],
  [{ active: 'http://a:1', previewPath: '/p' }, /--preview-path without --preview/],
  [{ ...split, previewHeader: 'X' }, /--preview-header without --preview/],
  ...['', 'p', '/a b', '/a?b', '/'].map(
    previewPath => [{ ...blueGreen, previewPath }, /--preview-path .* is not a path prefix/] as const,
  ),
  ...['', 'a b', '=x'].map(
    previewHeader => [{ ...blueGreen, previewHeader }, /--preview-header .* is not a header/] as const,
  ),
  ...['', 'abc', '0', '70000', '80.5'].map(
    previewPort => [{ ...blueGreen, previewPort }, /--preview-port .* is not a port/] as const,
  ),
  ...['', 'ten', '-1', '1MB', '1e3', '1.5'].flatMap(text => [
    [{ ...split, maxInFlight: text }, /bad --max-in-flight/] as const,
    [{ ...split, maxBody: text }, /bad --max-body/] as const,
  ]),
  [{ ...split, accessLogSample: '0.5' }, /--access-log-sample without --access-log/],
  ...['', '0', '2', '-1', 'x'].map(
    accessLogSample => [{ ...split, accessLog: '-', accessLogSample }, /bad --access-log-sample/] as const,
  ),
  [{ ...split, workers: '0' }, /bad --workers/],
  [{ table: 'x.json', pipelining: true }, /--pipelining without an address/],
  [{ ...split, tlsCert: 'x' }, /go together/],
]

for (const [flags, message] of REFUSED)
  test(`refused: ${JSON.stringify(flags)}`, async t => {
    await t.rejects(proxyOptionsFromFlags(flags), {
      name: 'UserError',
      code: 'PIN4005',
      message,
      hint: /\w/,
      exitCode: 2,
    })
  })

test('ranges that are none are refused, and their flag is named; none is wider than it reads', async t => {
  for (const range of [
    '',
    'x',
    '1.2.3',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/9',
    '10.0.0.0/0x8',
    '10.0.0.0/1e1',
    '::/129',
  ])
    for (const [flag, flags] of [
      ['--trust', { trust: `127.0.0.1,${range}` }],
      ['--proxy-protocol', { proxyProtocol: range }],
    ] as const)
      await t.rejects(proxyOptionsFromFlags({ ...split, ...flags }), {
        code: 'PIN4006',
        message: `bad range ${range} in ${flag}`,
        exitCode: 2,
      })
  const { trust } = await proxyOptionsFromFlags({ ...split, trust: '10.0.0.0/8, ::1' })
  t.strictSame(trust, ['10.0.0.0/8', '::1'])
})

test('--pipelining is for all versions that flags name', async t => {
  const { source } = await proxyOptionsFromFlags({ ...split, pipelining: true })
  let table: RouteTable | undefined
  const take = (given: RouteTable): void => {
    table = given
  }
  await source!.start({ table: take, problem: () => {} } as never)
  t.strictSame(
    table?.routes[0]?.dests.map(dest => dest.pipelining),
    [true, true],
  )
})

const ADDRESSES = [
  'http://127.0.0.1:80',
  'http://Web:8080',
  'http://a_b',
  'h2c://web:50051/',
  'http://[2001:DB8::1]:80',
]

for (const stable of ADDRESSES)
  test(`taken: ${stable}`, async t => {
    const { source } = await proxyOptionsFromFlags({ stable })
    const running = await proxy(t, { source: source! })
    t.equal(running.status().routes[0]?.dests[0]?.endpoints.length, 1)
  })

test('a preview header may ask for a value', async t => {
  const [a, b] = await Promise.all([pod(t, 'a'), pod(t, 'b')])
  const flags = { listen: '127.0.0.1:0', admin: '127.0.0.1:0', active: a.url, preview: b.url }
  const running = await proxy(t, await proxyOptionsFromFlags({ ...flags, previewHeader: 'X-Try=a=b' }))
  t.equal((await ask(running.url, '/', { headers: { 'X-Try': 'a=b' } })).body, 'b')
  t.equal((await ask(running.url, '/', { headers: { 'X-Try': 'a' } })).body, 'a')
})
