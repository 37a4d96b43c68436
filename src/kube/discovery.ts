// Kinds that the table does not know: asked of the server once and remembered.
import type { KindRef } from '../contract.ts'
import type { Transport } from '../ports.ts'
import { ApiError, errorOfResponse, parseJson } from './errors.ts'
import { groupPath, groupVersion, type Resource, resourceOf } from './resources.ts'

/** Answers the resource of a kind. Rejects with ApiError, 404 when the server serves no such kind. */
export type Resolve = (kind: KindRef) => Promise<Resource>

type Served = Readonly<{ resources?: readonly Readonly<{ name: string; kind: string; namespaced: boolean }>[] }>

/** Resolves kinds from the table first, then from the server. Successes are remembered, failures are not: a CRD
 * may be installed later. */
export function createDiscovery(transport: Transport): Resolve {
  const found = new Map<string, Resource>()

  return async kind => {
    const key = `${kind.apiVersion} ${kind.kind}`
    const known = resourceOf(kind) ?? found.get(key)
    if (known) return known
    const gv = groupVersion(kind.apiVersion)
    const request = { method: 'GET', path: groupPath(gv) } as const
    const response = await transport.request(request)
    if (response.status !== 200) throw errorOfResponse(response, request)
    const served = (parseJson(response.body) as Served | undefined)?.resources ?? []
    const row = served.find(one => one.kind === kind.kind && !one.name.includes('/'))
    if (!row) throw new ApiError(404, 'NotFound', `the server serves no ${kind.kind} in ${kind.apiVersion}`, request)
    const resource = { ...gv, plural: row.name, namespaced: row.namespaced }
    found.set(key, resource)
    return resource
  }
}
