// web: any HTTP endpoint that answers with JSON; a JSONPath says which value of it is measured.
import * as z from 'zod'
import { defineMetricProvider } from '#contract'
import { firstMatch } from './_jsonpath.ts'

const config = z.looseObject({
  url: z.string().min(1).describe('The address that is asked.'),
  method: z.enum(['GET', 'POST', 'PUT', '']).optional().describe('GET when not given.'),
  headers: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
  body: z.string().optional().describe('Text of the request; only with POST and PUT.'),
  jsonBody: z.unknown().optional().describe('JSON of the request, instead of body.'),
  jsonPath: z.string().optional().describe('Which value of the answer is measured; {$}, all of it, when not given.'),
  timeoutSeconds: z.number().optional().describe('Seconds, 10 when not given.'),
})
type Config = z.infer<typeof config>

function bodyOf(c: Config): string | undefined {
  if (c.body && c.jsonBody !== undefined)
    throw new Error('use either Body or JSONBody; both cannot exists for WebMetric payload')
  return c.jsonBody === undefined ? c.body : JSON.stringify(c.jsonBody)
}

function matchIn(answer: unknown, path: string): unknown {
  try {
    return firstMatch(path, answer)
  } catch (error) {
    throw new Error(`Could not find JSONPath in body: ${(error as Error).message}`)
  }
}

export default defineMetricProvider<Config>({
  name: 'web',
  config,

  request(c) {
    const method = c.method || 'GET'
    const body = bodyOf(c)
    if (body && method === 'GET') throw new Error('Body can only be used with POST or PUT WebMetric Method types')
    const given = Object.fromEntries((c.headers ?? []).map(({ key, value }) => [key, value]))
    const isJson = c.jsonBody !== undefined && !Object.keys(given).some(key => key.toLowerCase() === 'content-type')
    return {
      method,
      url: c.url,
      headers: { ...given, ...(isJson ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body } : {}),
      timeout: (c.timeoutSeconds || 10) * 1000,
    }
  },

  parse(reply, c) {
    if (reply.status < 200 || reply.status > 299) throw new Error(`received non 2xx response code: ${reply.status}`)
    let answer: unknown
    try {
      answer = JSON.parse(reply.body)
    } catch {
      // argo: an answer that is no JSON is measured as a text.
      return { result: reply.body, value: reply.body }
    }
    const result = matchIn(answer, c.jsonPath || '{$}')
    if (result === undefined) throw new Error('result of web metric produced no value')
    return { result, value: JSON.stringify(result) }
  },
})
