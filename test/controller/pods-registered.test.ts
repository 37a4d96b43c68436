// After a switch of a Service the version before stays until the load balancer has the new pods.
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { blueGreenApp, canaryApp } from '../kit/apps.ts'
import { behindAws, bindingCrd, bindingOf, ROLLOUT } from '../kit/behind-aws.ts'
import { at } from '../kit/world.ts'

const RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' } as const

const selected = (w: Awaited<ReturnType<typeof behindAws>>['w'], name: string) =>
  at(w.get({ apiVersion: 'v1', kind: 'Service' }, name), 'spec.selector.rollouts-pod-template-hash')

const blueGreen = (more: object = {}): readonly KubeObject[] =>
  blueGreenApp().map(object => {
    const strategy = at(object, 'spec.strategy.blueGreen') as object | undefined
    return strategy
      ? { ...object, spec: { ...(object['spec'] as object), strategy: { blueGreen: { ...strategy, ...more } } } }
      : object
  })

test('blue-green: the version before is stable until the target group has the new pods', async t => {
  const app = await behindAws(t, { app: blueGreen(), bindings: [bindingOf('app-active')] })
  app.ship()
  await app.run(20)
  app.promote()
  await app.run(60)
  t.equal(selected(app.w, 'app-active'), app.of('status.currentPodHash'), 'the Service is switched')
  t.equal(app.of('status.blueGreen.activeSelector'), app.of('status.currentPodHash'))
  t.equal(app.isStable(), false)
  t.equal(app.of('status.phase'), 'Progressing')
  t.strictSame([app.sizes(), app.deadlines()], [[4, 4], 0])
  const text = 'Service app-active (TargetGroup arn:app-active) not verified: 0/4 endpoints registered'
  t.match(app.told('TargetGroupUnverified').at(-1), { message: text, type: 'Warning' })
  t.match(new Set(app.cloud.asked), new Set(['aws-elbv2://target-groups/arn:app-active']))
  t.ok(app.cloud.asked.length <= 8, `asked every 10 s: ${app.cloud.asked.length}`)
  app.cloud.follows = true
  await app.run(11)
  t.equal(app.isStable(), true)
  const good = 'Service app-active (TargetGroup arn:app-active) verified: 4 endpoints registered'
  t.match(app.told('TargetGroupVerified').at(-1), { message: good, type: 'Normal' })
  await app.run(10)
  t.strictSame([app.sizes(), app.of('status.phase')], [[0, 4], 'Healthy'])
  const { length } = app.cloud.asked
  await app.run(600)
  t.equal(app.cloud.asked.length, length, 'nobody is asked any more')
})

test('blue-green: a full promotion waits, too', async t => {
  const app = await behindAws(t, { app: blueGreen(), bindings: [bindingOf('app-active')] })
  app.ship()
  await app.run(20)
  app.write(ROLLOUT, { status: { promoteFull: true } }, true)
  await app.run(30)
  t.equal(app.isStable(), false)
  app.cloud.follows = true
  await app.run(11)
  t.equal(app.isStable(), true)
})

test('blue-green: the analysis after the switch begins when the target group has the new pods', async t => {
  const template: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AnalysisTemplate',
    metadata: { name: 'smoke' },
    spec: {
      metrics: [
        {
          name: 'm',
          provider: {
            job: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } },
          },
        },
      ],
    },
  }
  const more = { autoPromotionEnabled: true, postPromotionAnalysis: { templates: [{ templateName: 'smoke' }] } }
  const app = await behindAws(t, { app: [template, ...blueGreen(more)], bindings: [bindingOf('app-active')] })
  app.ship()
  await app.run(40)
  t.equal(selected(app.w, 'app-active'), app.of('status.currentPodHash'))
  t.strictSame(app.w.list(RUN), [])
  app.cloud.follows = true
  await app.run(11)
  t.equal(app.w.list(RUN).length, 1)
  const { length } = app.cloud.asked
  await app.run(120)
  t.equal(app.cloud.asked.length, length, 'not asked again while it runs')
})

test('blue-green without a binding for its Service goes on at once', async t => {
  for (const bindings of [[], [bindingOf('app-preview')]]) {
    const app = await behindAws(t, { app: blueGreen({ autoPromotionEnabled: true }), bindings })
    app.ship()
    await app.run(15)
    t.equal(app.isStable(), true)
    t.strictSame(app.cloud.asked, [])
    t.ok(app.lists.includes('targetgroupbindings'))
  }
})

test('blue-green in a cluster that has no such bindings goes on at once', async t => {
  const app = await behindAws(t, { app: blueGreen({ autoPromotionEnabled: true }), definitions: [] })
  app.ship()
  await app.run(15)
  t.equal(app.isStable(), true)
  t.strictSame(app.told('TargetGroupVerifyError'), [])
})

test('bindings that may not be read hold the release, and people are told', async t => {
  const app = await behindAws(t, { app: blueGreen({ autoPromotionEnabled: true }), refused: 'targetgroupbindings' })
  app.ship()
  await app.run(60)
  t.equal(app.isStable(), false)
  const message =
    'Failed to verify Service app-active (TargetGroup unknown): objects of kind elbv2.k8s.aws/v1beta1 TargetGroupBinding cannot be read: targetgroupbindings is forbidden'
  t.match(app.told('TargetGroupVerifyError').at(-1), { message })
})

test('AWS that refuses holds the release until it does not', async t => {
  const app = await behindAws(t, {
    app: blueGreen({ autoPromotionEnabled: true }),
    bindings: [bindingOf('app-active')],
  })
  app.cloud.fault = 'no credentials'
  app.ship()
  await app.run(60)
  t.equal(app.isStable(), false)
  const message = 'Failed to verify Service app-active (TargetGroup arn:app-active): no credentials'
  t.match(app.told('TargetGroupVerifyError').at(-1), { message })
  app.cloud.fault = undefined
  app.cloud.follows = true
  await app.run(11)
  t.equal(app.isStable(), true)
})

test('bindings of another API version, where the operator says so', async t => {
  const version = 'eks.amazonaws.com/v1'
  const app = await behindAws(t, {
    app: blueGreen({ autoPromotionEnabled: true }),
    definitions: [bindingCrd('eks.amazonaws.com', 'v1')],
    bindings: [bindingOf('app-active', version)],
    version,
  })
  app.ship()
  await app.run(30)
  t.equal(app.isStable(), false)
  app.cloud.follows = true
  await app.run(11)
  t.equal(app.isStable(), true)
})

test('an abort while the target group is waited for goes back', async t => {
  const app = await behindAws(t, {
    app: blueGreen({ autoPromotionEnabled: true }),
    bindings: [bindingOf('app-active')],
  })
  app.ship()
  await app.run(30)
  app.write(ROLLOUT, { status: { abort: true } }, true)
  await app.run(5)
  t.equal(selected(app.w, 'app-active'), app.of('status.stableRS'))
  t.equal(app.isStable(), false)
})

test('without the flag nobody asks and nobody waits', async t => {
  const app = await behindAws(t, {
    app: blueGreen({ autoPromotionEnabled: true }),
    bindings: [bindingOf('app-active')],
    isAsked: false,
  })
  app.ship()
  await app.run(15)
  t.equal(app.isStable(), true)
  t.strictSame([app.cloud.asked, app.lists.filter(one => one === 'targetgroupbindings')], [[], []])
})

/** All the way to a canary whose old version may go. */
async function promoted(app: Awaited<ReturnType<typeof behindAws>>) {
  app.ship()
  await app.run(20)
  app.promote()
  await app.run(30)
}

test('canary: the version before keeps its pods until the target group of the stable Service has the new ones', async t => {
  const alb = { ingress: 'app', servicePort: 80 }
  const app = await behindAws(t, {
    app: canaryApp({ alb }),
    bindings: [bindingOf('app-stable'), bindingOf('app-canary')],
  })
  await promoted(app)
  t.equal(app.isStable(), true)
  t.equal(selected(app.w, 'app-stable'), app.of('status.stableRS'))
  await app.run(60)
  t.strictSame([app.sizes(), app.deadlines()], [[4, 4], 0])
  const text = 'Service app-stable (TargetGroup arn:app-stable) not verified: 0/4 endpoints registered'
  t.match(app.told('TargetGroupUnverified').at(-1), { message: text })
  t.match(new Set(app.cloud.asked), new Set(['aws-elbv2://target-groups/arn:app-stable']))
  app.cloud.follows = true
  await app.run(11)
  t.ok(app.deadlines() === 1 || app.sizes()[0] === 0)
  t.match(app.told('TargetGroupVerified').at(-1), { message: /app-stable .*4 endpoints registered/ })
  await app.run(10)
  t.strictSame(app.sizes(), [0, 4])
  const { length } = app.cloud.asked
  await app.run(600)
  t.equal(app.cloud.asked.length, length, 'nobody is asked any more')
})

test('canary: target groups are looked at for a load balancer of AWS only', async t => {
  const app = await behindAws(t, {
    app: canaryApp({ nginx: { stableIngress: 'app' } }),
    bindings: [bindingOf('app-stable')],
  })
  await promoted(app)
  await app.run(10)
  t.strictSame([app.sizes(), app.cloud.asked], [[0, 4], []])
})

test('canary of an ALB in a cluster without such bindings: they are there under another version', async t => {
  const app = await behindAws(t, { app: canaryApp({ alb: { ingress: 'app', servicePort: 80 } }), definitions: [] })
  await promoted(app)
  await app.run(60)
  t.strictSame(app.sizes(), [4, 4])
  t.match(app.told('TargetGroupVerifyError').at(-1), {
    message: /elbv2.k8s.aws\/v1beta1 TargetGroupBinding cannot be read/,
  })
})
