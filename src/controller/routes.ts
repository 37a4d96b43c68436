// Takes back what routers wrote for rollouts that do not use them any more.
import type { Rollout } from '../api/rollout.ts'
import type { EventNote, KubeObject, Millis, Ref } from '../contract.ts'
import { unlessNotFound } from '../kube/errors.ts'
import type { Clock, Kube, Log, Lookup, Result } from '../ports.ts'
import { announced } from '../rollout/part.ts'
import type { Known } from '../rollout/plan.ts'
import { isTakenUp, planRouteRelease, routingsIn } from '../rollout/routes-release.ts'

export type RoutePorts = Readonly<{
  kube: Kube
  cache: Lookup
  clock: Clock
  log: Log
  record(about: KubeObject, event: EventNote): void
}>

/** How soon a rollout whose new spec waits, or is refused, is looked at again. */
const AGAIN: Millis = 2000

/** One object that routers write: whoever it speaks for and does not use it any more is taken out of it. A rollout that
 * the cache does not show is looked up live, and left alone when it is there: another controller looks after it. */
export async function reconcileRoute(ref: Ref, ports: RoutePorts, known: Known): Promise<Result> {
  const { kube, cache, clock, log, record } = ports
  const live = cache.get(ref)
  for (const routing of live ? routingsIn(live, known) : []) {
    const rollout = cache.get(routing.rollout) as Rollout | undefined
    const [action] = planRouteRelease(live as KubeObject, routing, rollout, known)
    if (!action || (!rollout && (await kube.get(routing.rollout).catch(unlessNotFound)))) continue
    if (rollout && !isTakenUp(rollout)) return { recheckAt: clock.now() + AGAIN }
    if (rollout) for (const event of announced(action)) record(rollout, event)
    await kube.perform(action)
    const { namespace: ns = '', name } = routing.rollout
    log.info({ verb: action.verb, kind: ref.kind, name: ref.name, ns, rollout: name }, action.why)
    // The next one is planned on what this one left.
    return {}
  }
  return {}
}
