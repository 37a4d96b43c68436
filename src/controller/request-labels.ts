// What a request to the API server was about, in the labels of Argo's client metrics.
import type { ApiRequest } from '../ports.ts'

const VERBS = { GET: 'Get', POST: 'Create', PUT: 'Update', PATCH: 'Patch', DELETE: 'Delete' } as const

/** argo: of these the names are not told. Events, ReplicaSets, Jobs and pods have names that nobody asks for again, and
 * each would be kept for ever. */
const NAMELESS: ReadonlySet<string> = new Set(['events', 'replicasets', 'jobs', 'pods'])

/** Kind (plural), namespace and name from a request's path; the name of what is made stands in the body. Of a list the
 * name is `N/A`, and a namespace is empty when there is none. */
export function requestLabels({ method, path, query, body }: ApiRequest, status: number) {
  const parts = path.split('/').filter(part => part !== '')
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2
  const [kind = 'Unknown', inPath] = isNamespaced ? rest.slice(2) : rest
  const namespace = isNamespaced ? (rest[1] ?? '') : ''
  const verb = method !== 'GET' ? VERBS[method] : query?.['watch'] ? 'Watch' : inPath === undefined ? 'List' : 'Get'
  const name = NAMELESS.has(kind) ? 'N/A' : (inPath ?? (method === 'POST' ? nameIn(body) : 'N/A'))
  return { kind, namespace, name, verb, status_code: String(status) }
}

function nameIn(body: string | undefined): string {
  try {
    const { metadata } = JSON.parse(body ?? '') as { metadata?: { name?: unknown } }
    return typeof metadata?.name === 'string' ? metadata.name : 'N/A'
  } catch {
    return 'N/A'
  }
}
