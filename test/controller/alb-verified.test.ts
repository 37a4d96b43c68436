// A release behind an AWS load balancer goes on when the load balancer itself has the weight, and not before.
import { type Test, test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Fetch } from '../../src/ports.ts'
import { product } from '../../src/sim/product.ts'
import { canaryApp } from '../kit/apps.ts'
import { bindingCrd, handlesOf, INGRESS } from '../kit/behind-aws.ts'
import { world } from '../kit/world.ts'

const ACTION = 'alb.ingress.kubernetes.io/actions.app-stable'

const arnOf = (kind: string, name: string) => `arn:aws:elasticloadbalancing:eu-west-1:1:${kind}/${name}/1`

type Forward = Readonly<{ ForwardConfig: { TargetGroups: { ServiceName: string; Weight: number }[] } }>

/** The app behind a load balancer that follows its Ingress `lag` seconds late. */
async function behindAws(t: Test, { lag = 0, isAsked = true } = {}) {
  const cloud: { lag: number; fault: string | undefined; calls: number } = { lag, fault: undefined, calls: 0 }
  const shown: { at: number; text: string }[] = []
  let now = () => 0
  const fetch: Fetch = async ({ url }) => {
    cloud.calls += 1
    t.equal(url, 'aws-elbv2://load-balancers/web.aws')
    if (cloud.fault !== undefined) throw new Error(cloud.fault)
    const text = shown.findLast(one => one.at <= now() - cloud.lag * 1000)?.text
    const { ForwardConfig } = JSON.parse(text ?? '{"ForwardConfig":{"TargetGroups":[]}}') as Forward
    const groups = ForwardConfig.TargetGroups.map(({ ServiceName: name, Weight }) => ({
      name,
      arn: arnOf('targetgroup', name),
      resource: `default/app-${name}:80`,
      weights: [Weight],
    }))
    const body = JSON.stringify({ name: 'web', arn: arnOf('loadbalancer', 'app/web'), groups })
    return { status: 200, headers: {}, body }
  }
  const w = await world(t, { crds: [...crds(), bindingCrd()], controller: product({ fetch, asksProviders: isAsked }) })
  now = () => w.clock.now()
  const run = async (seconds: number) => {
    for (let i = 0; i < seconds * 5; i += 1) {
      const text = w.get(INGRESS, 'app')?.metadata.annotations?.[ACTION]
      if (text !== undefined && shown.at(-1)?.text !== text) shown.push({ at: w.clock.now(), text })
      await w.run(0.2)
    }
  }
  const handles = handlesOf(w)
  await w.apply(canaryApp({ alb: { ingress: 'app', servicePort: 80 } }))
  handles.balance()
  await run(40)
  return { cloud, run, ...handles }
}

test('a step that sets a weight is over when the load balancer has it', async t => {
  const { run, of, ship, told } = await behindAws(t, { lag: 15 })
  ship()
  await run(10)
  t.match(of('status.canary.weights'), { canary: { weight: 50 }, verified: false })
  t.equal(of('status.currentStepIndex'), 0, 'the Ingress says 50, AWS does not')
  t.match(told('TargetGroupUnverified').at(-1), { message: /app-canary .*canary weight 50 not yet set \(current: 0\)/ })
  await run(20)
  t.equal(of('status.currentStepIndex'), 1)
  t.match(told('TargetGroupVerified').at(-1), { message: /app-canary .* verified: canary weight 50 set/ })
})

test('the status tells which load balancer and groups they are, and keeps it', async t => {
  const { of, ship, run } = await behindAws(t)
  // argo: without the first part of the ARN's path, `app`.
  const loadBalancer = { name: 'web', fullName: 'web/1' }
  t.match(of('status.alb'), { ingress: 'app', loadBalancer })
  ship('v2')
  await run(10)
  const groups = {
    canaryTargetGroup: { name: 'app-canary', fullName: 'app-canary/1' },
    stableTargetGroup: { name: 'app-stable', fullName: 'app-stable/1' },
  }
  t.match(of('status.alb'), { ingress: 'app', loadBalancer, ...groups })
  ship('v3')
  await run(1)
  t.match(of('status.albs.0'), groups, 'another update does not forget it')
})

test('the old version stays until the load balancer sends everything to the new one', async t => {
  const { cloud, run, of, ship, promote, sizes } = await behindAws(t)
  ship()
  await run(15)
  promote()
  await run(15)
  t.equal(of('status.currentStepIndex'), 4, 'all steps are done')
  cloud.lag = 1000
  await run(60)
  t.match(of('status.phase'), 'Progressing')
  t.equal(of('status.stableRS') === of('status.currentPodHash'), false)
  t.strictSame(sizes(), [4, 4])
  cloud.lag = 0
  await run(30)
  t.equal(of('status.phase'), 'Healthy')
  t.strictSame(sizes(), [0, 4])
})

test('AWS that cannot be asked holds the step, and says so', async t => {
  const { cloud, run, of, ship, told } = await behindAws(t)
  cloud.fault = 'no credentials'
  ship()
  await run(30)
  t.equal(of('status.currentStepIndex'), 0)
  t.match(told('WeightVerifyError').at(-1), { message: 'Failed to verify weight: no credentials' })
  cloud.fault = undefined
  await run(12)
  t.equal(of('status.currentStepIndex'), 1)
})

test('it is asked only while a weight is being set', async t => {
  const { cloud, run, ship } = await behindAws(t)
  ship()
  await run(15)
  const { calls } = cloud
  await run(600)
  t.equal(cloud.calls, calls, 'not during the pause')
})

test('without the flag nobody asks and nobody waits', async t => {
  const { cloud, run, of, ship } = await behindAws(t, { lag: 1000, isAsked: false })
  ship()
  await run(10)
  t.equal(of('status.currentStepIndex'), 1)
  t.equal(of('status.alb'), undefined)
  t.equal(cloud.calls, 0)
})
