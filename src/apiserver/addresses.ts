// Cluster addresses and node ports of Services: the lowest that is free.
import type { KubeObject } from '../contract.ts'
import type { Core, Draft } from './core.ts'

const SERVICES = { group: '', plural: 'services' }
const FIRST_PORT = 30_000

type Port = { nodePort?: number; [key: string]: unknown }
type ServiceSpec = { type?: string; clusterIP?: string; clusterIPs?: string[]; ports?: Port[] }

const specOf = (object: KubeObject | Draft): ServiceSpec => (object['spec'] ?? {}) as ServiceSpec

const freeAddress = (taken: ReadonlySet<string | undefined>): string => {
  // 10.96.0.1 is the API server's own and the next few are kept for DNS, by custom.
  for (let number = 16; ; number += 1) {
    const address = `10.96.${number >>> 8}.${number & 255}`
    if (!taken.has(address)) return address
  }
}

/** Gives a Service draft what it needs: clusterIP, clusterIPs, nodePorts. Keeps those of `old` on updates. */
export const allocateAddresses = ({ store }: Core, draft: Draft, old?: KubeObject): void => {
  const spec = specOf(draft)
  if (draft['spec'] === undefined || spec.type === 'ExternalName') return
  const others = store.list(SERVICES).map(specOf)
  const before = old ? specOf(old) : {}
  spec.clusterIP ||= before.clusterIP || freeAddress(new Set(others.map(other => other.clusterIP)))
  spec.clusterIPs ??= [spec.clusterIP]
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return
  const ports = new Set(others.flatMap(other => other.ports ?? []).map(port => port.nodePort))
  for (const [index, port] of (spec.ports ?? []).entries()) {
    port.nodePort ||= before.ports?.[index]?.nodePort
    for (let number = FIRST_PORT; !port.nodePort; number += 1) if (!ports.has(number)) port.nodePort = number
    ports.add(port.nodePort)
  }
}
