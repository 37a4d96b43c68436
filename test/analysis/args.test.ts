// Arguments of analyses, where the tables of reference results do not go.
import { test } from 'tap'
import { ArgumentError, resolveMetric } from '../../src/analysis/args.ts'
import { rulesProblem, specProblem } from '../../src/analysis/check-spec.ts'
import type { Metric } from '../../src/api/analysis.ts'
import { argumentsFrom } from '../../src/rollout/run-arguments.ts'
import { mergeArguments, specOfTemplates } from '../../src/rollout/run-spec.ts'

const web = (fields: object): Metric => ({ name: 'm', provider: { web: { url: 'http://x' } }, ...fields }) as Metric

function resolved(metric: Metric, values: Readonly<Record<string, string>>): unknown {
  try {
    return resolveMetric(
      metric,
      Object.entries(values).map(([name, value]) => ({ name, value })),
    )
  } catch (error) {
    if (error instanceof ArgumentError) return error.message
    throw error
  }
}

test('placeholders', async t => {
  const rows: readonly (readonly [title: string, metric: Metric, values: Record<string, string>, wanted: unknown])[] = [
    ['an odd value that is not used does no harm', web({}), { a: '\u0007' }, web({})],
    [
      'what cannot be resolved is told before what cannot be written',
      web({ interval: '{{args.b}}' }),
      { a: '\u0007' },
      'failed to resolve {{args.b}}',
    ],
    [
      'the last placeholder is the last in the order of the API, not of the letters',
      web({ successCondition: '{{args.a}}', provider: { web: { url: '{{args.b}}' } }, count: '{{args.c}}' }),
      {},
      'failed to resolve {{args.b}}',
    ],
    [
      'any blank of Unicode is trimmed',
      web({ interval: '{{\u2003args.a\u00a0}}' }),
      { a: '1m' },
      web({ interval: '1m' }),
    ],
    [
      'no end at all',
      { name: 'm', provider: {}, consecutiveSuccessLimit: '{{args.a}' } as Metric,
      {},
      'Cannot find end tag="}}" in the template="{\\"name\\":\\"m\\",\\"provider\\":{},' +
        '\\"consecutiveSuccessLimit\\":\\"{{args.a}\\"}" starting from "args.a}\\"}"',
    ],
  ]
  for (const [title, metric, values, wanted] of rows) t.same(resolved(metric, values), wanted, title)
})

test('what is wrong with metrics', async t => {
  const rows: readonly (readonly [title: string, metrics: readonly Metric[], wanted: string | undefined])[] = [
    ['two of one name', [web({}), web({})], "metrics[1]: duplicate name 'm'"],
    [
      'limits that no count can reach',
      [web({ count: 3, interval: '1m', failureLimit: 2, consecutiveSuccessLimit: 2 })],
      'metrics[0]: count (3) must be >= failureLimit + consecutiveSuccessLimit (2 + 2) if both >= 0',
    ],
    [
      'a success limit that no count can reach',
      [web({ count: 1, failureLimit: -1, consecutiveSuccessLimit: 2 })],
      'metrics[0]: count must be >= consecutiveSuccessLimit',
    ],
    ['a limit below -1', [web({ failureLimit: -2 })], 'metrics[0]: failureLimit must be >= 0, or -1 to be disabled'],
    [
      'limits are looked at before the interval',
      [web({ interval: 'x', inconclusiveLimit: -1 })],
      'metrics[0]: inconclusiveLimit must be >= 0',
    ],
    [
      'two plugins are two providers',
      [web({ provider: { plugin: { 'a/b': {}, 'c/d': {} } } })],
      'metrics[0]: multiple providers specified',
    ],
    ['no plugin is none', [web({ provider: { plugin: {} } })], 'metrics[0]: no provider specified'],
  ]
  for (const [title, metrics, wanted] of rows) t.equal(specProblem({ metrics: [...metrics] }), wanted, title)
  t.equal(rulesProblem({ metrics: [web({})], dryRun: [{ metricName: '(?i)M' }] }), undefined, 'flags inside of a rule')
})

test('arguments of a rollout', async t => {
  const rollout = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'shop', labels: { b: '2', a: '"1"' } },
    spec: { paused: false, replicas: 0, progressDeadlineSeconds: 1234567, steps: [{ setWeight: 20 }] },
  }
  const from = (...paths: readonly string[]) =>
    argumentsFrom(
      rollout,
      { latest: 'n' },
      paths.map(fieldPath => ({ name: 'x', valueFrom: { fieldRef: { fieldPath } } })),
    )
  const value = (...values: readonly string[]) => ({ args: values.map(one => ({ name: 'x', value: one })) })
  t.same(from('spec.progressDeadlineSeconds'), value('1.234567e+06'), 'numbers as Go prints them')
  t.same(from('spec.replicas'), value('0'), 'zero, where it means something')
  t.same(from('spec.paused'), { problem: 'invalid path spec.paused in rollout' }, 'false is not there')
  t.same(from('spec.steps[x]'), { problem: "invalid index 'x'" }, 'an index that is none')
  t.same(from('metadata.labels'), value('a="\\"1\\""\nb="2"'), 'a whole map')
  t.same(from('spec.nothing', 'metadata.name'), value('', 'shop'), 'a later reference makes up for an earlier one')
  t.same(argumentsFrom(rollout, {}, [{ name: 'x' }]), value(''), 'no value is an empty text')
})

test('arguments and rules of templates', async t => {
  const secret = { secretKeyRef: { name: 's', key: 'k' } }
  const both = { args: [{ name: 'a', value: '1', valueFrom: secret }] }
  t.same(
    mergeArguments([{ name: 'a', value: '1' }], [{ name: 'a', valueFrom: secret }]),
    both,
    'value and source are kept',
  )
  const given = { dryRun: [{ metricName: 'x' }] }
  const built = specOfTemplates([{ metrics: [web({})], dryRun: [{ metricName: 'm' }] }], given)
  t.same(
    built,
    { spec: { metrics: [web({})], dryRun: [{ metricName: 'x' }, { metricName: 'm' }] } },
    'given rules first',
  )
  const twice = specOfTemplates([{ dryRun: [{ metricName: 'x' }] }], given)
  t.same(twice, { problem: "two Dry-Run metric rules have the same name 'x'" }, 'one rule from two places')
  const open = specOfTemplates([{ args: [{ name: 'a', valueFrom: secret }] }, { args: [{ name: 'a' }] }], {})
  t.same(open, { problem: 'args.a was not resolved' }, 'a later argument without a value takes the place of a secret')
})
