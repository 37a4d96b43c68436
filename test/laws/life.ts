// A life of a rollout as chance writes it: what it is, what people do to it, and what befalls the controller.
import fc from 'fast-check'
import type { KubeObject } from '../../src/contract.ts'

/** What somebody does, `after` so many seconds. */
export type Doing = Readonly<{ after: number; does: Deed }>

export type Deed =
  /** Ships the version of this number; pods of `bad` never start, of `slow` are ready after half a minute. */
  | Readonly<{ is: 'ship'; version: number; quality: Quality }>
  /** A verb as typed. */
  | Readonly<{ is: 'verb'; text: string }>
  | Readonly<{ is: 'scale'; replicas: number }>
  | Readonly<{ is: 'unpause' }>
  /** Deletes the pod of this rank. */
  | Readonly<{ is: 'kill'; rank: number }>
  /** Other steps, while a release may be under way. */
  | Readonly<{ is: 'steps'; steps: readonly object[] }>
  /** Another strategy in mid-life. */
  | Readonly<{ is: 'strategy'; strategy: Strategy }>

export type Quality = 'good' | 'bad' | 'slow'

export type Strategy = Readonly<{ name: string; strategy: object }>

/** How the controller's way to the API server fails, for the first 90 s. */
export type Trouble = Readonly<{
  /** Share of requests that meet a fault; 0: none does. */
  rate: number
  seed: number
  /** The n-th controller dies at its write of this number, heard by the server or not. */
  deaths: readonly Readonly<{ after: number; heard: boolean }>[]
}>

export type Life = Readonly<{
  replicas: number
  strategy: Strategy
  doings: readonly Doing[]
  trouble: Trouble
}>

const seconds = (max: number) => fc.integer({ min: 1, max })
const weight = fc.constantFrom(0, 5, 20, 25, 50, 75, 99, 100)

const canaryScale = fc.oneof(
  fc.record({ replicas: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ weight }),
  fc.constant({ matchTrafficWeight: true }),
)

const step = (isRouted: boolean): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ setWeight: weight }) },
    {
      weight: 3,
      arbitrary: fc.oneof(
        fc.constant({ pause: {} }),
        seconds(20).map(n => ({ pause: { duration: n } })),
      ),
    },
    ...(isRouted ? [{ weight: 1, arbitrary: canaryScale.map(setCanaryScale => ({ setCanaryScale })) }] : []),
  )

const steps = (isRouted: boolean) => fc.array(step(isRouted), { maxLength: 5 })

/** maxSurge and maxUnavailable; not both 0. */
const room = fc
  .record({
    maxSurge: fc.constantFrom<number | string>(0, 1, 2, '25%', '100%'),
    maxUnavailable: fc.constantFrom<number | string>(0, 1, '25%', '50%'),
  })
  .filter(({ maxSurge, maxUnavailable }) => maxSurge !== 0 || maxUnavailable !== 0)

const delay = fc.constantFrom(0, 3, 30)

const plain: fc.Arbitrary<Strategy> = fc
  .record({ steps: steps(false), room })
  .map(one => ({ name: 'canary', strategy: { canary: { steps: one.steps, ...one.room } } }))

const routers: Readonly<Record<string, object>> = {
  nginx: { nginx: { stableIngress: 'app' } },
  proxy: { plugins: { 'pintle/proxy': {} } },
}

const routed: fc.Arbitrary<Strategy> = fc
  .record({
    router: fc.constantFrom('nginx', 'proxy'),
    steps: steps(true),
    room,
    dynamicStableScale: fc.boolean(),
    scaleDownDelaySeconds: delay,
    abortScaleDownDelaySeconds: delay,
    minPodsPerReplicaSet: fc.constantFrom(undefined, 1, 2),
  })
  .map(({ router, room: sizes, dynamicStableScale, ...rest }) => {
    const { scaleDownDelaySeconds, ...others } = rest
    const scale = dynamicStableScale ? { dynamicStableScale } : { scaleDownDelaySeconds }
    const services = { stableService: 'app-stable', canaryService: 'app-canary' }
    const canary = { ...services, ...others, ...sizes, ...scale, trafficRouting: routers[router] }
    return { name: `canary behind ${router}`, strategy: { canary: JSON.parse(JSON.stringify(canary)) as object } }
  })

const blueGreen: fc.Arbitrary<Strategy> = fc
  .record({
    preview: fc.boolean(),
    auto: fc.constantFrom({ autoPromotionEnabled: false }, { autoPromotionSeconds: 15 }, {}),
    previewReplicaCount: fc.constantFrom(undefined, 1, 2),
    scaleDownDelaySeconds: delay,
    abortScaleDownDelaySeconds: delay,
    scaleDownDelayRevisionLimit: fc.constantFrom(undefined, 0, 1),
    maxUnavailable: fc.constantFrom(undefined, 0, 1, '50%'),
  })
  .map(({ preview, auto, ...rest }) => {
    const services = { activeService: 'app-active', ...(preview ? { previewService: 'app-preview' } : {}) }
    const strategy = JSON.parse(JSON.stringify({ ...services, ...auto, ...rest })) as object
    return { name: 'blue-green', strategy: { blueGreen: strategy } }
  })

export const strategies = fc.oneof(plain, routed, blueGreen)

const verb = fc
  .constantFrom('promote', 'promote --full', 'abort', 'retry', 'undo', 'pause', 'restart')
  .map((name): Deed => {
    const [word, ...flags] = name.split(' ')
    return { is: 'verb', text: [word, 'app', ...flags].join(' ') }
  })

const quality = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Quality>('good') },
  { weight: 1, arbitrary: fc.constant<Quality>('bad') },
  { weight: 1, arbitrary: fc.constant<Quality>('slow') },
)

const ship = fc.record({ is: fc.constant('ship' as const), version: fc.integer({ min: 1, max: 4 }), quality })

const deed = (): fc.Arbitrary<Deed> =>
  fc.oneof(
    { weight: 5, arbitrary: ship },
    { weight: 9, arbitrary: verb },
    { weight: 1, arbitrary: fc.constant<Deed>({ is: 'unpause' }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 7 }).map((replicas): Deed => ({ is: 'scale', replicas })) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 9 }).map((rank): Deed => ({ is: 'kill', rank })) },
    { weight: 1, arbitrary: steps(false).map((list): Deed => ({ is: 'steps', steps: list })) },
    { weight: 1, arbitrary: strategies.map((strategy): Deed => ({ is: 'strategy', strategy })) },
  )

const death = fc.record({ after: fc.integer({ min: 1, max: 30 }), heard: fc.boolean() })

const trouble: fc.Arbitrary<Trouble> = fc.record({
  rate: fc.constantFrom(0, 0, 0.05, 0.2),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  deaths: fc.array(death, { maxLength: 3 }),
})

/** Any life. */
export const lives: fc.Arbitrary<Life> = fc.record({
  replicas: fc.integer({ min: 1, max: 6 }),
  strategy: strategies,
  doings: fc.array(fc.record({ after: fc.constantFrom(0, 1, 3, 8, 20, 45), does: deed() }), { maxLength: 12 }),
  trouble,
})

/** The template's pod spec of a version. */
export function podSpec(version: number | string, quality: Quality): object {
  const image = quality === 'bad' ? `example/app:v${version}-does-not-exist` : `example/app:v${version}`
  const probe = { httpGet: { path: '/', port: 8080 }, initialDelaySeconds: quality === 'slow' ? 30 : 0 }
  return { containers: [{ name: 'app', image, ports: [{ containerPort: 8080 }], readinessProbe: probe }] }
}

const service = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})

const backend = { service: { name: 'app-stable', port: { name: 'http' } } }
const ingress: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'app' },
  spec: { ingressClassName: 'nginx', rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
}

/** Everything that stands before the life begins. */
export const objectsOf = ({ replicas, strategy }: Life): readonly KubeObject[] => [
  ...['app-stable', 'app-canary', 'app-active', 'app-preview'].map(service),
  ingress,
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'app' },
    spec: {
      replicas,
      progressDeadlineSeconds: 60,
      selector: { matchLabels: { app: 'app' } },
      template: { metadata: { labels: { app: 'app' } }, spec: podSpec(1, 'good') },
      strategy: strategy.strategy,
    },
  },
]
