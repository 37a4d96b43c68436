// Addresses in EndpointSlices: where a named port of the Services with a label can be reached.
import type { KindRef, KubeObject } from '../contract.ts'

export const ENDPOINT_SLICE: KindRef = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }

type Endpoint = Readonly<{
  addresses?: readonly string[]
  conditions?: Readonly<{ ready?: boolean | null; serving?: boolean | null }>
}>

/** An address, HOST:PORT; does it get new requests, as far as the cluster knows? */
export type Address = Readonly<{ from: string; isServing: boolean }>

/** The addresses of port `port` behind all Services with the label set to "true", each once. Kubernetes copies a Service's
 * labels to its slices. */
export function addressesOf(slices: readonly KubeObject[], label: string, port: string): readonly Address[] {
  const found = new Map<string, Address>()
  for (const slice of slices) {
    const number = slice.metadata.labels?.[label] === 'true' ? portOf(slice, port) : undefined
    if (number === undefined) continue
    for (const { addresses, conditions } of (slice['endpoints'] ?? []) as readonly Endpoint[]) {
      const host = addresses?.[0]
      if (host === undefined) continue
      const from = `${host.includes(':') ? `[${host}]` : host}:${number}`
      // Kubernetes: not said means ready; one that ends but serves still has its connections.
      found.set(from, { from, isServing: (conditions?.ready ?? true) || conditions?.serving === true })
    }
  }
  return [...found.values()]
}

const portOf = (slice: KubeObject, name: string): number | undefined =>
  ((slice['ports'] ?? []) as readonly Readonly<{ name?: string; port?: number }>[]).find(one => one.name === name)?.port

/** The namespaces whose proxies count for objects of `namespace`: its own and the controller's. Another one could name
 * anything as its proxy, and so hold up or read what is not its own. */
export const trustedPlaces = (namespace: string, home: string | undefined): readonly string[] => [
  ...new Set([namespace, home ?? namespace]),
]
