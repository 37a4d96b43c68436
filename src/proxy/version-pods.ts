// The pods of a version: those of its Service, or, where the table names them, exactly those with its ReplicaSet's name,
// behind whichever of the rollout's Services selects them now. So a switch of selectors and the table's own switch need
// not meet: neither the old pods of a Service that has just moved nor the new ones of one that is about to are taken.
import type { Resolve } from './compile.ts'
import type { Backend, Endpoint } from './endpoints.ts'
import type { DestSpec } from './table.ts'

type Upstream = Exclude<DestSpec['upstream'], string>

/** All Services, NAMESPACE/NAME, at which pods of this version may be found. */
export const servicesOf = ({ service, also = [] }: Upstream): readonly string[] => [service, ...also]

/** Its pods. Where none has the name (they are not in any EndpointSlice yet, or names were cut) the Service decides. */
export function versionPods(upstream: Upstream, resolve: Resolve): Backend {
  const { pods, port } = upstream
  const found = servicesOf(upstream).map(service => resolve(service, port))
  const own = found[0]!
  if (pods === undefined) return own
  const named = new Map<string, Endpoint>()
  for (const { endpoints } of found)
    for (const endpoint of endpoints) if (endpoint.pod?.startsWith(pods)) named.set(endpoint.key, endpoint)
  if (named.size === 0) return own
  const { hash } = own
  const endpoints = [...named.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  return { endpoints, ...(hash === undefined ? {} : { hash }) }
}
