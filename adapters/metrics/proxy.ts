// The proxy's own counters as a metric: what users got from a version in the last seconds, without a metrics stack.
import * as z from 'zod'
import { defineMetricProvider, type HttpReply, type Measured, type Told } from '#contract'
import { addSummaries, type Summary, summary } from './_proxy-summary.ts'

const config = z.looseObject({
  address: z
    .string()
    .optional()
    .describe('Admin address of one proxy, http://HOST:PORT. Not given: all that the controller finds are asked.'),
  route: z.string().optional().describe('Name of the route, NAMESPACE/ROLLOUT; not given: all routes.'),
  window: z.string().optional().describe('How far back to look, 1s to 5m. Default 60s.'),
  metric: z
    .enum(['errorRate', 'successRate', 'errors', 'requests', 'requestsPerSecond', 'p50', 'p90', 'p99', 'inFlight'])
    .describe('What to measure. Rates are 0..1, percentiles milliseconds; errors are 5xx and broken answers.'),
  role: z.string().optional().describe('stable, canary, active or preview; not given: all.'),
  hash: z.string().optional().describe('Pod template hash instead of a role.'),
  minRequests: z
    .union([z.int().min(1), z.string()])
    .optional()
    .describe('Fewer requests than this in the window are no data. Default 1.'),
  noData: z
    .union([z.number(), z.string()])
    .optional()
    .describe('The result when there is no data; not given: the measurement is an error, which analysis tolerates.'),
})
type Config = z.infer<typeof config>

const report = z.looseObject({
  total: summary,
  byRole: z.record(z.string(), summary),
  byHash: z.record(z.string(), summary),
})

/** Counts are numbers even when nothing happened; rates and percentiles of nothing are not. */
const COUNTS = new Set<Config['metric']>(['errors', 'requests', 'requestsPerSecond', 'inFlight'])

function pathOf(c: Config, more: Readonly<Record<string, string>> = {}): string {
  return `/stats?${new URLSearchParams({ ...(c.route ? { route: c.route } : {}), window: c.window ?? '60s', ...more })}`
}

/** What one proxy counted for the version that is asked for; undefined when it knows of none. */
function countedBy(reply: HttpReply, c: Config): Summary | undefined {
  if (reply.status !== 200) throw new Error(`the proxy answered ${reply.status}: ${reply.body.trim().slice(0, 200)}`)
  const seen = report.safeParse(json(reply.body))
  if (!seen.success) throw new Error('the answer is not that of a Pintle proxy; is address its admin address?')
  const { total, byRole, byHash } = seen.data
  return c.hash ? byHash[c.hash] : c.role ? byRole[c.role] : total
}

/** The measurement of what was counted in all. */
function measured(c: Config, counted: Summary, more: Readonly<Record<string, string>> = {}): Measured {
  const metadata = { requests: `${counted.requests}`, window: c.window ?? '60s', ...more }
  const result = measure(c, counted)
  if (result !== undefined) return { result, value: `${result}`, metadata }
  const whose = c.hash ? `hash ${c.hash}` : (c.role ?? 'any version')
  if (c.noData === undefined || c.noData === '')
    throw new Error(`no data: ${counted.requests} requests of ${whose} in the last ${metadata.window}`)
  const instead = Number(c.noData)
  return { result: instead, value: `${instead}`, metadata: { ...metadata, noData: 'true' } }
}

/** All proxies together. One that gives no numbers is named: it may be on its way out, and must not stop the release. */
function measuredByAll(told: readonly Told[], c: Config): Measured {
  const counted: Summary[] = []
  const silent: string[] = []
  for (const { from, isServing, heard } of told) {
    try {
      if ('error' in heard) throw new Error(`does not answer (${heard.error})`)
      counted.push(countedBy(heard, c) ?? addSummaries([]))
    } catch (error) {
      if (isServing) silent.push(`${from}: ${(error as Error).message}`)
    }
  }
  if (told.length === 0)
    throw new Error('no proxy is known: label the Service of their admin ports, or name an address')
  if (counted.length === 0) throw new Error(`no proxy gives numbers: ${silent.join('; ')}`)
  const missing: Record<string, string> = silent.length > 0 ? { missing: silent.join('; ') } : {}
  return measured(c, addSummaries(counted), {
    proxies: `${counted.length} of ${counted.length + silent.length}`,
    ...missing,
  })
}

export default defineMetricProvider<Config>({
  name: 'pintle/proxy',
  config,
  rbac: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }],

  request: c => ({ method: 'GET', url: `${c.address?.replace(/\/+$/, '')}${pathOf(c)}`, timeout: 5000 }),

  parse: (reply, c) => measured(c, countedBy(reply, c) ?? addSummaries([])),

  everyone: {
    label: 'pintle.dev/proxy',
    port: 'admin',
    path: c => (c.address === undefined ? pathOf(c, { latency: '' }) : undefined),
    parse: measuredByAll,
  },
})

/** Undefined: there is too little to say. */
function measure(c: Config, s: Summary): number | undefined {
  if (COUNTS.has(c.metric)) return s[c.metric as 'errors']
  if (s.requests < Number(c.minRequests ?? 1)) return undefined
  if (c.metric === 'successRate') return s.errorRate === null ? undefined : 1 - s.errorRate
  return s[c.metric as 'p50'] ?? undefined
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
