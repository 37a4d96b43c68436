// The requests of recorded stories, asked again of fresh servers: called directly and over HTTP the answers are the
// same. On a real API server the same requests are judged by test/cluster/differential.cluster.ts.
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import type { Transport } from '../../src/ports.ts'
import { seeded, systemClock } from '../../src/sim/clock.ts'
import { loadStories } from '../kit/story-files.ts'
import { differing, recordRequests, replayRequests } from '../kit/story-requests.ts'
import { world } from '../kit/world.ts'
import { httpBackend } from './kit/backends.ts'

const CHOSEN = ['bg-manual', 'canary-abort-retry', 'nginx-steps']

async function prepare(transport: Transport, namespace: string): Promise<void> {
  const create = (path: string, object: unknown) =>
    transport.request({ method: 'POST', path, body: JSON.stringify(object), contentType: 'application/json' })
  for (const crd of crds()) await create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  await create('/api/v1/namespaces', { metadata: { name: namespace } })
}

for (const story of loadStories().filter(({ name }) => CHOSEN.includes(name))) {
  test(`${story.name}: its requests are answered alike by every door of the embedded server`, async t => {
    const exchanges = await recordRequests(story, controller => world(t, { crds: crds(), controller }))
    t.ok(exchanges.length > 20, `${exchanges.length} requests`)
    const direct = directTransport(createApiServer({ clock: systemClock({ unref: true }), random: seeded(7) }))
    const http = await httpBackend()
    t.teardown(() => http.close())
    await Promise.all([prepare(direct, 'replay-direct'), prepare(http.transport, 'replay-http')])
    const one = await replayRequests(exchanges, story.name, direct, 'replay-direct')
    const two = await replayRequests(exchanges, story.name, http.transport, 'replay-http')
    t.same(differing(one, two), [])
    const refused = Object.entries(one).filter(([, answer]) => (answer as { status: number }).status >= 400)
    const expected = exchanges.filter(({ response }) => response.status >= 400).length
    t.equal(refused.length, expected, 'what was taken is taken again')
  })
}
