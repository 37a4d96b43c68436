// Selectors of the Services: which ReplicaSet stands behind stable, canary, active and preview (vectors `services`).
import type { ReplicaSet, Service } from '../api/kube.ts'
import { type Action, refOf } from '../contract.ts'
import { HASH_LABEL, MANAGED_BY } from './keys.ts'
import type { Observed } from './observe.ts'
import { NOTHING, normal, type Part, part } from './part.ts'
import { availableReplicas, hashOf, isFullyAvailable } from './sets.ts'

export const selectedHash = (service: Service | undefined): string => service?.spec?.selector?.[HASH_LABEL] ?? ''

/** The patch that points a Service at a hash, claiming the Service when nobody has. The claim is always written: if what
 * we saw is old and the Service was given back meanwhile, it could not be given back again without it. */
export function switchService(seen: Observed, service: Service, hash: string, why: string): Part {
  const manager = service.metadata.annotations?.[MANAGED_BY] ?? seen.rollout.metadata.name
  const { name } = service.metadata
  const text = `Switched selector for service '${name}' from '${selectedHash(service)}' to '${hash}'`
  const action: Action = {
    verb: 'patch',
    ref: refOf(service),
    type: 'strategic',
    patch: { metadata: { annotations: { [MANAGED_BY]: manager } }, spec: { selector: { [HASH_LABEL]: hash } } },
    why,
    event: normal('SwitchService', text),
  }
  return part({ actions: [action], because: [`${text}: ${why}`] })
}

/** Points a canary-family Service at a set. argo: a Service that is not ours yet waits until all pods are available,
 * one that is ours until one pod is; without `check` it moves at once. */
export function ensureTarget(
  seen: Observed,
  name: string | undefined,
  rs: ReplicaSet | undefined,
  check: boolean,
): Part {
  if (!name || !rs) return NOTHING
  const service = seen.service(name)
  if (!service || selectedHash(service) === hashOf(rs)) return NOTHING
  if (check) {
    const isClaimed = service.metadata.annotations?.[MANAGED_BY] !== undefined
    if (!isClaimed && !isFullyAvailable(rs)) return NOTHING
    if (availableReplicas(rs) < 1) return NOTHING
  }
  return switchService(
    seen,
    service,
    hashOf(rs),
    `the ${rs === seen.stableRS ? 'stable' : 'canary'} pods are ${hashOf(rs)}`,
  )
}

/** Blue-green Services are claimed even when they already select the hash. */
export function ensureBlueGreenTarget(seen: Observed, service: Service, hash: string, why: string): Part {
  const isClaimed = service.metadata.annotations?.[MANAGED_BY] !== undefined
  if (selectedHash(service) === hash && isClaimed) return NOTHING
  return switchService(seen, service, hash, why)
}

/** Names of the stable and the canary Service; with ping-pong they swap at every promotion. */
export function canaryServices(seen: Observed): Readonly<{ stable: string; canary: string }> {
  const canary = seen.spec.strategy?.canary
  const { pingService = '', pongService = '' } = canary?.pingPong ?? {}
  if (!canary?.pingPong) return { stable: canary?.stableService ?? '', canary: canary?.canaryService ?? '' }
  return seen.status.canary?.stablePingPong === 'ping'
    ? { stable: pingService, canary: pongService }
    : { stable: pongService, canary: pingService }
}
