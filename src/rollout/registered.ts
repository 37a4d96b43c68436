// Do load balancers have the pods of the version that a Service was switched to? Until they do, the version before stays
// (argo-behaviour 3.4; contract.ts, Registry).
import { ENDPOINT_SLICE } from '../api/endpoint-slice.ts'
import type { ReplicaSet, Service } from '../api/kube.ts'
import type { Heard, KindRef, KubeObject, Millis, Registry } from '../contract.ts'
import type { Observed } from './observe.ts'
import { type Ask, NOTHING, type Part, part } from './part.ts'
import type { Known } from './plan.ts'
import { isFullyPromoted } from './progress.ts'
import { configuredRouters } from './routers.ts'
import { canaryServices, selectedHash } from './services.ts'
import { availableReplicas, hasDeadline, hashOf, podPrefix, specReplicas } from './sets.ts'

/** `isVerified`: also where nobody wants it looked at, or there is nothing to look at. */
export type Registered = Readonly<{ isVerified: boolean; part: Part }>

const FINE: Registered = { isVerified: true, part: NOTHING }

/** How soon pods that are not registered are looked for again. argo: 10 s. */
const AGAIN: Millis = 10_000

/** Blue-green, between the switch of the active Service and what follows it: the analysis, and the promotion. Not in the
 * pass that switches: argo looks there, too, and finds the addresses of the version before. */
export function registeredActive(seen: Observed, known: Known, now: Millis): Registered {
  const { newRS, stableRS, status, spec } = seen
  const service = seen.service(spec.strategy?.blueGreen?.activeService ?? '')
  if (!known.asksProviders || !service || !newRS || !stableRS) return FINE
  if (hashOf(newRS) === status.stableRS) return FINE
  // It was before the analysis began. argo: an analysis that failed before a retry counts, too.
  const { postPromotionAnalysisRunStatus: run } = status.blueGreen ?? {}
  if (run && !['Failed', 'Error'].includes(run.status)) return FINE
  const registries = Object.values(known.routers).flatMap(({ registry }) => registry ?? [])
  if (registries.length === 0) return FINE
  if (selectedHash(service) !== hashOf(newRS)) return { isVerified: false, part: NOTHING }
  return lookAll(seen, known, registries, service, newRS, false, now)
}

/** Canary, once the stable Service has gone over to the new version: before the delay of the one before begins. `old`: the
 * sets that are to go. */
export function registeredStable(seen: Observed, known: Known, old: readonly ReplicaSet[], now: Millis): Registered {
  const service = seen.service(canaryServices(seen).stable)
  if (!known.asksProviders || !isFullyPromoted(seen.status) || !service || !seen.stableRS) return FINE
  // A deadline is only given when all was found registered.
  if (!old.some(rs => specReplicas(rs) > 0 && !hasDeadline(rs))) return FINE
  const registries = configuredRouters(seen, known).flatMap(({ router }) => router?.registry ?? [])
  return lookAll(seen, known, registries, service, seen.stableRS, true, now)
}

function lookAll(
  seen: Observed,
  known: Known,
  registries: readonly Registry[],
  service: Service,
  rs: ReplicaSet,
  isNamed: boolean,
  now: Millis,
): Registered {
  let all = FINE
  for (const registry of registries) {
    const one = look(seen, known, registry, service, rs, isNamed)
    if (!one.isVerified) return { isVerified: false, part: { ...one.part, recheckAt: now + AGAIN } }
    all = { isVerified: true, part: part({ events: [...all.part.events, ...one.part.events] }) }
  }
  return all
}

/** One registry: first its objects and the Service's addresses, then what it says itself. */
function look(
  seen: Observed,
  { apiVersions }: Known,
  registry: Registry,
  service: Service,
  rs: ReplicaSet,
  isNamed: boolean,
): Registered {
  const { name } = service.metadata
  const { kind, apiVersion } = registry.bindings
  const bound: KindRef = { kind, apiVersion: apiVersions?.[kind] ?? apiVersion }
  const asks: readonly Ask[] = [
    { key: `list ${bound.apiVersion} ${kind}`, list: bound },
    { key: `slices of ${name}`, list: ENDPOINT_SLICE, labelSelector: `kubernetes.io/service-name=${name}` },
  ]
  const open = asks.filter(({ key }) => !seen.heard?.has(key))
  if (open.length > 0) return { isVerified: false, part: part({ asks: open }) }
  const [bindings, slices] = asks.map(({ key }) => read(seen.heard?.get(key)))
  // A cluster without the kind has nothing of that sort before its Services. argo: no blue-green release ends there. Where a
  // router is named it is there, under another version than is asked for.
  if (bindings?.isUnserved && !isNamed) return FINE
  const [what, problem] = bindings?.problem
    ? [`${bound.apiVersion} ${kind}`, bindings.problem]
    : ['EndpointSlice', slices?.problem]
  if (problem !== undefined) {
    const event = registry.failed(name, `objects of kind ${what} cannot be read: ${problem}`)
    return { isVerified: false, part: part({ events: [event], because: [event.message] }) }
  }
  const pods = podPrefix(rs)
  const of = {
    service,
    bindings: bindings?.items ?? [],
    slices: slices?.items ?? [],
    ...(pods === undefined ? {} : { pods }),
    atLeast: availableReplicas(rs),
  }
  const heard = seen.heard ?? new Map<string, Heard>()
  const requests = registry.asks(of).filter(({ url }) => !heard.has(url))
  if (requests.length > 0) {
    return { isVerified: false, part: part({ asks: requests.map(request => ({ key: request.url, request })) }) }
  }
  const { verified, reason, events } = registry.read(of, heard)
  return { isVerified: verified, part: part({ events, ...(verified ? {} : { because: [`waits: ${reason}`] }) }) }
}

type Objects = Readonly<{ items: readonly KubeObject[]; problem?: string; isUnserved?: boolean }>

function read(heard: Heard | undefined): Objects {
  if (!heard || 'error' in heard) return { items: [], problem: heard?.error ?? 'no answer' }
  if (heard.status !== 200)
    return { items: [], problem: heard.body || `HTTP ${heard.status}`, isUnserved: heard.status === 404 }
  return { items: JSON.parse(heard.body) as readonly KubeObject[] }
}
