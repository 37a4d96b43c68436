// When it is looked at whether load balancers have the pods of a Service, and when not.
import { test } from 'tap'
import { targetGroups } from '../../adapters/traffic/_target-groups.ts'
import type { Service } from '../../src/api/kube.ts'
import type { Heard, TrafficRouter } from '../../src/contract.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import type { Known } from '../../src/rollout/plan.ts'
import { type Registered, registeredActive, registeredStable } from '../../src/rollout/registered.ts'
import { seenOf } from '../kit/seen-of-vector.ts'

const alb = { registry: targetGroups } as unknown as TrafficRouter<unknown>
const nginx = {} as unknown as TrafficRouter<unknown>
const KNOWN: Known = { steps: {}, plugins: {}, routers: { alb, nginx }, asksProviders: true }
const up = { spec: 4, replicas: 4, available: 4 }

/** The Services all select `selected`. */
function reading(row: Readonly<Record<string, unknown>>, selected: string, heard?: Observed['heard']): Observed {
  const selector = { 'rollouts-pod-template-hash': selected }
  const service = (name: string) =>
    name === '' ? undefined : ({ metadata: { name }, spec: { selector, ports: [] } } as unknown as Service)
  return { ...seenOf({ name: 'row', want: undefined, ...row }), service, ...(heard ? { heard } : {}) }
}

const blueGreen = (status: object = {}, sets: object = {}) => ({
  spec: { replicas: 4, strategy: { blueGreen: { activeService: 'active' } } },
  status: { stableRS: 's', currentPodHash: 'n', ...status },
  sets: { new: { hash: 'n', ...up }, stable: { hash: 's', ...up }, ...sets },
})

const canary = (status: object = {}, sets: object = {}, more: object = { trafficRouting: { alb: {} } }) => ({
  spec: { replicas: 4, strategy: { canary: { stableService: 'stable', canaryService: 'canary', ...more } } },
  status: { stableRS: 'n', currentPodHash: 'n', ...status },
  sets: { new: { hash: 'n', ...up }, stable: { hash: 'n', ...up }, others: [{ hash: 'o', ...up }], ...sets },
})

const outcome = ({ isVerified, part }: Registered) => (isVerified ? 'goes on' : part.asks ? 'asks' : 'waits')

test('blue-green', async t => {
  const of = (row: object, selected = 'n', known = KNOWN) =>
    outcome(registeredActive(reading(row as never, selected), known, 0))
  const run = (status: string) => ({ blueGreen: { postPromotionAnalysisRunStatus: { name: 'r', status } } })
  t.equal(of(blueGreen()), 'asks', 'the Service is switched, the new version is not stable')
  t.equal(of(blueGreen(), 's'), 'waits', 'the pass that switches it')
  t.equal(of(blueGreen({ stableRS: 'n' }, { stable: { hash: 'n', ...up } })), 'goes on', 'promoted')
  t.equal(of(blueGreen({ stableRS: '' }, { stable: null })), 'goes on', 'the first version')
  t.equal(of(blueGreen({ promoteFull: true })), 'asks')
  t.equal(of(blueGreen(run('Running'))), 'goes on', 'it was done before the analysis began')
  t.equal(of(blueGreen(run('Inconclusive'))), 'goes on')
  t.equal(of(blueGreen(run('Failed'))), 'asks', 'a retry: the Service was switched back in between')
  t.equal(of(blueGreen(), 'n', { ...KNOWN, asksProviders: false }), 'goes on')
  t.equal(of(blueGreen(), 'n', { ...KNOWN, routers: { nginx } }), 'goes on', 'nobody knows of such lists')
})

test('canary', async t => {
  const of = (row: object, known = KNOWN) => {
    const seen = reading(row as never, 'n')
    return outcome(registeredStable(seen, known, seen.otherRSs, 0))
  }
  const old = { hash: 'o', ...up }
  t.equal(of(canary()), 'asks', 'promoted, and the set before has its pods')
  t.equal(of(canary({ stableRS: 's' }, { stable: { hash: 's', ...up } })), 'goes on', 'an update is under way')
  t.equal(of(canary({}, { others: [{ ...old, deadline: '2024-05-01T10:00:00Z' }] })), 'goes on', 'its delay has begun')
  t.equal(of(canary({}, { others: [{ ...old, spec: 0 }] })), 'goes on', 'nothing is there to go')
  t.equal(of(canary({}, { others: [{ ...old, deadline: '2024-05-01T10:00:00Z' }, old] })), 'asks')
  t.equal(of(canary({}, {}, { trafficRouting: { nginx: {} } })), 'goes on', 'not behind such a load balancer')
  t.equal(of(canary({}, {}, {})), 'goes on', 'no traffic routing')
  t.equal(of(canary(), { ...KNOWN, asksProviders: false }), 'goes on')
  const pair = { pingPong: { pingService: 'ping', pongService: 'pong' }, trafficRouting: { alb: {} } }
  const seen = reading(canary({ canary: { stablePingPong: 'ping' } }, {}, pair), 'n')
  const { asks } = registeredStable(seen, KNOWN, seen.otherRSs, 0).part
  t.match(asks?.[1], { labelSelector: 'kubernetes.io/service-name=ping' }, 'the Service that is the stable one now')
})

test('what cannot be read', async t => {
  const [bindings, slices] = ['list elbv2.k8s.aws/v1beta1 TargetGroupBinding', 'slices of active']
  const empty: Heard = { status: 200, headers: {}, body: '[]' }
  const refused = (status: number): Heard => ({ status, headers: {}, body: 'no' })
  const of = (first: Heard, second: Heard) => {
    const heard = new Map([
      [bindings!, first],
      [slices!, second],
    ])
    const { isVerified, part } = registeredActive(reading(blueGreen(), 'n', heard), KNOWN, 5)
    return [isVerified, part.events.length, part.recheckAt]
  }
  t.strictSame(of(empty, empty), [true, 0, undefined])
  t.strictSame(of(refused(404), empty), [true, 0, undefined], 'no such kind')
  t.strictSame(of(refused(403), empty), [false, 1, 10_005])
  t.strictSame(of({ error: 'no answer' }, empty), [false, 1, 10_005])
  t.strictSame(of(empty, refused(403)), [false, 1, 10_005])
})
