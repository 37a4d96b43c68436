// Laws of experiments over random specs, pods, answers and people: each comes to an end when it has one, nothing is left
// running or served behind it, and a world at rest is left alone.
import fc from 'fast-check'
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { Experiment } from '../../src/api/experiment.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { createWorld } from '../../src/sim/world.ts'
import { at, REPLICA_SET } from '../kit/world.ts'

const EXPERIMENT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Experiment' } as const
const REF = { ...EXPERIMENT, namespace: 'default', name: 'ex' }
const OVER = ['Successful', 'Failed', 'Error', 'Inconclusive']

const template = fc.record({
  replicas: fc.integer({ min: 0, max: 3 }),
  image: fc.constantFrom('example/app:v1', 'example/app:v1', 'example/app:does-not-exist'),
  service: fc.boolean(),
})
const analysis = fc.record({
  requiredForCompletion: fc.boolean(),
  count: fc.integer({ min: 1, max: 3 }),
  missing: fc.constantFrom(false, false, false, true),
})
const life = fc.record({
  templates: fc.array(template, { minLength: 1, maxLength: 3 }),
  analyses: fc.array(analysis, { maxLength: 2 }),
  duration: fc.option(fc.constantFrom('5s', '20s', '1m'), { nil: undefined }),
  scaleDownDelaySeconds: fc.option(fc.constantFrom(0, 5, 40), { nil: undefined }),
  answers: fc.array(fc.constantFrom(0.01, 0.01, 0.2, 0.7), { minLength: 1, maxLength: 4 }),
  acts: fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 40 }), act: fc.constantFrom('terminate', 'retry', 'scale', 'pods') }),
    { maxLength: 3 },
  ),
})
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never

function objectsOf({ templates, analyses, duration, scaleDownDelaySeconds }: Life): readonly KubeObject[] {
  const metric = (count: number) => ({
    name: 'errors',
    count,
    interval: '5s',
    successCondition: 'result < 0.05',
    failureCondition: 'result > 0.5',
    inconclusiveLimit: 1,
    provider: { web: { url: 'http://metrics/', jsonPath: '{$.rate}' } },
  })
  return [
    ...analyses.flatMap(({ count, missing }, i) =>
      missing
        ? []
        : [
            {
              apiVersion: 'argoproj.io/v1alpha1',
              kind: 'AnalysisTemplate',
              metadata: { name: `a${i}` },
              spec: { metrics: [metric(count)] },
            },
          ],
    ),
    {
      ...EXPERIMENT,
      metadata: { name: 'ex' },
      spec: {
        progressDeadlineSeconds: 30,
        ...(duration === undefined ? {} : { duration }),
        ...(scaleDownDelaySeconds === undefined ? {} : { scaleDownDelaySeconds }),
        templates: templates.map(({ replicas, image, service }, i) => ({
          name: `t${i}`,
          replicas,
          selector: { matchLabels: { run: `t${i}` } },
          template: {
            metadata: { labels: { run: `t${i}` } },
            spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 8080 }] }] },
          },
          ...(service ? { service: {} } : {}),
        })),
        analyses: analyses.map(({ requiredForCompletion }, i) => ({
          name: `a${i}`,
          templateName: `a${i}`,
          requiredForCompletion,
        })),
      },
    },
  ]
}

test('an experiment ends, cleans up behind it, and is then left alone', async t => {
  let ended = 0
  await fc.assert(
    fc.asyncProperty(life, async one => {
      let asked = 0
      const fetch = async () => {
        const rate = one.answers[Math.min(asked++, one.answers.length - 1)]
        return { status: 200, headers: {}, body: JSON.stringify({ rate }) }
      }
      const troubles: string[] = []
      const note = (fields: object, message: string) => troubles.push(`${message} ${JSON.stringify(fields)}`)
      const log = { debug() {}, info() {}, warn: note, error: note }
      const w = await createWorld({ crds: crds(), controller: product({ log, fetch }) })
      const live = () => w.get(EXPERIMENT, 'ex') as Experiment
      const sets = () => w.list(REPLICA_SET, 'default')
      try {
        await w.apply(objectsOf(one))
        for (const { after, act } of one.acts) {
          await w.run(after)
          if (act === 'terminate') w.server.patch(REF, 'merge', { spec: { terminate: true } })
          if (act === 'retry' && OVER.includes(live().status?.phase ?? ''))
            w.server.patch(REF, 'merge', { status: null })
          if (act === 'scale') {
            const [first, ...rest] = live().spec.templates
            w.server.patch(REF, 'merge', { spec: { templates: [{ ...first, replicas: 2 }, ...rest] } })
          }
          if (act === 'pods') {
            const pod = w.list({ apiVersion: 'v1', kind: 'Pod' }, 'default')[0]
            if (pod) w.server.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: pod.metadata.name })
          }
        }
        // Longer than any duration, deadline and delay together.
        await w.run(200)
        const { spec, status } = live()
        const isRequired = one.analyses.some(analysis => analysis.requiredForCompletion)
        const mustEnd = spec.duration !== undefined || spec.terminate === true || isRequired
        const isOver = OVER.includes(status?.phase ?? '')
        if (mustEnd) t.ok(isOver, `it ends: ${status?.phase} ${status?.message ?? ''}`)
        if (isOver) {
          ended += 1
          t.same(
            sets().map(set => at(set, 'spec.replicas')),
            sets().map(() => 0),
            'no pod is left',
          )
          t.same(
            w.list({ apiVersion: 'v1', kind: 'Service' }, 'default').filter(s => s.metadata.ownerReferences),
            [],
          )
          const runs = w.list({ apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }, 'default')
          t.ok(
            runs.every(run => OVER.includes(String(at(run, 'status.phase')))),
            'no analysis goes on',
          )
          t.ok(
            status?.templateStatuses?.every(one_ => one_.availableReplicas === 0),
            'and the status knows',
          )
        }
        const version = w.server.core.store.version()
        await w.run(100)
        if (isOver) t.equal(w.server.core.store.version(), version, 'nothing is written any more')
        t.same(troubles, [])
      } finally {
        await w.stop()
      }
      return t.passing()
    }),
    { seed: 20261126, numRuns: Number(process.env['RUNS'] ?? 60) },
  )
  t.ok(ended > 20, `${ended} came to an end`)
})
