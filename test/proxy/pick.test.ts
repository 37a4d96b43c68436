// The weighted choice: exact at every prefix, never at 0, always at total, and no pattern to fall into.
import fc from 'fast-check'
import { test } from 'tap'
import { keepOnly, type Lags, newLags, pick, type Side } from '../../src/proxy/pick.ts'

const two = (canary: number, total: number): Side[] => [
  { key: 'stable', weight: total - canary },
  { key: 'canary', weight: canary },
]

/** How far each side strays from its share, at worst, over n requests; `shares` collects over calls. */
function worst(lags: Lags, sides: readonly Side[], total: number, n: number, owed: Map<string, number>): number {
  let far = 0
  for (let i = 0; i < n; i++) {
    const at = pick(lags, sides, total)
    for (const [j, side] of sides.entries()) {
      const now = (owed.get(side.key) ?? 0) + side.weight / total - (j === at ? 1 : 0)
      owed.set(side.key, now)
      far = Math.max(far, Math.abs(now))
    }
  }
  return far
}

test('two sides are less than one request from their share after every request, however the weights move', async () => {
  const step = fc.record({
    total: fc.constantFrom(100, 1000, 7, 1_000_000),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    n: fc.integer({ min: 1, max: 400 }),
  })
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { minLength: 1, maxLength: 8 }), (seed, steps) => {
      const lags = newLags(seed)
      const owed = new Map<string, number>()
      // A change of total rounds each lag by less than one unit of the new total.
      return steps.every(s => worst(lags, two(Math.round(s.part * s.total), s.total), s.total, s.n, owed) < 1 + 8 / 7)
    }),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }), (seed, weights) => {
      const lags = newLags(seed)
      const owed = new Map<string, number>()
      return weights.every(w => worst(lags, two(w, 1000), 1000, 300, owed) < 1 + 1e-9)
    }),
    { numRuns: 200 },
  )
})

test('up to six sides with still weights are less than one request from their share', async () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 }),
      (seed, weights) => {
        const total = weights.reduce((a, b) => a + b, 0)
        fc.pre(total > 0)
        const sides = weights.map((weight, i) => ({ key: `${i}`, weight }))
        return worst(newLags(seed), sides, total, 600, new Map()) < 1 + 1e-9
      },
    ),
    { numRuns: 200 },
  )
})

test('many sides whose weights move stay within two requests', async () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 80 })), {
        minLength: 1,
        maxLength: 10,
      }),
      (seed, steps) => {
        const lags = newLags(seed)
        const owed = new Map<string, number>()
        return steps.every(([a, b, c, n]) => {
          const sides = [a, b, c, 100 - a - b - c].map((weight, i) => ({ key: `${i}`, weight }))
          return worst(lags, sides, 100, n, owed) < 2
        })
      },
    ),
    { numRuns: 300 },
  )
})

test('0 is never and total is always, from the next request on and whatever went before', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 99 }), fc.nat(500), (seed, weight, before) => {
      const lags = newLags(seed)
      for (let i = 0; i < before; i++) pick(lags, two(weight, 100), 100)
      for (let i = 0; i < 300; i++) if (pick(lags, two(0, 100), 100) !== 0) return false
      for (let i = 0; i < 300; i++) if (pick(lags, two(100, 100), 100) !== 1) return false
      return true
    }),
  )
})

test('the same seed and weights give the same choices', async t => {
  const run = (seed: number) => {
    const lags = newLags(seed)
    return Array.from({ length: 200 }, () => pick(lags, two(30, 100), 100)).join('')
  }
  t.equal(run(7), run(7))
  t.not(run(7), run(8), 'another process does not move in step')
})

test('a client that always sends the same number of requests meets the canary at every position alike', async t => {
  for (const [weight, period] of [
    [20, 5],
    [50, 2],
    [25, 4],
    [10, 10],
    [10, 5],
  ] as const) {
    const lags = newLags(1)
    const hits = new Array(period).fill(0)
    const rounds = 20_000
    for (let i = 0; i < rounds * period; i++) hits[i % period] += pick(lags, two(weight, 100), 100)
    for (const [position, n] of hits.entries())
      t.ok(
        Math.abs(n / rounds - weight / 100) < 0.02,
        `weight ${weight}, position ${position} of ${period}: ${n / rounds}`,
      )
  }
})

test('many processes that have each seen few requests show the weight together', async t => {
  let canary = 0
  for (let seed = 0; seed < 2000; seed++) {
    const lags = newLags(seed * 7919)
    for (let i = 0; i < 7; i++) canary += pick(lags, two(5, 100), 100)
  }
  t.ok(Math.abs(canary - 700) < 90, `about 700 of 14000, got ${canary}`)
})

test('a side that goes leaves what it was owed to the others', async t => {
  const lags: Lags = { ...newLags(1), total: 100 }
  for (const [key, units] of [
    ['stable', -60],
    ['canary', -20],
    ['extra', 80],
  ] as const)
    lags.lag.set(key, { units, of: lags })
  keepOnly(lags, new Set(['stable', 'canary']))
  t.same(
    [...lags.lag].map(([key, { units }]) => [key, units]),
    [
      ['stable', 20],
      ['canary', -20],
    ],
  )
})
