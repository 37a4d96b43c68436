// What a spec refers to and how it is told, where the reference's tables have no vector for it.
import { test } from 'tap'
import { references } from '../tables/validation-refs.ts'

const app = { app: 'demo' }
const metrics = (name: string) => [{ name, provider: { web: { url: 'http://x' } } }]
const template = (name: string, spec: object, kind = 'AnalysisTemplate') => ({ kind, metadata: { name }, spec })
const ofCluster = (name: string, spec: object) => template(name, spec, 'ClusterAnalysisTemplate')
const named = (templateName: string, clusterScope = false) => ({
  templateName,
  ...(clusterScope ? { clusterScope } : {}),
})

/** What is told of a canary with an analysis in its only step. */
function told(templates: readonly object[], objects: readonly object[], canary: object = {}): unknown {
  const strategy = { canary: { steps: [{ analysis: { templates } }], ...canary } }
  const rollout = { metadata: { name: 'demo' }, spec: { template: { metadata: { labels: app } }, strategy } }
  return references.answer({ name: '', want: [], rollout, objects })
}

const AT = 'spec.strategy.canary.steps[0].analysis.templates: Invalid value:'

test('templates of the cluster come last, and each is taken once', async t => {
  const objects = [
    ofCluster('c', { metrics: metrics('m'), templates: [named('b')] }),
    template('a', { metrics: metrics('a'), templates: [named('b')] }),
    template('b', { metrics: metrics('m') }),
  ]
  t.same(told([named('c', true), named('a')], objects), [
    `${AT} "templateNames: [b a c]": two metrics have the same name 'm'`,
  ])
})

test('templates that name each other are fine', async t => {
  const objects = ['a', 'b'].map(name =>
    template(name, { metrics: metrics(name), templates: [named(name === 'a' ? 'b' : 'a')] }),
  )
  t.same(told([named('a')], objects), [])
})

test('the first template that is missing is told of, however deep', async t => {
  const objects = [template('a', { metrics: metrics('a'), templates: [named('gone')] })]
  t.same(told([named('a'), named('away')], objects), [
    `spec.templates: Invalid value: "gone": AnalysisTemplate 'gone' not found`,
  ])
})

test('an argument has a value or a source', async t => {
  const args = [{ name: 'x', value: '1', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]
  t.same(told([named('a')], [template('a', { metrics: metrics('a'), args })]), [
    `${AT} "a": AnalysisTemplate a: arg 'x' has both Value and ValueFrom fields`,
  ])
})

test('an argument of two templates: a value wins, otherwise the last', async t => {
  const valueFrom = { secretKeyRef: { name: 's', key: 'k' } }
  const both = (first: object, second: object) =>
    told(
      [named('a'), named('b')],
      [
        template('a', { metrics: metrics('a'), args: [{ name: 'x', ...first }] }),
        template('b', { metrics: metrics('b'), args: [{ name: 'x', ...second }] }),
      ],
    )
  t.same(both({ value: '1' }, {}), [])
  t.same(both({}, { value: '1' }), [])
  t.same(both({ value: '1' }, { value: '1', valueFrom }), [
    `${AT} "b": AnalysisTemplate b: arg 'x' has both Value and ValueFrom fields`,
  ])
  t.same(both({ valueFrom }, {}), [`${AT} "templateNames: [a b]": args.x was not resolved`])
})

test('rules of a background run are not those of the steps', async t => {
  const dryRun = [{ metricName: 'm' }, { metricName: 'm' }]
  const objects = [template('a', { metrics: metrics('a') })]
  t.same(told([named('a')], objects, { analysis: { templates: [named('a')], dryRun } }), [])
})

const route = (...hosts: readonly string[]) => ({ route: hosts.map(host => ({ destination: { host } })) })

/** What is told of a canary behind Istio. */
function behind(virtualService: object, spec: object): unknown {
  const canary = {
    steps: [],
    stableService: 's',
    canaryService: 'c',
    trafficRouting: { istio: { virtualService: { name: 'v', ...virtualService } } },
  }
  const services = ['s', 'c'].map(name => ({ kind: 'Service', metadata: { name }, spec: { selector: app } }))
  const apiVersion = 'networking.istio.io/v1alpha3'
  return told([], [...services, { apiVersion, kind: 'VirtualService', metadata: { name: 'v' }, spec }], canary)
}

const V = 'spec.strategy.canary.trafficRouting.istio.virtualService.name: Invalid value: "v":'

test('Istio: of several routes, what is wrong with the one that may be meant comes first', async t => {
  t.same(behind({}, { http: [{ name: 'a', ...route('x') }, route('s')] }), [
    `${V} Istio VirtualService has invalid HTTP routes. Error: Canary Service 'c' not found in route`,
  ])
  const several =
    'spec.http[] should be set in VirtualService and it must have exactly one route when omitting spec.strategy.canary.trafficRouting.istio.virtualService.routes'
  t.same(behind({}, { http: [{ name: 'a', ...route('x') }, route('s', 'c')] }), [
    `${V} Istio VirtualService has invalid HTTP routes. Error: ${several}`,
  ])
  t.same(behind({}, { http: [] }), [])
})

test('Istio: each TCP route that is wanted must be there', async t => {
  const tcp = [{ match: [{ port: 80 }], ...route('s', 'c') }]
  t.same(behind({ tcpRoutes: [{ port: 80 }] }, { tcp }), [])
  t.same(behind({ tcpRoutes: [{ port: 80 }, { port: 81 }] }, { tcp }), [
    `${V} Istio VirtualService has invalid TCP routes. Error: No matching TCP routes found in the defined Virtual Service.`,
  ])
})

test('Istio: routes that are no list are none', async t => {
  t.same(behind({}, { http: 'x' }), [
    `${V} Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService`,
  ])
})
