// The route table as people and adapters write it: what a file, a ConfigMap or the flags say, checked before use.
import * as z from 'zod'
import { UserError } from '../errors.ts'
import { regExpFault } from './bounded-regexp.ts'
import { UPSTREAM_FORM, upstreamAddress } from './upstream-address.ts'

/** Largest `total` of a route: a thousandth of a per mille, and sums stay exact integers. */
export const MAX_TOTAL = 1_000_000

const path = z.string().regex(/^\/[^\s?#]*$/, 'must begin with / and hold no space, ? or #')
const portNumber = z.int().min(1).max(65535)
/** RFC 9110 5.6.2. */
export const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const HOST = /^(\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])$/
const headerName = z.string().regex(HEADER_NAME, 'is not a header name')
/** A label's value in Kubernetes. */
const LABEL = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/
const cookieName = z.string().regex(HEADER_NAME, 'is not a cookie name')

const pattern = z.string().superRefine((text, ctx) => {
  const message = regExpFault(text)
  if (message !== undefined) ctx.addIssue({ code: 'custom', message })
})

/** One of exact, prefix or regex (unanchored, as JavaScript reads it). */
const stringMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: pattern.optional() })
  .refine(m => Object.values(m).filter(v => v !== undefined).length === 1, 'needs exactly one of exact, prefix, regex')

const serviceName = z.string().regex(/^[a-z0-9.-]+\/[a-z0-9.-]+$/, 'must look like namespace/name')

/** Where requests go: a fixed address, or the pods behind a Service, dialled directly. */
const upstream = z.union(
  [
    z.string().refine(text => upstreamAddress(text) !== undefined, `must look like ${UPSTREAM_FORM}`),
    z.strictObject({
      service: serviceName,
      /** Other Services that may lead to pods of this version. */
      also: z.array(serviceName).optional(),
      /** What the names of this version's pods begin with: only these are taken, wherever they are found; while there are
       * none, all of `service`. */
      pods: z.string().min(1).optional(),
      /** Port of the Service, by number or name; not given: its first. */
      port: z.union([portNumber, z.string().min(1)], 'must be the number or the name of a port').optional(),
      /** HTTP/2 without TLS, for gRPC; also asked for by the Service port's appProtocol kubernetes.io/h2c. */
      protocol: z.literal('h2c').optional(),
    }),
  ],
  `must be an address (${UPSTREAM_FORM}) or {service: namespace/name}`,
)

const dest = z.looseObject({
  role: z.enum(['stable', 'canary', 'active', 'preview', 'extra']),
  weight: z
    .int({
      error: ({ code }) =>
        code === 'invalid_type' ? 'must be a whole number; for tenths of a per cent set total: 1000' : undefined,
    })
    .min(0)
    .max(MAX_TOTAL),
  /** Pod template hash: only a label of counters and answers, the pods come from `upstream`. */
  hash: z.string().regex(LABEL, 'is not the value of a label').optional(),
  revision: z.string().optional(),
  upstream,
  /** Its pods take further requests on a connection before they have answered (HTTP/1.1 pipelining): GET, HEAD and OPTIONS
   * without a body share connections. */
  pipelining: z.boolean().default(false),
  /** Its pods are told by a PROXY protocol header on each connection who the client is. */
  proxyProtocol: z.literal('v2').optional(),
})

const headerRoute = z.looseObject({
  name: z.string(),
  anyOf: z.array(z.looseObject({ header: headerName, value: stringMatch })).min(1),
})

const requestMatch = {
  method: stringMatch.optional(),
  path: stringMatch.optional(),
  query: z.record(z.string().min(1), stringMatch).optional(),
  headers: z.record(headerName, stringMatch).optional(),
  cookies: z.record(cookieName, stringMatch).optional(),
}

const mirror = z.looseObject({
  name: z.string(),
  percent: z.number().min(0).max(100),
  anyOf: z
    .array(
      // Rollouts may name any header here; one that no request can have matches nothing.
      z.looseObject({ ...requestMatch, headers: z.record(z.string(), stringMatch).optional() }),
    )
    .default([]),
})

/** ingress-nginx's own rules for a canary, asked before the weight: header, then cookie. */
const canaryBy = z.looseObject({
  header: headerName.optional(),
  /** The header equals this: canary; then always/never mean nothing special. */
  value: z.string().optional(),
  pattern: z.string().optional(),
  cookie: z.string().optional(),
})

/** Requests that meet any entry go to a version, while it has pods; inside an entry all must hold. */
const rule = z.strictObject({
  to: z.enum(['stable', 'canary', 'active', 'preview']),
  anyOf: z.array(z.strictObject(requestMatch).refine(m => Object.keys(m).length > 0, 'says nothing')).min(1),
})

/** 400 days, in seconds: what browsers cut longer lives down to. */
const MOST_AGE = 400 * 86_400

const session = z
  .strictObject({
    cookie: cookieName.max(64),
    /** Seconds; not given: until the browser is closed. */
    maxAge: z.int().min(1).max(MOST_AGE).optional(),
    sameSite: z.enum(['Strict', 'Lax', 'None']).default('Lax'),
    /** Only over HTTPS. */
    secure: z.boolean().default(false),
    /** Sessions of stable join the canary as its weight grows; else only new sessions do. */
    follow: z.boolean().default(false),
  })
  .refine(
    s => s.secure || (s.sameSite !== 'None' && !/^__(host|secure)-/i.test(s.cookie)),
    'browsers want secure: true',
  )

/** Users who stay on a version: by a key that they bring (`by`, `name`), or by a cookie of the proxy's own. */
const sticky = z
  .strictObject({
    by: z.enum(['header', 'cookie', 'claim']).optional(),
    name: z.string().min(1).optional(),
    /** Routes with one salt spread users alike; default: the route's name. */
    salt: z.string().optional(),
    session: session.optional(),
  })
  .superRefine((s, ctx) => {
    const fault = (message: string) => ctx.addIssue({ code: 'custom', message })
    const isKeyed = s.by !== undefined && s.name !== undefined
    const isHalf = (s.by !== undefined || s.name !== undefined) && !isKeyed
    if (isHalf || isKeyed === (s.session !== undefined)) fault('needs either by and name, or session')
    if (s.salt !== undefined && s.session) fault('a session needs no salt')
    if (s.by !== undefined && s.by !== 'claim' && s.name && !HEADER_NAME.test(s.name))
      fault(`${s.name} is not a ${s.by} name`)
  })

const preview = z.looseObject({
  pathPrefix: path.optional(),
  /** Cut pathPrefix off before the pod sees the path; an Ingress path is not cut. */
  stripPrefix: z.boolean().default(false),
  header: z.looseObject({ name: headerName, value: z.string().optional() }).optional(),
  /** A port of the proxy on which every request goes to preview. */
  port: portNumber.optional(),
})

/** When each proxy takes the weight from the canary by itself (fuse.ts). */
const fuse = z.strictObject({
  /** Of the canary's requests in the window, 5xx and those without a whole answer. */
  errorRatePercent: z.number().gt(0).max(100),
  /** Fewer say nothing. */
  minRequests: z.int().min(1).default(20),
  windowSeconds: z.int().min(1).max(300).default(10),
})

/** Further attempts of safe requests (GET, HEAD, OPTIONS, TRACE without a body) on other pods, before an answer has begun. */
const retry = z.strictObject({
  attempts: z.int().min(0).max(5).default(1),
  /** Of the requests of the last ten seconds; three a second may beside that. */
  budgetPercent: z.number().min(0).max(100).default(20),
})

/** Safe requests that the canary fails are given to stable; the failure stays the canary's. */
const rescue = z.strictObject({
  /** Answers of the canary that count as failures too, such as 502 and 503. */
  on: z.array(z.int().min(500).max(599)).default([]),
})

const seconds = z.number().gt(0).max(86_400)

const timeouts = z.strictObject({
  /** For one attempt at a safe request, up to the head of the answer; then another pod is tried. */
  attemptSeconds: seconds.optional(),
  /** For all attempts. */
  answerSeconds: seconds.optional(),
  /** Between two pieces of an answer; 0: any time. */
  silenceSeconds: z.number().min(0).max(86_400).optional(),
})

const match = z.looseObject({
  /** Names without port; `*.example.com` stands for one label; none: any host. */
  hosts: z.array(z.string().regex(HOST, 'is no host name, *.name or * (and has no port)')).optional(),
  /** Whole path elements: /app matches /app and /app/x, not /apple. */
  pathPrefix: path.optional(),
  path: path.optional(),
  /** Only requests that came in on this port of the proxy. */
  port: portNumber.optional(),
})

const route = z
  .looseObject({
    name: z.string().min(1),
    /** tcp: connections are given to versions whole, and nobody looks into them. */
    mode: z.enum(['http', 'tcp']).default('http'),
    match: match.default({}),
    /** What the weights sum to. */
    total: z.int().min(1).max(MAX_TOTAL).default(100),
    dests: z.array(dest).min(1),
    headerRoutes: z.array(headerRoute).default([]),
    rules: z.array(rule).default([]),
    canaryBy: canaryBy.optional(),
    sticky: sticky.optional(),
    mirrors: z.array(mirror).default([]),
    fuse: fuse.optional(),
    retry: retry.prefault({}),
    rescue: rescue.optional(),
    timeouts: timeouts.optional(),
    preview: preview.optional(),
    /** A chosen version without a ready pod: fail answers 503, spill takes another version (as ingress-nginx does). */
    onEmpty: z.enum(['fail', 'spill']).default('fail'),
  })
  .superRefine((r, ctx) => {
    const sum = r.dests.reduce((n, d) => n + d.weight, 0)
    const fault = (message: string, ...at: (string | number)[]) => ctx.addIssue({ code: 'custom', message, path: at })
    if (sum !== r.total) fault(`the weights sum to ${sum}, but total is ${r.total}`, 'dests')
    for (const role of ['stable', 'canary', 'active', 'preview'])
      if (r.dests.filter(d => d.role === role).length > 1) fault(`role ${role} appears twice`, 'dests')
    if (r.preview && !r.dests.some(d => d.role === 'preview')) fault('no destination has the role preview', 'preview')
    if (r.fuse && !r.dests.some(d => d.role === 'stable')) fault('no destination has the role stable', 'fuse')
    if (r.rescue && !['stable', 'canary'].every(role => r.dests.some(d => d.role === role)))
      fault('needs destinations with the roles stable and canary', 'rescue')
    for (const [i, { pipelining, proxyProtocol, upstream: at }] of r.dests.entries()) {
      const isH2c = typeof at === 'string' ? upstreamAddress(at)?.isH2c : at.protocol === 'h2c'
      const fields = ['dests', i, 'pipelining'] as const
      if (pipelining && r.mode === 'tcp') fault('means nothing in mode tcp', ...fields)
      else if (pipelining && isH2c) fault('means nothing for pods that speak HTTP/2', ...fields)
      else if (pipelining && proxyProtocol)
        fault("a connection is one client's with proxyProtocol: leave one of them away", ...fields)
      if (proxyProtocol && isH2c) fault('cannot be sent to pods that speak HTTP/2', 'dests', i, 'proxyProtocol')
    }
    if (r.mode === 'tcp') for (const field of httpOnly(r)) fault('means nothing in mode tcp', ...field.split('.'))
    const toCanary = r.headerRoutes.length > 0 || r.canaryBy !== undefined || r.mirrors.length > 0
    if (toCanary && !r.dests.some(d => d.role === 'canary')) fault('no destination has the role canary', 'dests')
    for (const [i, { to }] of r.rules.entries())
      if (!r.dests.some(d => d.role === to)) fault(`no destination has the role ${to}`, 'rules', i)
    if (r.match.path && r.match.pathPrefix) fault('give path or pathPrefix, not both', 'match')
  })

/** What a route says that only requests can follow, by path. */
function httpOnly(r: Readonly<Record<string, unknown>>): string[] {
  const matched = (r['match'] ?? {}) as Readonly<Record<string, unknown>>
  const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)
  return [
    ...['hosts', 'path', 'pathPrefix'].filter(field => isGiven(matched[field])).map(field => `match.${field}`),
    ...['headerRoutes', 'rules', 'canaryBy', 'sticky', 'mirrors', 'rescue', 'timeouts', 'preview'].filter(field =>
      isGiven(r[field]),
    ),
  ]
}

/** Ports that are asked for in both modes, or by two routes in TCP mode. */
function portFaults(routes: readonly Readonly<{ mode: string; match: Readonly<{ port?: number | undefined }> }>[]) {
  const faults: { route: number; message: string }[] = []
  const taken = new Map<number, string>()
  for (const [
    i,
    {
      mode,
      match: { port = 0 },
    },
  ] of routes.entries()) {
    const before = taken.get(port)
    const where = port === 0 ? 'ports that no route names' : `port ${port}`
    if (before !== undefined && (before === 'tcp' || mode === 'tcp'))
      faults.push({ route: i, message: `${where}: another route has them already, and in mode tcp there can be one` })
    taken.set(port, mode)
  }
  return faults
}

/** Schema of a route table. */
export const routeTable = z
  .looseObject({ generation: z.int().min(0).default(0), routes: z.array(route).default([]) })
  .superRefine((t, ctx) => {
    const seen = new Set<string>()
    for (const [i, r] of t.routes.entries()) {
      if (seen.has(r.name))
        ctx.addIssue({ code: 'custom', message: `route ${r.name} appears twice`, path: ['routes', i] })
      seen.add(r.name)
    }
    for (const { route: i, message } of portFaults(t.routes))
      ctx.addIssue({ code: 'custom', message, path: ['routes', i, 'match'] })
  })

/** A checked route table, defaults filled in. */
export type RouteTable = z.infer<typeof routeTable>
/** A route table as it may be written: defaults left out. */
export type RouteTableInput = z.input<typeof routeTable>
export type Route = RouteTable['routes'][number]
export type DestSpec = Route['dests'][number]
export type Upstream = DestSpec['upstream']
export type MirrorSpec = Route['mirrors'][number]
export type StringMatchSpec = z.infer<typeof stringMatch>

/** What is wrong with a table, each with its place; empty: a proxy takes it. */
export function tableFaults(raw: unknown): readonly string[] {
  const { error } = routeTable.safeParse(raw)
  return (error?.issues ?? []).flatMap(issue => unioned(issue)).map(shownIssue)
}

type Issue = z.core.$ZodIssue

const shownIssue = ({ path: place, message }: Issue): string => `${place.map(String).join('.') || 'table'}: ${message}`

/** Of what may be written in several ways: the faults of the way that was meant, which is the one that was understood at all;
 * with none of that kind, what can be written. */
function unioned(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const meant = issue.errors.find(faults => faults.every(f => f.path.length > 0 || f.code !== 'invalid_type'))
  return meant?.map(fault => ({ ...fault, path: [...issue.path, ...fault.path] })) ?? [issue]
}

/** Checks a table. `where` names its place for the message (a file, a ConfigMap). Raises UserError PIN4001. */
export function parseTable(raw: unknown, where: string): RouteTable {
  const parsed = routeTable.safeParse(raw)
  if (parsed.success) return parsed.data
  throw badTable(where, tableFaults(raw).join('; '))
}

/** Reads a table from JSON text. Raises UserError PIN4001. */
export function readTable(text: string, where: string): RouteTable {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch (error) {
    throw badTable(where, `not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return parseTable(raw, where)
}

/** A table that cannot be used: PIN4001. */
export const badTable = (where: string, fault: string): UserError =>
  new UserError(
    'PIN4001',
    `bad route table in ${where}: ${fault}`,
    'Correct it; a proxy that runs keeps its last good table.',
  )
