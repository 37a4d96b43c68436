// What a request meets that its pod fails: another pod, stable instead of the canary, or a clear end; and what the pods
// meet: never more than the budget, and one that failed is left alone for a while.
import { test } from 'tap'
import { newBudget, spend } from '../../src/proxy/retry.ts'
import { kubeSource } from '../../src/proxy/source-kube.ts'
import type { RouteTableInput } from '../../src/proxy/table.ts'
import { parseTable } from '../../src/proxy/table.ts'
import { ask, counted, deadPort, pod, proxy, rawPod } from './kit.ts'
import { podsOf } from './pods-kit.ts'

type RouteInput = NonNullable<RouteTableInput['routes']>[number]

/** A route of stable and canary with these fields. */
const route = (stable: string, canary: string, weight: number, more: Partial<RouteInput> = {}): RouteTableInput => ({
  routes: [
    {
      name: 'web',
      dests: [
        { role: 'stable', weight: 100 - weight, upstream: stable },
        { role: 'canary', weight, hash: 'new', upstream: canary },
      ],
      ...more,
    },
  ],
})

/** A pod that breaks off whatever it is asked. */
const crashing = (t: Parameters<typeof rawPod>[0]) =>
  rawPod(t, socket => void socket.on('data', () => socket.resetAndDestroy()))
/** A pod that takes everything and says nothing. */
const mute = (t: Parameters<typeof rawPod>[0]) => rawPod(t, () => {})

test('a request of the canary that fails is answered by stable and counted against the canary', async t => {
  const stable = await pod(t, 'stable')
  const dead = `http://127.0.0.1:${await deadPort()}`
  const broken = await pod(t, (_req, res) => res.writeHead(503).end('no'))
  const rows: readonly (readonly [
    why: string,
    canary: string,
    status: number,
    body: string | RegExp,
    more: Partial<RouteInput>,
    init?: object,
  ])[] = [
    ['nobody listens', dead, 200, 'stable', { rescue: {} }],
    [
      'nobody listens, and the request has a body',
      dead,
      200,
      'stable',
      { rescue: {} },
      { method: 'POST', body: 'abc' },
    ],
    ['it breaks off', (await crashing(t)).url, 200, 'stable', { rescue: {} }],
    [
      'it breaks off over a body: it may have been done',
      (await crashing(t)).url,
      502,
      /closed/,
      { rescue: {} },
      { method: 'POST', body: 'abc' },
    ],
    ['it is silent', (await mute(t)).url, 200, 'stable', { rescue: {}, timeouts: { attemptSeconds: 0.2 } }],
    ['it answers 503, which counts', broken.url, 200, 'stable', { rescue: { on: [503] } }],
    ['it answers 503, which does not count', broken.url, 503, 'no', { rescue: { on: [502] } }],
    ['nobody asked for rescue', dead, 502, /took the connection/, {}],
  ]
  for (const [why, canary, status, body, more, init] of rows) {
    const running = await proxy(t, { table: route(stable.url, canary, 100, more) })
    const answer = await ask(running.url, '/', init)
    t.equal(answer.status, status, why)
    if (typeof body === 'string') t.equal(answer.body, body, why)
    else t.match(answer.body, body, why)
    await counted(running, 1)
    const { byRole } = running.stats('web', 60)
    t.match(byRole, { canary: { requests: 1, errors: 1 } }, `${why}: the failure is the canary's`)
    t.notOk(byRole['stable']?.requests, `${why}: and no request of stable's`)
    const [, dest] = running.status().routes[0]!.dests
    t.equal(dest!.rescued, status === 200 ? 1 : 0, why)
  }
})

test('weights stay exact while the canary is rescued, and an analysis sees its failures', async t => {
  const stable = await pod(t, 'stable')
  const running = await proxy(t, { table: route(stable.url, (await crashing(t)).url, 30, { rescue: {} }) })
  for (let i = 0; i < 100; i++) t.equal((await ask(running.url)).body, 'stable')
  await counted(running, 100)
  t.match(running.stats('web', 60).byRole, {
    stable: { requests: 70, errors: 0 },
    canary: { requests: 30, errors: 30 },
  })
  t.match(
    (await ask(running.adminUrl, '/metrics')).body,
    /pintle_proxy_rescued_total\{route="web",role="canary".*\} 30/,
  )
})

test('a safe request goes to another pod of its version; one with a body does not', async t => {
  const good = await pod(t, 'good')
  const bad = await crashing(t)
  const { cache } = podsOf([good.port, bad.port])
  const running = await proxy(t, { source: kubeSource({ cache }) })
  for (let i = 0; i < 10; i++) t.equal((await ask(running.url)).body, 'good', 'the user sees nothing of it')
  const { retries, errors } = running.status().routes[0]!.dests[0]!
  t.ok(retries >= 1 && retries <= 3, `the bad pod is left alone after it failed (${retries} retries)`)
  t.equal(errors, 0)

  const all = podsOf([bad.port, (await crashing(t)).port, (await crashing(t)).port])
  const hopeless = await proxy(t, { source: kubeSource({ cache: all.cache }) })
  t.equal((await ask(hopeless.url)).status, 502, 'one further attempt, not all pods')
  t.equal(hopeless.status().routes[0]!.dests[0]!.retries, 1)
  t.equal((await ask(hopeless.url, '/', { method: 'POST', body: 'x' })).status, 502)
  t.equal(hopeless.status().routes[0]!.dests[0]!.retries, 1, 'a body is sent once')
})

test('time limits: one for an attempt, one for all, one for silence in an answer', async t => {
  const good = await pod(t, 'good')
  const silent = await mute(t)
  const { cache, setRoute } = podsOf([good.port, silent.port])
  setRoute({ timeouts: { attemptSeconds: 0.2, answerSeconds: 1 } })
  const running = await proxy(t, { source: kubeSource({ cache }) })
  for (let i = 0; i < 4; i++) t.equal((await ask(running.url)).body, 'good', 'another pod after the attempt')

  const alone = await proxy(t, {
    table: route(silent.url, silent.url, 0, { timeouts: { attemptSeconds: 0.1, answerSeconds: 0.5 } }),
  })
  const started = performance.now()
  t.match(await ask(alone.url), { status: 504, body: /no answer in time/ })
  t.ok(performance.now() - started >= 490, 'with nobody else to ask the pod has the whole time')

  const stuck = await rawPod(t, socket => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'))
  })
  const half = await proxy(t, { table: route(stuck.url, stuck.url, 0, { timeouts: { silenceSeconds: 0.2 } }) })
  await t.rejects(ask(half.url), 'an answer that stops is broken off, not ended')
  await counted(half, 1)
  t.match(half.stats('web', 60).byRole['stable'], { requests: 1, errors: 1 })
})

test('further attempts stay within the budget', t => {
  const budget = newBudget()
  let now = 1_000_000
  const take = (requests: number) => {
    let n = 0
    while (n < 1000 && spend(budget, 20, requests, now)) n++
    return n
  }
  t.equal(take(1000), 230, 'a fifth of a thousand requests, and three a second')
  t.equal(take(1000), 0, 'no more')
  now += 9000
  t.equal(take(1000), 0, 'nor nine seconds later')
  now += 1000
  t.equal(take(0), 30, 'a quiet route has its few')
  now += 5000
  t.equal(take(1000), 200, 'what was used within ten seconds counts')
  t.end()
})

test('a brown-out is not made worse: the pods get the budget and no more', async t => {
  const bad = [await crashing(t), await crashing(t)]
  const { cache } = podsOf(bad.map(b => b.port))
  const running = await proxy(t, { source: kubeSource({ cache }) })
  for (let i = 0; i < 200; i++) await ask(running.url)
  const { retries } = running.status().routes[0]!.dests[0]!
  t.ok(retries <= 30 + 0.2 * 200, `${retries} further attempts at 200 requests`)
})

test('a table says what it wants, or is refused', async t => {
  const parse = (more: object) => parseTable(route('http://a:1', 'http://b:1', 10, more as Partial<RouteInput>), 'test')
  t.same(parse({}).routes[0]!.retry, { attempts: 1, budgetPercent: 20 })
  for (const bad of [
    { retry: { attempts: 6 } },
    { retry: { budgetPercent: -1 } },
    { retry: { tries: 1 } },
    { rescue: { on: [404] } },
    { rescue: true },
    { timeouts: { attemptSeconds: 0 } },
    { timeouts: { seconds: 5 } },
  ])
    t.throws(() => parse(bad), { code: 'PIN4001' }, JSON.stringify(bad))
  const one = { routes: [{ name: 'w', dests: [{ role: 'stable', weight: 100, upstream: 'http://a:1' }], rescue: {} }] }
  t.throws(() => parseTable(one, 'test'), /rescue: needs destinations with the roles stable and canary/)
})
