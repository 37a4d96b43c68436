// Routes of an Istio VirtualService: which of them are ours to weigh, and the pure edits of them.
import { type HeaderRoute, type MirrorRoute, type StringMatch, sameJson, TerminalError } from '#contract'

/** A JSON object whose members are not looked at. */
export type Fields = Readonly<Record<string, unknown>>

/** How the traffic is to be split, and by what the two sides are known. */
export type Split = Readonly<{
  canary: number
  stable: number
  canaryHost: string
  stableHost: string
  /** Names of the subsets when a DestinationRule tells the sides apart. */
  subsets?: Readonly<{ canary: string; stable: string; additional: readonly string[] }>
  extras: ReadonlyMap<string, number>
}>

/** Which routes of a VirtualService are meant; none named: the only one. */
export type Selection = Readonly<{
  routes: readonly string[]
  tlsRoutes: readonly Readonly<{ port?: number; sniHosts?: readonly string[] }>[]
  tcpRoutes: readonly Readonly<{ port?: number }>[]
  /** Names of the header and mirror routes that the controller makes itself. */
  managed: readonly string[]
}>

export type Section = 'http' | 'tls' | 'tcp'
export const SECTIONS: readonly Section[] = ['http', 'tls', 'tcp']

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})
const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : [])

/** The routes of one kind; undefined when the section is absent or no list of objects. */
export const sectionOf = (spec: Fields, section: Section): readonly Fields[] | undefined => {
  const value = spec[section]
  return Array.isArray(value) && value.every(isFields) ? value : undefined
}

const refuse = (message: string) => new TerminalError('InvalidVirtualService', message)

const destinationsOf = (route: Fields): readonly Fields[] => listOf(route['route'])
const targetOf = (dest: Fields): Fields => fieldsOf(dest['destination'])
/** argo: hosts are compared by their first label, whatever the namespace. */
const hostOf = (dest: Fields): string => String(targetOf(dest)['host'] ?? '').split('.')[0] ?? ''
const subsetOf = (dest: Fields): unknown => targetOf(dest)['subset']
const weightOf = (dest: Fields): number => Number(dest['weight'] ?? 0)

/** Which side a destination stands for. argo: a host equal to the canary Service wins over the name of the subset. */
function sideOf(dest: Fields, split: Split): 'canary' | 'stable' | 'extra' | 'kept' | 'foreign' {
  const [host, subset, { subsets }] = [hostOf(dest), subsetOf(dest), split]
  if (host === '') return 'kept'
  if (host === split.canaryHost || (subsets && subset === subsets.canary)) return 'canary'
  if (host === split.stableHost || (subsets && subset === subsets.stable)) return 'stable'
  if (split.extras.has(host)) return 'extra'
  return subsets?.additional.includes(String(subset)) ? 'kept' : 'foreign'
}

const withWeight = (dest: Fields, weight: number): Fields => (weightOf(dest) === weight ? dest : { ...dest, weight })

/** The destinations of a route with their new weights. argo: whoever is not ours loses its traffic; those that had none
 * stay as they are. */
export function reweighted(dests: readonly Fields[], split: Split): readonly Fields[] {
  const others = split.subsets?.additional ?? []
  const additional = dests
    .filter(dest => others.includes(String(subsetOf(dest))))
    .reduce((sum, dest) => sum + weightOf(dest), 0)
  const stable = Math.max(0, split.stable - additional)
  const met = new Set<string>()
  const kept = dests.flatMap((dest): readonly Fields[] => {
    const known = sideOf(dest, split)
    // An experiment has one destination; a second one would double its share.
    const side = known === 'extra' && met.has(hostOf(dest)) ? 'foreign' : known
    if (side === 'extra') met.add(hostOf(dest))
    if (side === 'canary') return [withWeight(dest, split.canary)]
    if (side === 'stable') return [withWeight(dest, stable)]
    if (side === 'extra') return [withWeight(dest, split.extras.get(hostOf(dest)) ?? 0)]
    return side === 'foreign' && weightOf(dest) !== 0 ? [] : [dest]
  })
  const added = [...split.extras]
    .filter(([host, weight]) => weight !== 0 && !met.has(host))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([host, weight]) => ({ destination: { host }, weight }))
  return [...kept, ...added]
}

/** Why a route cannot be weighed: a side that it does not lead to. */
function misfit(dests: readonly Fields[], { subsets, canaryHost, stableHost }: Split): string | undefined {
  const leads = (host: string, subset: string | undefined) =>
    dests.some(dest => (subset === undefined ? host !== '' && hostOf(dest) === host : subsetOf(dest) === subset))
  for (const [side, host, subset] of [
    ['Canary', canaryHost, subsets?.canary],
    ['Stable', stableHost, subsets?.stable],
  ] as const) {
    if (leads(host, subset)) continue
    const what = subset === undefined ? `Service '${host}'` : `DestinationRule subset '${subset}'`
    return `${side} ${what} not found in route`
  }
  return undefined
}

const onlyOne = (section: Section, field: string): TerminalError =>
  refuse(
    `spec.${section}[] should be set in VirtualService and it must have exactly one route when omitting ` +
      `spec.strategy.canary.trafficRouting.istio.virtualService.${field}`,
  )

/** The indexes of the HTTP routes that are meant: those that are named, or all that are not the controller's own. */
export function pickHttp(routes: readonly Fields[], { routes: names, managed }: Selection): readonly number[] {
  if (names.length > 0) {
    return names.map(name => {
      const at = routes.findIndex(route => route['name'] === name)
      if (at < 0) throw refuse(`HTTP Route '${name}' is not found in the defined Virtual Service.`)
      return at
    })
  }
  return routes.flatMap((route, i) => (managed.includes(String(route['name'])) ? [] : [i]))
}

/** The ports of a route's matches; one that names several is never meant. */
const portOf = (route: Fields): number | undefined => {
  const ports = new Set(listOf(route['match']).map(match => Number(match['port'] ?? 0)))
  return ports.size === 1 ? [...ports][0] : ports.size === 0 ? 0 : undefined
}
const namesOf = (route: Fields): readonly string[] =>
  [...new Set(listOf(route['match']).flatMap(match => (match['sniHosts'] ?? []) as readonly string[]))].sort()

/** argo: each entry must fit some route; several may. */
function fitting<E>(entries: readonly E[], routes: readonly Fields[], fits: (entry: E, route: Fields) => boolean) {
  if (entries.length === 0) return [...routes.keys()]
  if (!entries.every(entry => routes.some(route => fits(entry, route)))) return undefined
  return routes.flatMap((route, i) => (entries.some(entry => fits(entry, route)) ? [i] : []))
}

function pickTls(routes: readonly Fields[], { tlsRoutes }: Selection): readonly number[] {
  const found = fitting(
    tlsRoutes,
    routes,
    ({ port = 0, sniHosts = [] }, route) =>
      portOf(route) === port && sameJson(namesOf(route), [...new Set(sniHosts)].toSorted()),
  )
  if (!found) throw refuse('No matching TLS routes found in the defined Virtual Service.')
  return found
}

function pickTcp(routes: readonly Fields[], { tcpRoutes }: Selection): readonly number[] {
  const found = fitting(tcpRoutes, routes, ({ port = 0 }, route) => portOf(route) === port)
  if (!found) throw refuse('No matching TCP routes found in the defined Virtual Service.')
  return found
}

const PICK = { http: pickHttp, tls: pickTls, tcp: pickTcp } as const
const LIST = { http: 'routes', tls: 'tlsRoutes', tcp: 'tcpRoutes' } as const

/** The indexes of the routes of a section that carry the split. Throws TerminalError where they cannot. */
export function picked(section: Section, routes: readonly Fields[], selection: Selection, split: Split) {
  const found = PICK[section](routes, selection)
  const field = LIST[section]
  const isListed = selection[field].length > 0
  // argo: of several, the first without a name is looked at before their number is.
  const first = found.filter(i => found.length === 1 || section !== 'http' || !routes[i]!['name']).slice(0, 1)
  for (const i of isListed ? found : first) {
    const fault = misfit(destinationsOf(routes[i]!), split)
    if (fault !== undefined) throw refuse(fault)
  }
  if (!isListed && routes.length > 0 && found.length !== 1) throw onlyOne(section, field)
  return found
}

const isMirror = (route: Fields, managed: readonly string[]) =>
  managed.includes(String(route['name'])) && route['mirror'] !== undefined

/** A spec with the new weights in all routes that carry the split, and in the mirror routes of ours. */
export function withWeights(spec: Fields, selection: Selection, split: Split): Fields {
  const changed: Record<string, unknown> = {}
  for (const section of SECTIONS) {
    const routes = sectionOf(spec, section)
    if (!routes) continue
    const at = new Set(picked(section, routes, selection, split))
    changed[section] = routes.map((route, i) => {
      if (!at.has(i) && !(section === 'http' && isMirror(route, selection.managed))) return route
      return { ...route, route: reweighted(destinationsOf(route), split) }
    })
  }
  return { ...spec, ...changed }
}

/** The canary as a destination. argo: the port is that of the first destination of the route. */
function canaryTarget(source: Fields | undefined, split: Split, ruleHost: string | undefined): Fields {
  const { port } = targetOf(destinationsOf(source ?? {})[0] ?? {})
  return {
    host: ruleHost || split.canaryHost,
    ...(port === undefined ? {} : { port }),
    ...(split.subsets ? { subset: split.subsets.canary } : {}),
  }
}

/** A text match without the kinds that are empty: Istio takes one kind only. */
const spoken = (match: StringMatch): Fields => Object.fromEntries(Object.entries(match).filter(([, text]) => text))

const headerRoute = ({ name, anyOf }: HeaderRoute, target: Fields): Fields => ({
  name,
  match: anyOf.map(({ header, value }) => ({ headers: { [header]: spoken(value) } })),
  route: [{ destination: target, weight: 100 }],
})

function mirrorRoute({ name, percent, anyOf }: MirrorRoute, target: Fields, source: Fields | undefined): Fields {
  const match = anyOf.map(({ method, path, headers }) => ({
    ...(method ? { method: spoken(method) } : {}),
    ...(path ? { uri: spoken(path) } : {}),
    ...(headers && Object.keys(headers).length > 0
      ? { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, spoken(value)])) }
      : {}),
  }))
  const route = destinationsOf(source ?? {}).map(dest => {
    const { host, subset, port } = targetOf(dest)
    const destination = { host, ...(subset === undefined ? {} : { subset }), ...(port === undefined ? {} : { port }) }
    return { destination, ...(weightOf(dest) === 0 ? {} : { weight: weightOf(dest) }) }
  })
  return { name, match, route, mirror: target, mirrorPercentage: { value: percent } }
}

/** The header and mirror routes in front, in their order, and none of ours that is not wanted. */
export function withRoutes(
  spec: Fields,
  selection: Selection,
  split: Split,
  ruleHost: string | undefined,
  wanted: Readonly<{ headers: readonly HeaderRoute[]; mirrors: readonly MirrorRoute[] }>,
): Fields {
  const routes = sectionOf(spec, 'http')
  if (!routes) return spec
  const own = routes.filter(route => !selection.managed.includes(String(route['name'])))
  const source =
    selection.routes.length === 0
      ? (own.find(route => !route['name']) ?? own[0])
      : own.find(route => route['name'] === selection.routes[0])
  const target = canaryTarget(source, split, ruleHost)
  const made = [
    ...wanted.headers.map(one => headerRoute(one, target)),
    ...wanted.mirrors.map(one => mirrorRoute(one, target, source)),
  ]
  const rank = (route: Fields) => selection.managed.indexOf(String(route['name']))
  return { ...spec, http: [...made.toSorted((a, b) => rank(a) - rank(b)), ...own] }
}
