// The client-side limit, in virtual time.
import { test } from 'tap'
import { limited } from '../../src/kube/limit.ts'
import type { ApiRequest, Transport } from '../../src/ports.ts'
import { virtualClock } from '../../src/sim/clock.ts'
import { runTo } from '../../src/sim/settle.ts'

function setUp(qps: number, burst: number) {
  const clock = virtualClock(0)
  const sent: [number, string][] = []
  const inner: Transport = {
    async request({ path }) {
      sent.push([clock.now(), path])
      return { status: 200, headers: {}, body: '' }
    },
    stream: async () => {
      throw new Error('no streams here')
    },
  }
  const wire = limited(inner, { qps, burst, clock })
  const ask = (path: string) => void wire.request({ method: 'POST', path } as ApiRequest)
  return { clock, sent, ask, run: (time: number) => runTo(clock, time, () => sent.length) }
}

test('a burst goes at once, the rest at the rate', async t => {
  const { sent, ask, run } = setUp(10, 3)
  for (let i = 0; i < 6; i++) ask(`/${i}`)
  await run(0)
  t.equal(sent.length, 3)
  await run(1000)
  t.same(
    sent.map(([at]) => at),
    [0, 0, 0, 100, 200, 300],
  )
})

test('what moves traffic overtakes Events that wait', async t => {
  const { sent, ask, run } = setUp(1, 1)
  for (const path of ['/a', '/api/v1/namespaces/x/events', '/apis/apps/v1/namespaces/x/replicasets/y', '/b']) ask(path)
  await run(5000)
  t.same(
    sent.map(([, path]) => path),
    ['/a', '/apis/apps/v1/namespaces/x/replicasets/y', '/b', '/api/v1/namespaces/x/events'],
  )
})
