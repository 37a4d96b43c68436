// Where each path leads, and what each method does there. Used by the sockets and by direct calls alike.
import { negotiate } from './accept.ts'
import { review } from './access-reviews.ts'
import { discover } from './discovery-requests.ts'
import type { Answer, Incoming } from './exchange.ts'
import { textAnswer } from './exchange.ts'
import { get } from './read-requests.ts'
import { refusal } from './refusal.ts'
import { methodNotAllowed, noSuchPath } from './refusals.ts'
import type { ApiServer } from './server.ts'
import { patch, post, put, remove, type Target } from './write-requests.ts'

/** Answers a request. Never throws: what goes wrong is a Status. */
export const respond = (server: ApiServer, incoming: Incoming): Answer => {
  try {
    return route(server, incoming)
  } catch (error) {
    return refusal(error)
  }
}

const HEALTH = new Set(['healthz', 'readyz', 'livez'])

const route = (server: ApiServer, incoming: Incoming): Answer => {
  const segments = segmentsOf(incoming.path)
  const [first = ''] = segments
  if (HEALTH.has(first)) return textAnswer('ok')
  if (incoming.method === 'GET') {
    const answer = discover(server, segments, incoming)
    if (answer) return answer
  }
  if (first !== 'api' && first !== 'apis') throw noSuchPath()
  const [group = '', version = '', ...rest] = first === 'api' ? ['', ...segments.slice(1)] : segments.slice(1)
  const [plural = ''] = rest
  return (
    review(`${group}/${version}/${plural}`, incoming) ??
    perform(server, targetOf(server, group, version, rest), incoming)
  )
}

const segmentsOf = (path: string): string[] => {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw noSuchPath()
  }
}

// `namespaces/x/status` is a subresource of the namespace, not a kind inside it.
const OF_NAMESPACE = new Set(['status', 'finalize'])

const targetOf = (server: ApiServer, group: string, version: string, rest: readonly string[]): Target => {
  const [first, second, third = ''] = rest
  const inside = first === 'namespaces' && rest.length > 2 && !(group === '' && OF_NAMESPACE.has(third))
  const [plural = '', name, subresource, ...more] = inside ? rest.slice(2) : rest
  const def = server.core.kinds.byPath(group, version, plural)
  if (!def || more.length > 0 || inside !== (inside && def.namespaced)) throw noSuchPath()
  if (def.namespaced && !inside && name !== undefined) throw noSuchPath()
  return { def, namespace: inside ? second : undefined, name, subresource }
}

const perform = (server: ApiServer, target: Target, incoming: Incoming): Answer => {
  // Before anything is written: who cannot read the answer should not have asked.
  if (target.subresource !== 'log') negotiate(incoming.accept)
  switch (incoming.method) {
    case 'GET':
      return get(server, target, incoming)
    case 'POST':
      return post(server, target, incoming)
    case 'PUT':
      return put(server, target, incoming)
    case 'PATCH':
      return patch(server, target, incoming)
    case 'DELETE':
      return remove(server, target, incoming)
    default:
      throw methodNotAllowed()
  }
}
