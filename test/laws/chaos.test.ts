// A sample of what `npm run laws` plays by the thousand: any life of a rollout keeps the laws and comes to a good end.
import fc from 'fast-check'
import { test } from 'tap'
import { FOUND } from './found.ts'
import { lives } from './life.ts'
import { live } from './live.ts'

test('whatever people, pods and faults do, nothing unsafe is seen and the end is good', async t => {
  let deaths = 0
  const property = fc.asyncProperty(lives, async life => {
    const outcome = await live(life)
    deaths += outcome.deaths
    return outcome.breaches.length === 0 || t.strictSame(outcome.breaches, [])
  })
  const result = await fc.check(property, { seed: 20261126, numRuns: Number(process.env['RUNS'] ?? 40) })
  t.equal(result.failed, false, `seed ${result.seed}, path ${result.counterexamplePath}`)
  t.ok(deaths > 10, `the controller died ${deaths} times`)
})

for (const [name, life] of Object.entries(FOUND)) {
  test(`found by chance: ${name}`, async t => {
    t.strictSame((await live(life)).breaches, [])
  })
}
