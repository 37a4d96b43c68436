// What is served, in the forms that clients ask for: aggregated discovery and the older lists of groups and resources.
import type { KindDef } from './model.ts'

type Document = Record<string, unknown>

export type DiscoveryVersion = 'v2' | 'v2beta1'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const part = ['get', 'patch', 'update']

/** A Namespace goes with all that is in it; several at once is not offered. */
const verbsOf = (def: KindDef): readonly string[] =>
  def.group === '' && def.kind === 'Namespace' ? verbs.filter(verb => verb !== 'deletecollection') : verbs

type Subresource = Readonly<{ name: string; group?: string; version?: string; kind: string; verbs: readonly string[] }>

function subresourcesOf(def: KindDef): readonly Subresource[] {
  const found: Subresource[] = []
  if (def.group === '' && def.kind === 'Pod')
    found.push(
      { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
    )
  if (def.scale) found.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: part })
  if (def.status) found.push({ name: 'status', kind: def.kind, verbs: part })
  return found
}

/** Sorts versions as Kubernetes does: v2 before v1, released before beta before alpha, odd names last. */
export function compareVersions(a: string, b: string): number {
  const parse = (text: string): number[] | undefined => {
    const parts = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text)
    if (!parts) return undefined
    const stage = parts[2] === undefined ? 2 : parts[2] === 'beta' ? 1 : 0
    return [stage, Number(parts[1]), Number(parts[3] ?? 0)]
  }
  const [x, y] = [parse(a), parse(b)]
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0
  for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (y[i] ?? 0) - (x[i] ?? 0)
  return 0
}

const groupsOf = (kinds: readonly KindDef[]): string[] => [...new Set(kinds.map(def => def.group))].filter(Boolean)

const versionsOf = (kinds: readonly KindDef[], group: string): string[] =>
  [...new Set(kinds.filter(def => def.group === group).map(def => def.version))].sort(compareVersions)

const kindsIn = (kinds: readonly KindDef[], group: string, version: string): KindDef[] =>
  kinds
    .filter(def => def.group === group && def.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : a.plural > b.plural ? 1 : 0))

const names = (def: KindDef): Document => ({
  ...(def.shortNames.length > 0 ? { shortNames: def.shortNames } : {}),
  ...(def.categories.length > 0 ? { categories: def.categories } : {}),
})

function aggregatedResource(def: KindDef): Document {
  const own = { group: def.group, version: def.version }
  const kindOf = ({ group = own.group, version = own.version, kind }: Subresource) => ({ group, version, kind })
  const subresources = subresourcesOf(def).map(sub => ({
    subresource: sub.name,
    responseKind: kindOf(sub),
    verbs: sub.verbs,
  }))
  return {
    resource: def.plural,
    responseKind: { ...own, kind: def.kind },
    scope: def.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: def.singular,
    verbs: verbsOf(def),
    ...names(def),
    ...(subresources.length > 0 ? { subresources } : {}),
  }
}

/** The aggregated document of /api (`core`) or /apis. kubectl up to 1.29 asks for v2beta1, later ones for v2. */
export function groupDiscovery(kinds: readonly KindDef[], core: boolean, form: DiscoveryVersion): Document {
  const groups = core ? [''] : groupsOf(kinds)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${form}`,
    metadata: {},
    items: groups.map(group => ({
      metadata: group === '' ? {} : { name: group },
      versions: versionsOf(kinds, group).map(version => ({
        version,
        resources: kindsIn(kinds, group, version).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  }
}

/** The older answer to /api; `address` is `host:port`. */
export const apiVersions = (address: string): Document => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
})

function groupEntry(kinds: readonly KindDef[], group: string): Document {
  const versions = versionsOf(kinds, group).map(version => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, preferredVersion: versions[0] }
}

/** The older answer to /apis. */
export const apiGroupList = (kinds: readonly KindDef[]): Document => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupsOf(kinds).map(group => groupEntry(kinds, group)),
})

/** The answer to /apis/GROUP; undefined for a group that nobody serves. */
export const apiGroup = (kinds: readonly KindDef[], group: string): Document | undefined =>
  groupsOf(kinds).includes(group) ? { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(kinds, group) } : undefined

/** The answer to /api/VERSION (group '') or /apis/GROUP/VERSION; undefined where nothing is served. */
export function apiResourceList(kinds: readonly KindDef[], group: string, version: string): Document | undefined {
  const served = kindsIn(kinds, group, version)
  if (served.length === 0) return undefined
  const resources = served.flatMap(def => [
    {
      name: def.plural,
      singularName: def.singular,
      namespaced: def.namespaced,
      kind: def.kind,
      verbs: verbsOf(def),
      ...names(def),
    },
    ...subresourcesOf(def).map(({ name, group, version, kind, verbs }) => ({
      name: `${def.plural}/${name}`,
      singularName: '',
      namespaced: def.namespaced,
      ...(group === undefined ? {} : { group, version }),
      kind,
      verbs,
    })),
  ])
  const groupVersion = group === '' ? version : `${group}/${version}`
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}
