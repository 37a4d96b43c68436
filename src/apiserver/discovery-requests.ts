// What clients ask first: which version this is, which kinds there are, what their fields are called.
import { createHash } from 'node:crypto'
import {
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  type DiscoveryVersion,
  groupDiscovery,
} from './discovery.ts'
import type { Answer, Incoming } from './exchange.ts'
import { jsonAnswer } from './exchange.ts'
import type { KindDef } from './model.ts'
import { openApiDocument, openApiIndex } from './openapi.ts'
import { lineOf } from './rendering.ts'
import type { ApiServer } from './server.ts'

const VERSION = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+pintle',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'node',
}

/** The answer to a GET on a path of discovery, undefined for other paths. */
export const discover = (server: ApiServer, segments: readonly string[], incoming: Incoming): Answer | undefined => {
  const [first, ...rest] = segments
  if (first === 'version' && rest.length === 0) return found(VERSION)
  const kinds = server.kinds()
  if (first === 'api' || first === 'apis') return resources(kinds, first, rest, incoming)
  if (first !== 'openapi' || rest[0] !== 'v3') return undefined
  const root = rest.slice(1).join('/')
  if (root === '') return found(openApiIndex(kinds, hashOf(kinds)))
  const document = openApiDocument(kinds, root)
  return document && found(document)
}

const found = (document: unknown, type?: string): Answer =>
  jsonAnswer(200, lineOf(document), type === undefined ? {} : { 'content-type': type })

/** /api, /apis and what is below them down to the lists of resources; longer paths are resources themselves. */
function resources(kinds: readonly KindDef[], first: string, rest: readonly string[], incoming: Incoming) {
  const isCore = first === 'api'
  const [group = '', version] = isCore ? ['', rest[0]] : rest
  if (rest.length > (isCore ? 1 : 2)) return undefined
  if (rest.length === 0) {
    const form = aggregatedForm(incoming.accept)
    if (form) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`
      return found(groupDiscovery(kinds, isCore, form), type)
    }
    return found(isCore ? apiVersions('127.0.0.1') : apiGroupList(kinds))
  }
  const document = version === undefined ? apiGroup(kinds, group) : apiResourceList(kinds, group, version)
  return document && found(document)
}

/** The first form of aggregated discovery that the client takes; undefined: it wants the older documents. */
function aggregatedForm(accept: string): DiscoveryVersion | undefined {
  for (const media of accept.split(',')) {
    if (!media.includes('as=APIGroupDiscoveryList')) continue
    const version = /v=(v2beta1|v2)\b/.exec(media)?.[1]
    if (version === 'v2' || version === 'v2beta1') return version
  }
  return undefined
}

/** Changes whenever a kind or a schema does: clients keep documents by it. */
function hashOf(kinds: readonly KindDef[]): string {
  const hash = createHash('sha256')
  for (const { group, version, kind, schema } of kinds)
    hash.update(`${group}/${version}/${kind}${JSON.stringify(schema ?? '')}`)
  return hash.digest('hex').toUpperCase()
}
