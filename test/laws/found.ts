// Lives that once broke a law, as `npm run laws` shrank them.
import type { Doing, Life, Strategy } from './life.ts'

const calm = { rate: 0, seed: 1, deaths: [] }
const ship = (version: number, after = 0): Doing => ({ after, does: { is: 'ship', version, quality: 'good' } })
const routed = (canary: object): Strategy => ({
  name: 'canary behind nginx',
  strategy: {
    canary: {
      stableService: 'app-stable',
      canaryService: 'app-canary',
      trafficRouting: { nginx: { stableIngress: 'app' } },
      ...canary,
    },
  },
})

export const FOUND: Readonly<Record<string, Life>> = {
  'routing with dynamicStableScale comes in mid-update: stable keeps its pods': {
    replicas: 1,
    strategy: { name: 'canary', strategy: { canary: { steps: [], maxSurge: 1, maxUnavailable: 0 } } },
    doings: [
      ship(2),
      { after: 0, does: { is: 'strategy', strategy: routed({ steps: [], dynamicStableScale: true }) } },
    ],
    trouble: calm,
  },
  'pods of a bad first version use up the surge of a plain canary': {
    replicas: 1,
    strategy: { name: 'canary', strategy: { canary: { steps: [], maxSurge: '25%', maxUnavailable: 0 } } },
    doings: [{ after: 0, does: { is: 'ship', version: 1, quality: 'bad' } }],
    trouble: { rate: 0.2, seed: 203546, deaths: [] },
  },
  'a full promotion gives traffic back to a stable version that was about to go': {
    replicas: 1,
    strategy: routed({
      steps: [{ setCanaryScale: { replicas: 1 } }, { setWeight: 100 }, { pause: {} }],
      dynamicStableScale: true,
      maxSurge: 0,
      maxUnavailable: 1,
    }),
    doings: [],
    trouble: calm,
  },
  'a full promotion finds more canary pods than the rollout has replicas: the weight ends at the whole': {
    replicas: 1,
    strategy: routed({
      steps: [{ setCanaryScale: { replicas: 4 } }, { pause: {} }],
      abortScaleDownDelaySeconds: 0,
      dynamicStableScale: true,
      maxSurge: 2,
      maxUnavailable: 0,
    }),
    doings: [],
    trouble: calm,
  },
  'a pass on an old reading takes a Service that was given back: it is given back again': {
    replicas: 1,
    strategy: routed({
      steps: [{ setCanaryScale: { matchTrafficWeight: true } }],
      abortScaleDownDelaySeconds: 0,
      maxSurge: 0,
      maxUnavailable: '50%',
      scaleDownDelaySeconds: 0,
    }),
    doings: [
      ship(2, 20),
      {
        after: 45,
        does: {
          is: 'strategy',
          strategy: {
            name: 'blue-green',
            strategy: {
              blueGreen: {
                activeService: 'app-active',
                autoPromotionEnabled: false,
                scaleDownDelaySeconds: 0,
                abortScaleDownDelaySeconds: 0,
              },
            },
          },
        },
      },
    ],
    trouble: { rate: 0.2, seed: 341322, deaths: [] },
  },
  'an update comes before anybody wrote down which version is stable: the new one is, and gets all its pods': {
    replicas: 1,
    strategy: {
      name: 'blue-green',
      strategy: {
        blueGreen: {
          activeService: 'app-active',
          previewService: 'app-preview',
          autoPromotionEnabled: false,
          previewReplicaCount: 1,
          scaleDownDelaySeconds: 0,
          abortScaleDownDelaySeconds: 0,
        },
      },
    },
    doings: [ship(1, 20), { after: 0, does: { is: 'verb', text: 'restart app' } }],
    trouble: { rate: 0.2, seed: 252531, deaths: [{ after: 6, heard: true }] },
  },
  'the router gives stable its share back and nobody can write it down: stable keeps its pods when an update comes': {
    replicas: 1,
    strategy: routed({
      steps: [{ setWeight: 100 }, { setWeight: 5 }],
      abortScaleDownDelaySeconds: 0,
      maxSurge: 0,
      maxUnavailable: '50%',
      dynamicStableScale: true,
    }),
    doings: [
      { after: 8, does: { is: 'ship', version: 1, quality: 'slow' } },
      { after: 20, does: { is: 'ship', version: 1, quality: 'bad' } },
      ship(1),
    ],
    trouble: { rate: 0.2, seed: 104861, deaths: [{ after: 8, heard: true }] },
  },
  'nobody wants a pod, then somebody does, and the controller has heard of the first alone': {
    replicas: 1,
    strategy: {
      name: 'blue-green',
      strategy: {
        blueGreen: {
          activeService: 'app-active',
          autoPromotionEnabled: false,
          scaleDownDelaySeconds: 0,
          abortScaleDownDelaySeconds: 0,
        },
      },
    },
    doings: [
      { after: 45, does: { is: 'verb', text: 'promote app' } },
      ship(1, 20),
      { after: 20, does: { is: 'scale', replicas: 0 } },
    ],
    trouble: { rate: 0.2, seed: 201193, deaths: [] },
  },
}
