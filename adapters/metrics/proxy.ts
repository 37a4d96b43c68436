// The proxy's own counters as a metric: what users got from a version in the last seconds, without a metrics stack.
import * as z from 'zod'
import { defineMetricProvider } from '#contract'

const config = z.looseObject({
  address: z.string().describe("The proxy's admin address, such as http://pintle-proxy.web:9180."),
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

const summary = z.looseObject({
  requests: z.number(),
  errors: z.number(),
  requestsPerSecond: z.number(),
  errorRate: z.number().nullable(),
  p50: z.number().nullable(),
  p90: z.number().nullable(),
  p99: z.number().nullable(),
  inFlight: z.number(),
})
const report = z.looseObject({
  total: summary,
  byRole: z.record(z.string(), summary),
  byHash: z.record(z.string(), summary),
})
type Summary = z.infer<typeof summary>

const NOTHING: Summary = {
  requests: 0,
  errors: 0,
  requestsPerSecond: 0,
  errorRate: null,
  p50: null,
  p90: null,
  p99: null,
  inFlight: 0,
}

/** Counts are numbers even when nothing happened; rates and percentiles of nothing are not. */
const COUNTS = new Set<Config['metric']>(['errors', 'requests', 'requestsPerSecond', 'inFlight'])

export default defineMetricProvider<Config>({
  name: 'pintle/proxy',
  config,

  request(c) {
    const query = new URLSearchParams({ ...(c.route ? { route: c.route } : {}), window: c.window ?? '60s' })
    return { method: 'GET', url: `${c.address.replace(/\/+$/, '')}/stats?${query}`, timeout: 5000 }
  },

  parse(reply, c) {
    if (reply.status !== 200) throw new Error(`the proxy answered ${reply.status}: ${reply.body.trim().slice(0, 200)}`)
    const seen = report.safeParse(json(reply.body))
    if (!seen.success) throw new Error('the answer is not that of a Pintle proxy; is address its admin address?')
    const { total, byRole, byHash } = seen.data
    const chosen = c.hash ? byHash[c.hash] : c.role ? byRole[c.role] : total
    const counted = chosen ?? NOTHING
    const metadata = { requests: `${counted.requests}`, window: c.window ?? '60s' }
    const result = measure(c, counted)
    if (result !== undefined) return { result, value: `${result}`, metadata }
    const whose = c.hash ? `hash ${c.hash}` : (c.role ?? 'any version')
    if (c.noData === undefined || c.noData === '')
      throw new Error(`no data: ${counted.requests} requests of ${whose} in the last ${metadata.window}`)
    const instead = Number(c.noData)
    return { result: instead, value: `${instead}`, metadata: { ...metadata, noData: 'true' } }
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
