// A whole collection, page by page.
import type { KubeObject, Millis } from '../contract.ts'
import type { ApiRequest, ListOptions, Transport } from '../ports.ts'
import { errorOfResponse, isGone } from './errors.ts'

type Page = Readonly<{
  items?: readonly KubeObject[]
  apiVersion?: string
  kind?: string
  metadata?: Readonly<{ resourceVersion?: string; continue?: string }>
}>

export type Listed = Readonly<{ items: readonly KubeObject[]; resourceVersion: string }>

export type PageOptions = Omit<ListOptions, 'namespace'> &
  Readonly<{
    signal?: AbortSignal
    /** Applied to each object as its page arrives, so that no more than a page of untrimmed objects is held. */
    map?: (object: KubeObject) => KubeObject
  }>

const PAGE = 500
const LIST_TIMEOUT: Millis = 60_000

/** Items of built-in kinds come without apiVersion and kind; the list names them. */
function typed({ items = [], apiVersion = '', kind = '' }: Page): readonly KubeObject[] {
  const itemKind = kind.replace(/List$/, '')
  return items.map(item => (item.kind ? item : { ...item, apiVersion, kind: itemKind }))
}

/** Lists a collection, `limit` objects a page (500 unless told). When the pages expire half way it asks once more,
 * for everything at once. Rejects with ApiError. */
export async function listAll(transport: Transport, path: string, options: PageOptions = {}): Promise<Listed> {
  const { signal, limit = PAGE, map = object => object, resourceVersion, ...selection } = options
  const read = async (query: ApiRequest['query']): Promise<Page> => {
    const request: ApiRequest = {
      method: 'GET',
      path,
      query: { ...selection, ...query },
      timeout: LIST_TIMEOUT,
      ...(signal && { signal }),
    }
    const response = await transport.request(request)
    if (response.status !== 200) throw errorOfResponse(response, request)
    return JSON.parse(response.body) as Page
  }

  let page = await read({ resourceVersion, limit })
  const items: KubeObject[] = typed(page).map(map)
  while (page.metadata?.continue) {
    try {
      // A continue token carries its version; the server refuses both together.
      page = await read({ limit, continue: page.metadata.continue })
    } catch (error) {
      if (!isGone(error)) throw error
      const whole = await read({})
      return { items: typed(whole).map(map), resourceVersion: whole.metadata?.resourceVersion ?? '' }
    }
    for (const item of typed(page)) items.push(map(item))
  }
  return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
}
