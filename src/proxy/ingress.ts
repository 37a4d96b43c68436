// Ingress objects read as route tables, so that the proxy can stand where an ingress controller stands.
// Canary Ingresses merge as ingress-nginx merges them: same host, path and path type, hung on the primary's Service.
import type { KubeObject } from '../contract.ts'
import { regExpFault } from './bounded-regexp.ts'
import { parseTable, type Route, type RouteTableInput } from './table.ts'

export type IngressOptions = Readonly<{
  /** spec.ingressClassName, or the old class annotation. */
  ingressClass: string
  /** Prefix of ingress-nginx's annotations. */
  annotationPrefix?: string
}>

type Backend = Readonly<{ service?: Readonly<{ name?: string; port?: Readonly<{ number?: number; name?: string }> }> }>
type IngressPath = Readonly<{ path?: string; pathType?: string; backend?: Backend }>
type IngressSpec = Readonly<{
  ingressClassName?: string
  defaultBackend?: Backend
  rules?: readonly Readonly<{ host?: string; http?: Readonly<{ paths?: readonly IngressPath[] }> }>[]
}>

/** One host and path, and the Service port behind it. */
type Location = Readonly<{
  ingress: KubeObject
  host: string
  path: string
  type: string
  service: string
  port: number | string | undefined
}>

const PREFIX = 'nginx.ingress.kubernetes.io'
// What Go's ParseBool takes for true, as ingress-nginx uses it.
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/** Routes of all Ingresses of a class; what cannot be used is a message, never a missing table. */
export function routesFromIngresses(
  ingresses: readonly KubeObject[],
  options: IngressOptions,
): Readonly<{ routes: readonly Route[]; problems: readonly string[] }> {
  const prefix = options.annotationPrefix ?? PREFIX
  const note = (ingress: KubeObject, key: string) => ingress.metadata.annotations?.[`${prefix}/${key}`]
  const isCanary = (ingress: KubeObject) => TRUE.has(note(ingress, 'canary') ?? '')
  const mine = ingresses.filter(i => classOf(i) === options.ingressClass).sort(byAge)
  const problems: string[] = []

  const primary = new Map<string, Location>()
  for (const location of mine.filter(i => !isCanary(i)).flatMap(locationsOf)) {
    const key = keyOf(location)
    if (primary.has(key)) problems.push(`${nameOf(location.ingress)}: ${key} is taken by ${ownerOf(primary, key)}`)
    else primary.set(key, location)
  }

  // As in ingress-nginx a canary belongs to the primary's Service port: every location with that one is split.
  const used = new Set([...primary.values()].map(upstreamOf))
  const canaries = new Map<string, Location>()
  for (const location of mine.filter(isCanary).flatMap(locationsOf)) {
    const main = primary.get(keyOf(location))
    const own = nameOf(location.ingress)
    if (!main) problems.push(`${own}: no ordinary Ingress has ${keyOf(location)}, so its canary gets nothing`)
    else if (used.has(upstreamOf(location)))
      problems.push(`${own}: Service ${location.service} is also used by an ordinary Ingress, so its canary is ignored`)
    else {
      const known = canaries.get(upstreamOf(main))
      if (!known) {
        canaries.set(upstreamOf(main), location)
        const pattern = note(location.ingress, 'canary-by-header-pattern')
        const fault = pattern && regExpFault(pattern)
        if (fault)
          problems.push(`${own}: canary-by-header-pattern ${pattern}: ${fault}; nobody is led to its canary by it`)
      } else if (known.ingress !== location.ingress)
        problems.push(`${own}: ${main.service} already has the canary ${nameOf(known.ingress)}`)
    }
  }

  const routes: Route[] = []
  for (const [key, location] of primary) {
    const canary = canaries.get(upstreamOf(location))
    const input = routeOf(location, canary, name => canary && note(canary.ingress, name))
    try {
      routes.push(...parseTable({ routes: [input] }, `Ingress ${nameOf(location.ingress)}, ${key}`).routes)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  return { routes, problems }
}

type RouteInput = NonNullable<RouteTableInput['routes']>[number]

function routeOf(main: Location, canary: Location | undefined, note: (key: string) => string | undefined): RouteInput {
  // Only totals above 100 count; a weight that is no integer counts as 0.
  const total = Math.max(100, integer(note('canary-weight-total')) ?? 100)
  const weight = canary ? Math.min(total, Math.max(0, integer(note('canary-weight')) ?? 0)) : 0
  const upstream = ({ service, port }: Location) => ({ service, ...(port === undefined ? {} : { port }) })
  const by = {
    header: note('canary-by-header'),
    value: note('canary-by-header-value'),
    pattern: note('canary-by-header-pattern'),
    cookie: note('canary-by-cookie'),
  }
  const given = Object.fromEntries(Object.entries(by).filter(([, value]) => value))
  return {
    name: `${nameOf(main.ingress)} ${main.host}${main.path}`,
    match: {
      ...(main.host === '' ? {} : { hosts: [main.host] }),
      ...(main.type === 'Exact' ? { path: main.path } : { pathPrefix: main.path }),
    },
    total,
    dests: [
      { role: 'stable', weight: total - weight, upstream: upstream(main) },
      ...(canary ? [{ role: 'canary' as const, weight, upstream: upstream(canary) }] : []),
    ],
    ...(canary && Object.keys(given).length > 0 ? { canaryBy: given } : {}),
    onEmpty: 'spill',
  }
}

function locationsOf(ingress: KubeObject): Location[] {
  const spec = (ingress['spec'] ?? {}) as IngressSpec
  const at = (backend: Backend | undefined, host: string, path: string, type: string): Location[] => {
    const { name, port } = backend?.service ?? {}
    if (name === undefined) return []
    const service = `${ingress.metadata.namespace ?? 'default'}/${name}`
    return [{ ingress, host, path, type, service, port: port?.number ?? port?.name }]
  }
  const found = (spec.rules ?? []).flatMap(rule =>
    (rule.http?.paths ?? []).flatMap(p =>
      at(p.backend, rule.host ?? '', p.path || '/', p.pathType ?? 'ImplementationSpecific'),
    ),
  )
  return [...found, ...at(spec.defaultBackend, '', '/', 'default')]
}

function classOf(ingress: KubeObject): string | undefined {
  const spec = (ingress['spec'] ?? {}) as IngressSpec
  return spec.ingressClassName ?? ingress.metadata.annotations?.['kubernetes.io/ingress.class']
}

function byAge(a: KubeObject, b: KubeObject): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return x === y ? (nameOf(a) < nameOf(b) ? -1 : 1) : x < y ? -1 : 1
}

const integer = (text: string | undefined): number | undefined =>
  text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined
const nameOf = (object: KubeObject): string => `${object.metadata.namespace ?? 'default'}/${object.metadata.name}`
const keyOf = (l: Location): string => `${l.host || '*'}${l.path} (${l.type})`
const upstreamOf = (l: Location): string => `${l.service}:${l.port ?? ''}`
const ownerOf = (known: ReadonlyMap<string, Location>, key: string): string => {
  const location = known.get(key)
  return location ? nameOf(location.ingress) : ''
}
