// What the demo deploys: a blue-green service `pay` behind an Ingress, a canary `shop` on the proxy's own routes.
import type { KubeObject } from '../contract.ts'

const container = (name: string, version: string, env: Readonly<Record<string, string>> = {}) => ({
  name,
  image: `example/${name}:${version}`,
  ports: [{ containerPort: 8080 }],
  ...(Object.keys(env).length > 0 ? { env: Object.entries(env).map(([key, value]) => ({ name: key, value })) } : {}),
})

const service = (name: string, app: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})

const rollout = (name: string, replicas: number, strategy: object): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Rollout',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    revisionHistoryLimit: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container(name, 'v1')] } },
    strategy,
  },
})

const backend = (name: string) => ({ service: { name, port: { name: 'http' } } })

/** pay: blue-green, two Services, and an Ingress of class nginx that the proxy serves. */
export const blueGreen = (): readonly KubeObject[] => [
  service('pay-active', 'pay'),
  service('pay-preview', 'pay'),
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'pay', namespace: 'default' },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        {
          http: {
            paths: [
              { path: '/pay', pathType: 'Prefix', backend: backend('pay-active') },
              { path: '/pay/preview', pathType: 'Prefix', backend: backend('pay-preview') },
            ],
          },
        },
      ],
    },
  },
  rollout('pay', 2, {
    blueGreen: {
      activeService: 'pay-active',
      previewService: 'pay-preview',
      autoPromotionEnabled: false,
      scaleDownDelaySeconds: 5,
    },
  }),
]

/** shop: a canary 10, 30, 60, 100 with the proxy as router, watched by the proxy's own error rate. `pause` in seconds. */
export const canary = (pause: number): readonly KubeObject[] => [
  service('shop-stable', 'shop'),
  service('shop-canary', 'shop'),
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AnalysisTemplate',
    metadata: { name: 'error-rate', namespace: 'default' },
    spec: {
      args: [{ name: 'canary-hash' }],
      metrics: [
        {
          name: 'error-rate',
          interval: '1s',
          successCondition: 'result < 0.01',
          failureLimit: 0,
          provider: {
            plugin: {
              'pintle/proxy': {
                route: 'default/shop',
                window: '10s',
                metric: 'errorRate',
                hash: '{{args.canary-hash}}',
                minRequests: 20,
                noData: 0,
              },
            },
          },
        },
      ],
    },
  },
  rollout('shop', 4, {
    canary: {
      stableService: 'shop-stable',
      canaryService: 'shop-canary',
      scaleDownDelaySeconds: 5,
      abortScaleDownDelaySeconds: 5,
      trafficRouting: { plugins: { 'pintle/proxy': { pathPrefix: '/shop' } } },
      analysis: {
        templates: [{ templateName: 'error-rate' }],
        args: [{ name: 'canary-hash', valueFrom: { podTemplateHashValue: 'Latest' } }],
        startingStep: 1,
      },
      steps: [10, 30, 60].flatMap(setWeight => [{ setWeight }, { pause: { duration: `${pause}s` } }]),
    },
  }),
]

/** The patch that ships a version; `env` makes it misbehave. */
export const ship = (name: string, version: string, env: Readonly<Record<string, string>> = {}) => ({
  spec: { template: { spec: { containers: [container(name, version, env)] } } },
})
