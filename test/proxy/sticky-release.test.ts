// Whole releases by the real controller in a virtual cluster, seen by 10,000 sticky users of its proxy: at each change
// of the table, of a Service or of its EndpointSlices, who would be served by which version?
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import type { KubeObject } from '../../src/contract.ts'
import { choose, findWay } from '../../src/proxy/choose.ts'
import { compile } from '../../src/proxy/compile.ts'
import { backendOf, SERVICE_NAME } from '../../src/proxy/endpoints.ts'
import { TABLE_KEY } from '../../src/proxy/source-kube.ts'
import { readTable } from '../../src/proxy/table.ts'
import { product } from '../../src/sim/product.ts'
import { verbActions } from '../../src/sim/verb.ts'
import { virtualStage } from '../../src/sim/virtual-stage.ts'
import type { World } from '../../src/sim/world.ts'
import { POD, SLICE, service, world } from '../kit/world.ts'
import { asked, freshMemory } from './choice-kit.ts'

const HASH = 'rollouts-pod-template-hash'
const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }
const SERVICE = { apiVersion: 'v1', kind: 'Service' }

const rollout = (image: string, config: object): KubeObject => ({
  ...ROLLOUT,
  metadata: { name: 'app' },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 8080 }] }] },
    },
    strategy: {
      canary: {
        stableService: 'app-stable',
        canaryService: 'app-canary',
        trafficRouting: { plugins: { 'pintle/proxy': config } },
        steps: [5, 10, 25, 50, 75].flatMap(setWeight => [{ setWeight }, { pause: { duration: '10s' } }]),
      },
    },
  },
})

/** A user: who he is, and the cookie that his browser keeps. */
type User = { name: string; cookie?: string }

/** Versions that a user may meet: those of all pods that his request could be sent to. */
function tableOf(w: World) {
  const text = (w.get(CONFIG_MAP, 'app-route') as { data?: Record<string, string> } | undefined)?.data?.[TABLE_KEY]
  if (text === undefined) return undefined
  const slices = Map.groupBy(w.list(SLICE, 'default'), s => `${s.metadata.labels?.[SERVICE_NAME]}`)
  const snapshot = compile(readTable(text, 'the ConfigMap'), memory, (name, port) => {
    const own = name.slice(name.indexOf('/') + 1)
    return backendOf(w.get(SERVICE, own), slices.get(own) ?? [], port)
  })
  const versionOf = (pod: string | undefined) => w.get(POD, pod ?? '')?.metadata.labels?.[HASH] ?? 'gone'
  const found = new Map<unknown, string>()
  return (user: User): string => {
    const headers = { 'x-user': user.name, ...(user.cookie === undefined ? {} : { cookie: user.cookie }) }
    const entry = findWay(snapshot, 80, asked({ headers }))!
    const dest = choose(entry, asked({ headers }))
    const [, value = '', rest = ''] =
      /^Set-Cookie: v=([^;]*)(.*)/.exec(entry.route.session?.line(entry, asked({ headers }), dest)?.toString() ?? '') ??
      []
    if (rest.includes('Max-Age=0')) delete user.cookie
    else if (value !== '') user.cookie = `v=${value}`
    const known = found.get(dest)
    if (known !== undefined) return known
    const versions = [...new Set(dest.endpoints.map(e => versionOf(e.pod)))].toSorted().join(' or ') || 'nobody'
    found.set(dest, versions)
    return versions
  }
}

let memory = freshMemory()

/** Watches users through everything that happens: who left a version for an older one, and what the shares were. */
function watchUsers(w: World, count: number, oldest: string) {
  const users: User[] = Array.from({ length: count }, (_, i) => ({ name: `user-${i}` }))
  let was: string[] = []
  let looks = 0
  const shares: number[] = []
  const flips: string[] = []
  /** The versions in the order in which they were released. */
  const order = [oldest]
  const look = (event: string) => {
    const at = tableOf(w)
    if (!at) return
    looks++
    const now = users.map(user => at(user))
    for (const version of new Set(now)) if (!order.includes(version)) order.push(version)
    for (const [i, version] of now.entries()) {
      const before = was[i]
      if (before !== undefined && order.indexOf(version) < order.indexOf(before))
        flips.push(`${users[i]!.name}: ${before} -> ${version} at ${event}`)
    }
    was = now
    const newest = now.filter(version => version === order.at(-1)).length / count
    if (shares.at(-1) !== newest) shares.push(newest)
  }
  const stop = w.server.onEvent(({ object }) => {
    if (['ConfigMap', 'Service', 'EndpointSlice'].includes(object.kind)) look(`${object.kind} ${object.metadata.name}`)
  })
  return { flips, shares, order, stop, looks: () => looks, versions: () => new Set(was), users }
}

async function begin(t: Parameters<typeof world>[0], config: object) {
  memory = freshMemory()
  const w = await world(t, { crds: crds(), controller: product() })
  await w.apply([service('app-stable'), service('app-canary'), rollout('example/app:v1', config)])
  await w.run(20)
  const [first = ''] = w.list(POD, 'default').map(p => p.metadata.labels?.[HASH] ?? '')
  return { w, first }
}

async function verb(w: World, text: string): Promise<void> {
  const stage = virtualStage(w, 'default')
  for (const action of verbActions(text, stage)) await stage.perform(action)
  await w.settle()
}

for (const [name, config] of [
  ['by a key', { sticky: { by: 'header', name: 'X-User' } }],
  ['by a session', { sticky: { session: { cookie: 'v' } } }],
  ['by a session that follows', { sticky: { session: { cookie: 'v', follow: true } } }],
] as const) {
  test(`10,000 users who stay ${name}: nobody ever goes back in two whole releases, not for a moment`, async t => {
    const { w, first } = await begin(t, config)
    const seen = watchUsers(w, 10_000, first)
    for (const version of ['v2', 'v3']) {
      await verb(w, `set image app app=example/app:${version}`)
      await w.run(180)
      t.equal(seen.versions().size, 1, `${version} has everybody`)
      t.ok(
        seen.users.every(({ cookie }) => cookie === undefined),
        'and nobody has a cookie any more',
      )
    }
    seen.stop()
    t.equal(seen.order.length, 3, seen.order.join(', '))
    t.same(seen.flips.slice(0, 5), [], `${seen.flips.length} flips in ${seen.looks()} looks`)
    t.ok(seen.looks() > 20)
    // Sessions that do not follow all began with the first weight, and end with the last.
    const wanted = name === 'by a session' ? [0.05, 1] : [0.05, 0.1, 0.25, 0.5, 0.75, 1]
    const shares = seen.shares.slice(1)
    t.equal(shares.length, 2 * wanted.length, shares.join(' '))
    for (const [i, share] of shares.entries())
      t.ok(
        Math.abs(share - wanted[i % wanted.length]!) < 0.02,
        `${share} where the weight is ${wanted[i % wanted.length]}`,
      )
  })

  test(`an abort takes users who stay ${name} back at once, a retry goes on`, async t => {
    const { w, first } = await begin(t, config)
    await verb(w, 'set image app app=example/app:v2')
    await w.run(25)
    const seen = watchUsers(w, 1000, first)
    await w.run(1)
    await verb(w, 'abort app')
    await w.run(1)
    t.same([...seen.versions()], [first])
    const flips = seen.flips.length
    await w.run(60)
    t.equal(seen.flips.length, flips, 'and leaves them there')
    await verb(w, 'retry rollout app')
    await w.run(180)
    seen.stop()
    t.equal(seen.versions().size, 1)
    t.not([...seen.versions()][0], first, 'the second try has everybody')
    t.equal(seen.flips.length, flips, 'and loses nobody')
  })
}
