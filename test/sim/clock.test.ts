import { test } from 'tap'
import { seeded, systemClock, virtualClock } from '../../src/sim/clock.ts'
import { runTo, runUntil, settle } from '../../src/sim/settle.ts'

test('timers run in order of time, equal times in the order they were set', async t => {
  const clock = virtualClock(1000)
  const ran: string[] = []
  for (const [time, name] of [
    [1500, 'c'],
    [1200, 'a'],
    [1500, 'd'],
    [1300, 'b'],
    [1500, 'e'],
    [1900, 'late'],
  ] as const)
    clock.at(time, () => ran.push(`${name}@${clock.now()}`))
  clock.advanceTo(1600)
  t.same(ran, ['a@1200', 'b@1300', 'c@1500', 'd@1500', 'e@1500'])
  t.equal(clock.now(), 1600)
  t.equal(clock.next(), 1900)
})

test('a thousand timers set in a shuffled order run sorted', async t => {
  const clock = virtualClock(0)
  const random = seeded(7)
  const seen: number[] = []
  for (let i = 0; i < 1000; i++) clock.at(Math.floor(random() * 500), () => seen.push(clock.now()))
  clock.advanceTo(500)
  t.equal(seen.length, 1000)
  t.same(
    seen,
    [...seen].sort((a, b) => a - b),
  )
})

test('a cancelled timer neither runs nor counts as the next one', async t => {
  const clock = virtualClock(0)
  const cancel = clock.at(10, () => t.fail('cancelled'))
  clock.at(20, () => {})
  cancel()
  t.equal(clock.next(), 20)
  clock.advanceTo(30)
  t.equal(clock.next(), undefined)
})

test('a timer of the past runs at the present, and time never goes back', async t => {
  const clock = virtualClock(100)
  let ran = -1
  clock.at(5, () => {
    ran = clock.now()
  })
  clock.advanceTo(50)
  t.equal(ran, -1)
  t.equal(clock.now(), 100)
  clock.advanceTo(100)
  t.equal(ran, 100)
})

test('settling waits for promises that wait for promises', async t => {
  const clock = virtualClock(0)
  let done = false
  void (async () => {
    for (let i = 0; i < 100; i++) await Promise.resolve()
    done = true
  })()
  await settle(clock)
  t.ok(done)
})

test('ten hours of a timer that sets itself again pass without waiting', async t => {
  const clock = virtualClock(0)
  let ticks = 0
  const tick = () => {
    ticks++
    clock.at(clock.now() + 60_000, () => void Promise.resolve().then(tick))
  }
  tick()
  const began = performance.now()
  await runTo(clock, 36_000_000)
  t.equal(ticks, 601)
  t.equal(clock.now(), 36_000_000)
  t.ok(performance.now() - began < 5000)
})

test('running until something holds stops at the moment it does', async t => {
  const clock = virtualClock(0)
  let value = 0
  for (const time of [10, 20, 30]) clock.at(time, () => value++)
  t.equal(await runUntil(clock, () => value === 2, 1000), true)
  t.equal(clock.now(), 20)
  t.equal(await runUntil(clock, () => value === 9, 25), false)
  t.equal(clock.now(), 20)
})

test('a world that never rests is an error, not a hang', async t => {
  const clock = virtualClock(0)
  let version = 0
  const spin = () => {
    version++
    if (version < 50_000) setImmediate(spin)
  }
  spin()
  await t.rejects(
    settle(clock, () => version),
    /does not come to rest/,
  )
  version = 50_000
})

test('the same seed gives the same numbers, spread over the unit interval', async t => {
  const a = seeded(42)
  const b = seeded(42)
  const values = Array.from({ length: 1000 }, a)
  t.same(Array.from({ length: 1000 }, b), values)
  t.not(seeded(43)(), values[0])
  t.ok(values.every(v => v >= 0 && v < 1))
  const mean = values.reduce((sum, v) => sum + v) / 1000
  t.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`)
})

test('the system clock runs a timer once and can cancel it', async t => {
  const clock = systemClock()
  const cancel = clock.at(clock.now() + 1, () => t.fail('cancelled'))
  cancel()
  const before = clock.now()
  await new Promise<void>(resolve => clock.at(before + 15, resolve))
  t.ok(clock.now() >= before + 14)
})
