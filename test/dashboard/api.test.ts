// The dashboard's API as browsers and scripts see it: routes, streams, verbs, and who is turned away.
import { request } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { directTransport } from '../../src/apiserver/direct.ts'
import { type DashboardOptions, startDashboard } from '../../src/dashboard/server.ts'
import type { World } from '../../src/sim/world.ts'
import { cliWorld, storyObjects } from '../cli/kit.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }

type Answer = Readonly<{ status: number; text: string; headers: Readonly<Record<string, unknown>> }>

/** A request with exactly these headers; `fetch` would not send a foreign Host. */
function ask(url: string, method = 'GET', headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { connection: 'close', ...headers } }, reply => {
      let text = ''
      reply.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, text, headers: reply.headers }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function opened(t: Test, world: World, options: Partial<DashboardOptions> = {}) {
  const transport = directTransport(world.server)
  const dashboard = await startDashboard({ transport, clock: world.clock, port: 0, namespace: 'shop', ...options })
  t.teardown(() => dashboard.close())
  return { dashboard, api: `${dashboard.url}/rollouts/api/v1` }
}

async function paused(t: Test): Promise<World> {
  const world = await cliWorld(t)
  await world.apply(storyObjects('canary-steps', 'cart'), 'shop')
  await world.run(10)
  const ref = { ...ROLLOUT, namespace: 'shop', name: 'cart' }
  const patch = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'example/app:v2' }]
  world.server.patch(ref, 'json', patch)
  await world.run(10)
  return world
}

const json = (answer: Answer) => JSON.parse(answer.text)
const statusOf = (world: World) => world.get(ROLLOUT, 'cart', 'shop')?.['status'] as Record<string, unknown>

test('what is there is told as Argo tells it', async t => {
  const { api } = await opened(t, await paused(t), { version: 'v9' })
  t.strictSame(json(await ask(`${api}/version`)), { rolloutsVersion: 'v9', readOnly: false })
  t.strictSame(json(await ask(`${api}/namespace`)), { namespace: 'shop', availableNamespaces: ['shop'] })
  const info = json(await ask(`${api}/rollouts/shop/cart/info`))
  const { status, message, icon, strategy, step, setWeight, actualWeight, desired, updated, restartedAt } = info
  t.strictSame(
    { status, message, icon, strategy, step, setWeight, actualWeight, desired, updated, restartedAt },
    {
      status: 'Paused',
      message: 'CanaryPauseStep',
      icon: '॥',
      strategy: 'Canary',
      step: '1/4',
      setWeight: '25',
      actualWeight: '25',
      desired: 4,
      updated: 1,
      restartedAt: 'Never',
    },
  )
  t.strictSame(
    info.replicaSets.map((set: Record<string, unknown>) => [set['revision'], set['canary'], set['stable']]),
    [
      [2, true, undefined],
      [1, undefined, true],
    ],
    'newest first; what is not so is left out',
  )
  t.equal('experiments' in info, false, 'empty lists are left out')
  t.strictSame(json(await ask(`${api}/rollouts/shop/info`)).rollouts, [info])
  t.strictSame(json(await ask(`${api}/rollouts/*/info`)).rollouts, [info])
  t.strictSame(json(await ask(`${api}/rollouts/other/info`)), { rollouts: [] })
})

test('the buttons write what the verbs write', async t => {
  const world = await paused(t)
  const { api } = await opened(t, world)
  const press = (path: string, body = '{}') =>
    ask(`${api}/rollouts/shop/cart/${path}`, 'PUT', { 'content-type': 'application/json' }, body)

  const promoted = json(await press('promote'))
  t.equal(promoted.kind, 'Rollout', 'the reply is the rollout')
  await world.run(5)
  t.equal(statusOf(world)['currentStepIndex'], 3)
  t.equal((await press('abort')).status, 200)
  await world.run(5)
  t.equal(statusOf(world)['abort'], true)
  t.equal((await press('retry')).status, 200)
  await world.run(5)
  t.notOk(statusOf(world)['abort'])
  t.equal((await press('promote', '{"full":true}')).status, 200)
  await world.run(10)
  t.equal(statusOf(world)['phase'], 'Healthy')
  t.equal((await press('undo/1')).status, 200)
  await world.run(5)
  t.equal(statusOf(world)['phase'], 'Paused')
  t.equal((await press('set/cart/registry.example/team/app/v3')).status, 200)
  const spec = world.get(ROLLOUT, 'cart', 'shop')?.['spec'] as Record<string, never>
  t.match(spec['template'], { spec: { containers: [{ image: 'registry.example/team/app:v3' }] } })
  t.equal((await press('restart')).status, 200)
  t.match(world.get(ROLLOUT, 'cart', 'shop')?.['spec'], { restartAt: /^2026-01-01T00:\d\d:\d\dZ$/ })
})

test('what cannot be done is answered with a reason', async t => {
  const { api } = await opened(t, await paused(t))
  // biome-ignore format: a table reads best as a table
  const table: Record<string, [string, string, number, string]> = {
    'an unknown rollout': ['GET', 'rollouts/shop/missing/info', 404, 'rollout.argoproj.io "missing" not found'],
    'an unknown rollout to act on': ['PUT', 'rollouts/shop/missing/abort', 404, 'rollouts.argoproj.io "missing" not found'],
    'an unknown path': ['GET', 'nothing', 404, 'Not Found'],
    'an unknown verb': ['PUT', 'rollouts/shop/cart/delete', 404, 'Not Found'],
    'a verb that is only looked at': ['GET', 'rollouts/shop/cart/abort', 405, 'Method Not Allowed: use PUT'],
    'a revision that is gone': ['PUT', 'rollouts/shop/cart/undo/99', 400, 'unable to find specified revision 99 in history'],
    'a revision that is none': ['PUT', 'rollouts/shop/cart/undo/one', 400, 'invalid revision one'],
    'a container that is none': ['PUT', 'rollouts/shop/cart/set/web/app/v2', 400, 'unable to find container named "web"'],
  }
  for (const [name, [method, path, status, message]] of Object.entries(table)) {
    const answer = await ask(`${api}/${path}`, method)
    t.same([answer.status, json(answer).message], [status, message], name)
  }
  const broken = await ask(`${api}/rollouts/shop/cart/promote`, 'PUT', {}, '{full')
  t.same([broken.status, json(broken).message], [400, 'the body is not JSON'])
})

test('other pages and rebound names are turned away', async t => {
  const world = await paused(t)
  const { api, dashboard } = await opened(t, world, { allowHosts: ['pintle.example'] })
  const abort = `${api}/rollouts/shop/cart/abort`
  const own = `127.0.0.1:${dashboard.port}`
  // biome-ignore format: a table reads best as a table
  const table: Record<string, [string, string, Record<string, string>, number]> = {
    'a name that somebody points at us': ['GET', `${api}/version`, { host: 'evil.example' }, 403],
    'a name that we were given': ['GET', `${api}/version`, { host: 'pintle.example' }, 200],
    'localhost on any port': ['GET', `${api}/version`, { host: 'localhost:9999' }, 200],
    'a press from another page': ['PUT', abort, { origin: 'http://evil.example' }, 403],
    'a press from another port of this machine': ['PUT', abort, { host: own, origin: 'http://127.0.0.1:1' }, 403],
    'a press that the browser calls cross-site': ['PUT', abort, { 'sec-fetch-site': 'cross-site' }, 403],
    'a press from our page': ['PUT', abort, { host: own, origin: `http://${own}`, 'sec-fetch-site': 'same-origin' }, 200],
  }
  for (const [name, [method, url, headers, status]] of Object.entries(table)) {
    t.equal((await ask(url, method, headers)).status, status, name)
    if (status === 403) t.notOk(statusOf(world)['abort'], 'nothing was done')
  }
  t.match((await ask(`${dashboard.url}/rollouts/`)).headers['content-security-policy'], /default-src 'self'/)
})

test('a read-only dashboard shows and does nothing', async t => {
  const world = await paused(t)
  const { api } = await opened(t, world, { readOnly: true })
  const answer = await ask(`${api}/rollouts/shop/cart/abort`, 'PUT')
  t.same([answer.status, json(answer).message], [403, 'this dashboard is read-only'])
  t.notOk(statusOf(world)['abort'])
  t.equal((await ask(`${api}/rollouts/shop/cart/info`)).status, 200)
})

test('the page is served at its root, below it and nowhere else', async t => {
  const { dashboard } = await opened(t, await cliWorld(t, { controller: false }), { rootPath: '/ops/pintle/' })
  const at = (path: string, headers = {}) => ask(`${dashboard.url}${path}`, 'GET', headers)
  t.match(await at('/'), { status: 302, headers: { location: '/ops/pintle/' } })
  const page = await at('/ops/pintle/')
  t.match(page, { status: 200, text: '<base href="/ops/pintle/">' })
  t.equal((await at('/ops/pintle/rollout/shop/cart')).text, page.text, 'a bookmark shows the page')
  t.equal((await at('/ops/pintle/app.js')).headers['content-type'], 'text/javascript; charset=utf-8')
  t.equal((await at('/ops/pintle/', { 'if-none-match': String(page.headers['etag']) })).status, 304)
  t.equal((await at('/ops/pintle/../../server.ts')).status, 404)
  t.equal((await at('/ops/pintle/nothing.js')).status, 404)
  t.equal((await at('/rollouts/')).status, 404)
})

/** Reads a stream; `next` gives its next frame once it has come. */
function reading(t: Test, url: string, accept: string) {
  let text = ''
  const sent = request(url, { headers: { accept } }, reply => {
    reply.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    reply.on('error', () => {})
  })
  sent.on('error', () => {})
  sent.end()
  t.teardown(() => void sent.destroy())
  const mark = accept.includes('event-stream') ? '\n\n' : '\n'
  return async (): Promise<string> => {
    while (!text.includes(mark)) await turn()
    const [frame = ''] = text.split(mark)
    text = text.slice(frame.length + mark.length)
    return frame
  }
}

test('a stream tells what is there and then every change', async t => {
  const world = await paused(t)
  const { api } = await opened(t, world)
  const list = reading(t, `${api}/rollouts/shop/info/watch`, 'text/event-stream')
  const one = reading(t, `${api}/rollouts/shop/cart/info/watch`, 'application/json')
  t.equal(await list(), 'retry: 1000')
  t.match(JSON.parse((await list()).replace('data: ', '')), {
    result: { type: 'Updated', rolloutInfo: { status: 'Paused' } },
  })
  t.equal(await list(), 'event: ready\ndata: {}')
  t.match(JSON.parse(await one()), { result: { objectMeta: { name: 'cart' }, status: 'Paused' } })

  const ref = { ...ROLLOUT, namespace: 'shop', name: 'cart' }
  world.server.patch(ref, 'merge', { spec: { paused: true } })
  await world.run(1)
  t.match(JSON.parse((await list()).replace('data: ', '')).result.rolloutInfo, { message: 'manually paused' })
  t.match(JSON.parse(await one()).result, { message: 'manually paused' })
  world.server.remove(ref)
  await world.run(1)
  let last = await list()
  while (!last.includes('Deleted')) last = await list()
  t.match(JSON.parse(last.replace('data: ', '')), {
    result: { type: 'Deleted', rolloutInfo: { objectMeta: { name: 'cart' } } },
  })
})

test('a port that is taken is said so', async t => {
  const world = await cliWorld(t, { controller: false })
  const { dashboard } = await opened(t, world)
  const again = startDashboard({ transport: directTransport(world.server), clock: world.clock, port: dashboard.port })
  await t.rejects(again, { code: 'PIN5001', message: `port ${dashboard.port} on 127.0.0.1 is in use` })
})
