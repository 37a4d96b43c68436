// What proxies say about a route, read: do all serve the table, does anybody still have requests for a version.
import { test } from 'tap'
import { fuseTold, observeTold, underWayTold } from '../../adapters/traffic/_proxy-told.ts'
import type { Told } from '../../src/contract.ts'

const at = { namespace: 'shop', configMap: 'shop/web-route', generation: 7, route: 'shop/web' }
const dest = (hash: string, inFlight: number, tunnels = 0) => ({ role: 'x', hash, inFlight, tunnels })

/** A proxy's answer; `from` tells it apart. */
const proxy = (from: string, fields: object = {}, isServing = true): Told => {
  const said = { follows: 'shop', applied: { 'shop/web-route': 7 }, routes: [], former: [], ...fields }
  return { from, isServing, heard: { status: 200, headers: {}, body: JSON.stringify(said) } }
}
const silent = (from: string, isServing = true): Told => ({ from, isServing, heard: { error: 'connect timeout' } })
const html = (from: string): Told => ({ from, isServing: true, heard: { status: 200, headers: {}, body: '<html>' } })
const refusing: Told = { from: 'e:1', isServing: true, heard: { status: 503, headers: {}, body: '' } }

test('weights are verified when every proxy that follows the namespace serves the table', async t => {
  const behind = proxy('b:1', { applied: { 'shop/web-route': 6 } })
  const rows: readonly (readonly [why: string, told: readonly Told[], verified: boolean | null, again?: number])[] = [
    ['nobody is there', [], null],
    ['one serves it', [proxy('a:1')], true],
    ['a later table holds it too', [proxy('a:1', { applied: { 'shop/web-route': 9 } })], true],
    ['one of two is behind', [proxy('a:1'), behind], false, 200],
    ['one has not seen it', [proxy('a:1', { applied: {} })], false, 200],
    ['one does not answer', [proxy('a:1'), silent('c:1')], false, 2000],
    ['one answers with an error', [refusing], false, 2000],
    ['something else answers', [html('d:1')], false, 2000],
    ['one follows all namespaces', [proxy('a:1', { follows: '' })], true],
    ['one follows another namespace', [proxy('a:1'), proxy('b:1', { follows: 'other', applied: {} })], true],
    ['all follow other namespaces', [proxy('b:1', { follows: 'other', applied: {} })], null],
    ['one reads a file and follows none', [proxy('a:1', { follows: undefined, applied: {} })], null],
  ]
  for (const [why, told, verified, again] of rows) {
    const seen = observeTold(told, at)
    t.strictSame([seen.verified, seen.again], [verified, again], why)
  }
  const { reason } = observeTold([behind, silent('c:1')], at)
  t.equal(
    reason,
    'waits: proxy b:1 serves generation 6 of ConfigMap shop/web-route, not 7; proxy c:1 does not answer (connect timeout)',
  )
})

test('what proxies refuse, or leave nothing, is a complaint of the route', async t => {
  const refused = { configMap: 'shop/web-route', message: 'bad route table in ConfigMap shop/web-route: x' }
  const shadowed = { configMap: 'shop/web-route', route: 'shop/web', message: 'route shop/web gets nothing' }
  const others = [
    { ...refused, configMap: 'shop/other' },
    { ...shadowed, route: 'shop/second' },
  ]
  const behind = { applied: { 'shop/web-route': 6 }, faults: [...others, refused] }
  const a = observeTold([proxy('a:1', behind), proxy('b:1', behind)], at)
  t.match(a, { verified: false, again: 10_000, complaint: `proxy a:1, b:1 says: ${refused.message}` })
  const b = observeTold([proxy('a:1', { faults: [...others, shadowed] }), proxy('b:1', { faults: others })], at)
  t.match(b, { verified: true, complaint: `proxy a:1 says: ${shadowed.message}` })
  t.equal(observeTold([proxy('a:1', { faults: others })], at).complaint, undefined, "others' are not ours")
})

test('requests and tunnels of a version are counted over all proxies, in force or former', async t => {
  const old = { route: 'shop/web', ...dest('old', 2, 1) }
  const former = { former: [old, { ...old, route: 'shop/other' }, { ...old, hash: 'older' }] }
  const current = { routes: [{ name: 'shop/web', dests: [dest('old', 4), dest('new', 9)] }] }
  const rows: readonly (readonly [why: string, told: readonly Told[], count: number])[] = [
    ['nobody is there', [], 0],
    ['none', [proxy('a:1'), proxy('b:1', current, false)], 4],
    ['former and current', [proxy('a:1', former), proxy('b:1', current)], 7],
    ['one that leaves still has its own', [proxy('a:1', former, false)], 3],
    ['one that leaves need not know the last table', [proxy('a:1', { applied: {} }, false)], 0],
    ['one that serves and is behind may send more', [proxy('a:1', { applied: {} })], 1],
    ['a silent one may have some', [silent('a:1')], 1],
    ['a silent one that is gone has none', [silent('a:1', false)], 0],
  ]
  for (const [why, told, count] of rows) t.equal(underWayTold(told, at, 'shop/web', 'old').count, count, why)
  const { reason } = underWayTold([proxy('a:1', former), silent('b:1')], at, 'shop/web', 'old')
  t.equal(reason, 'proxy a:1 has 3 requests or tunnels under way; proxy b:1 does not answer (connect timeout)')
})

test('a fuse counts for the version that it blew for', async t => {
  const fuses = [{ route: 'shop/web', since: 1, why: '9 of 20 requests failed' }]
  const routes = [{ name: 'shop/web', dests: [dest('new', 0)] }]
  const text = 'the fuse of proxy a:1 blew: 9 of 20 requests failed'
  t.equal(fuseTold([proxy('a:1', { fuses, routes })], 'shop/web', 'new'), text)
  t.equal(fuseTold([proxy('a:1', { fuses, routes })], 'shop/web', 'newer'), undefined, 'another version')
  t.equal(fuseTold([proxy('a:1', { fuses, routes })], 'shop/else', 'new'), undefined, 'another route')
  t.equal(fuseTold([silent('a:1'), proxy('b:1', { routes })], 'shop/web', 'new'), undefined, 'whole')
})
