// The Pods of any API server for a simulated node, over the wire: the node of a real cluster, or of the embedded one.
import { type KubeObject, refOf } from '../contract.ts'
import { createCache } from '../kube/cache.ts'
import { ApiError } from '../kube/errors.ts'
import { createKube } from '../kube/kube.ts'
import type { ApiRequest, Clock, Log, Random, Transport } from '../ports.ts'
import type { SimPod } from './lifecycle.ts'
import type { PodApi } from './pod-api.ts'

export type KubePodsOptions = Readonly<{
  transport: Transport
  clock: Clock
  random: Random
  log: Log
  /** Only this namespace's Pods; all when not given. */
  namespace?: string
}>

export type KubePods = PodApi & Readonly<{ close(): Promise<void> }>

const POD = { apiVersion: 'v1', kind: 'Pod' } as const
const WHY = 'the simulated node'

/** Registers the node and follows all Pods. Refused writes are thrown, for the node to look again; a Pod that is gone
 * is no fault. */
export async function kubePods(options: KubePodsOptions, nodeName = 'sim-node'): Promise<KubePods> {
  const { transport, clock, log, namespace } = options
  const kube = createKube(transport, { clock, log })
  const cache = createCache(options)
  const labels = { 'kubernetes.io/hostname': nodeName }
  const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels } }
  await kube.perform({ verb: 'create', object: node, why: WHY }).catch(unless(409))
  cache.watch(POD, namespace === undefined ? {} : { namespace })

  const send = async (request: ApiRequest, ...forgiven: readonly number[]): Promise<number> => {
    const { status, body } = await transport.request({ contentType: 'application/json', ...request })
    if (status < 300 || forgiven.includes(status)) return status
    throw new ApiError(status, '', body.slice(0, 300), request)
  }
  const path = ({ metadata }: SimPod) =>
    `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? '')}/pods/${encodeURIComponent(metadata.name)}`

  return {
    watch: seen => cache.onChange(({ type, object }) => seen(type, object as SimPod)),
    async bind(pod, name) {
      const { uid, namespace: place } = pod.metadata
      const target = { apiVersion: 'v1', kind: 'Node', name }
      const metadata = { name: pod.metadata.name, namespace: place, uid }
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'Binding', metadata, target })
      const status = await send({ method: 'POST', path: `${path(pod)}/binding`, body }, 404, 405, 409)
      if (status !== 404 && status !== 405) return
      // The embedded server has no bindings: there a Pod's node may be written.
      const patch = { metadata: { uid }, spec: { nodeName: name } }
      await kube.perform({ verb: 'patch', ref: refOf(pod), type: 'merge', patch, why: WHY }).catch(unless(404))
    },
    async writeStatus(pod, status) {
      const { resourceVersion = '' } = pod.metadata
      const ref = refOf(pod)
      const patch = { status }
      await kube
        .perform({ verb: 'patch', ref, type: 'merge', subresource: 'status', patch, resourceVersion, why: WHY })
        .catch(unless(404))
    },
    async remove(pod) {
      const { uid } = pod.metadata
      const options = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } }
      await send({ method: 'DELETE', path: path(pod), body: JSON.stringify(options) }, 404, 409)
    },
    close: () => cache.stop(),
  }
}

const unless =
  (code: number) =>
  (error: unknown): undefined => {
    if (error instanceof ApiError && error.code === code) return undefined
    throw error
  }
