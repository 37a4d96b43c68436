// A world whose Services are behind target groups of AWS, as far as the controller can tell.
import type { Test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KindRef, KubeObject } from '../../src/contract.ts'
import { ApiError } from '../../src/kube/errors.ts'
import type { ApiRequest, Fetch, Transport } from '../../src/ports.ts'
import { product } from '../../src/sim/product.ts'
import type { World } from '../../src/sim/world.ts'
import { shipped } from './apps.ts'
import { at, POD, REPLICA_SET, world } from './world.ts'

export const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' } as const
const EVENT = { apiVersion: 'v1', kind: 'Event' } as const
export const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' } as const
const BINDING = { apiVersion: 'elbv2.k8s.aws/v1beta1', kind: 'TargetGroupBinding' } as const

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const bindingCrd = (group = 'elbv2.k8s.aws', version = 'v1beta1'): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `targetgroupbindings.${group}` },
  spec: {
    group,
    names: { kind: 'TargetGroupBinding', plural: 'targetgroupbindings' },
    scope: 'Namespaced',
    versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: anything } }],
  },
})

export const bindingOf = (service: string, apiVersion: string = BINDING.apiVersion): KubeObject => ({
  apiVersion,
  kind: BINDING.kind,
  metadata: { name: `bound-${service}` },
  spec: { serviceRef: { name: service, port: 'http' }, targetGroupARN: `arn:${service}`, targetType: 'ip' },
})

export type Options = Readonly<{
  app: readonly KubeObject[]
  bindings?: readonly KubeObject[]
  definitions?: readonly KubeObject[]
  isAsked?: boolean
  version?: string
  /** Kinds whose lists the API server refuses. */
  refused?: string
}>

/** What people do to the app, and what they see of it. */
export function handlesOf(w: World) {
  const write = (kind: KindRef, patch: unknown, status = false) =>
    w.server.patch(
      { ...kind, namespace: 'default', name: 'app' },
      'merge',
      patch,
      status ? { subresource: 'status' } : {},
    )
  return {
    write,
    /** A load balancer takes up the Ingress. */
    balance: () => write(INGRESS, { status: { loadBalancer: { ingress: [{ hostname: 'web.aws' }] } } }, true),
    ship: (version = 'v2') => write(ROLLOUT, shipped(version)),
    promote: () => write(ROLLOUT, { status: { pauseConditions: null } }, true),
    of: (path: string) => at(w.get(ROLLOUT, 'app'), path),
    told: (reason: string) => w.list(EVENT).filter(event => event['reason'] === reason),
    sizes: () => w.list(REPLICA_SET).map(set => at(set, 'spec.replicas')),
  }
}

/** The app behind target groups whose targets are those of the pods that run, as long as `cloud.follows`. */
export async function behindAws(t: Test, options: Options) {
  const { app, bindings = [], definitions = [bindingCrd()], isAsked = true } = options
  const cloud: { follows: boolean; fault: string | undefined; asked: string[] } = {
    follows: true,
    fault: undefined,
    asked: [],
  }
  const lists: string[] = []
  let targets = (): readonly string[] => []
  let registered: readonly string[] = []
  let weights = (): string => '[]'
  const fetch: Fetch = async ({ url }) => {
    if (url.startsWith('aws-elbv2://load-balancers/')) return { status: 200, headers: {}, body: weights() }
    cloud.asked.push(decodeURIComponent(url))
    if (cloud.fault !== undefined) throw new Error(cloud.fault)
    if (cloud.follows) registered = targets()
    const body = { targets: registered.map(id => ({ id, port: 8080, state: 'initial' })) }
    return { status: 200, headers: {}, body: JSON.stringify(body) }
  }
  const wrap = (inner: Transport): Transport => ({
    stream: request => inner.stream(request),
    async request(request: ApiRequest) {
      if (/targetgroupbindings|endpointslices/.test(request.path) && !request.query?.['resourceVersion']) {
        lists.push(request.path.split('/').at(-1)!)
      }
      if (options.refused && request.path.endsWith(options.refused)) {
        throw new ApiError(403, 'Forbidden', `${options.refused} is forbidden`, request)
      }
      return await inner.request(request)
    },
  })
  const apiVersions = options.version === undefined ? {} : { apiVersions: { TargetGroupBinding: options.version } }
  const w = await world(t, {
    crds: [...crds(), ...definitions],
    controller: product({ fetch, wrap, asksProviders: isAsked, ...apiVersions }),
  })
  weights = () => JSON.stringify({ name: 'web', arn: 'arn:web', groups: groupsOf(w.get(INGRESS, 'app')) })
  targets = () => w.list(POD).map(pod => String(at(pod, 'status.podIP')))
  const handles = handlesOf(w)
  const { of } = handles
  await w.apply([...bindings, ...app])
  if (w.get(INGRESS, 'app')) handles.balance()
  await w.run(40)
  t.equal(of('status.phase'), 'Healthy')
  t.strictSame(cloud.asked, [], 'a first deploy has nothing before it')
  registered = targets()
  cloud.follows = false
  return {
    w,
    cloud,
    lists,
    run: (seconds: number) => w.run(seconds),
    ...handles,
    isStable: () => of('status.stableRS') === of('status.currentPodHash'),
    deadlines: () => w.list(REPLICA_SET).filter(set => set.metadata.annotations?.['scale-down-deadline']).length,
  }
}

type Forward = Readonly<{ ForwardConfig?: { TargetGroups: { ServiceName: string; Weight: number }[] } }>

/** What the load balancer says of weights: what its Ingress asks for. */
function groupsOf(ingress: KubeObject | undefined): readonly object[] {
  const text = ingress?.metadata.annotations?.['alb.ingress.kubernetes.io/actions.app-stable'] ?? '{}'
  const { TargetGroups } = (JSON.parse(text) as Forward).ForwardConfig ?? { TargetGroups: [] }
  return TargetGroups.map(({ ServiceName: name, Weight }) => ({
    name,
    arn: `arn:${name}`,
    resource: `default/app-${name}:80`,
    weights: [Weight],
  }))
}
