// Route tables from Kubernetes: labelled ConfigMaps, and Ingresses of a class; pods dialled from EndpointSlices.
import type { KindRef, KubeObject } from '../contract.ts'
import type { Lookup } from '../ports.ts'
import type { Resolve } from './compile.ts'
import { backendOf, SERVICE_NAME } from './endpoints.ts'
import { type IngressOptions, routesFromIngresses } from './ingress.ts'
import type { Fault, Sink, Source } from './source.ts'
import { type Route, type RouteTable, readTable } from './table.ts'
import { overlaps } from './table-overlap.ts'
import { servicesOf } from './version-pods.ts'

/** The label of ConfigMaps that hold a route table, under the key `table.json`. */
export const ROUTE_TABLE_LABEL = 'pintle.dev/route-table'
export const TABLE_KEY = 'table.json'

/** What this source needs of the cache. */
export type RouteCache = Lookup &
  Readonly<{
    watch(kind: KindRef, options?: Readonly<{ namespace?: string; labelSelector?: string }>): void
    onChange(listener: (change: Readonly<{ object: KubeObject }>) => void): () => void
    synced(kind?: KindRef): Promise<void>
    /** How each collection is followed; `problem`: why it is not. */
    health?(): readonly Readonly<{ kind: KindRef; lastHeard: number | undefined; problem: string | undefined }>[]
  }>

export type KubeSourceOptions = Readonly<{
  cache: RouteCache
  /** Not given or '': all namespaces. */
  namespace?: string
  /** Also serve Ingresses of this class. */
  ingress?: IngressOptions
}>

const configMaps: KindRef = { apiVersion: 'v1', kind: 'ConfigMap' }
const services: KindRef = { apiVersion: 'v1', kind: 'Service' }
const slices: KindRef = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }
const ingresses: KindRef = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' }

type Good = Readonly<{ version: string; table: RouteTable; problem?: string }>

/** Follows the cluster. A bad ConfigMap keeps its own last good table; the others go on. */
export function kubeSource({ cache, namespace = '', ingress }: KubeSourceOptions): Source {
  const kinds = [configMaps, services, slices, ...(ingress ? [ingresses] : [])]
  const places = namespace === '' ? 'all namespaces' : `namespace ${namespace}`
  return {
    about: `route tables${ingress ? ` and Ingresses of class ${ingress.ingressClass}` : ''} in ${places}`,
    follows: namespace,
    deaf: () =>
      (cache.health?.() ?? [])
        .filter(({ problem }) => problem !== undefined)
        .map(({ kind, lastHeard, problem }) => {
          const last = lastHeard === undefined ? 'nothing is known' : `last heard ${new Date(lastHeard).toISOString()}`
          return `cannot follow ${kind.kind}s in ${places}: ${problem}; ${last}`
        }),
    async start(sink) {
      const scope = namespace === '' ? {} : { namespace }
      for (const kind of kinds)
        cache.watch(kind, kind === configMaps ? { ...scope, labelSelector: `${ROUTE_TABLE_LABEL}=true` } : scope)
      await Promise.all(kinds.map(kind => cache.synced(kind)))

      const known = new Map<string, Good>()
      const state = { generation: 0, said: '' }
      const build = () => deliver(cache, namespace, ingress, known, state, sink)
      build()
      let due: NodeJS.Immediate | undefined
      const stop = cache.onChange(({ object }) => {
        if (due || !kinds.some(k => k.kind === object.kind && k.apiVersion === object.apiVersion)) return
        // One table for all changes of one turn.
        due = setImmediate(() => {
          due = undefined
          build()
        })
      })
      return () => {
        if (due) clearImmediate(due)
        stop()
      }
    },
  }
}

function deliver(
  cache: RouteCache,
  namespace: string,
  ingress: IngressOptions | undefined,
  known: Map<string, Good>,
  state: { generation: number; said: string },
  sink: Sink,
): void {
  const faults: Fault[] = []
  const routes: Route[] = []
  const applied: Record<string, number> = {}
  /** Whose a route is, by name. */
  const owners = new Map<string, string>()
  const maps = cache.list(configMaps, namespace).filter(m => m.metadata.labels?.[ROUTE_TABLE_LABEL] === 'true')
  for (const map of [...maps].sort(byAge)) {
    const name = nameOf(map)
    const good = readConfigMap(map, known.get(name))
    if (good.problem !== undefined) faults.push({ configMap: name, message: good.problem })
    known.set(name, good)
    applied[name] = good.table.generation
    for (const route of good.table.routes) {
      if (owners.has(route.name)) {
        const message = `ConfigMap ${name}: route ${route.name} exists already, skipped`
        faults.push({ configMap: name, route: route.name, message })
        continue
      }
      routes.push(route)
      owners.set(route.name, name)
    }
  }
  for (const { route, message } of overlaps(routes)) faults.push({ configMap: owners.get(route) ?? '', route, message })
  const problems = faults.map(({ message }) => message)
  const gone = new Set(maps.map(nameOf))
  for (const name of known.keys()) if (!gone.has(name)) known.delete(name)

  if (ingress) {
    const found = routesFromIngresses(cache.list(ingresses, namespace), ingress)
    routes.push(...found.routes)
    problems.push(...found.problems)
  }

  // What is served has no number of its own in a cluster; it counts the changes that this replica has seen.
  const said = JSON.stringify(routes)
  if (said !== state.said) state.generation++
  state.said = said
  sink.table({ generation: state.generation, routes }, resolver(cache, namespace), applied)
  sink.problems(problems, faults)
}

/** The table of a ConfigMap, or its last good one and what is wrong. */
function readConfigMap(map: KubeObject, last: Good | undefined): Good {
  const version = `${map.metadata.uid ?? ''} ${map.metadata.resourceVersion ?? ''}`
  if (last?.version === version) return last
  const where = `ConfigMap ${nameOf(map)}`
  const text = (map['data'] as Record<string, string> | undefined)?.[TABLE_KEY]
  try {
    const table = readTable(text ?? '', where)
    const home = map.metadata.namespace ?? ''
    for (const { name, dests } of table.routes)
      for (const { upstream } of dests)
        if (typeof upstream === 'string' || !servicesOf(upstream).every(service => service.startsWith(`${home}/`)))
          // Else whoever may write ConfigMaps in one namespace could reach what another hides.
          throw new Error(`${where}: route ${name} leads out of namespace ${home}; name Services of its own`)
    return { version, table }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return { version, table: last?.table ?? { generation: 0, routes: [] }, problem }
  }
}

/** Finds pods by the EndpointSlices of a Service; slices are indexed once per table. */
function resolver(cache: RouteCache, namespace: string): Resolve {
  const byService = Map.groupBy(
    cache.list(slices, namespace),
    s => `${s.metadata.namespace ?? ''}/${s.metadata.labels?.[SERVICE_NAME] ?? ''}`,
  )
  return (full, port) => {
    const [home = '', name = ''] = full.split('/')
    const service = cache.get({ ...services, namespace: home, name })
    const backend = backendOf(service, byService.get(full) ?? [], port)
    return backend.problem === undefined ? backend : { ...backend, problem: `${full}: ${backend.problem}` }
  }
}

function byAge(a: KubeObject, b: KubeObject): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return x === y ? (nameOf(a) < nameOf(b) ? -1 : 1) : x < y ? -1 : 1
}

const nameOf = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`
