import { test } from 'tap'
import web from '../../adapters/metrics/web.ts'
import { reconcileAnalysis } from '../../src/analysis/reconcile.ts'
import type { AnalysisRun } from '../../src/api/analysis.ts'
import type { EventNote, HttpReply, HttpRequest, KubeObject } from '../../src/contract.ts'
import type { Kube, Log, Lookup } from '../../src/ports.ts'
import { objectWorld } from '../kit/object-world.ts'

const START = Date.parse('2024-05-01T12:00:00Z')
const KEY = { namespace: 'shop', name: 'run' }
const REF = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun', ...KEY }
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }

type Answer = number | string | Error

/** A run in a small world, with a metric endpoint that gives these answers in turn, the last again and again. */
function setUp(spec: object, answers: readonly Answer[], others: readonly KubeObject[] = []) {
  const run = { apiVersion: REF.apiVersion, kind: REF.kind, metadata: { ...KEY }, spec } as unknown as KubeObject
  const world = objectWorld([run, ...others])
  const events: string[] = []
  const requests: HttpRequest[] = []
  let now = START
  const left = [...answers]
  const fetch = async (request: HttpRequest): Promise<HttpReply> => {
    requests.push(request)
    const answer = left.length > 1 ? left.shift()! : left[0]!
    if (answer instanceof Error) throw answer
    if (typeof answer === 'number') return { status: answer, headers: {}, body: '' }
    return { status: 200, headers: {}, body: answer }
  }
  const kube: Kube = {
    get: async ref => world.seen(ref) ?? Promise.reject(Object.assign(new Error('not found'), { reason: 'NotFound' })),
    list: async () => ({ items: [], resourceVersion: '1' }),
    perform: async action => world.apply(action),
  }
  const cache: Lookup = { get: world.seen, list: () => [], ownedBy: () => [] }
  const clock = { now: () => now, at: () => () => {} }
  const record = (_about: KubeObject, event: EventNote) => events.push(`${event.type} ${event.reason}`)
  const look = () =>
    reconcileAnalysis(KEY, { kube, cache, clock, log: quiet, fetch, record }, { providers: { web: web as never } })
  return {
    events,
    requests,
    advance: (seconds: number) => {
      now += seconds * 1000
    },
    look,
    run: () => world.seen(REF) as AnalysisRun | undefined,
    at: (seconds: number) => START + seconds * 1000,
  }
}

const metric = (fields: object = {}, provider: object = {}) => ({
  name: 'errors',
  provider: { web: { url: 'http://metrics/{{args.app}}', jsonPath: '{$.rate}', ...provider } },
  successCondition: 'result < 0.05',
  ...fields,
})
const args = [{ name: 'app', value: 'cart' }]

test('one good measurement ends a run without interval', async t => {
  const { look, run, requests, events } = setUp({ metrics: [metric()], args }, ['{"rate": 0.01}'])
  t.same(await look(), {})
  t.equal(requests[0]?.url, 'http://metrics/cart', 'the argument is put in')
  t.match(run()?.status, {
    phase: 'Successful',
    startedAt: '2024-05-01T12:00:00Z',
    completedAt: '2024-05-01T12:00:00Z',
    runSummary: { count: 1, successful: 1 },
    metricResults: [
      { name: 'errors', phase: 'Successful', count: 1, measurements: [{ phase: 'Successful', value: '0.01' }] },
    ],
  })
  t.same(events, ['Normal MetricSuccessful', 'Normal AnalysisRunSuccessful'])
})

test('a metric with an interval is looked at again when it is due, and not before', async t => {
  const spec = { metrics: [metric({ interval: '30s', count: 2 })], args }
  const { look, run, requests, advance, at } = setUp(spec, ['{"rate": 0.01}'])
  t.same(await look(), { recheckAt: at(30) + 1 })
  advance(10)
  t.same(await look(), { recheckAt: at(30) + 1 })
  t.equal(requests.length, 1, 'too early for a second measurement')
  advance(21)
  t.same(await look(), {})
  t.equal(run()?.status?.phase, 'Successful')
})

test('a failure over the limit fails the run and says why', async t => {
  const { look, run, events } = setUp({ metrics: [metric()], args }, ['{"rate": 0.2}'])
  await look()
  t.match(run()?.status, {
    phase: 'Failed',
    message: 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)',
  })
  t.same(events, ['Warning MetricFailed', 'Warning AnalysisRunFailed'])
})

test('an endpoint that does not answer is an error that is tried again after 10 s', async t => {
  const { look, run, advance, at } = setUp({ metrics: [metric()], args }, [
    new Error('connect ECONNREFUSED'),
    '{"rate": 0}',
  ])
  t.same(await look(), { recheckAt: at(10) + 1 })
  t.match(run()?.status?.metricResults, [
    { phase: 'Running', error: 1, measurements: [{ message: 'connect ECONNREFUSED' }] },
  ])
  advance(11)
  t.same(await look(), {})
  t.equal(run()?.status?.phase, 'Successful')
})

test('errors in a row beyond the limit end the run', async t => {
  const spec = { metrics: [metric({ consecutiveErrorLimit: 0 })], args }
  const { look, run } = setUp(spec, [503])
  await look()
  const reason = 'Metric "errors" assessed Error due to consecutiveErrors (1) > consecutiveErrorLimit (0)'
  t.match(run()?.status, { phase: 'Error', message: `${reason}: "Error Message: received non 2xx response code: 503"` })
})

test('a condition that cannot be evaluated is an error with its text', async t => {
  const { look, run } = setUp({ metrics: [metric({ successCondition: 'result.x > 1' })], args }, ['{"rate": 0.2}'])
  await look()
  const message = 'could not evaluate successCondition "result.x > 1": type float64 has no field x'
  t.match(run()?.status?.metricResults, [{ measurements: [{ phase: 'Error', message }] }])
})

test('a wrong spec is refused before anything is asked', async t => {
  const { look, run, requests } = setUp({ metrics: [metric({ interval: '5' })], args }, ['{}'])
  await look()
  t.match(run()?.status, {
    phase: 'Error',
    message: 'Analysis spec invalid: metrics[0]: invalid interval string: time: missing unit in duration "5"',
  })
  t.same(requests, [])
})

test('a missing argument ends the run', async t => {
  const { look, run } = setUp({ metrics: [metric()] }, ['{}'])
  await look()
  t.match(run()?.status, {
    phase: 'Error',
    message: 'Unable to resolve metric arguments: failed to resolve {{args.app}}',
  })
})

const secret = (data: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'shop', name: 'creds' },
  data,
})
const fromSecret = [{ name: 'app', valueFrom: { secretKeyRef: { name: 'creds', key: 'token' } } }]

test('a secret is read when it is needed and hidden in messages', async t => {
  const data = { token: Buffer.from('s3cr3t').toString('base64') }
  const answer = new Error('no route to http://metrics/s3cr3t')
  const { look, run, requests } = setUp({ metrics: [metric()], args: fromSecret }, [answer], [secret(data)])
  await look()
  t.equal(requests[0]?.url, 'http://metrics/s3cr3t')
  t.match(run()?.status?.metricResults, [{ measurements: [{ message: 'no route to http://metrics/*****' }] }])
})

test('a secret without the key ends the run', async t => {
  const { look, run } = setUp({ metrics: [metric()], args: fromSecret }, ['{}'], [secret({})])
  await look()
  t.equal(run()?.status?.message, "Unable to resolve metric arguments: key 'token' does not exist in secret 'creds'")
})

test('an unknown provider is an error that names the known ones', async t => {
  const unknown = { name: 'm', provider: { plugin: { 'acme/none': {} } } }
  const { look, run } = setUp({ metrics: [unknown] }, ['{}'])
  await look()
  const message = "no valid provider in metric 'm': 'acme/none' is none of web"
  t.match(run()?.status?.metricResults, [{ measurements: [{ phase: 'Error', message }] }])
})

test('a terminated run measures no more and is Successful', async t => {
  const { look, run, requests } = setUp({ metrics: [metric({ interval: '30s' })], args, terminate: true }, ['{}'])
  await look()
  t.match(run()?.status, { phase: 'Successful', message: 'Run Terminated' })
  t.same(requests, [])
})

test('a settled look writes nothing', async t => {
  const { look, run } = setUp({ metrics: [metric({ interval: '30s' })], args }, ['{"rate": 0.01}'])
  await look()
  const before = run()
  await look()
  t.equal(run(), before, 'the very same object')
})

test('a run is deleted once its time to live has passed', async t => {
  const spec = { metrics: [metric()], args, ttlStrategy: { secondsAfterSuccess: 60 } }
  const { look, run, advance, at } = setUp(spec, ['{"rate": 0}'])
  await look()
  advance(60)
  t.same(await look(), { recheckAt: at(61) })
  t.ok(run(), 'kept for the whole time')
  advance(1)
  t.same(await look(), {})
  t.equal(run(), undefined)
})

test('a run that is gone is nothing to do', async t => {
  const { look, run } = setUp({ metrics: [metric()], args, ttlStrategy: { secondsAfterSuccess: -1 } }, ['{"rate": 0}'])
  await look()
  await look()
  t.equal(run(), undefined)
  t.same(await look(), {})
})
