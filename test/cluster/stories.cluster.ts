// The recorded stories on a real API server, each in a namespace of its own, several at once. KUBECONFIG names the
// cluster, whose Pods a fake kubelet plays; arguments name the stories, all when there are none.
import { crds } from '../../src/api/crd.ts'
import { startController } from '../../src/controller/manager.ts'
import { loadKnown, loadProviders } from '../../src/controller/registry.ts'
import { createKube } from '../../src/kube/kube.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { undiciTransport } from '../../src/kube/undici.ts'
import type { Fetch, Log } from '../../src/ports.ts'
import { systemClock } from '../../src/sim/clock.ts'
import { clusterStage } from '../../src/sim/cluster-stage.ts'
import { compare, differenceText } from '../../src/sim/compare.ts'
import { judge } from '../../src/sim/exception.ts'
import { play, StoryStuck } from '../../src/sim/player.ts'
import type { Recording, Story } from '../../src/sim/story.ts'
import { EVERYWHERE, ON_A_CLUSTER } from '../kit/exceptions.ts'
import { loadStories } from '../kit/story-files.ts'
import { asShipped } from './as-shipped.ts'

const AT_ONCE = Number(process.env['AT_ONCE'] ?? 4)
const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const clock = systemClock()
const random = Math.random
const warn = (fields: Readonly<Record<string, unknown>>, message: string): void => {
  say(`  ${message}: ${JSON.stringify(fields)}`)
}
const log: Log = { debug() {}, info() {}, warn, error: warn }
const nowhere: Fetch = async request => {
  throw new Error(`stories ask nobody, but wanted ${request.url}`)
}

const access = await loadKubeconfig({})
const transport = undiciTransport(access)
const kube = createKube(transport, { clock, log })
for (const object of crds()) await kube.perform({ verb: 'create', object, why: 'the test' }).catch(() => undefined)
const [known, providers] = await Promise.all([loadKnown(), loadProviders()])
const shipped = await asShipped(transport, kube, access)
const controller = startController({
  transport: shipped.transport,
  clock,
  random,
  log,
  known,
  providers,
  fetch: nowhere,
})
await controller.ready

const wanted = process.argv.slice(2)
const waiting = loadStories().filter(story => wanted.length === 0 || wanted.includes(story.name))
let [passed, failed] = [0, 0]

/** The recording as if the namespace had the story's name, which messages quote. */
const renamed = (recording: Recording, from: string, to: string): Recording =>
  JSON.parse(JSON.stringify(recording).replaceAll(from, to)) as Recording

async function tell(story: Story, attempt: number): Promise<readonly string[]> {
  const namespace = `${story.name}-${process.pid}-${attempt}`
  const stage = await clusterStage({ transport, clock, random, log }, namespace, story.objects)
  try {
    const played = renamed(await play(story, stage), namespace, story.name)
    if (process.env['SHOW']) for (const entry of played.timeline) say(`    ${JSON.stringify(entry)}`)
    return judge(story.name, compare(story, played), [...EVERYWHERE, ...ON_A_CLUSTER]).unexplained.map(differenceText)
  } catch (error) {
    if (!(error instanceof StoryStuck)) throw error
    return [error.message]
  } finally {
    await stage.close()
  }
}

async function worker(): Promise<void> {
  for (let story = waiting.shift(); story; story = waiting.shift()) {
    const began = Date.now()
    const attempt = (nth: number) =>
      tell(story, nth).catch((error: unknown) => [error instanceof Error ? `${error.stack}` : `${error}`])
    const first = await attempt(1)
    // The clock is real and the machine may be busy: what differs must differ twice. The first try is shown all the same.
    const faults = first.length === 0 ? first : await attempt(2)
    if (faults.length === 0) passed++
    else failed++
    const seconds = ((Date.now() - began) / 1000).toFixed(1)
    const verdict = faults.length > 0 ? 'not ok' : first.length > 0 ? 'ok at the second try' : 'ok'
    say([`${verdict} ${story.name} (${seconds} s)`, ...(faults.length > 0 ? faults : first)].join('\n    '))
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, worker))
await controller.stop()
await shipped.transport.close()
// The role that we ship is enough for every story, and what it lacks is a failure.
for (const request of shipped.refused()) say(`not ok: the role refuses ${request}`)
if (shipped.refused().length > 0) failed++
else passed++
await transport.close()
say(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
