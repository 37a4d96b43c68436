// Gives back Services that no rollout names any more.
import type { Service } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import { unlessNotFound } from '../kube/errors.ts'
import type { Key, Kube, Log, Lookup, Result } from '../ports.ts'
import { SERVICE } from '../rollout/observe.ts'
import { managerOf, planServiceRelease } from '../rollout/service-release.ts'

/** One Service: looks up who moved it, and takes hash and mark away when that rollout is gone or has other Services.
 * A rollout that the cache does not show is looked up live; a server that cannot tell keeps the Service as it is
 * (argo lets go of it then, which is an outage waiting to happen). */
export async function reconcileService(
  key: Key,
  { kube, cache, log }: Readonly<{ kube: Kube; cache: Lookup; log: Log }>,
): Promise<Result> {
  const service = cache.get({ ...SERVICE, ...key }) as Service | undefined
  const ref = service && managerOf(service)
  if (!ref) return {}
  const manager = (cache.get(ref) ?? (await kube.get(ref).catch(unlessNotFound))) as Rollout | undefined
  for (const action of planServiceRelease(service, manager)) {
    await kube.perform(action)
    log.info({ verb: action.verb, kind: 'Service', name: key.name, ns: key.namespace }, action.why)
  }
  return {}
}
