// The one door to Kubernetes: live reads, and the writes of a plan.
import type { KubeObject } from '../contract.ts'
import type { ApiRequest, Clock, Kube, Log, Transport } from '../ports.ts'
import { createDiscovery } from './discovery.ts'
import { errorOfResponse } from './errors.ts'
import { listAll } from './list.ts'
import { outcomeOf, requestOf } from './perform.ts'
import { pathOf } from './resources.ts'

export type KubeOptions = Readonly<{
  clock: Clock
  /** Who the API server names as the manager of the fields we write. */
  fieldManager?: string
  log?: Log
}>

/** Makes the door. Kinds outside the table are discovered once. */
export function createKube(transport: Transport, options: KubeOptions): Kube {
  const { clock, fieldManager = 'pintle', log } = options
  const resolve = createDiscovery(transport)

  return {
    async get(ref) {
      const path = pathOf(await resolve(ref), ref.namespace, ref.name)
      const request: ApiRequest = { method: 'GET', path }
      const response = await transport.request(request)
      if (response.status !== 200) throw errorOfResponse(response, request)
      return JSON.parse(response.body) as KubeObject
    },

    async list(kind, { namespace, ...selection } = {}) {
      return listAll(transport, pathOf(await resolve(kind), namespace || undefined), selection)
    },

    async perform(action) {
      const request = await requestOf(action, resolve, fieldManager)
      const began = clock.now()
      const response = await transport.request(request)
      const { method, path } = request
      const { status } = response
      log?.debug({ method, path, status, ms: clock.now() - began, why: action.why }, 'write')
      const warning = response.headers['warning']
      if (warning !== undefined) log?.warn({ method, path, warning }, 'the API server warns')
      return outcomeOf(action, request, response)
    },
  }
}
