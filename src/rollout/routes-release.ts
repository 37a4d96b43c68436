// What routers wrote for a rollout that uses them no longer: taken back, so that nobody is sent to a version that is gone.
import type { Rollout } from '../api/rollout.ts'
import { type Action, type KubeObject, type Ref, refOf, sameJson, type TrafficRouter } from '../contract.ts'
import { ROLLOUT } from './observe.ts'
import type { Known } from './plan.ts'
import { namedRouters } from './routers.ts'

/** One object as one router reads it: the rollout of whose traffic it speaks. */
export type Routing = Readonly<{ router: TrafficRouter<unknown>; rollout: Ref }>

/** The rollouts of whose traffic the object speaks, by what is written in it. */
export function routingsIn(live: KubeObject, { routers }: Pick<Known, 'routers'>): readonly Routing[] {
  const { namespace = '' } = live.metadata
  return Object.values(routers).flatMap(router =>
    router.speaksFor(live).map(name => ({ router, rollout: { ...ROLLOUT, namespace, name } })),
  )
}

/** The writes that end a routing, when its rollout is gone (undefined) or does not route by the object any more. What a
 * rollout that is gone owned goes with it. argo: leaves all as it is. */
export function planRouteRelease(
  live: KubeObject,
  { router, rollout: { name } }: Routing,
  rollout: Rollout | undefined,
  known: Pick<Known, 'routers'>,
): readonly Action[] {
  if (rollout ? routesBy(rollout, router, live, known) : isOwned(live, name)) return []
  return router.release(live, name)
}

/** Has the rollout's spec, as it is now, been worked on and found sound? A spec that is refused keeps its traffic. */
export const isTakenUp = ({ metadata, status }: Rollout): boolean =>
  status?.observedGeneration === String(metadata.generation ?? 0) &&
  !status.conditions?.some(({ type, status: is }) => type === 'InvalidSpec' && is === 'True')

const isOwned = (live: KubeObject, name: string): boolean =>
  (live.metadata.ownerReferences ?? []).some(owner => owner.kind === 'Rollout' && owner.name === name)

/** Does it? A configuration that cannot be read is no reason to move traffic. */
function routesBy(
  rollout: Rollout,
  router: TrafficRouter<unknown>,
  live: KubeObject,
  known: Pick<Known, 'routers'>,
): boolean {
  const { namespace = '', name } = rollout.metadata
  return namedRouters(rollout, known)
    .filter(one => one.router === router)
    .some(({ config }) => {
      const parsed = router.config.safeParse(config)
      return !parsed.success || router.reads(parsed.data, { namespace, name }).some(ref => sameJson(ref, refOf(live)))
    })
}
