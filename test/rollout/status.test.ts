// What a pass carries over from the status before it.
import { test } from 'tap'
import type { Observed } from '../../src/rollout/observe.ts'
import { baseStatus } from '../../src/rollout/status.ts'

const FACTS = { name: 'lb', arn: 'arn:aws:elasticloadbalancing:eu:1:loadbalancer/app/lb/1', fullName: 'app/lb/1' }

test('what another controller knew of AWS is not carried on: after the next swap it would be wrong', async t => {
  const before = { loadBalancer: FACTS, canaryTargetGroup: FACTS, stableTargetGroup: FACTS }
  const status = {
    alb: before,
    albs: [{ ...before, ingress: 'web' }],
    stableRS: 's1',
    restartedAt: '2024-05-01T12:00:00Z',
  }
  const seen = { status, spec: {}, allRSs: [], newRS: undefined, hash: 'n1' } as unknown as Observed
  const { alb, albs, stableRS, restartedAt } = baseStatus(seen)
  t.same({ alb, albs }, { alb: undefined, albs: undefined })
  t.same({ stableRS, restartedAt }, { stableRS: 's1', restartedAt: status.restartedAt })
})
