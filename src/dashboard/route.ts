// The paths of the API, below ROOT/api/v1/: Argo's dashboard's, word for word.
import type { Verb } from './action.ts'
import { HttpError } from './http-error.ts'

export type Route =
  | Readonly<{ is: 'version' }>
  | Readonly<{ is: 'namespace' }>
  | Readonly<{ is: 'list'; namespace: string }>
  | Readonly<{ is: 'list-watch'; namespace: string }>
  | Readonly<{ is: 'info'; namespace: string; name: string }>
  | Readonly<{ is: 'info-watch'; namespace: string; name: string }>
  | Readonly<{ is: 'act'; namespace: string; name: string; verb: Verb['is']; rest: readonly string[] }>

const VERBS = new Set(['restart', 'abort', 'retry', 'promote', 'undo', 'set'])

/** Reads method and path (decoded parts, without `api/v1`). `*` as namespace means all. Raises HttpError 404, 405. */
export function routeOf(method: string, parts: readonly string[]): Route {
  const route = find(parts)
  if (!route) throw new HttpError(404, 'Not Found')
  const wanted = route.is === 'act' ? 'PUT' : 'GET'
  if (method !== wanted) throw new HttpError(405, `Method Not Allowed: use ${wanted}`)
  return route
}

function find(parts: readonly string[]): Route | undefined {
  const [head, second = '', third = '', fourth, ...rest] = parts
  if (parts.length === 1 && (head === 'version' || head === 'namespace')) return { is: head }
  if (head !== 'rollouts' || second === '' || third === '') return undefined
  const namespace = second === '*' ? '' : second
  // A rollout may be called `info`: its own paths are one part longer.
  if (third === 'info' && fourth === undefined) return { is: 'list', namespace }
  if (third === 'info' && fourth === 'watch' && rest.length === 0) return { is: 'list-watch', namespace }
  if (fourth === 'info' && rest.length === 0) return { is: 'info', namespace, name: third }
  if (fourth === 'info' && rest.length === 1 && rest[0] === 'watch') return { is: 'info-watch', namespace, name: third }
  if (fourth === undefined || !VERBS.has(fourth)) return undefined
  return { is: 'act', namespace, name: third, verb: fourth as Verb['is'], rest }
}

/** The verb with its operands from path and body. Raises HttpError 400, 404. */
export function verbOf(is: Verb['is'], rest: readonly string[], body: unknown): Verb {
  if (is === 'set') {
    // The image may hold slashes, the tag may not.
    const [container = '', ...image] = rest
    const tag = image.pop() ?? ''
    if (container === '' || image.length === 0 || tag === '') throw new HttpError(404, 'Not Found')
    return { is, container, image: `${image.join('/')}:${tag}` }
  }
  if (is === 'undo') {
    const revision = Number(rest[0])
    if (rest.length !== 1 || !Number.isInteger(revision) || revision < 0) {
      throw new HttpError(400, `invalid revision ${rest[0] ?? ''}`)
    }
    return { is, revision }
  }
  if (rest.length > 0) throw new HttpError(404, 'Not Found')
  if (is === 'promote') return { is, full: (body as { full?: unknown } | undefined)?.full === true }
  return { is }
}
