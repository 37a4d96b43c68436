// The table of served kinds: by group and kind for objects, by group and plural for paths. CRDs come and go here.
import type { KindRef } from '../contract.ts'
import type { KindDef } from './model.ts'
import { apiVersionOf, StatusError } from './model.ts'

export type Kinds = Readonly<{
  all(): readonly KindDef[]
  /** Raises a 404 StatusError for a kind that is not served. */
  find(ref: KindRef): KindDef
  tryFind(ref: KindRef): KindDef | undefined
  byPath(group: string, version: string, plural: string): KindDef | undefined
  /** The definition whose version objects are stored in. */
  storage(def: Pick<KindDef, 'group' | 'plural'>): KindDef
  /** Serves the versions of one kind; the first is the storage version. Replaces what stood under its plural. */
  add(versions: readonly [KindDef, ...KindDef[]]): void
  remove(group: string, plural: string): void
  /** Grows with every change; discovery and OpenAPI documents are cached by it. */
  revision(): number
}>

/** A table that starts with the kinds given. */
export const kindTable = (builtIn: readonly KindDef[]): Kinds => {
  const resources = new Map<string, readonly [KindDef, ...KindDef[]]>()
  let byKind = new Map<string, KindDef>()
  let byPath = new Map<string, KindDef>()
  let all: readonly KindDef[] = []
  let revision = 0

  const index = (): void => {
    all = [...resources.values()].flat()
    byKind = new Map(all.map(def => [`${apiVersionOf(def)} ${def.kind}`, def]))
    byPath = new Map(all.map(def => [`${def.group}/${def.version}/${def.plural}`, def]))
    revision += 1
  }
  for (const def of builtIn) resources.set(`${def.group}/${def.plural}`, [def])
  index()

  const tryFind = (ref: KindRef) => byKind.get(`${ref.apiVersion} ${ref.kind}`)
  return {
    all: () => all,
    tryFind,
    find(ref) {
      const def = tryFind(ref)
      if (def) return def
      throw new StatusError(404, 'NotFound', `no matches for kind "${ref.kind}" in version "${ref.apiVersion}"`)
    },
    byPath: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    storage(def) {
      const versions = resources.get(`${def.group}/${def.plural}`)
      if (!versions) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource')
      return versions[0]
    },
    add(versions) {
      resources.set(`${versions[0].group}/${versions[0].plural}`, versions)
      index()
    },
    remove(group, plural) {
      resources.delete(`${group}/${plural}`)
      index()
    },
    revision: () => revision,
  }
}
