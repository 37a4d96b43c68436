// How a simulated node sees its Pods: straight in the embedded server, or over the wire to any API server.

import type { Api } from '../apiserver/controllers/api.ts'
import { forgiving } from '../apiserver/controllers/loop.ts'
import { refOf } from '../contract.ts'
import type { PodStatus, SimPod } from './lifecycle.ts'

export type PodEvent = 'ADDED' | 'MODIFIED' | 'DELETED'

/** The writes may be refused because the pod has moved on: the node looks again and tries once more. */
export type PodApi = Readonly<{
  /** Tells of every Pod there is, then of every change; the answer stops it. */
  watch(seen: (type: PodEvent, pod: SimPod) => void): () => void
  bind(pod: SimPod, nodeName: string): Promise<void> | void
  writeStatus(pod: SimPod, status: PodStatus): Promise<void> | void
  /** The final removal, once nothing of the pod runs any more. */
  remove(pod: SimPod): Promise<void> | void
}>

const POD = { apiVersion: 'v1', kind: 'Pod' } as const

/** Pods of the embedded server, without a wire between. */
export function directPods(api: Api): PodApi {
  return {
    watch(seen) {
      const stop = api.onEvent(({ type, object }) => {
        if (object.kind === 'Pod' && object.apiVersion === 'v1') seen(type, object as SimPod)
      })
      for (const pod of api.list(POD)) seen('ADDED', pod as SimPod)
      return stop
    },
    bind(pod, nodeName) {
      forgiving([404, 409], () =>
        api.patch(refOf(pod), 'merge', { metadata: { uid: pod.metadata.uid }, spec: { nodeName } }),
      )
    },
    writeStatus(pod, status) {
      const live = api.get(POD, pod.metadata.namespace, pod.metadata.name)
      if (live && live.metadata.uid === pod.metadata.uid) api.update({ ...live, status }, { subresource: 'status' })
    },
    remove(pod) {
      forgiving([404, 409], () =>
        api.remove(refOf(pod), { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? '' } }),
      )
    },
  }
}
