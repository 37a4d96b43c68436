// One action of a plan -> one request, and its answer -> the object after it.
import type { Action, KubeObject } from '../contract.ts'
import type { ApiRequest, ApiResponse } from '../ports.ts'
import type { Resolve } from './discovery.ts'
import { AmbiguousError, type ApiError, errorOfResponse } from './errors.ts'
import { pathOf } from './resources.ts'

const CONTENT_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

type Patch = Extract<Action, { verb: 'patch' }>

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The patch with its precondition inside: a version written into the metadata makes the server answer 409 when the
 * object has moved on, for every type of patch. (A JSON patch's own `test` would answer 422.) */
function guarded({ type, patch, resourceVersion }: Patch): unknown {
  if (resourceVersion === undefined) return patch
  if (type === 'json') {
    const pin = { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }
    return [pin, ...(Array.isArray(patch) ? patch : [patch])]
  }
  const fields = isRecord(patch) ? patch : {}
  const metadata = isRecord(fields['metadata']) ? fields['metadata'] : {}
  return { ...fields, metadata: { ...metadata, resourceVersion } }
}

/** The request of an action. Raises an Error when a name or namespace is missing. */
export async function requestOf(action: Action, resolve: Resolve, fieldManager: string): Promise<ApiRequest> {
  const query = { fieldManager }
  if (action.verb === 'create') {
    const { object } = action
    const path = pathOf(await resolve(object), object.metadata.namespace)
    return { method: 'POST', path, query, body: JSON.stringify(object), contentType: 'application/json' }
  }
  const { ref } = action
  const resource = await resolve(ref)
  if (action.verb === 'patch') {
    const path = pathOf(resource, ref.namespace, ref.name, action.subresource)
    const body = JSON.stringify(guarded(action))
    return { method: 'PATCH', path, query, body, contentType: CONTENT_TYPES[action.type] }
  }
  if (action.verb === 'delete') {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(action.uid === undefined ? {} : { preconditions: { uid: action.uid } }),
      ...(action.propagation === undefined ? {} : { propagationPolicy: action.propagation }),
    }
    const path = pathOf(resource, ref.namespace, ref.name)
    return { method: 'DELETE', path, body: JSON.stringify(body), contentType: 'application/json' }
  }
  const metadata = { name: ref.name, namespace: ref.namespace }
  const body = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata })
  const path = pathOf(resource, ref.namespace, ref.name, 'eviction')
  return { method: 'POST', path, query, body, contentType: 'application/json' }
}

/** The outcome of an action from its response: the object, undefined after a delete or an eviction. Deleting what
 * is gone succeeds. Raises ApiError; AmbiguousError when the server or a gateway gave up waiting for its storage. */
export function outcomeOf(action: Action, request: ApiRequest, response: ApiResponse): KubeObject | undefined {
  const removes = action.verb === 'delete' || action.verb === 'evict'
  if (response.status >= 200 && response.status < 300) {
    return removes ? undefined : (JSON.parse(response.body) as KubeObject)
  }
  const error = errorOfResponse(response, request)
  if (removes && error.code === 404) return undefined
  if (isUnknownOutcome(error)) throw new AmbiguousError(error.message, request, { cause: error })
  throw error
}

// 502 and 504 come from a gateway, or from a server whose request deadline passed; etcd says the same within a 500.
const isUnknownOutcome = (error: ApiError): boolean =>
  error.code === 502 || error.code === 504 || (error.code === 500 && error.message.includes('etcdserver'))
