// The step plugin pintle/http: what it posts, and what answers mean.
import { test } from 'tap'
import http from '../../adapters/steps/http.ts'
import type { StepOperation } from '../../src/contract.ts'

const of = {
  rollout: { namespace: 'shop', name: 'app', uid: 'u', revision: 2 },
  stableHash: 'old',
  canaryHash: 'new',
  index: 1,
  status: { ticket: 7 },
}

test('the question tells the operation, the rollout, what was kept, and the data of the spec', async t => {
  const config = http.config.parse({
    url: 'http://gate/step',
    headers: [{ key: 'x-team', value: 'shop' }],
    data: { env: 'prod' },
    timeoutSeconds: 3,
  })
  const { body, ...request } = http.request('Run', config, of)
  t.same(request, {
    method: 'POST',
    url: 'http://gate/step',
    headers: { 'content-type': 'application/json', 'x-team': 'shop' },
    timeout: 3000,
  })
  t.same(JSON.parse(body ?? ''), { operation: 'Run', ...of, data: { env: 'prod' } })
})

type Case = readonly [operation: StepOperation, status: number, body: string, want: unknown]

// biome-ignore format: a table reads best as a table
const answers: Readonly<Record<string, Case>> = {
  'a phase is taken as it is': ['Run', 200, '{"phase":"Failed","message":"no"}', { phase: 'Failed', message: 'no' }],
  'seconds become milliseconds': ['Run', 200, '{"requeueAfterSeconds":45,"status":{"a":1}}', { requeueAfter: 45_000, status: { a: 1 } }],
  'nothing said well is a success': ['Run', 204, '', { phase: 'Successful' }],
  'accepted is not done': ['Run', 202, '', { phase: 'Running' }],
  'an abort that is accepted is done': ['Abort', 202, '', { phase: 'Successful' }],
  'another status is no answer': ['Run', 503, '', 'received non 2xx response code: 503'],
  'text is no answer': ['Run', 200, 'ok', 'the answer is no JSON'],
  'a phase that does not exist is no answer': ['Run', 200, '{"phase":"Done"}', /^the answer's phase: Invalid option/],
}

for (const [name, [operation, status, body, want]] of Object.entries(answers)) {
  test(name, async t => {
    const config = http.config.parse({ url: 'http://gate/step' })
    const read = () => http.parse({ status, headers: {}, body }, operation, config)
    if (typeof want === 'string' || want instanceof RegExp) t.throws(read, { message: want })
    else t.same(read(), want)
  })
}
