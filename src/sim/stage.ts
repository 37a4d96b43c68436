// Where a story is played: the embedded world on a virtual clock, or one namespace of a real cluster.

import type { ObjectEvent } from '../apiserver/controllers/api.ts'
import type { Action, KindRef, KubeObject, Millis } from '../contract.ts'

/** One namespace of a cluster in which a controller runs, with the clock that it runs by. */
export type Stage = Readonly<{
  namespace: string
  now(): Millis
  /** Lets time pass. */
  sleep(time: Millis): Promise<void>
  /** Lets time pass until `met`, at most so long; the answer is whether it was. */
  until(met: () => boolean, most: Millis): Promise<boolean>
  perform(action: Action): Promise<KubeObject | undefined>
  /** As last seen; live in the embedded world. */
  get(kind: KindRef, name: string): KubeObject | undefined
  list(kind: KindRef): readonly KubeObject[]
  /** Every change of the namespace's objects, beginning with those that are there. */
  watch(seen: (event: ObjectEvent) => void): () => void
}>

/** The kinds that stories tell of. */
export const STORY_KINDS: readonly KindRef[] = [
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisTemplate' },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'v1', kind: 'Event' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'networking.istio.io/v1alpha3', kind: 'VirtualService' },
  { apiVersion: 'networking.istio.io/v1alpha3', kind: 'DestinationRule' },
]

/** The kind of a name such as `Rollout`. Throws on a name that stories do not use. */
export function storyKind(name: string): KindRef {
  const kind = STORY_KINDS.find(k => k.kind === name)
  if (!kind) throw new Error(`stories do not know the kind ${name}`)
  return kind
}
