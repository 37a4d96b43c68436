// The requests of the recorded stories, asked of the embedded API server and of a real one: both must answer alike.
// KUBECONFIG names the real one; arguments name the stories, all when there are none.
import { crds } from '../../src/api/crd.ts'
import { directTransport } from '../../src/apiserver/direct.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Transport } from '../../src/ports.ts'
import { seeded, systemClock } from '../../src/sim/clock.ts'
import type { Story } from '../../src/sim/story.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { loadStories } from '../kit/story-files.ts'
import { differing, recordRequests, replayRequests } from '../kit/story-requests.ts'

const say = (text: string): boolean => process.stdout.write(`${text}\n`)

const real = undiciTransport(await loadKubeconfig({}))
const call = (to: Transport, method: 'POST' | 'DELETE', path: string, object?: unknown) =>
  to.request({
    method,
    path,
    ...(object === undefined ? {} : { body: JSON.stringify(object), contentType: 'application/json' }),
  })
const NAMESPACES = '/api/v1/namespaces'

/** A fresh embedded server with our kinds. */
async function embedded(): Promise<Transport> {
  const transport = directTransport(createApiServer({ clock: systemClock({ unref: true }), random: seeded(7) }))
  for (const crd of crds())
    await call(transport, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
  return transport
}

async function compare(story: Story): Promise<Readonly<{ asked: number; faults: readonly string[] }>> {
  const worlds: World[] = []
  const make = async (controller: NonNullable<Parameters<typeof createWorld>[0]>['controller']) => {
    const world = await createWorld({ crds: crds(), ...(controller ? { controller } : {}) })
    worlds.push(world)
    return world
  }
  const exchanges = await recordRequests(story, make)
  for (const world of worlds) await world.stop()
  const namespace = `replay-${story.name}-${process.pid}`
  const replay = async (to: Transport) => {
    await call(to, 'POST', NAMESPACES, { metadata: { name: namespace } })
    return replayRequests(exchanges, story.name, to, namespace)
  }
  try {
    const [ours, theirs] = [await replay(await embedded()), await replay(real)]
    const faults = differing(theirs, ours).flatMap(({ request, paths }) => paths.map(path => `${request} ${path}`))
    return { asked: exchanges.length, faults }
  } finally {
    await call(real, 'DELETE', `${NAMESPACES}/${namespace}`)
  }
}

for (const crd of crds()) await call(real, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd)
const wanted = process.argv.slice(2)
let [passed, failed] = [0, 0]
/** A mesh's kinds are served by neither of the two servers: nothing can be compared. */
const needsMesh = ({ objects }: Story): boolean => objects.some(({ apiVersion }) => apiVersion.includes('istio.io'))
for (const story of loadStories().filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  if (needsMesh(story)) {
    say(`left out ${story.name}: its mesh's kinds are served by neither server`)
    continue
  }
  const { asked, faults } = await compare(story)
  if (faults.length === 0) passed++
  else failed++
  const verdict = `${faults.length === 0 ? 'ok' : 'not ok'} ${story.name}: ${asked} requests`
  say([verdict, ...faults.slice(0, 20)].join('\n    '))
}
await real.close()
say(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
