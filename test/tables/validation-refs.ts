// Table of the errors of the objects that a rollout refers to.

import type { Rollout } from '../../src/api/rollout.ts'
import type { KubeObject } from '../../src/contract.ts'
import { loadKnown } from '../../src/controller/registry.ts'
import { observeRollout } from '../../src/rollout/observe.ts'
import { referenceProblems } from '../../src/rollout/validate/references.ts'
import type { Row, Table } from '../kit/vector-table.ts'

const known = await loadKnown()

type FieldError = Readonly<{ text: string }>
type Vector = Readonly<{ rollout: Rollout; objects: readonly KubeObject[] }>

const GROUPS: Readonly<Record<string, string>> = {
  Service: 'v1',
  Ingress: 'networking.k8s.io/v1',
  AnalysisTemplate: 'argoproj.io/v1alpha1',
  ClusterAnalysisTemplate: 'argoproj.io/v1alpha1',
}

function routersOf(row: Row): readonly string[] {
  const { rollout } = row as unknown as Vector
  const routing = rollout.spec.strategy?.canary?.trafficRouting ?? {}
  return Object.keys(routing).filter(name => !['plugins', 'managedRoutes', 'maxTrafficWeight'].includes(name))
}

/** Routers that this version has no adapter for: their rows wait for it. */
const missingRouter = (row: Row): string | undefined => routersOf(row).find(name => !known.routers[name])

export const references: Table = {
  name: 'validation-refs',
  elsewhere: row => missingRouter(row),
  want: ({ want }) => (want as readonly FieldError[]).map(({ text }) => text),
  exceptions(row) {
    if (row['quirk'] === true)
      return { reason: 'the reference remembers an argument from one analysis to the next; the second one lacks it' }
    if (routersOf(row).includes('alb') && routersOf(row).includes('nginx'))
      return { reason: 'of two routers both have their Ingresses looked at; the reference forgets those of nginx' }
    const { pingPong, stableService, canaryService } = (row as unknown as Vector).rollout.spec.strategy?.canary ?? {}
    if (routersOf(row).includes('istio') && pingPong && (stableService || canaryService))
      return { reason: 'of the two ways to name Services ping-pong wins with every router' }
    return undefined
  },
  answer(row) {
    const { rollout, objects } = row as unknown as Vector
    const places = objects.map(object => {
      const isClusterWide = object.kind === 'ClusterAnalysisTemplate'
      const namespace = isClusterWide ? {} : { namespace: object.metadata.namespace ?? 'default' }
      return { ...object, apiVersion: GROUPS[object.kind] ?? '', metadata: { ...object.metadata, ...namespace } }
    })
    const cache = {
      get: (ref: Readonly<{ kind: string; namespace?: string; name: string }>) =>
        places.find(
          ({ kind, metadata }) =>
            kind === ref.kind && metadata.name === ref.name && (metadata.namespace ?? '') === (ref.namespace ?? ''),
        ) as KubeObject | undefined,
      list: () => [],
      ownedBy: () => [],
    }
    const metadata = { ...rollout.metadata, namespace: rollout.metadata.namespace ?? 'default' }
    return referenceProblems(observeRollout({ ...rollout, metadata }, cache), known).map(({ message }) => message)
  },
}
