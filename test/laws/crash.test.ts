// Law: killing the controller at any moment and starting it again loses nothing. A controller dies after its n-th
// write, before or after the server has heard it; another one takes over; the end is the same as without a death.
import fc from 'fast-check'
import { test } from 'tap'
import { playRelease, type Script, scripts } from '../kit/release.ts'
import { mortal, sound } from '../kit/wire.ts'

type Death = Readonly<{ after: number; heard: boolean }>

const live = (script: Script, deaths: readonly Death[]) =>
  playRelease(script, {
    wire(inner, _world, nth) {
      const death = deaths[nth]
      return death ? mortal(inner, death.after, death.heard) : sound(inner)
    },
  })

for (const script of scripts) {
  test(`${script.name}: any death of the controller leads to the same end`, async t => {
    const expected = await live(script, [])
    t.equal(expected.births, 1)
    const death = fc.record({ after: fc.integer({ min: 1, max: 14 }), heard: fc.boolean() })
    let deaths = 0
    await fc.assert(
      fc.asyncProperty(fc.array(death, { minLength: 1, maxLength: 4 }), async times => {
        const { end, births } = await live(script, times)
        deaths += births - 1
        t.strictSame(end, expected.end, `deaths ${JSON.stringify(times)}`)
        return t.passing()
      }),
      { seed: 20261124, numRuns: Number(process.env['RUNS'] ?? 25) },
    )
    t.ok(deaths > 20, `the controller died ${deaths} times`)
  })
}
