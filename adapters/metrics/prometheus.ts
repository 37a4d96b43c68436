// prometheus: the value of a query now. A vector is measured as a list of its values, a scalar as a number.
import * as z from 'zod'
import { defineMetricProvider, type HttpRequest } from '#contract'
import { decimal } from './_decimal.ts'

const config = z.looseObject({
  address: z.string().optional().describe('Where Prometheus is, such as http://prometheus.monitoring:9090.'),
  query: z.string().optional().describe('PromQL.'),
  headers: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
  timeout: z.number().optional().describe('Seconds, 30 when not given.'),
  rangeQuery: z.unknown().optional().describe('Not supported yet.'),
  authentication: z
    .looseObject({
      basicAuth: z.looseObject({ username: z.string().optional(), password: z.string().optional() }).optional(),
      oauth2: z.unknown().optional().describe('Not supported yet.'),
      sigv4: z.unknown().optional().describe('Not supported yet.'),
    })
    .optional(),
})
type Config = z.infer<typeof config>

const sample = z.tuple([z.number(), z.string()])
const reply = z.discriminatedUnion('status', [
  z.looseObject({ status: z.literal('error'), errorType: z.string().optional(), error: z.string().optional() }),
  z.looseObject({
    status: z.literal('success'),
    warnings: z.array(z.string()).optional(),
    data: z.discriminatedUnion('resultType', [
      z.looseObject({ resultType: z.literal('vector'), result: z.array(z.looseObject({ value: sample })) }),
      z.looseObject({ resultType: z.literal('matrix'), result: z.array(z.looseObject({ values: z.array(sample) })) }),
      z.looseObject({ resultType: z.literal('scalar'), result: sample }),
      z.looseObject({ resultType: z.literal('string'), result: sample }),
    ]),
  }),
])

const floatOf = (text: string): number => {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

function authorization({ authentication }: Config): Readonly<Record<string, string>> {
  const { basicAuth, oauth2, sigv4 } = authentication ?? {}
  const unsupported = oauth2 ? 'oauth2' : sigv4 ? 'sigv4' : undefined
  if (unsupported) throw new Error(`prometheus authentication by ${unsupported} is not supported`)
  if (!basicAuth?.username) return {}
  const bytes = new TextEncoder().encode(`${basicAuth.username}:${basicAuth.password ?? ''}`)
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` }
}

function addressOf(c: Config): string {
  if (!c.address) throw new Error('prometheus address is not configured')
  if (!URL.canParse(c.address)) throw new Error('prometheus address is not is url format')
  return c.address.replace(/\/+$/, '')
}

export default defineMetricProvider<Config>({
  name: 'prometheus',
  config,

  request(c): HttpRequest {
    if (c.rangeQuery) throw new Error('prometheus rangeQuery is not supported')
    return {
      method: 'POST',
      url: `${addressOf(c)}/api/v1/query`,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...authorization(c),
        ...Object.fromEntries((c.headers ?? []).map(({ key, value }) => [key, value])),
      },
      body: new URLSearchParams({ query: c.query ?? '' }).toString(),
      timeout: (c.timeout || 30) * 1000,
    }
  },

  parse({ status, body }) {
    const seen = reply.safeParse(json(body))
    if (!seen.success) throw new Error(`prometheus answered ${status}: ${body.trim().slice(0, 200)}`)
    if (seen.data.status === 'error') throw new Error(`${seen.data.errorType ?? 'error'}: ${seen.data.error ?? ''}`)
    const { data, warnings } = seen.data
    const metadata = warnings?.length ? { metadata: { warnings: warnings.join('\n') } } : {}
    if (data.resultType === 'scalar') {
      const result = floatOf(data.result[1])
      return { result, value: decimal(result), ...metadata }
    }
    if (data.resultType === 'string') throw new Error('Prometheus metric type not supported')
    const values =
      data.resultType === 'vector'
        ? data.result.map(one => floatOf(one.value[1]))
        : data.result.flatMap(one => one.values.map(value => floatOf(value[1])))
    // Conditions know a list of floats from a list of anything.
    return { result: Float64Array.from(values), value: `[${values.map(decimal).join()}]`, ...metadata }
  },
})

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
