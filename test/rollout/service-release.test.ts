// When a Service gets its selector back.
import { test } from 'tap'
import type { Service } from '../../src/api/kube.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import { planServiceRelease } from '../../src/rollout/service-release.ts'

const MARK = 'argo-rollouts.argoproj.io/managed-by-rollouts'
const HASH = 'rollouts-pod-template-hash'
const service = (annotations: Record<string, string>, selector: Record<string, string>) =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', annotations },
    spec: { selector },
  }) as Service
const managed = service({ [MARK]: 'cart' }, { app: 'cart', [HASH]: 'abc' })
const rollout = (strategy: object) =>
  ({ apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', metadata: { name: 'cart' }, spec: { strategy } }) as Rollout
const released = { metadata: { annotations: { [MARK]: null } }, spec: { selector: { [HASH]: null } } }

const both = { blueGreen: { activeService: 'active' }, canary: { canaryService: 'web' } }
const table: Readonly<Record<string, readonly [Service, Rollout | undefined, unknown]>> = {
  'a rollout that names it as canary keeps it': [managed, rollout({ canary: { canaryService: 'web' } }), undefined],
  'a rollout that names it as pong keeps it': [
    managed,
    rollout({ canary: { pingPong: { pingService: 'ping', pongService: 'web' } } }),
    undefined,
  ],
  'a rollout that names it as preview keeps it': [
    managed,
    rollout({ blueGreen: { activeService: 'active', previewService: 'web' } }),
    undefined,
  ],
  'beside blueGreen the names of the canary do not count': [managed, rollout(both), released],
  'a rollout with other Services lets go': [managed, rollout({ canary: { canaryService: 'other' } }), released],
  'a rollout that is gone lets go': [managed, undefined, released],
  'an empty hash goes too: it selects no pod': [
    service({ [MARK]: 'cart' }, { app: 'cart', [HASH]: '' }),
    undefined,
    released,
  ],
  'without a hash there is nothing to take away': [service({ [MARK]: 'cart' }, { app: 'cart' }), undefined, undefined],
  'a hash that nobody claims is left alone': [service({}, { app: 'cart', [HASH]: 'abc' }), undefined, undefined],
}

for (const [name, [object, manager, patch]] of Object.entries(table)) {
  test(name, async t => {
    const actions = planServiceRelease(object, manager)
    t.same(
      actions.map(action => action.verb === 'patch' && action.patch),
      patch === undefined ? [] : [patch],
    )
  })
}
