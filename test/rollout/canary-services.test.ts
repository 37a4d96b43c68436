// Which Services of a canary are pointed where, in states that no vector shows.
import { test } from 'tap'
import type { ReplicaSet, Service } from '../../src/api/kube.ts'
import { planCanaryServices } from '../../src/rollout/canary.ts'
import type { Observed } from '../../src/rollout/observe.ts'
import { NO_INTENT } from '../../src/rollout/pauses.ts'
import { planTraffic } from '../../src/rollout/traffic.ts'

const HASH = 'rollouts-pod-template-hash'

const set = (hash: string) =>
  ({
    metadata: { name: `cart-${hash}`, labels: { [HASH]: hash } },
    spec: { replicas: 4 },
    status: { replicas: 4, availableReplicas: 4 },
  }) as unknown as ReplicaSet

const PAIR = { pingPong: { pingService: 'ping', pongService: 'pong' } }
const TWO = { stableService: 'ping', canaryService: 'pong' }

type Case = Readonly<{ services: object; hashes: readonly [string, string]; isPromoted?: boolean; becomes: object }>

/** All are aborted, behind a router; `ping` is the stable side. */
const table: Readonly<Record<string, Case>> = {
  'the canary Service goes to stable': { services: TWO, hashes: ['s1', 'n1'], becomes: { pong: 's1' } },
  'with but one version the canary Service is put right': {
    services: TWO,
    hashes: ['s1', 'x'],
    isPromoted: true,
    becomes: { pong: 's1' },
  },
  'of a pair the canary side stays at the new version': { services: PAIR, hashes: ['s1', 'n1'], becomes: {} },
  'of a pair the canary side is put right': { services: PAIR, hashes: ['s1', 'x'], becomes: { pong: 'n1' } },
  'of a pair the stable side is put right': { services: PAIR, hashes: ['x', 'n1'], becomes: { ping: 's1' } },
}

for (const [name, { services, hashes, isPromoted, becomes }] of Object.entries(table)) {
  test(name, async t => {
    const stableRS = set('s1')
    const newRS = isPromoted ? stableRS : set('n1')
    const strategy = { canary: { ...services, trafficRouting: { nginx: { stableIngress: 'web' } } } }
    const found = ['ping', 'pong'].map(
      (service, i) =>
        ({ metadata: { name: service }, spec: { selector: { [HASH]: hashes[i] } } }) as unknown as Service,
    )
    const status = {
      abort: true,
      stableRS: 's1',
      currentPodHash: isPromoted ? 's1' : 'n1',
      canary: { stablePingPong: 'ping' },
    }
    const seen = {
      rollout: { metadata: { name: 'cart', namespace: 'shop' }, spec: { strategy }, status },
      spec: { strategy },
      status,
      replicas: 4,
      newRS,
      stableRS,
      otherRSs: [],
      allRSs: [...new Set([newRS, stableRS])],
      olderRSs: [],
      runs: [],
      look: () => undefined,
      service: (one: string) => found.find(({ metadata }) => metadata.name === one),
    } as unknown as Observed
    const traffic = planTraffic(seen, { steps: {}, routers: {}, plugins: {} }, NO_INTENT, [], 0)
    const actions = [...planCanaryServices(seen).actions, ...traffic.part.actions]
    const moved = actions.flatMap(action => {
      if (action.verb !== 'patch' || action.type !== 'strategic') return []
      const { spec } = action.patch as { spec: { selector: Record<string, string> } }
      return [[action.ref.name, spec.selector[HASH]]]
    })
    t.same(moved, Object.entries(becomes))
  })
}
