// Pintle's own proxy: the whole desired traffic as a route table in a ConfigMap, which every replica follows.
import * as z from 'zod'
import {
  controllingRollout,
  type Desired,
  type Dest,
  defineTrafficRouter,
  ensure,
  type Finding,
  type KubeObject,
  mergePatchTo,
  type Ref,
  refOf,
  type Seen,
  sameJson,
  TerminalError,
} from '#contract'
import { tableFaults } from '../../src/proxy/table.ts'
import { rules, sticky } from './_proxy-choice.ts'
import { rescue, retry, timeouts } from './_proxy-failures.ts'
import { type Expected, fuseTold, observeTold, underWayTold } from './_proxy-told.ts'

const LABEL = 'pintle.dev/route-table'
const KEY = 'table.json'
/** Leads to preview where nothing else is configured: a header that no application uses for itself. */
const PREVIEW_HEADER = { name: 'X-Preview' }

/** Milliseconds between two looks at the fuses. */
const ALARM_EVERY = 5000

const HOST = /^(\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])$/
const path = z.string().regex(/^\/[^\s?#]*$/, 'must begin with / and hold no space, ? or #')

const fuse = z
  .strictObject({
    errorRatePercent: z.number().gt(0).max(100).describe('Share of failures in the window from which on it blows.'),
    minRequests: z.int().min(1).optional().describe('Fewer requests to the canary say nothing. Default 20.'),
    windowSeconds: z.int().min(1).max(300).optional().describe('Default 10.'),
  })
  .describe('Each proxy takes the weight from a canary that fails badly, at once and by itself.')

/** What only requests can follow. */
const HTTP_ONLY = [
  'hosts',
  'pathPrefix',
  'previewPath',
  'previewHeader',
  'previewPort',
  'rules',
  'sticky',
  'rescue',
  'pipelining',
] as const

const fields = z.looseObject({
  configMap: z.string().optional().describe('Name of the ConfigMap with the route table; default ROLLOUT-route.'),
  hosts: z
    .array(z.string().regex(HOST, 'is no host name, *.name or * (and has no port)'))
    .optional()
    .describe('Hosts that this route serves; none: every host.'),
  pathPrefix: path.optional().describe('Path prefix that this route serves; default /.'),
  port: z
    .union([z.int().min(1).max(65535), z.string().min(1)])
    .optional()
    .describe('Port of the Services, by number or name; default: their first.'),
  mode: z
    .enum(['http', 'tcp'])
    .optional()
    .describe('tcp: connections are given to versions whole; give it a listenPort of its own. Default http.'),
  listenPort: z.int().min(1).max(65535).optional().describe('Serve only requests that come in on this proxy port.'),
  previewPath: path.optional().describe('Path prefix that leads to the preview version.'),
  stripPreviewPath: z.boolean().optional().describe('Cut previewPath off before the pod sees the path.'),
  previewHeader: z
    .looseObject({ name: z.string().min(1), value: z.string().optional() })
    .optional()
    .describe('Header that leads to the preview version, with any value or the one given; default X-Preview.'),
  previewPort: z.int().min(1).max(65535).optional().describe('Port of the proxy that leads to the preview version.'),
  onEmpty: z
    .enum(['fail', 'spill'])
    .optional()
    .describe('A canary without ready pods: fail answers 503, spill takes stable. Default fail.'),
  rules: rules.optional(),
  sticky: sticky.optional(),
  fuse: fuse.optional(),
  retry: retry.optional(),
  rescue: rescue.optional(),
  timeouts: timeouts.optional(),
  proxyProtocol: z
    .literal('v2')
    .optional()
    .describe('Tell the pods by a PROXY protocol header on each connection who the client is.'),
  pipelining: z
    .boolean()
    .optional()
    .describe('The pods take requests on a connection before they have answered those before. Default false.'),
  drainSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe(
      'Pods of a version whose time is over stay so much longer, at most, while a proxy has requests for them. Default 300.',
    ),
})
const config = fields.superRefine((c, ctx) => {
  for (const field of HTTP_ONLY)
    if (c.mode === 'tcp' && c[field] !== undefined)
      ctx.addIssue({ code: 'custom', message: 'means nothing in mode tcp', path: [field] })
})
type Config = z.infer<typeof config>

const configMapOf = (c: Config, owner: Readonly<{ namespace: string; name: string }>): Ref => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: owner.namespace,
  name: c.configMap ?? `${owner.name}-route`,
})

/** The members of an object that have a value. */
const given = (members: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/** `services`: all that the rollout has. Pods are known by name, so that it does not matter which of them selects them. */
function routeDest(c: Config, namespace: string, dest: Dest, services: readonly string[]) {
  const { role, weight, hash, service, pods } = dest
  const others = services.filter(one => one !== service).map(one => `${namespace}/${one}`)
  const also = pods === undefined || others.length === 0 ? undefined : others
  const upstream = { service: `${namespace}/${service}`, ...given({ port: c.port, also, pods }) }
  const { proxyProtocol, pipelining } = c
  return { role, weight, ...given({ hash }), upstream, ...given({ proxyProtocol, pipelining }) }
}

/** The route of a rollout, without the table's generation. */
function routeOf(c: Config, want: Desired) {
  const nameless = want.dests.find(dest => !dest.service && dest.weight > 0)
  if (nameless) throw new TerminalError('ServiceMissing', `the proxy needs a Service for the ${nameless.role} version`)
  const services = [...new Set(want.dests.flatMap(({ service }) => service || []))]
  const dests = want.dests.filter(dest => dest.service).map(dest => routeDest(c, want.namespace, dest, services))
  const ways = (c.rules ?? []).filter(({ to }) => dests.some(dest => dest.role === to))
  const canRescue = ['stable', 'canary'].every(role => dests.some(dest => dest.role === role))
  const isTcp = c.mode === 'tcp'
  if (isTcp && want.headers.length + want.mirrors.length > 0)
    throw new TerminalError('RequestsOnly', 'header and mirror routes mean nothing in mode tcp: remove their steps')
  const preview = given({
    pathPrefix: c.previewPath,
    stripPrefix: c.stripPreviewPath,
    header: c.previewHeader ?? PREVIEW_HEADER,
    port: c.previewPort,
  })
  return {
    name: routeName({ namespace: want.namespace, name: want.owner.name }),
    ...given({ mode: c.mode }),
    match: given({ hosts: c.hosts, pathPrefix: c.pathPrefix, port: c.listenPort }),
    total: want.total,
    dests,
    ...(want.headers.length === 0 ? {} : { headerRoutes: want.headers }),
    ...(want.mirrors.length === 0 ? {} : { mirrors: want.mirrors }),
    ...(!isTcp && dests.some(dest => dest.role === 'preview') ? { preview } : {}),
    ...(ways.length === 0 ? {} : { rules: ways }),
    ...given({ onEmpty: c.onEmpty, sticky: c.sticky, fuse: c.fuse }),
    ...given({ retry: c.retry, rescue: canRescue ? c.rescue : undefined, timeouts: c.timeouts }),
  }
}

/** What the proxies would refuse, told by their own rules: expressions and headers of steps, for which there is no schema. */
function refusals(c: Config, want: Desired): readonly Finding[] {
  const finding = (message: string): Finding => ({ level: 'error', path: 'plugins.pintle/proxy', message })
  // A version without Service is told when it is to get traffic.
  if (want.dests.some(dest => !dest.service)) return []
  try {
    return tableFaults({ routes: [routeOf(c, want)] }).map(fault =>
      finding(`the proxies would refuse ${named(fault, want)}`),
    )
  } catch (error) {
    if (error instanceof TerminalError) return [finding(error.message)]
    throw error
  }
}

/** Places in the table as places in the Rollout. */
const named = (fault: string, { headers, mirrors }: Desired): string =>
  fault
    .replace(/^routes\.0\./, '')
    .replace(/^headerRoutes\.(\d+)\./, (_, i) => `setHeaderRoute ${headers[Number(i)]?.name}: `)
    .replace(/^mirrors\.(\d+)\./, (_, i) => `setMirrorRoute ${mirrors[Number(i)]?.name}: `)

/** The table that a ConfigMap holds; nothing when it holds none that can be read. */
function tableIn(live: KubeObject | undefined): Readonly<{ generation: number; routes: unknown }> {
  const text = (live?.['data'] as Readonly<Record<string, unknown>> | undefined)?.[KEY]
  try {
    const table = JSON.parse(typeof text === 'string' ? text : '{}') as { generation?: unknown; routes?: unknown }
    return { generation: Number.isInteger(table.generation) ? Number(table.generation) : 0, routes: table.routes }
  } catch {
    return { generation: 0, routes: undefined }
  }
}

/** What the end of a routing looks at in a route that was written before. */
type Route = Readonly<{
  name: string
  mode?: string
  match?: unknown
  total: number
  dests?: readonly Readonly<{ role: string; hash?: string; upstream?: Readonly<Record<string, unknown>> }>[]
  timeouts?: unknown
}>

/** The route without versions: everything goes to the main Service, whose selector says who answers. */
function unsplit({ name, mode, match, total, dests = [], timeouts }: Route) {
  const whole = dests
    .filter(({ role }) => role === 'stable' || role === 'active')
    .map(({ hash: _hash, upstream: { pods: _pods, also: _also, ...upstream } = {}, ...dest }) => ({
      ...dest,
      weight: total,
      upstream,
    }))
  return { name, ...given({ mode }), match, total, dests: whole, ...given({ timeouts }) }
}

/** The table that the proxies should serve by now. */
function expected(c: Config, owner: Readonly<{ namespace: string; name: string }>, seen: Seen): Expected {
  const ref = configMapOf(c, owner)
  const { generation } = tableIn(seen(ref))
  return {
    namespace: owner.namespace,
    configMap: `${owner.namespace}/${ref.name}`,
    generation,
    route: routeName(owner),
  }
}

const routeName = ({ namespace, name }: Readonly<{ namespace: string; name: string }>) => `${namespace}/${name}`

const ownersOf = (live: KubeObject) => live.metadata.ownerReferences ?? []

function planTable(c: Config, want: Desired, seen: Seen) {
  const ref = configMapOf(c, { namespace: want.namespace, name: want.owner.name })
  const live = seen(ref)
  const foreign = live && ownersOf(live).find(owner => owner.controller && owner.uid !== want.owner.uid)
  if (foreign)
    throw new TerminalError('ForeignRouteTable', `ConfigMap ${ref.name} belongs to ${foreign.kind} ${foreign.name}`)

  const routes = [routeOf(c, want)]
  const before = tableIn(live)
  // The generation grows only when the content does, so that it can be waited for.
  const same = sameJson(before.routes, routes)
  const generation = same && before.generation > 0 ? before.generation : before.generation + 1
  // What says the same stays as it is, byte for byte.
  const data = same && before.generation > 0 ? {} : { [KEY]: JSON.stringify({ generation, routes }) }
  const owner = { ...want.owner, controller: true, blockOwnerDeletion: true }
  const owned = live && ownersOf(live).some(o => o.uid === want.owner.uid)
  const desired = {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: {
      name: ref.name,
      namespace: want.namespace,
      labels: { [LABEL]: 'true' },
      ...(owned ? {} : { ownerReferences: [...(live ? ownersOf(live) : []), owner] }),
    },
    data,
  }
  if (live && mergePatchTo(live, { metadata: desired.metadata, data }) === undefined) return []
  const shares = want.dests.map(dest => `${dest.role} ${dest.weight}`).join(', ')
  return ensure(live, desired, `route table generation ${generation}: ${shares}`)
}

export default defineTrafficRouter<Config>({
  name: 'pintle/proxy',
  config,
  rbac: [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ],
  caps: {
    header: ['exact', 'prefix', 'regex'],
    mirror: 'percent',
    maxExtras: 100,
    maxTotal: 1_000_000,
    blueGreen: true,
  },

  reads: (c, owner) => [configMapOf(c, owner)],

  check: refusals,

  plan: planTable,

  observe(c, want, seen, told) {
    const owner = { namespace: want.namespace, name: want.owner.name }
    // What was just written cannot be served yet.
    const isWritten = planTable(c, want, seen).length === 0
    const { generation, ...table } = expected(c, owner, seen)
    return observeTold(told, { ...table, generation: isWritten ? generation : generation + 1 })
  },

  followers: {
    label: 'pintle.dev/proxy',
    port: 'admin',
    path: '/status',
    underWay: (c, of, seen, told) => underWayTold(told, expected(c, of, seen), routeName(of), of.hash),
    patience: c => (c.drainSeconds ?? 300) * 1000,
    alarm: {
      every: c => (c.fuse ? ALARM_EVERY : undefined),
      read: (_c, of, told) => fuseTold(told, routeName(of), of.hash),
    },
  },

  speaksFor(live) {
    const isTable = live.kind === 'ConfigMap' && live.metadata.labels?.[LABEL] === 'true'
    const by = isTable ? controllingRollout(live) : undefined
    return by ? [by] : []
  },

  // Clients may still come through the proxy: it leads them on, to whatever pods the main Service has.
  release(live) {
    const { generation, routes } = tableIn(live)
    const kept = Array.isArray(routes) ? (routes as readonly Route[]).map(unsplit) : []
    if (sameJson(routes, kept)) return []
    const data = { [KEY]: JSON.stringify({ generation: generation + 1, routes: kept }) }
    return [{ verb: 'patch', ref: refOf(live), type: 'merge', patch: { data }, why: 'routing by the proxy ends' }]
  },
})
