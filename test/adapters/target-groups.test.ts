// Which pods are looked for in which target group, and what is made of what AWS has.
import { test } from 'tap'
import { targetGroups } from '../../adapters/traffic/_target-groups.ts'
import type { Heard, KubeObject, Registration } from '../../src/contract.ts'

const binding = (name: string, spec: object, more: object = {}): KubeObject => ({
  ...targetGroups.bindings,
  metadata: { name, ...more },
  spec: { serviceRef: { name: 'web', port: 80 }, targetGroupARN: `arn:${name}`, targetType: 'ip', ...spec },
})

const endpoint = (address: string, pod: string, conditions: object = { ready: true }) => ({
  addresses: [address],
  conditions,
  targetRef: { kind: 'Pod', name: pod },
})

const slice = (endpoints: readonly object[] | null, more: object = {}): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1' },
  ...{ addressType: 'IPv4', ports: [{ name: 'http', port: 8080 }], endpoints, ...more },
})

const SERVICE: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 'web' }], ipFamilies: ['IPv4'] },
}

const TWO = [endpoint('10.0.0.1', 'web-b-1'), endpoint('10.0.0.2', 'web-b-2')]

const of = (more: Partial<Registration> = {}): Registration => ({
  service: SERVICE,
  bindings: [binding('a', {})],
  slices: [slice(TWO)],
  pods: 'web-b-',
  atLeast: 2,
  ...more,
})

const urlOf = (name: string) => `aws-elbv2://target-groups/arn%3A${name}`
const reply = (...targets: readonly string[]): Heard => {
  const all = targets.map(text => {
    const [, id, port, state = 'healthy'] = /^(.*):(\d+) ?(.*)$/.exec(text) ?? []
    return { id, port: Number(port), state: state || 'healthy' }
  })
  return { status: 200, headers: {}, body: JSON.stringify({ targets: all }) }
}
const heard = (all: Readonly<Record<string, Heard>>) =>
  new Map(Object.entries(all).map(([name, one]) => [urlOf(name), one]))

test('which target groups are asked', t => {
  const asked = (...bindings: readonly KubeObject[]) => targetGroups.asks(of({ bindings })).map(({ url }) => url)
  const rows: readonly (readonly [string, KubeObject, boolean])[] = [
    ['by the number of the port', binding('a', {}), true],
    ['by its name', binding('a', { serviceRef: { name: 'web', port: 'http' } }), true],
    ['another port', binding('a', { serviceRef: { name: 'web', port: 81 } }), false],
    ['a number as text is a name', binding('a', { serviceRef: { name: 'web', port: '80' } }), false],
    ['another Service', binding('a', { serviceRef: { name: 'cart', port: 80 } }), false],
    ['nodes, not pods', binding('a', { targetType: 'instance' }), false],
    ['type not said', binding('a', { targetType: undefined }), false],
    ['on its way out', binding('a', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
    ['no reference', binding('a', { serviceRef: undefined }), false],
  ]
  for (const [name, one, isAsked] of rows) t.strictSame(asked(one), isAsked ? [urlOf('a')] : [], name)
  t.strictSame(asked(binding('a', {}), binding('b', {})), [urlOf('a'), urlOf('b')])
  t.end()
})

test('what is made of the answer', t => {
  const verdict = (told: Heard, more: Partial<Registration> = {}) =>
    targetGroups.read(of(more), heard({ a: told })).events.map(({ reason, message }) => `${reason}: ${message}`)
  const good = (count: number) =>
    `TargetGroupVerified: Service web (TargetGroup arn:a) verified: ${count} endpoints registered`
  const bad = (text: string) =>
    `TargetGroupUnverified: Service web (TargetGroup arn:a) not verified: ${text} endpoints registered`
  const all = reply('10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.9:8080')
  const v6 = slice([endpoint('2001:db8::1', 'web-b-1')], { addressType: 'IPv6' })
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ['all, beside one of the version before', verdict(all), good(2)],
    ['one is missing', verdict(reply('10.0.0.1:8080')), bad('1/2')],
    ['the right address on another port', verdict(reply('10.0.0.1:8080', '10.0.0.2:80')), bad('1/2')],
    ['healthy or not', verdict(reply('10.0.0.1:8080 unhealthy', '10.0.0.2:8080 initial')), good(2)],
    ['being taken out', verdict(reply('10.0.0.1:8080 draining', '10.0.0.2:8080')), bad('1/2')],
    ['twice the same', verdict(reply('10.0.0.1:8080', '10.0.0.1:8080')), bad('1/2')],
    ['slices of the version before', verdict(all, { slices: [slice([endpoint('10.0.0.9', 'web-a-1')])] }), bad('0/2')],
    ['slices that have only one yet', verdict(all, { slices: [slice([TWO[0]!])] }), bad('1/2')],
    ['no slices', verdict(all, { slices: [] }), bad('0/2')],
    ['no pods at all', verdict(all, { slices: [slice(null, { ports: null })], atLeast: 0 }), good(0)],
    [
      'a pod that is not ready',
      verdict(reply('10.0.0.1:8080'), {
        slices: [slice([TWO[0]!, endpoint('10.0.0.2', 'web-b-2', { ready: false })])],
        atLeast: 1,
      }),
      good(1),
    ],
    ['ready is not said', verdict(all, { slices: [slice([{ addresses: ['10.0.0.1'] }, TWO[1]!])] }), good(2)],
    [
      'a named port that has another number in some pods',
      verdict(reply('10.0.0.1:8080', '10.0.0.2:9090'), {
        slices: [slice([TWO[0]!]), slice([TWO[1]!], { ports: [{ name: 'http', port: 9090 }] })],
      }),
      good(2),
    ],
    ['the family of the Service', verdict(all, { slices: [slice(TWO), v6] }), good(2)],
    [
      'the family of the target group',
      verdict(reply('2001:db8::1:8080'), {
        slices: [slice(TWO), v6],
        bindings: [binding('a', { ipAddressType: 'ipv6' })],
        atLeast: 1,
      }),
      good(1),
    ],
    [
      'names of pods say nothing',
      verdict(reply('10.0.0.9:8080'), {
        slices: [slice([endpoint('10.0.0.9', 'web-a-1')])],
        pods: undefined as never,
        atLeast: 1,
      }),
      good(1),
    ],
    [
      'AWS refuses',
      verdict({ error: 'not authorized' }),
      'TargetGroupVerifyError: Failed to verify Service web (TargetGroup arn:a): not authorized',
    ],
    [
      'a binding without its group',
      verdict(all, { bindings: [binding('a', { targetGroupARN: undefined })] }),
      'TargetGroupVerifyError: Failed to verify Service web (TargetGroup unknown): its TargetGroupBinding names no target group yet',
    ],
  ]
  for (const [name, events, wanted] of rows) t.strictSame(events, [wanted], name)
  t.end()
})

test('a port without a name', t => {
  const service = { ...SERVICE, spec: { ports: [{ port: 80 }] } }
  const slices = [slice(TWO, { ports: [{ port: 8080 }] })]
  const told = heard({ a: reply('10.0.0.1:8080', '10.0.0.2:8080') })
  t.match(targetGroups.read(of({ service, slices }), told), { verified: true })
  t.end()
})

test('all target groups must have them; the first that has not is told of', t => {
  const bindings = [binding('a', {}), binding('b', {}), binding('c', {})]
  const [all, none] = [reply('10.0.0.1:8080', '10.0.0.2:8080'), reply()]
  const { verified, events } = targetGroups.read(of({ bindings }), heard({ a: all, b: none, c: none }))
  t.equal(verified, false)
  t.strictSame(
    events.map(({ reason, message }) => [reason, /arn:\w/.exec(message)?.[0]]),
    [
      ['TargetGroupVerified', 'arn:a'],
      ['TargetGroupUnverified', 'arn:b'],
    ],
  )
  t.match(targetGroups.read(of({ bindings: [] }), new Map()), { verified: true, events: [] })
  t.end()
})
