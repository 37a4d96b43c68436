// A Service that no rollout names any more gets its selector back: the injected hash and the mark of its manager go.
import type { Service } from '../api/kube.ts'
import type { Rollout } from '../api/rollout.ts'
import { type Action, type Ref, refOf } from '../contract.ts'
import { HASH_LABEL, MANAGED_BY } from './keys.ts'
import { ROLLOUT } from './observe.ts'
import { referencedServices } from './validate/services.ts'

/** The rollout that says it moves this Service's selector; undefined when there is nothing of a rollout to take away. An
 * empty hash is something: it selects no pod. */
export function managerOf(service: Service): Ref | undefined {
  const name = service.metadata.annotations?.[MANAGED_BY]
  if (!name || service.spec?.selector?.[HASH_LABEL] === undefined) return undefined
  return { ...ROLLOUT, namespace: service.metadata.namespace ?? '', name }
}

/** Does this rollout name the Service? argo: beside a blueGreen block the canary's names do not count. */
export const usesService = (rollout: Rollout, name: string): boolean =>
  referencedServices(rollout).some(
    ([path, service]) => service === name && (!rollout.spec.strategy?.blueGreen || path.includes('.blueGreen.')),
  )

/** The write that gives the Service back, when its manager is gone or names it no longer. `manager` undefined: gone. */
export function planServiceRelease(service: Service, manager: Rollout | undefined): readonly Action[] {
  const { name } = service.metadata
  if (!managerOf(service) || (manager && usesService(manager, name))) return []
  const hash = { [HASH_LABEL]: null }
  return [
    {
      verb: 'patch',
      ref: refOf(service),
      type: 'merge',
      patch: { metadata: { annotations: { [MANAGED_BY]: null } }, spec: { selector: hash } },
      why: manager ? `rollout ${manager.metadata.name} no longer names it` : 'the rollout that moved it is gone',
    },
  ]
}
