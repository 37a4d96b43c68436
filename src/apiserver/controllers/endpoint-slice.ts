// EndpointSlices: the Pods behind every Service with a selector, with their ports and whether they may be used.
import { type KubeObject, refOf, sameJson } from '../../contract.ts'
import type { LabelSelector } from '../selectors.ts'
import { labelSelectorOf } from '../selectors.ts'
import type { Ports } from './api.ts'
import { controlLoop, forgiving, keyOf, splitKey } from './loop.ts'
import { ENDPOINT_SLICE, type IntOrString, isReady, type Pod, SERVICE, timestamp } from './objects.ts'

const MANAGER = 'endpointslice-controller.k8s.io'
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
const SERVICE_NAME = 'kubernetes.io/service-name'
const HEADLESS = 'service.kubernetes.io/headless'
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'
const LARGEST = 100

type ServicePort = Readonly<{
  name?: string
  port: number
  targetPort?: IntOrString
  protocol?: string
  appProtocol?: string
}>
type Service = KubeObject &
  Readonly<{
    spec?: Readonly<{
      type?: string
      clusterIP?: string
      selector?: LabelSelector['matchLabels']
      ports?: readonly ServicePort[]
      publishNotReadyAddresses?: boolean
    }>
  }>
type SlicePort = Readonly<{ name: string; port: number; protocol: string; appProtocol?: string }>
type Endpoint = Readonly<Record<string, unknown>>
type Slice = Readonly<{ ports: readonly SlicePort[]; endpoints: readonly Endpoint[] }>

/** Starts the controller; the answer stops it. */
export function startEndpointSlices(ports: Ports, failed: (error: unknown, key: string) => void): () => void {
  const { api, index, clock } = ports
  const loop = controlLoop(clock, key => void sync(ports, key), failed)
  const add = (object: KubeObject) => loop.add(keyOf(object.metadata.namespace, object.metadata.name))
  /** By namespace, so that a Pod's event does not look at the Services of all others. */
  const services = new Map<string, Map<string, Service>>()
  const note = (service: KubeObject, gone: boolean) => {
    const namespace = service.metadata.namespace ?? ''
    const known = services.get(namespace) ?? new Map<string, Service>()
    services.set(namespace, known)
    if (gone) known.delete(service.metadata.name)
    else known.set(service.metadata.name, service as Service)
  }
  const wake = (pod: KubeObject) => {
    for (const service of services.get(pod.metadata.namespace ?? '')?.values() ?? [])
      if (selects(service, pod)) add(service)
  }

  const stop = index.onEvent(({ type, object, previous }) => {
    if (object.kind === 'Service' && object.apiVersion === 'v1') {
      note(object, type === 'DELETED')
      add(object)
    } else if (object.kind === 'Pod') {
      if (previous && sameEndpoint(previous as Pod, object as Pod)) return
      wake(object)
      if (previous) wake(previous)
    } else if (object.kind === 'EndpointSlice' && object.metadata.labels?.[MANAGED_BY] === MANAGER) {
      loop.add(keyOf(object.metadata.namespace, object.metadata.labels[SERVICE_NAME] ?? ''))
    }
  })
  for (const service of api.list(SERVICE)) {
    note(service, false)
    add(service)
  }
  return () => {
    stop()
    loop.stop()
  }
}

/** Nothing that a slice says differs between these two states of one Pod. */
const sameEndpoint = (a: Pod, b: Pod): boolean =>
  a.status?.podIP === b.status?.podIP &&
  a.status?.phase === b.status?.phase &&
  isReady(a) === isReady(b) &&
  a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
  a.spec?.nodeName === b.spec?.nodeName &&
  sameJson(a.metadata.labels, b.metadata.labels)

const selects = ({ spec }: Service, pod: KubeObject): boolean =>
  spec?.selector !== undefined &&
  Object.keys(spec.selector).length > 0 &&
  spec.type !== 'ExternalName' &&
  labelSelectorOf({ matchLabels: spec.selector })(pod.metadata.labels)

function sync(ports: Ports, key: string): void {
  const { api, index, clock } = ports
  const { namespace, name } = splitKey(key)
  const service = api.get(SERVICE, namespace, name) as Service | undefined
  // A Service that is gone takes its slices with it: they are owned.
  if (!service || service.metadata.deletionTimestamp !== undefined) return
  const live = index
    .dependents(service.metadata.uid ?? '')
    .filter(o => o.kind === 'EndpointSlice' && o.metadata.labels?.[MANAGED_BY] === MANAGER)
  if (service.spec?.selector === undefined || Object.keys(service.spec.selector).length === 0) return
  const pods = ([...index.pods(namespace)] as Pod[])
    .filter(pod => selects(service, pod))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const wanted = service.spec.type === 'ExternalName' ? [] : slicesOf(service, pods)
  const spare = [...live]
  for (const slice of wanted) {
    const at = Math.max(
      0,
      spare.findIndex(o => sameJson(o['ports'] ?? [], slice.ports)),
    )
    const [object] = spare.splice(at, 1)
    write(ports, service, slice, object, clock.now())
  }
  for (const object of spare) forgiving([404], () => api.remove(refOf(object)))
}

/** The slices that a Service should have: one for each set of port numbers, split at a hundred endpoints. */
function slicesOf(service: Service, pods: readonly Pod[]): readonly Slice[] {
  const groups = new Map<string, { ports: readonly SlicePort[]; endpoints: Endpoint[] }>()
  for (const pod of pods) {
    if (!pod.status?.podIP || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') continue
    const ports = portsOf(service, pod)
    const id = JSON.stringify(ports)
    const group = groups.get(id) ?? { ports, endpoints: [] }
    groups.set(id, group)
    group.endpoints.push(endpointOf(pod, service.spec?.publishNotReadyAddresses === true))
  }
  const slices = [...groups.values()].flatMap(({ ports, endpoints }) =>
    Array.from({ length: Math.ceil(endpoints.length / LARGEST) }, (_, i) => ({
      ports,
      endpoints: endpoints.slice(i * LARGEST, (i + 1) * LARGEST),
    })),
  )
  return slices.length > 0 ? slices : [{ ports: [], endpoints: [] }]
}

function portsOf(service: Service, pod: Pod): readonly SlicePort[] {
  const found: SlicePort[] = []
  for (const { name = '', port, targetPort, protocol = 'TCP', appProtocol } of service.spec?.ports ?? []) {
    const number = typeof targetPort === 'string' ? namedPort(pod, targetPort, protocol) : targetPort || port
    if (number === undefined) continue
    found.push({ name, port: number, protocol, ...(appProtocol !== undefined && { appProtocol }) })
  }
  return found
}

const namedPort = (pod: Pod, name: string, protocol: string): number | undefined =>
  pod.spec?.containers
    ?.flatMap(container => container.ports ?? [])
    .find(port => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort

function endpointOf(pod: Pod, publishNotReady: boolean): Endpoint {
  const serving = isReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const { name, namespace, uid } = pod.metadata
  return {
    addresses: [pod.status?.podIP],
    conditions: { ready: publishNotReady || (serving && !terminating), serving, terminating },
    ...(pod.spec?.hostname !== undefined && { hostname: pod.spec.hostname }),
    ...(pod.spec?.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function write({ api }: Ports, service: Service, slice: Slice, live: KubeObject | undefined, now: number): void {
  const headless = service.spec?.clusterIP === 'None' ? { [HEADLESS]: '' } : undefined
  const labels: Record<string, string> = {
    ...service.metadata.labels,
    ...headless,
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
  }
  const { ports, endpoints } = slice
  if (
    live &&
    sameJson(live['endpoints'] ?? [], endpoints) &&
    sameJson(live['ports'] ?? [], ports) &&
    sameJson(live.metadata.labels, labels)
  )
    return
  const annotations = { ...live?.metadata.annotations, [TRIGGER_TIME]: timestamp(now) }
  if (live) {
    forgiving([404, 409], () =>
      api.update({ ...live, metadata: { ...live.metadata, labels, annotations }, ports, endpoints }),
    )
    return
  }
  const { apiVersion = 'v1', kind = 'Service' } = SERVICE
  const { name, namespace, uid = '' } = service.metadata
  const owner = { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
  const metadata = { generateName: `${name}-`, namespace, labels, annotations, ownerReferences: [owner] }
  // The server completes generateName; the type knows only finished objects.
  const object = { ...ENDPOINT_SLICE, metadata, addressType: 'IPv4', endpoints, ports } as unknown as KubeObject
  api.create(object)
}
