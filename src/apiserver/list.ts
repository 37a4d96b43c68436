// Lists: the present, or a state of the past; in pages that all show the same moment.
import { Buffer } from 'node:buffer'
import type { KubeObject } from '../contract.ts'
import type { Core } from './core.ts'
import { inVersionOf } from './core.ts'
import type { ListQuery } from './list-options.ts'
import type { KindDef } from './model.ts'
import { badRequest, expired, versionTooLarge } from './refusals.ts'
import type { ListMeta } from './rendering.ts'

export type Listed = Readonly<{ objects: readonly KubeObject[]; metadata: ListMeta }>

type Token = Readonly<{ version: number; after: string }>

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`

const encodeToken = ({ version, after }: Token): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${after}\u0000` })).toString('base64url')

const decodeToken = (text: string): Token => {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
    if (v === 'meta.k8s.io/v1' && typeof rv === 'number' && typeof start === 'string') {
      return { version: rv, after: start.slice(0, -1) }
    }
  } catch {
    // Not ours: said below.
  }
  throw badRequest('invalid continue token: continue key is not valid')
}

const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.'

/** Lists a kind. Raises 400 (token), 410 (the past asked for is forgotten), 504 (a version of the future). */
export const listObjects = (
  { store, kinds }: Core,
  def: KindDef,
  namespace: string | undefined,
  query: ListQuery,
): Listed => {
  const current = store.version()
  if (query.version !== undefined && query.version > current) throw versionTooLarge(query.version, current)
  if (query.continue !== '' && query.version) {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const token = query.continue === '' ? undefined : decodeToken(query.continue)
  const version = token ? token.version : query.match === 'Exact' ? query.version! : current
  // A negative version asks for the rest as it is now.
  const at = version < 0 ? current : version
  const all = store.listAt(def, at, namespace)
  if (!all) throw expired(token ? TOO_OLD : `The resourceVersion for the provided list is too old.`)

  const wanted = query.selective ? all.filter(query.matches) : all
  const rest = token ? wanted.filter(object => keyOf(object) > token.after) : wanted
  const page = query.limit > 0 ? rest.slice(0, query.limit) : rest
  const last = page.at(-1)
  const more = last !== undefined && page.length < rest.length
  const objects = kinds.storage(def) === def ? page : page.map(object => inVersionOf(def, object))
  return {
    objects,
    metadata: {
      resourceVersion: `${at}`,
      ...(more ? { continue: encodeToken({ version: at, after: keyOf(last) }) } : {}),
      ...(more && !query.selective ? { remainingItemCount: rest.length - page.length } : {}),
    },
  }
}
