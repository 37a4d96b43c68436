// Which pod of a version gets a request: the less busy of two, but one that failed is spared, longer each time, and a new
// one is eased in.
import { test } from 'tap'
import { dialAsIs } from '../../src/proxy/dial.ts'
import { endpointAt } from '../../src/proxy/endpoints.ts'
import { createPools } from '../../src/proxy/engine/pools.ts'

const SETTLED = 10_000

/** Pods by port, at a time of the test's. */
function world(...ports: number[]) {
  let now = 1
  const pools = createPools(dialAsIs, () => now)
  const endpoints = ports.map(port => endpointAt('127.0.0.1', port))
  const choose = () => pools.choose(endpoints, undefined)!
  const pool = (port: number) => pools.choose([endpoints.find(e => e.port === port)!], undefined)!
  /** How many of `n` requests each port gets, when each is answered at once. */
  const shares = (n: number) => {
    const got: Record<number, number> = Object.fromEntries(endpoints.map(e => [e.port, 0]))
    for (let i = 0; i < n; i++) got[choose().port]! += 1
    return got
  }
  const settle = () => {
    for (const { port } of endpoints) pool(port)
    now += SETTLED
  }
  return {
    choose,
    pool,
    shares,
    settle,
    add: (port: number) => void endpoints.push(endpointAt('127.0.0.1', port)),
    pass: (ms: number) => {
      now += ms
    },
    now: () => now,
  }
}

test('all alike get alike; a busy one gets less', t => {
  const w = world(1, 2, 3)
  w.settle()
  t.same(w.shares(300), { 1: 100, 2: 100, 3: 100 })
  w.pool(2).inFlight = 5
  t.equal(w.shares(300)[2], 0)
  t.end()
})

test('one that failed is spared for a second, then two, then four, and at most a minute', t => {
  const w = world(1, 2)
  w.settle()
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    w.pool(1).avoid(w.now())
    w.pass(seconds * 1000 - 1)
    t.equal(w.shares(10)[1], 0, `${seconds} s`)
    w.pass(1)
    t.ok(w.shares(10)[1]! > 0, `${seconds} s are over`)
  }
  w.pool(1).failures = 0
  w.pool(1).avoid(w.now())
  w.pass(1000)
  t.ok(w.shares(10)[1]! > 0, 'an answer begins the count anew')
  t.end()
})

test('after that it gets one request at a time until it has answered', t => {
  const w = world(1, 2)
  w.settle()
  w.pool(1).avoid(w.now())
  w.pass(1000)
  w.pool(1).inFlight = 1
  w.pool(2).inFlight = 50
  t.equal(w.shares(10)[1], 0, 'one is under way')
  w.pool(1).failures = 0
  t.equal(w.shares(10)[1], 10, 'it has answered')
  t.end()
})

test('when all have failed, all are tried', t => {
  const w = world(1, 2)
  w.settle()
  w.pool(1).avoid(w.now())
  w.pool(2).avoid(w.now())
  const { 1: one, 2: two } = w.shares(10)
  t.ok(one! > 0 && two! > 0)
  t.end()
})

test('a new pod is eased in over five seconds', t => {
  const w = world(1, 2)
  w.settle()
  t.same(w.shares(2), { 1: 1, 2: 1 })
  w.add(3)
  const shares: number[] = []
  for (let second = 0; second <= 5; second++) {
    shares.push(w.shares(300)[3]!)
    w.pass(1000)
  }
  t.ok(shares[0]! > 0 && shares[0]! < 30, `a few at first: ${shares}`)
  t.ok(
    shares.every((n, i) => i === 0 || n >= shares[i - 1]!),
    `more and more: ${shares}`,
  )
  t.equal(shares.at(-1), 100, 'then as many as the others')
  t.end()
})
