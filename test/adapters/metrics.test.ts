import { test } from 'tap'
import prometheus from '../../adapters/metrics/prometheus.ts'
import web from '../../adapters/metrics/web.ts'
import type { HttpReply, Measured, MetricProvider } from '../../src/contract.ts'

const reply = (body: unknown, status = 200): HttpReply => ({
  status,
  headers: {},
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

type Outcome = Readonly<{ error: string }> | Measured

function parse(provider: MetricProvider<unknown>, answer: HttpReply, config: unknown): Outcome {
  try {
    return provider.parse(answer, provider.config.parse(config))
  } catch (error) {
    return { error: (error as Error).message }
  }
}

const tree = {
  ok: true,
  rate: 0.25,
  data: {
    list: [
      { name: 'a', v: 1 },
      { name: 'b', v: 22 },
    ],
    'odd.key': 'x',
  },
  none: null,
  mixed: [{}, null, { here: 7 }],
}

// biome-ignore format: a table reads best as a table
const paths: Record<string, unknown> = {
  '{$.rate}': 0.25,
  '{.rate}': 0.25,
  '{$}': tree,
  '{$.ok}': true,
  '{$.data.list}': tree.data.list,
  '{$.data.list[0].v}': 1,
  '{$.data.list[-1].v}': 22,
  '{$.data.list[*].name}': 'a',
  "{$.data['odd.key']}": 'x',
  '{$.data.odd\\.key}': 'x',
  '{$.data.list[?(@.name=="b")].v}': 22,
  '{$.data.list[?(@.v>10)].name}': 'b',
  '{$..name}': 'a',
  '{$.data.list[1:].name}': 'b',
  '{$.none}': null,
  '{$.mixed[*].here}': 7,
}

test('web measures what the JSONPath finds first', async t => {
  for (const [jsonPath, result] of Object.entries(paths)) {
    const wanted = { result, value: JSON.stringify(result) }
    t.same(parse(web as MetricProvider<unknown>, reply(tree), { url: 'http://x', jsonPath }), wanted, jsonPath)
  }
})

// biome-ignore format: a table reads best as a table
const faults: Record<string, readonly [answer: HttpReply, jsonPath: string, error: string]> = {
  'a bad status is named': [reply('', 404), '{$.a}', 'received non 2xx response code: 404'],
  'a field that is not there is named': [reply({}), '{$.a.b}', 'Could not find JSONPath in body: a is not found'],
  'an index that is not there is named': [
    reply({ a: [1] }), '{$.a[3]}', 'Could not find JSONPath in body: array index out of bounds: index 3, length 1'],
  'a stretch that goes too far is named': [
    reply({ a: [1] }), '{$.a[0:3]}', 'Could not find JSONPath in body: array index out of bounds: index 2, length 1'],
  'a number that is no list is named by its type': [
    reply({ a: 0.5 }), '{$.a[0]}', 'Could not find JSONPath in body: float64 is not array or slice'],
  'an object that is no list is named by its type': [
    reply({ a: {} }), '{$.a[*]}', 'Could not find JSONPath in body: map[string]interface {} is not array or slice'],
  'a text that is no list is named by its type': [
    reply({ a: 'x' }), '{$.a[1:]}', 'Could not find JSONPath in body: string is not array or slice'],
  'null has no items, and no value comes of it': [reply({ a: null }), '{$.a[0]}', 'result of web metric produced no value'],
  'a list without items has no value': [reply({ a: [] }), '{$.a[*]}', 'result of web metric produced no value'],
  'a field that no item has is named': [
    reply({ a: [{}, {}] }), '{$.a[*].b}', 'Could not find JSONPath in body: b is not found'],
}

for (const [name, [answer, jsonPath, error]] of Object.entries(faults)) {
  test(`web: ${name}`, async t => {
    t.same(parse(web as MetricProvider<unknown>, answer, { url: 'http://x', jsonPath }), { error })
  })
}

test('web takes an answer that is no JSON as a text', async t => {
  t.same(parse(web as MetricProvider<unknown>, reply('fine'), { url: 'http://x' }), { result: 'fine', value: 'fine' })
})

test('web sends what it is told to', async t => {
  const config = web.config.parse({
    url: 'http://x/y',
    method: 'POST',
    headers: [{ key: 'X-Token', value: 't' }],
    jsonBody: { a: 1 },
    timeoutSeconds: 3,
  })
  t.same(web.request(config), {
    method: 'POST',
    url: 'http://x/y',
    headers: { 'X-Token': 't', 'content-type': 'application/json' },
    body: '{"a":1}',
    timeout: 3000,
  })
  t.same(web.request(web.config.parse({ url: 'http://x' })), {
    method: 'GET',
    url: 'http://x',
    headers: {},
    timeout: 10_000,
  })
  t.throws(() => web.request(web.config.parse({ url: 'http://x', body: 'b' })), /only be used with POST or PUT/)
})

const success = (resultType: string, result: unknown, more: object = {}) =>
  reply({ status: 'success', data: { resultType, result }, ...more })

// biome-ignore format: a table reads best as a table
const queries: Record<string, readonly [answer: HttpReply, outcome: Outcome]> = {
  'a vector is a list of floats': [
    success('vector', [{ metric: {}, value: [1, '0.5'] }, { metric: {}, value: [1, 'NaN'] }]),
    { result: Float64Array.of(0.5, Number.NaN), value: '[0.5,NaN]' }],
  'no series are an empty list': [success('vector', []), { result: Float64Array.of(), value: '[]' }],
  'a scalar is a number': [success('scalar', [1, '3']), { result: 3, value: '3' }],
  'a matrix is one flat list': [
    success('matrix', [{ values: [[1, '1'], [2, '2']] }, { values: [[1, '3']] }]),
    { result: Float64Array.of(1, 2, 3), value: '[1,2,3]' }],
  'infinity and small numbers are written out': [
    success('vector', [{ value: [1, '+Inf'] }, { value: [1, '1e-7'] }, { value: [1, '1e21'] }]),
    { result: Float64Array.of(Number.POSITIVE_INFINITY, 1e-7, 1e21), value: '[+Inf,0.0000001,1000000000000000000000]' }],
  'warnings are kept': [
    success('scalar', [1, '1'], { warnings: ['slow'] }), { result: 1, value: '1', metadata: { warnings: 'slow' } }],
  'an error of the query is named': [
    reply({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400), { error: 'bad_data: parse error' }],
  'an answer of something else is named': [reply('<html>', 502), { error: 'prometheus answered 502: <html>' }],
  'a text cannot be measured': [success('string', [1, 'x']), { error: 'Prometheus metric type not supported' }],
}

for (const [name, [answer, outcome]] of Object.entries(queries)) {
  test(`prometheus: ${name}`, async t => {
    t.same(parse(prometheus as MetricProvider<unknown>, answer, { address: 'http://p', query: 'up' }), outcome)
  })
}

test('prometheus asks the query as a form, with the credentials it was given', async t => {
  const config = {
    address: 'http://prom:9090/base/',
    query: 'sum(rate(x[1m])) > 0',
    authentication: { basicAuth: { username: 'u', password: 'p' } },
  }
  t.same(prometheus.request(prometheus.config.parse(config)), {
    method: 'POST',
    url: 'http://prom:9090/base/api/v1/query',
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic dTpw' },
    body: 'query=sum%28rate%28x%5B1m%5D%29%29+%3E+0',
    timeout: 30_000,
  })
})

test('prometheus says what is missing or not supported', async t => {
  const ask = (config: object) => () => prometheus.request(prometheus.config.parse(config))
  t.throws(ask({}), /^prometheus address is not configured$/)
  t.throws(ask({ address: 'prom' }), /prometheus address is not is url format/)
  t.throws(ask({ address: 'http://p', rangeQuery: {} }), /rangeQuery is not supported/)
  t.throws(ask({ address: 'http://p', authentication: { oauth2: {} } }), /oauth2 is not supported/)
})
