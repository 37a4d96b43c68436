// Sizes and orders where something is odd: the reference's results, unless a row says otherwise.
import { test } from 'tap'
import { maxUnavailable } from '../../src/rollout/limits.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { planOldBlueGreen, planOldCanary } from '../../src/rollout/old-sets.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import { basicCounts } from '../../src/rollout/replicas-basic.ts'
import { routedCounts } from '../../src/rollout/replicas-routed.ts'
import { planNewScale, type Scaled } from '../../src/rollout/scale.ts'
import { byRevisionDescending, hashOf, untilDeadline } from '../../src/rollout/sets.ts'
import { nowOf, seenOf } from '../kit/seen-of-vector.ts'

const known = { steps: {}, routers: {}, plugins: {} }
const full = { spec: 5, replicas: 5, available: 5, desired: '5' }
const routed = { trafficRouting: { nginx: { stableIngress: 'i' } }, steps: [{ setWeight: 40 }] }

/** A reading as a row of the tables gives it. */
const reading = (row: Readonly<Record<string, unknown>>): Observed => ({
  ...seenOf({ name: 'row', want: undefined, ...row }),
  service: () => undefined,
})

/** What a part scales: hash and size. */
const scaled = ({ part }: Scaled) =>
  part.actions.flatMap(action => {
    if (action.verb !== 'patch') return []
    const patch = action.patch as { spec?: { replicas: number } }
    return patch.spec ? [[action.ref.name.replace('demo-', ''), patch.spec.replicas]] : []
  })

test('of a rollout of no pods none may be missing', async t => {
  t.equal(maxUnavailable({ replicas: 0, strategy: { canary: { maxSurge: 1, maxUnavailable: -3 } } }), 0)
})

test('a promoted set that is too large shrinks to its size, not below it (the reference may)', async t => {
  const set = { hash: 'n', spec: 4, available: 1 }
  const spec = { replicas: 3, strategy: { canary: { maxSurge: 0, maxUnavailable: 0 } } }
  const status = { stableRS: 'n', currentPodHash: 'n' }
  t.strictSame(basicCounts({ spec, status, newRS: set, stableRS: set }), { new: 3, stable: 0 })
})

test('with maxTrafficWeight 0 nobody shrinks', async t => {
  const trafficRouting = { maxTrafficWeight: 0 }
  const spec = { replicas: 3, strategy: { canary: { trafficRouting, dynamicStableScale: true, steps: [{}] } } }
  const [newRS, stableRS] = ['n', 's'].map(hash => ({ hash, spec: 3, available: 3 }))
  const status = { stableRS: 's', currentPodHash: 'n' }
  t.strictSame(routedCounts({ spec, status, newRS, stableRS }), { new: 3, stable: 3 })
})

test('revisions are numbers with a sign, and a deadline may have a fraction', async t => {
  const revisions = ['4', 'x', '-1', '+9', '0', '5']
  const others = revisions.map(revision => ({ hash: revision, spec: 0, revision, deadline: '2024-05-01T10:00:30.5Z' }))
  const { otherRSs } = reading({ spec: {}, sets: { others } })
  t.strictSame(otherRSs.toSorted(byRevisionDescending).map(hashOf), ['x', '+9', '5', '4', '0', '-1'])
  t.equal(untilDeadline(otherRSs[0]!, nowOf({ name: '', want: undefined })), 30_500)
})

/** Sets of an update from s to n with o1, an older one. */
const update = (older: object, canary: object, more: object = {}) =>
  reading({
    spec: { replicas: 5, strategy: { canary } },
    status: { stableRS: 's', currentPodHash: 'n' },
    sets: { new: { hash: 'n', ...full }, stable: { hash: 's', ...full }, others: [{ hash: 'o1', ...full, ...older }] },
    ...more,
  })

test('what is trimmed of old sets while there is no room ends no pass', async t => {
  const low = { spec: 1, replicas: 1, available: 1, desired: '5' }
  const sets = {
    new: { hash: 'n', ...low },
    stable: { hash: 's', ...low },
    others: [{ hash: 'o1', ...full, spec: 2, available: 1 }],
  }
  const plan = planOldCanary(update({}, { steps: [] }, { sets }), known, false, 0)
  t.strictSame([scaled(plan), plan.resized], [[['o1', 1]], false])
})

test('no old set goes while one has more pods than it asks for', async t => {
  const seen = update({ spec: 3, replicas: 5 }, routed)
  t.strictSame(scaled(planOldCanary(seen, known, false, 0)), [])
})

test('the unhealthy pods of a set go also in the pass in which its delay begins', async t => {
  const plan = planOldCanary(update({ available: 3 }, routed), known, true, 0)
  t.strictSame(scaled(plan), [['o1', 3]])
  t.equal(plan.part.actions.length, 2, 'and the deadline')
})

test('analysis after the switch holds old sets only if no delay is set', async t => {
  const old = (blueGreen: object) => {
    const deadline = '2024-05-01T09:59:00Z'
    const spec = { replicas: 5, strategy: { blueGreen: { activeService: 'a', ...blueGreen } } }
    return scaled(
      planOldBlueGreen(update({ deadline }, {}, { spec }), known, true, nowOf({ name: '', want: undefined })),
    )
  }
  t.strictSame(old({}), [])
  t.strictSame(old({ scaleDownDelaySeconds: 30 }), [['o1', 0]])
})

test('after an abort a deadline that cannot be read holds nothing', async t => {
  const spec = { replicas: 5, strategy: { blueGreen: { activeService: 'a' } } }
  const status = { stableRS: 's', currentPodHash: 'n', abort: true }
  const sets = { new: { hash: 'n', ...full, spec: 2, deadline: 'soon' }, stable: { hash: 's', ...full } }
  const plan = planNewScale(reading({ spec, status, sets }), known, 5, NO_INTENT, 0, '')
  t.strictSame(scaled(plan), [['n', 5]])
})
