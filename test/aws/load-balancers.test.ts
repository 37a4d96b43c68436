// What the door to AWS makes of answers, asked by AWS' own library over HTTP. A real load balancer cannot be had here.
import { type Test, test } from 'tap'
import { withLoadBalancers } from '../../src/aws/load-balancers.ts'
import { type Cloud, fakeElb } from './fake-elb.ts'

const TAG = 'ingress.k8s.aws/resource'
const arnOf = (kind: string, name: string) => `arn:aws:elasticloadbalancing:eu-west-1:1:${kind}/${name}`
const balancer = (name: string) => arnOf('loadbalancer', `app/${name}/1`)
const group = (name: string) => arnOf('targetgroup', `${name}/1`)
const splitOf = (canary: number) => [
  { group: group('canary'), weight: canary },
  { group: group('stable'), weight: 100 - canary },
]

const CLOUD: Cloud = {
  balancers: { [balancer('a')]: 'a.aws', [balancer('b')]: 'b.aws', [balancer('web')]: 'web.aws' },
  groups: {
    [group('canary')]: { owner: 'shop', [TAG]: 'shop/web-cart-canary:80' },
    [group('stable')]: { [TAG]: 'shop/web-cart-stable:80' },
    [group('other')]: {},
  },
  listeners: { http: [splitOf(25), [{ group: group('canary'), weight: 100 }], []], https: [splitOf(20)] },
}

type Told = Readonly<{
  name: string
  groups: readonly { name: string; resource: string; weights: number[] }[]
  error?: string
}>

async function ask(t: Test, cloud: Cloud, hostname: string, fail: Parameters<typeof fakeElb>[1] = {}) {
  const elb = await fakeElb(cloud, fail)
  const before = { ...process.env }
  const settings = {
    AWS_ENDPOINT_URL: elb.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'k',
    AWS_SECRET_ACCESS_KEY: 's',
  }
  Object.assign(process.env, settings)
  const door = withLoadBalancers(async () => ({ status: 299, headers: {}, body: 'the others' }), TAG)
  t.teardown(async () => {
    door.close()
    for (const name of Object.keys(settings)) delete process.env[name]
    Object.assign(process.env, before)
    await elb.close()
  })
  const get = (url: string) => door.fetch({ method: 'GET', url })
  const reply = () => get(`aws-elbv2://load-balancers/${hostname}`)
  return { elb, get, reply, told: async () => JSON.parse((await reply()).body) as Told }
}

test('a load balancer on a later page, with all of its groups, their tags and the weights of every split', async t => {
  const { told } = await ask(t, CLOUD, 'web.aws')
  const { name, groups } = await told()
  t.equal(name, 'web')
  t.strictSame(
    groups.map(one => [one.name, one.resource, one.weights]),
    [
      ['canary', 'shop/web-cart-canary:80', [25, 20]],
      ['stable', 'shop/web-cart-stable:80', [75, 80]],
      ['other', '', []],
    ],
    'the header route that sends all to the canary hides no split',
  )
})

test('more groups than tags can be asked for at once', async t => {
  const names = Array.from({ length: 45 }, (_, i) => `g${i}`)
  const groups = Object.fromEntries(names.map(name => [group(name), { [TAG]: `shop/web-${name}:80` }]))
  const { told, elb } = await ask(t, { ...CLOUD, groups, listeners: {} }, 'web.aws')
  t.strictSame(
    (await told()).groups.map(one => one.resource),
    names.map(name => `shop/web-${name}:80`),
  )
  t.equal(elb.calls.filter(call => call === 'DescribeTags').length, 3)
})

test('several who ask at once share the answer', async t => {
  const { reply, elb } = await ask(t, CLOUD, 'web.aws')
  await Promise.all([reply(), reply(), reply()])
  t.equal(elb.calls.filter(call => call === 'DescribeTags').length, 1)
  await reply()
  t.equal(elb.calls.filter(call => call === 'DescribeTags').length, 2, 'whoever comes later asks anew')
})

test('a host name that AWS does not know', async t => {
  const { reply } = await ask(t, CLOUD, 'gone.aws')
  t.equal((await reply()).status, 404)
})

test('the targets of a target group, and their state', async t => {
  const targets = { [group('canary')]: ['10.1.2.3:8080 healthy', '10.1.2.4:8080 draining', '2001:db8::7:8080 initial'] }
  const { get } = await ask(t, { ...CLOUD, targets }, '')
  const reply = await get(`aws-elbv2://target-groups/${encodeURIComponent(group('canary'))}`)
  t.strictSame(JSON.parse(reply.body), {
    targets: [
      { id: '10.1.2.3', port: 8080, state: 'healthy' },
      { id: '10.1.2.4', port: 8080, state: 'draining' },
      { id: '2001:db8::7', port: 8080, state: 'initial' },
    ],
  })
  const empty = await get(`aws-elbv2://target-groups/${encodeURIComponent(group('other'))}`)
  t.strictSame(JSON.parse(empty.body), { targets: [] })
})

test('a target group that may not be read, or is gone', async t => {
  const failures = [
    { status: 403, code: 'AccessDenied', message: 'not authorized to perform DescribeTargetHealth' },
    { status: 400, code: 'TargetGroupNotFound', message: 'One or more target groups not found' },
  ]
  const { get } = await ask(t, CLOUD, '', { DescribeTargetHealth: failures })
  const url = `aws-elbv2://target-groups/${encodeURIComponent(group('canary'))}`
  await t.rejects(get(url), /not authorized/)
  await t.rejects(get(url), /not found/)
})

test('throttling is waited out', async t => {
  const slow = { status: 400, code: 'Throttling', message: 'Rate exceeded' }
  const { told, elb } = await ask(t, CLOUD, 'web.aws', { DescribeRules: [slow] })
  t.equal((await told()).groups.length, 3)
  t.equal(elb.calls.filter(call => call === 'DescribeRules').length, 4)
})

test('what may not be read is told, beside what could be read', async t => {
  const denied = { status: 403, code: 'AccessDenied', message: 'not authorized to perform DescribeTags' }
  const { told } = await ask(t, CLOUD, 'web.aws', { DescribeTags: [denied] })
  t.match(await told(), { name: 'web', groups: [], error: /not authorized/ })
  const { reply } = await ask(t, CLOUD, 'web.aws', { DescribeLoadBalancers: [denied] })
  await t.rejects(reply(), /not authorized/)
})

test('all other questions go their usual way', async t => {
  const { get } = await ask(t, CLOUD, 'web.aws')
  t.match(await get('http://127.0.0.1:1/'), { status: 299, body: 'the others' })
})
