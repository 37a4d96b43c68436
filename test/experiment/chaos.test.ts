// The laws of random lives (test/laws), for rollouts that have experiments among their steps.
import fc from 'fast-check'
import { test } from 'tap'
import { type Life, lives } from '../laws/life.ts'
import { live } from '../laws/live.ts'

type Canary = Readonly<{ steps?: readonly object[]; trafficRouting?: Readonly<Record<string, unknown>> }>

const experiment = fc.record({
  at: fc.integer({ min: 0, max: 5 }),
  duration: fc.option(fc.constantFrom('3s', '10s', '40s'), { nil: undefined }),
  scaleDownDelaySeconds: fc.option(fc.constantFrom(3, 20), { nil: undefined }),
  refs: fc.array(fc.constantFrom('stable', 'canary'), { minLength: 1, maxLength: 2 }),
  weight: fc.option(fc.constantFrom(1, 5, 10), { nil: undefined }),
})
type Wish = typeof experiment extends fc.Arbitrary<infer T> ? T : never

/** The life with an experiment among the steps of its canary; blue-green has none. Weights only where a router serves them. */
function withExperiment(life: Life, { at, refs, weight, ...rest }: Wish): Life {
  const { canary } = life.strategy.strategy as { canary?: Canary }
  if (!canary) return life
  const isServed = canary.trafficRouting?.['plugins'] !== undefined && weight !== undefined
  const templates = refs.map((specRef, i) => ({ name: `t${i}`, specRef, ...(isServed ? { weight } : {}) }))
  const step = JSON.parse(JSON.stringify({ experiment: { ...rest, templates } })) as object
  // The whole must not be given away: a full weight before an experiment with weights is refused, which others test.
  const steps = (canary.steps ?? []).filter(
    one => !(isServed && Number((one as { setWeight?: number }).setWeight) > 75),
  )
  const place = at % (steps.length + 1)
  const all = [...steps.slice(0, place), step, ...steps.slice(place)]
  const strategy = { ...life.strategy.strategy, canary: { ...canary, steps: all } }
  return { ...life, strategy: { ...life.strategy, strategy } }
}

test('whatever people, pods and faults do to a rollout with an experiment, nothing unsafe is seen and the end is good', async t => {
  let deaths = 0
  const any = fc.tuple(lives, experiment).map(([life, wish]) => withExperiment(life, wish))
  const property = fc.asyncProperty(any, async life => {
    const outcome = await live(life)
    deaths += outcome.deaths
    return outcome.breaches.length === 0 || t.strictSame(outcome.breaches, [])
  })
  const result = await fc.check(property, {
    seed: Number(process.env['SEED'] ?? 20261126),
    numRuns: Number(process.env['RUNS'] ?? 30),
  })
  if (result.failed) t.comment(JSON.stringify(result.counterexample))
  t.equal(result.failed, false, `seed ${result.seed}, path ${result.counterexamplePath}`)
  t.ok(deaths > 5, `the controller died ${deaths} times`)
})
