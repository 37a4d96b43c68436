// Which pods stand behind a Service: its EndpointSlices read into addresses, ready ones first. Pure.
import type { KubeObject } from '../contract.ts'

/** One address to dial. `key` is what connection pools and in-flight counts go by; `protocol` what the pod speaks when it
 * is not HTTP/1.1; `proxyProtocol`: it wants to be told who the client is. */
export type Endpoint = Readonly<{
  key: string
  host: string
  port: number
  pod?: string
  protocol?: 'h2c'
  proxyProtocol?: 'v2'
}> & {
  /** Its connections, once looked up: a note of the engine's, for speed. */
  pool?: unknown
}

/** What a Service comes to: its endpoints, and the hash that its selector asks for. */
export type Backend = Readonly<{ endpoints: readonly Endpoint[]; hash?: string; problem?: string }>

type SlicePort = Readonly<{ name?: string; port?: number; protocol?: string }>
type SliceEndpoint = Readonly<{
  addresses?: readonly string[]
  conditions?: Readonly<{ ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null }>
  targetRef?: Readonly<{ kind?: string; name?: string }>
}>
type ServicePort = Readonly<{ name?: string; port?: number; protocol?: string; appProtocol?: string }>
type ServiceSpec = Readonly<{
  ports?: readonly ServicePort[]
  selector?: Readonly<Record<string, string>>
  ipFamilies?: readonly string[]
}>

export const SERVICE_NAME = 'kubernetes.io/service-name'
const HASH = 'rollouts-pod-template-hash'
/** Kubernetes' standard name for HTTP/2 over cleartext by prior knowledge (Service, ports.appProtocol). */
const H2C = 'kubernetes.io/h2c'

export const endpointAt = (host: string, port: number, pod?: string): Endpoint => ({
  key: host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`,
  host,
  port,
  ...(pod === undefined ? {} : { pod }),
})

/** The endpoints of a Service port (number, name, or undefined for the first).
 * Ready ones; if there is none, those that end but still serve; never those that do neither. */
export function backendOf(
  service: KubeObject | undefined,
  slices: readonly KubeObject[],
  port: number | string | undefined,
): Backend {
  if (!service) return { endpoints: [], problem: 'Service not found' }
  const spec = (service['spec'] ?? {}) as ServiceSpec
  const hash = spec.selector?.[HASH]
  const withHash = hash === undefined ? {} : { hash }
  const wanted = spec.ports?.find(p => port === undefined || p.port === port || p.name === port)
  if (!wanted) return { endpoints: [], ...withHash, problem: `Service has no port ${port ?? ''}`.trim() }

  // With two families each pod is in the slices of both: one is enough.
  const families = spec.ipFamilies ?? []
  const found = [...families, undefined].map(family => {
    const own = slices.filter(({ addressType }) => family === undefined || addressType === family)
    return addressesOf(own, wanted)
  })
  const chosen = found.find(({ ready }) => ready.size > 0)?.ready ?? found.at(-1)!.ending
  const endpoints = [...chosen.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  return { endpoints, ...withHash }
}

type Addresses = Readonly<{ ready: ReadonlyMap<string, Endpoint>; ending: ReadonlyMap<string, Endpoint> }>

/** The addresses behind a port of the Service: of pods that are ready, and of those that end but still serve. */
function addressesOf(slices: readonly KubeObject[], wanted: ServicePort): Addresses {
  const ready = new Map<string, Endpoint>()
  const ending = new Map<string, Endpoint>()
  for (const slice of slices) {
    const ports = (slice['ports'] ?? []) as readonly SlicePort[]
    const number = ports.find(p => (p.name ?? '') === (wanted.name ?? ''))?.port
    if (number === undefined) continue
    for (const e of (slice['endpoints'] ?? []) as readonly SliceEndpoint[]) {
      const host = e.addresses?.[0]
      if (host === undefined) continue
      const at = endpointAt(host, number, e.targetRef?.name)
      const endpoint = wanted.appProtocol === H2C ? { ...at, protocol: 'h2c' as const } : at
      const { ready: isReady, serving, terminating } = e.conditions ?? {}
      // Kubernetes: an unknown ready means ready; serving falls back to ready.
      if ((isReady ?? true) && !terminating) ready.set(endpoint.key, endpoint)
      else if (terminating && (serving ?? isReady ?? false)) ending.set(endpoint.key, endpoint)
    }
  }
  return { ready, ending }
}
