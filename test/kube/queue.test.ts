// The work queue: coalescing, exclusion, back-off, rechecks, and that a bad key is nobody else's trouble.
import { test } from 'tap'
import { ApiError } from '../../src/kube/errors.ts'
import { createQueue, type QueueOptions } from '../../src/kube/queue.ts'
import { seeded, virtualClock } from '../../src/sim/clock.ts'
import { runTo } from '../../src/sim/settle.ts'

function bench(run: QueueOptions<string>['run'], options: Partial<QueueOptions<string>> = {}) {
  const clock = virtualClock(0)
  const ran: [string, number][] = []
  const failed: [string, number][] = []
  const queue = createQueue<string>({
    clock,
    random: seeded(1),
    concurrency: 2,
    keyText: key => key,
    run: (key, signal) => {
      ran.push([key, clock.now()])
      return run(key, signal)
    },
    onError: (key, _, failures) => failed.push([key, failures]),
    ...options,
  })
  return { clock, queue, ran, failed, keys: () => ran.map(([key]) => key), to: (time: number) => runTo(clock, time) }
}

/** A run that lasts until it is told to go on. */
function gate() {
  const open: (() => void)[] = []
  return { run: () => new Promise<object>(done => open.push(() => done({}))), next: () => open.shift()?.() }
}

test('a key added many times before it runs, runs once', async t => {
  const { queue, keys, to } = bench(async () => ({}))
  for (let i = 0; i < 100; i++) queue.add('a')
  t.same(keys(), [], 'add runs nobody’s code itself')
  await to(0)
  t.same(keys(), ['a'])
  t.notOk(queue.busy())
})

test('a key is never run twice at once; what came meanwhile runs once afterwards', async t => {
  const work = gate()
  const { queue, keys, to } = bench(work.run)
  queue.add('a')
  await to(0)
  queue.add('a')
  queue.add('a')
  await to(1)
  t.same(keys(), ['a'])
  t.equal(queue.depth(), 1)
  work.next()
  await to(2)
  t.same(keys(), ['a', 'a'])
  work.next()
  await to(3)
  t.same(keys(), ['a', 'a'])
  t.notOk(queue.busy())
})

test('no more runs at once than the concurrency, first come first served', async t => {
  const work = gate()
  const { queue, keys, to } = bench(work.run)
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
  await to(0)
  t.same(keys(), ['a', 'b'])
  work.next()
  await to(1)
  t.same(keys(), ['a', 'b', 'c'])
})

test('low priority waits for all others, and is raised by a normal add', async t => {
  const work = gate()
  const { queue, keys, to } = bench(work.run, { concurrency: 1 })
  queue.add('first')
  for (const key of ['x', 'y', 'z']) queue.add(key, 'low')
  queue.add('b')
  queue.add('z')
  for (let i = 0; i < 5; i++) {
    await to(i)
    work.next()
  }
  await to(9)
  t.same(keys(), ['first', 'b', 'z', 'x', 'y'])
})

test('a failing key comes back after 1 ms, 2 ms, 4 ms … 10 s, within 10 %', async t => {
  const { queue, ran, failed, to } = bench(async () => {
    throw new Error('no')
  })
  queue.add('a')
  await to(60_000)
  const gaps = ran.slice(1).map(([, at], i) => at - ran[i]![1])
  for (const [i, gap] of gaps.entries()) {
    const due = Math.min(10_000, 2 ** i)
    t.ok(gap >= due * 0.9 && gap <= due * 1.1, `${gap} ms after failure ${i + 1}`)
  }
  t.equal(queue.failures('a'), ran.length)
  t.same(failed.at(-1), ['a', ran.length])
})

test('a success forgets the failures', async t => {
  let isBad = true
  const { queue, to } = bench(async () => {
    if (isBad) throw new Error('no')
    return {}
  })
  queue.add('a')
  await to(100)
  isBad = false
  await to(20_000)
  t.equal(queue.failures('a'), 0)
  t.notOk(queue.busy())
})

test('Retry-After of a failed request is honoured', async t => {
  const { queue, ran, to } = bench(async () => {
    throw new ApiError(429, 'TooManyRequests', 'later', { method: 'GET', path: '/' }, {}, 7000)
  })
  queue.add('a')
  await to(7001)
  t.same(ran, [['a', 0], ['a', 7000]]) // biome-ignore format: pairs
})

test('a recheck happens at its time, and a later result replaces it', async t => {
  const { queue, ran, clock, to } = bench(async () => (clock.now() === 0 ? { recheckAt: 5000 } : {}))
  queue.add('a')
  await to(1000)
  t.same(ran.length, 1)
  queue.add('a')
  await to(10_000)
  t.same(ran, [['a', 0], ['a', 1000]], 'the second run asked for none') // biome-ignore format: pairs
  queue.addAt('a', 12_000)
  queue.addAt('a', 20_000)
  queue.add('a')
  await to(12_000)
  t.same(ran.at(-1), ['a', 12_000], 'a wish outlives results, the earlier one counts')
})

test('a recheck in the past is now', async t => {
  const { queue, ran, clock, to } = bench(async () => (clock.now() < 3 ? { recheckAt: clock.now() + 1 } : {}))
  queue.addAt('a', -5)
  await to(100)
  t.same(ran.map(([, at]) => at), [0, 1, 2, 3]) // biome-ignore format: short
})

test('a result that wants to be looked at again at once waits a moment, so that nobody runs in circles', async t => {
  const { queue, ran, clock, to } = bench(async () => ({ recheckAt: clock.now() }))
  queue.add('a')
  await to(350)
  t.same(ran.map(([, at]) => at), [0, 100, 200, 300]) // biome-ignore format: short
})

test('a handler that throws at once affects nobody else', async t => {
  const { queue, keys, to } = bench(key => {
    if (key === 'bad') throw new Error('sync')
    return Promise.resolve({})
  })
  for (const key of ['bad', 'a', 'b', 'c']) queue.add(key)
  await to(0)
  t.same(keys(), ['bad', 'a', 'b', 'c'])
})

test('callbacks that throw affect nobody', async t => {
  const oops = () => {
    throw new Error('mine')
  }
  const { queue, keys, to } = bench(() => Promise.reject(new Error('no')), { onError: oops, onDone: oops })
  queue.add('a')
  queue.add('b')
  await to(1)
  t.ok(keys().filter(key => key === 'a').length >= 2)
  t.ok(keys().filter(key => key === 'b').length >= 2)
})

test('runs that never return are told to stop, lose their slots, and their keys stay theirs', async t => {
  let told = 0
  const { queue, keys, to } = bench((key, signal) => {
    if (!key.startsWith('stuck')) return Promise.resolve({})
    signal.addEventListener('abort', () => told++)
    return new Promise(() => {})
  })
  for (const key of ['stuck1', 'stuck2', 'a', 'b']) queue.add(key)
  await to(59_999)
  t.same(keys(), ['stuck1', 'stuck2'])
  await to(60_000)
  t.same(keys(), ['stuck1', 'stuck2', 'a', 'b'])
  t.equal(told, 2)
  t.equal(queue.overdue(), 2)
  queue.add('stuck1')
  await to(600_000)
  t.equal(keys().length, 4, 'not started beside itself')
})

test('ten thousand keys with some bad ones: every good key runs exactly once', async t => {
  const { queue, keys, to } = bench(async key => {
    if (key.endsWith('7')) throw new Error('no')
    return {}
  })
  for (let i = 0; i < 10_000; i++) queue.add(`k${i}`)
  await to(0)
  const good = keys().filter(key => !key.endsWith('7'))
  t.equal(good.length, 9000)
  t.equal(new Set(good).size, 9000)
})

test('stopping lets running work finish, starts nothing more, and then gives up', async t => {
  const work = gate()
  const signals: AbortSignal[] = []
  const { queue, keys, to } = bench((_, signal) => {
    signals.push(signal)
    return work.run()
  })
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await to(0)
  let isOver = false
  const stopped = queue.stop(20_000).then(() => {
    isOver = true
  })
  work.next()
  await to(1000)
  t.notOk(isOver, 'b still runs')
  t.notOk(signals[1]?.aborted)
  await to(20_000)
  await stopped
  t.ok(signals[1]?.aborted)
  queue.add('d')
  await to(30_000)
  t.same(keys(), ['a', 'b'])
})

test('waiting and working times are told', async t => {
  const work = gate()
  const told: object[] = []
  const { queue, to } = bench(work.run, { concurrency: 1, onDone: (key, run) => told.push({ key, ...run }) })
  queue.add('a')
  queue.add('b')
  await to(50)
  work.next()
  await to(80)
  work.next()
  await to(90)
  t.same(told, [
    { key: 'a', waited: 0, took: 50, failed: false },
    { key: 'b', waited: 50, took: 30, failed: false },
  ])
})
