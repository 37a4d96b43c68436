// A checked table becomes the immutable snapshot that requests are matched against; swapping it is one assignment.
import type { Asked } from './asked.ts'
import { type Backend, type Endpoint, endpointAt } from './endpoints.ts'
import { forcedBy, type Verdict } from './forced.ts'
import { hostName, underPrefix } from './match.ts'
import { compileMirrors, type Mirror } from './mirror-match.ts'
import { keepOnly, type Lags, newLags } from './pick.ts'
import { type Budget, newBudget, type Patience, patienceOf, type Rescue, type Retry, rescueOf } from './retry.ts'
import { type Session, sessionOf } from './session.ts'
import type { Series } from './stats.ts'
import { type Bucket, bucketsOf } from './sticky.ts'
import type { DestSpec, Route, RouteTable } from './table.ts'
import { upstreamAddress } from './upstream-address.ts'
import { versionPods } from './version-pods.ts'

/** A version behind a route. `key` names it in the weighted choice and lives through swaps. */
export type Dest = Readonly<{
  key: string
  role: DestSpec['role']
  weight: number
  hash: string
  /** For people: the Service or address. */
  target: string
  endpoints: readonly Endpoint[]
  /** Its pods take requests before they have answered others. */
  pipelining: boolean
  problem?: string
}> & {
  /** Its counters, once looked up: a note of the engine's, for speed. */
  series?: Series
}

export type CompiledRoute = Readonly<{
  name: string
  total: number
  dests: readonly Dest[]
  lags: Lags
  /** Does the request itself decide before the weight? `other` is any version but the canary. None: nothing is asked. */
  forced: ((asked: Asked) => Verdict) | undefined
  /** Users with a key of their own have a fixed place among the weights. */
  bucket: Bucket | undefined
  /** Sessions stay on their version. */
  session: Session | undefined
  mirrors: readonly Mirror[]
  spill: boolean
  /** Nothing but the weights decides, and nobody gets a copy. */
  isPlain: boolean
  retry: Retry
  rescue: Rescue | undefined
  patience: Patience | undefined
}>

/** A way into a route: by host, port and path; `to` preview when this way leads there by itself. */
export type Entry = Readonly<{
  route: CompiledRoute
  exact?: string
  prefix: string
  toPreview: boolean
  strip: boolean
}>

type Hosts = { exact: Map<string, Entry[]>; wild: [suffix: string, entries: Entry[]][]; any: Entry[] }

export type Snapshot = Readonly<{
  generation: number
  routes: readonly CompiledRoute[]
  /** Every address that a request may be sent to. */
  endpoints: ReadonlyMap<string, Endpoint>
  /** Ports that the table wants listened on. */
  ports: ReadonlySet<number>
  find(port: number, host: string, path: string): Entry | undefined
  /** Routes in TCP mode by port; 0: every port that no other route names. */
  tcp: ReadonlyMap<number, CompiledRoute>
  /** The shortest time limit of a route, in milliseconds; Infinity: none has one. */
  finest: number
  /** The only way there is, if it takes every request whatever its port, host and path. */
  sole: Entry | undefined
}>

/** Finds the pods of a Service; sources that know no Services leave it out. */
export type Resolve = (service: string, port: number | string | undefined) => Backend

/** The memories of the weighted choices and of further attempts, by route name; they outlive tables. */
export type Memory = { seed: number; lags: Map<string, Lags>; budgets?: Map<string, Budget> }

const unresolved: Resolve = service => ({ endpoints: [], problem: `nothing resolves Service ${service} here` })

/** Compiles a table. Routes keep their choice's memory by name, so a swap never resets a share. */
export function compile(table: RouteTable, memory: Memory, resolve: Resolve = unresolved): Snapshot {
  const byPort = new Map<number, Hosts>()
  const endpoints = new Map<string, Endpoint>()
  const kept = new Set<string>()
  const tcp = new Map<number, CompiledRoute>()
  const lagsAt = (name: string): Lags => {
    kept.add(name)
    return lagsOf(memory, name)
  }
  const routes = table.routes.map(route => {
    const compiled = compileRoute(route, memory, lagsAt, resolve)
    for (const dest of compiled.dests) for (const e of dest.endpoints) endpoints.set(e.key, e)
    if (route.mode === 'tcp') tcp.set(route.match.port ?? 0, compiled)
    else for (const [port, entry] of entriesOf(route, compiled)) addEntry(byPort, port, route.match.hosts, entry)
    return compiled
  })
  for (const name of memory.lags.keys()) if (!kept.has(name)) memory.lags.delete(name)
  for (const name of memory.budgets?.keys() ?? []) if (!kept.has(name)) memory.budgets?.delete(name)
  for (const hosts of byPort.values()) sortHosts(hosts)
  const everyPort = byPort.get(0)
  const [only] = everyPort?.any ?? []
  const isSole = byPort.size === 1 && everyPort?.any.length === 1 && hostless(everyPort)
  return {
    generation: table.generation,
    routes,
    endpoints,
    tcp,
    finest: Math.min(
      ...routes.flatMap(({ patience }) =>
        [patience?.attempt, patience?.answer, patience?.silence].map(ms => ms || Infinity),
      ),
    ),
    sole: isSole && only && only.exact === undefined && only.prefix === '/' ? only : undefined,
    ports: new Set([...byPort.keys(), ...tcp.keys()].filter(port => port !== 0)),
    find(port, host, path) {
      const own = byPort.get(port)
      return (own && findEntry(own, host, path)) ?? (everyPort && findEntry(everyPort, host, path))
    },
  }
}

function lagsOf(memory: Memory, name: string): Lags {
  const known = memory.lags.get(name)
  if (known) return known
  let seed = memory.seed
  for (const char of name) seed = Math.imul(seed ^ char.charCodeAt(0), 0x01000193)
  const lags = newLags(seed)
  memory.lags.set(name, lags)
  return lags
}

function budgetOf(memory: Memory, name: string): Budget {
  memory.budgets ??= new Map()
  const budget = memory.budgets.get(name) ?? newBudget()
  memory.budgets.set(name, budget)
  return budget
}

function compileRoute(route: Route, memory: Memory, lagsAt: (name: string) => Lags, resolve: Resolve): CompiledRoute {
  const lags = lagsAt(route.name)
  const dests = route.dests.map(dest => compileDest(dest, resolve))
  keepOnly(lags, new Set(dests.map(d => d.key)))
  const forced = forcedBy(route, dests)
  const bucket = bucketsOf(route, dests)
  const session = sessionOf(route, dests, name => lagsAt(`${route.name} ${name}`))
  return {
    name: route.name,
    isPlain: !forced && !bucket && !session && route.mirrors.length === 0,
    total: route.total,
    dests,
    lags,
    forced,
    bucket,
    session,
    mirrors: compileMirrors(route.mirrors, name => lagsAt(`${route.name} mirror ${name}`)),
    spill: route.onEmpty === 'spill',
    retry: { ...route.retry, budget: budgetOf(memory, route.name) },
    rescue: rescueOf(route, dests),
    patience: patienceOf(route),
  }
}

function compileDest(spec: DestSpec, resolve: Resolve): Dest {
  const { role, weight, upstream, pipelining } = spec
  const target = typeof upstream === 'string' ? upstream : upstream.service
  const key = role === 'extra' ? `extra ${target} ${spec.hash ?? ''}` : role
  if (typeof upstream !== 'string') {
    const { endpoints, hash, problem } = versionPods(upstream, resolve)
    const known = problem === undefined ? {} : { problem }
    const spoken =
      upstream.protocol === undefined ? endpoints : endpoints.map(e => ({ ...e, protocol: 'h2c' as const }))
    const named = { key, role, weight, hash: spec.hash ?? hash ?? '', target, pipelining }
    if (spec.proxyProtocol === undefined) return { ...named, endpoints: spoken, ...known }
    if (spoken.some(e => e.protocol === 'h2c')) return { ...named, endpoints: [], problem: `${target}: ${NOT_H2C}` }
    return { ...named, endpoints: spoken.map(toldWhoAsks), ...known }
  }
  // The table was checked.
  const { host, port, isH2c } = upstreamAddress(upstream)!
  const at = endpointAt(host, port)
  const endpoints = [
    isH2c ? { ...at, protocol: 'h2c' as const } : spec.proxyProtocol === undefined ? at : toldWhoAsks(at),
  ]
  return { key, role, weight, hash: spec.hash ?? '', target, endpoints, pipelining }
}

const NOT_H2C = 'its pods speak HTTP/2, and get no PROXY protocol header: leave proxyProtocol away'

/** The same pod, with connections of another kind: not to be mixed with others. */
const toldWhoAsks = (e: Endpoint): Endpoint => ({
  ...e,
  key: `${e.key} (PROXY v2)`,
  proxyProtocol: 'v2',
  pool: undefined,
})

/** The ways into a route, each with the port it holds on (0: any). */
function* entriesOf(spec: Route, route: CompiledRoute): Generator<[port: number, Entry]> {
  const { match, preview } = spec
  const port = match.port ?? 0
  const own = { route, prefix: match.pathPrefix ?? '/', toPreview: false, strip: false }
  yield [port, match.path === undefined ? own : { ...own, exact: match.path }]
  if (preview?.pathPrefix)
    yield [port, { route, prefix: preview.pathPrefix, toPreview: true, strip: preview.stripPrefix }]
  if (preview?.port) yield [preview.port, { route, prefix: '/', toPreview: true, strip: false }]
}

function addEntry(byPort: Map<number, Hosts>, port: number, names: readonly string[] | undefined, entry: Entry): void {
  const hosts: Hosts = byPort.get(port) ?? { exact: new Map(), wild: [], any: [] }
  byPort.set(port, hosts)
  if (!names || names.length === 0) hosts.any.push(entry)
  for (const name of (names ?? []).map(hostName)) {
    if (name === '*') hosts.any.push(entry)
    else if (name.startsWith('*.')) {
      const known = hosts.wild.find(([suffix]) => suffix === name.slice(1))
      if (known) known[1].push(entry)
      else hosts.wild.push([name.slice(1), [entry]])
    } else hosts.exact.set(name, [...(hosts.exact.get(name) ?? []), entry])
  }
}

function sortHosts(hosts: Hosts): void {
  // Exact paths before prefixes, long prefixes before short ones; the sort is stable, so ties keep the table's order.
  const rank = (e: Entry): number => (e.exact === undefined ? e.prefix.replace(/\/$/, '').length : Infinity)
  const order = (a: Entry, b: Entry): number => (rank(a) === rank(b) ? 0 : rank(b) > rank(a) ? 1 : -1)
  for (const entries of [...hosts.exact.values(), ...hosts.wild.map(w => w[1]), hosts.any]) entries.sort(order)
}

const hostless = (hosts: Hosts): boolean => hosts.exact.size === 0 && hosts.wild.length === 0

function findEntry(hosts: Hosts, host: string, path: string): Entry | undefined {
  const fits = (e: Entry): boolean => (e.exact === undefined ? underPrefix(path, e.prefix) : e.exact === path)
  if (hostless(hosts)) return hosts.any.find(fits)
  const name = hostName(host)
  const exact = hosts.exact.get(name)?.find(fits)
  if (exact) return exact
  for (const [suffix, entries] of hosts.wild) {
    // A wildcard stands for exactly one label.
    if (!name.endsWith(suffix) || name.slice(0, -suffix.length).includes('.') || name.length === suffix.length) continue
    const found = entries.find(fits)
    if (found) return found
  }
  return hosts.any.find(fits)
}
