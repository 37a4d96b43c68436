// EndpointSlices as addresses, and addresses as they are dialled.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { dialMap } from '../../src/proxy/dial.ts'
import { backendOf } from '../../src/proxy/endpoints.ts'

const service = (ports: object[], selector: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { ports, selector },
})
const slice = (endpoints: object[], ports: object[] = [{ port: 8080 }]): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-abc' },
  ports,
  endpoints,
})
const at = (ip: string, conditions: object = { ready: true }) => ({ addresses: [ip], conditions })
const keys = (...slices: KubeObject[]) =>
  backendOf(service([{ port: 80 }]), slices, undefined).endpoints.map(e => e.key)

test('ready pods only; ending ones only when there is nothing else; dead ones never', async t => {
  const ready = at('10.0.0.1')
  const ending = at('10.0.0.2', { ready: false, serving: true, terminating: true })
  const starting = at('10.0.0.3', { ready: false, serving: false })
  const gone = at('10.0.0.4', { ready: false, serving: false, terminating: true })
  t.same(keys(slice([ready, ending, starting, gone])), ['10.0.0.1:8080'])
  t.same(keys(slice([ending, starting, gone])), ['10.0.0.2:8080'])
  t.same(keys(slice([starting, gone])), [])
  t.same(keys(slice([{ addresses: ['10.0.0.5'] }])), ['10.0.0.5:8080'], 'unknown means ready')
  t.same(
    keys(slice([ready]), slice([at('10.0.0.6'), ready])),
    ['10.0.0.1:8080', '10.0.0.6:8080'],
    'over all slices, once',
  )
  t.same(keys(slice([at('fd00::1')])), ['[fd00::1]:8080'])
})

test('with two families a pod counts once, in the first family that has ready ones', async t => {
  const web = { ...service([{ port: 80 }]), spec: { ports: [{ port: 80 }], ipFamilies: ['IPv6', 'IPv4'] } }
  const of = (addressType: string, ...endpoints: object[]) => ({ ...slice(endpoints), addressType })
  const found = (...slices: KubeObject[]) => backendOf(web, slices, 80).endpoints.map(e => e.key)
  const ending = { ready: false, serving: true, terminating: true }
  t.same(found(of('IPv4', at('10.0.0.1')), of('IPv6', at('fd00::1'))), ['[fd00::1]:8080'])
  t.same(found(of('IPv4', at('10.0.0.1')), of('IPv6')), ['10.0.0.1:8080'])
  t.same(found(of('IPv4', at('10.0.0.1')), of('IPv6', at('fd00::1', ending))), ['10.0.0.1:8080'])
  t.same(found(of('IPv4'), of('IPv6', at('fd00::1', ending))), ['[fd00::1]:8080'])
})

test('the port is found by number or name, through the name that Service and slice share', async t => {
  const web = service([
    { name: 'http', port: 80 },
    { name: 'admin', port: 81 },
  ])
  const slices = [
    slice(
      [at('10.0.0.1')],
      [
        { name: 'admin', port: 9000 },
        { name: 'http', port: 8080 },
      ],
    ),
  ]
  const port = (wanted?: number | string) => backendOf(web, slices, wanted)
  for (const [wanted, key] of [
    [undefined, 8080],
    [80, 8080],
    ['http', 8080],
    [81, 9000],
    ['admin', 9000],
  ] as const)
    t.same(
      port(wanted).endpoints.map(e => e.key),
      [`10.0.0.1:${key}`],
      `${wanted}`,
    )
  t.match(port(82), { endpoints: [], problem: 'Service has no port 82' })
  t.match(backendOf(undefined, slices, 80), { endpoints: [], problem: 'Service not found' })
  t.equal(backendOf(service([{ port: 80 }], { 'rollouts-pod-template-hash': 'abc' }), [], 80).hash, 'abc')
})

test('a dial map moves one range onto another and leaves the rest alone', async t => {
  const dial = dialMap('10.0.0.0/8=127.0.0.0/8')
  t.same(dial('10.244.1.2', 8080), { host: '127.244.1.2', port: 28_080 })
  t.same(dial('10.244.1.2', 30_000), { host: '127.244.1.2', port: 30_000 })
  t.same(dial('10.244.1.2', 80), { host: '127.244.1.2', port: 20_080 })
  t.same(dial('11.0.0.1', 80), { host: '11.0.0.1', port: 80 })
  t.same(dial('web.test', 80), { host: 'web.test', port: 80 })
  for (const bad of ['10.0.0.0/8', '10.0.0.0/8=127.0.0.0/9', '10.0.0/8=127.0.0.0/8', '10.0.0.0/33=127.0.0.0/33', ''])
    t.throws(() => dialMap(bad), { code: 'PIN4002' }, bad)
})
