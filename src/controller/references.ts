// Which rollouts care about an object: by name, before anything is decided. Changes of these wake them up.

import type { Rollout } from '../api/rollout.ts'
import { controllingRollout, type KindRef, type KubeObject, type Ref, refOf } from '../contract.ts'
import type { Key } from '../ports.ts'
import type { Known } from '../rollout/plan.ts'
import { namedRouters } from '../rollout/routers.ts'
import { refOfTemplate } from '../rollout/templates.ts'
import { referencedServices } from '../rollout/validate/services.ts'

const SERVICE: KindRef = { apiVersion: 'v1', kind: 'Service' }

/** Everything that a plan of this rollout may look up by name. */
export function referencesOf(rollout: Rollout, known: Pick<Known, 'routers'>): readonly Ref[] {
  const { namespace = '' } = rollout.metadata
  const services = referencedServices(rollout).map(([, service]) => ({ ...SERVICE, namespace, name: service }))
  const { apiVersion, kind, name: workload } = rollout.spec?.workloadRef ?? {}
  const template = apiVersion && kind && workload ? [{ apiVersion, kind, namespace, name: workload }] : []
  return [...services, ...template, ...analysisTemplates(rollout), ...routerReads(rollout, known)]
}

/** The templates of every analysis in the spec. */
function analysisTemplates({ metadata, spec }: Rollout): readonly Ref[] {
  const { blueGreen, canary } = spec?.strategy ?? {}
  const analyses = [
    blueGreen?.prePromotionAnalysis,
    blueGreen?.postPromotionAnalysis,
    canary?.analysis,
    ...(canary?.steps ?? []).map(step => step?.analysis),
  ]
  return analyses
    .flatMap(analysis => analysis?.templates ?? [])
    .map(({ templateName = '', clusterScope = null }) =>
      refOfTemplate(metadata.namespace ?? '', { templateName, clusterScope }),
    )
}

function routerReads(rollout: Rollout, known: Pick<Known, 'routers'>): readonly Ref[] {
  const { namespace = '', name } = rollout.metadata
  return namedRouters(rollout, known).flatMap(({ router, config }) => {
    const parsed = router?.config.safeParse(config)
    return router && parsed?.success ? router.reads(parsed.data, { namespace, name }) : []
  })
}

const textOf = ({ kind, namespace = '', name }: Ref): string => `${kind} ${namespace}/${name}`

export type References = Readonly<{
  /** Notes what the rollout names now; the answer is what it named before and no longer does. */
  update(rollout: Rollout): readonly Ref[]
  /** Forgets the rollout; the answer is what it named. */
  remove(rollout: KubeObject): readonly Ref[]
  /** The rollouts to wake up for a change of this object. */
  wakes(object: KubeObject): readonly Key[]
}>

/** An index from objects to the rollouts that name them, and from owned objects to their owner. */
export function createReferences(known: Pick<Known, 'routers'>): References {
  const byObject = new Map<string, Map<string, Key>>()
  const byRollout = new Map<string, ReadonlyMap<string, Ref>>()
  /** Forgets what the rollout named, which is the answer. */
  const forget = (text: string): ReadonlyMap<string, Ref> => {
    const named = byRollout.get(text) ?? new Map<string, Ref>()
    for (const object of named.keys()) byObject.get(object)?.delete(text)
    byRollout.delete(text)
    return named
  }
  return {
    update(rollout) {
      const self = textOf(refOf(rollout))
      const before = forget(self)
      const { namespace = '', name } = rollout.metadata
      const named = new Map(referencesOf(rollout, known).map(ref => [textOf(ref), ref]))
      byRollout.set(self, named)
      for (const object of named.keys()) {
        const keys = byObject.get(object) ?? new Map<string, Key>()
        byObject.set(object, keys.set(self, { namespace, name }))
      }
      return [...before].flatMap(([text, ref]) => (named.has(text) ? [] : [ref]))
    },
    remove: rollout => [...forget(textOf(refOf(rollout))).values()],
    wakes(object) {
      const { namespace = '' } = object.metadata
      const owner = controllingRollout(object)
      return [...(owner ? [{ namespace, name: owner }] : []), ...(byObject.get(textOf(refOf(object)))?.values() ?? [])]
    },
  }
}
