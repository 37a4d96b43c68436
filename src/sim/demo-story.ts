// What the demo does by itself: a blue-green release, a canary, and a bad version that is taken back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rollout } from '../api/rollout.ts'
import type { KubeObject } from '../contract.ts'
import { planPromote } from '../rollout/promote.ts'
import { blueGreen, canary, ship } from './demo-manifests.ts'
import type { DemoWorld } from './demo-world.ts'
import type { SimPod } from './lifecycle.ts'
import type { Screen } from './scoreboard.ts'
import { applyTo } from './world.ts'

const ANALYSIS_RUN = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AnalysisRun' }
const POD = { apiVersion: 'v1', kind: 'Pod' }
const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }

export type Story = Readonly<{ world: DemoWorld; screen: Screen; fast: boolean; signal: AbortSignal }>

const rolloutOf = ({ world }: Story, name: string): Rollout =>
  world.cluster.server.get(ROLLOUT, 'default', name) as Rollout

const patch = (story: Story, name: string, body: unknown, subresource?: 'status') =>
  story.world.cluster.server.patch(
    { ...ROLLOUT, namespace: 'default', name },
    'merge',
    body,
    subresource ? { subresource } : {},
  )

/** Waits until a rollout is as wished; gives up when the demo ends. */
async function until(story: Story, name: string, met: (rollout: Rollout) => boolean): Promise<Rollout> {
  for (;;) {
    const rollout = rolloutOf(story, name)
    if (met(rollout)) return rollout
    await sleep(20, undefined, { signal: story.signal })
  }
}

const isObserved = ({ metadata, status }: Rollout): boolean => status?.observedGeneration === `${metadata.generation}`
const isHealthy = (rollout: Rollout): boolean =>
  isObserved(rollout) &&
  rollout.status?.phase === 'Healthy' &&
  rollout.status.stableRS === rollout.status.currentPodHash

/** What keeps the first pod that does not come up. */
const whatHoldsPods = ({ world }: Story): unknown =>
  (world.cluster.server.list(POD, 'default') as readonly SimPod[])
    .flatMap(pod => pod.status?.containerStatuses ?? [])
    .map(container => container.state.waiting?.['message'])
    .find(message => message !== undefined)

/** Creates both applications and waits until they run; what holds them up is told. */
export async function deploy(story: Story): Promise<void> {
  let told: unknown
  const look = setInterval(() => {
    const why = whatHoldsPods(story)
    if (why !== undefined && why !== told) story.screen.say(`  the pods do not come up: one ${why}; it is tried again`)
    told = why
  }, 2000)
  try {
    await deployAll(story)
  } finally {
    clearInterval(look)
  }
}

async function deployAll(story: Story): Promise<void> {
  const objects: readonly KubeObject[] = [...blueGreen(), ...canary(story.fast ? 2 : 3)]
  for (const object of objects) applyTo(story.world.cluster.server, object, 'default')
  await Promise.all(['pay', 'shop'].map(name => until(story, name, isHealthy)))
}

/** pay: v2 is previewed beside v1, then takes over in one step. */
export async function blueGreenStory(story: Story): Promise<void> {
  const { say } = story.screen
  say('\n① Blue-green: pay v2 comes up beside v1 (curl …/pay answers v1, …/pay/preview v2)')
  patch(story, 'pay', ship('pay', 'v2'))
  const paused = await until(story, 'pay', rollout => isObserved(rollout) && rollout.status?.phase === 'Paused')
  await sleep(story.fast ? 500 : 2000, undefined, { signal: story.signal })
  say('   the preview is ready; promote: active moves to v2 in one step')
  const promotion = planPromote(paused, {})
  if (promotion.status) patch(story, 'pay', { status: promotion.status }, 'status')
  await until(story, 'pay', isHealthy)
  say('   ✔ pay v2 is active; v1 waits a few seconds, then its pods go')
}

/** shop: v2 takes 10, 30, 60, then all of the traffic. */
export async function canaryStory(story: Story): Promise<void> {
  const { say } = story.screen
  say('\n② Canary: shop v2 takes 10 → 30 → 60 → 100 % of the traffic, exactly')
  patch(story, 'shop', ship('shop', 'v2'))
  await until(story, 'shop', rollout => isObserved(rollout) && rollout.status?.phase !== 'Healthy')
  await until(story, 'shop', isHealthy)
  say('   ✔ shop v2 is stable')
}

/** The analysis that has failed the version now shipped, once there is one. */
const failedRun = (story: Story): KubeObject | undefined => {
  const hash = rolloutOf(story, 'shop').status?.currentPodHash ?? ''
  return story.world.cluster.server
    .list(ANALYSIS_RUN, 'default')
    .find(
      run => run.metadata.name.includes(hash) && (run['status'] as { phase?: string } | undefined)?.phase === 'Failed',
    )
}

/** The canary's weight in the table that the proxy has in force. */
const canaryShare = ({ world }: Story): number =>
  world.proxy
    .status()
    .routes.find(route => route.name === 'default/shop')
    ?.dests.find(dest => dest.role === 'canary')?.weight ?? 0

/** shop: v3 answers 5 % of its requests with 500; the analysis of the proxy's own counters takes it back. */
export async function badVersionStory(story: Story): Promise<void> {
  const { say } = story.screen
  say('\n③ A bad version: shop v3 answers 5 % of its requests with 500; nobody is watching')
  patch(story, 'shop', ship('shop', 'v3', { PINTLE_ERROR_RATE: '0.05' }))
  await until(story, 'shop', rollout => isObserved(rollout) && rollout.status?.phase !== 'Healthy')
  const verdict = await until(story, 'shop', rollout => isHealthy(rollout) || failedRun(story) !== undefined)
  if (!failedRun(story))
    return say(`   v3 was lucky: too few of its errors fell into the canary (${verdict.status?.phase})`)
  const seen = performance.now()
  while (canaryShare(story) > 0) await sleep(5, undefined, { signal: story.signal })
  const took = Math.round(performance.now() - seen)
  const aborted = await until(
    story,
    'shop',
    rollout => rollout.status?.abort === true && rollout.status.phase === 'Degraded',
  )
  say(`   ✖ ${aborted.status?.message ?? 'aborted'}`)
  say(`   ✔ the proxy gives v3 nothing more, ${took} ms after the verdict; users are on v2`)
}
