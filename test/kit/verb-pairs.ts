// What comes of two verbs given at once, at a moment of a release: played in a virtual world.
import { crds } from '../../src/api/crd.ts'
import type { Rollout } from '../../src/api/rollout.ts'
import type { KubeObject } from '../../src/contract.ts'
import { product } from '../../src/sim/product.ts'
import { verbActions } from '../../src/sim/verb.ts'
import { virtualStage } from '../../src/sim/virtual-stage.ts'
import { createWorld, type World } from '../../src/sim/world.ts'
import { blueGreenApp, canaryApp, shipped } from './apps.ts'

const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }

export const VERBS = ['promote', 'promote --full', 'abort', 'retry', 'undo', 'pause', 'restart', 'edit'] as const
export type Verb = (typeof VERBS)[number]

export type Moment = Readonly<{ name: string; app: readonly KubeObject[]; before: readonly string[] }>

const canary = canaryApp({ nginx: { stableIngress: 'app' } })

export const MOMENTS: readonly Moment[] = [
  { name: 'A canary at rest on v1', app: canary, before: [] },
  { name: 'A canary paused at 50 %, v1 to v2', app: canary, before: ['ship v2'] },
  { name: 'A canary aborted, v1 to v2', app: canary, before: ['ship v2', 'abort'] },
  { name: 'A blue-green release that waits for promotion, v1 to v2', app: blueGreenApp(), before: ['ship v2'] },
  { name: 'A blue-green release aborted, v1 to v2', app: blueGreenApp(), before: ['ship v2', 'abort'] },
]

/** Plays the moment, then both verbs before the controller hears of either; the state a minute later, in words. */
export async function playPair(moment: Moment, verbs: readonly Verb[]): Promise<string> {
  const world = await createWorld({ crds: crds(), controller: product() })
  try {
    await world.apply(moment.app)
    await world.run(30)
    for (const text of moment.before) {
      give(world, text)
      await world.run(30)
    }
    for (const verb of verbs) give(world, verb === 'edit' ? 'ship v3' : verb)
    await world.run(60)
    return stateOf(world)
  } finally {
    await world.stop()
  }
}

/** Writes at once what a verb writes: nobody has a turn in between. */
function give(world: World, text: string): void {
  const [verb, ...flags] = text.split(' ')
  if (verb === 'ship') {
    world.server.patch({ ...ROLLOUT, namespace: 'default', name: 'app' }, 'merge', shipped(flags[0]!))
    return
  }
  const stage = virtualStage(world, 'default')
  const typed = [verb, 'app', ...flags].join(' ')
  try {
    for (const action of verbActions(typed, stage)) void stage.perform(action)
  } catch (error) {
    // What a verb refuses is told to its user, and nothing is written.
    if (!/no revision/.test((error as Error).message)) throw error
  }
}

const versionOf = (world: World, hash: string | undefined): string => {
  const sets = world.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, 'default')
  const set = sets.find(rs => rs.metadata.labels?.['rollouts-pod-template-hash'] === hash)
  return /example\/app:(v\d)/.exec(JSON.stringify(set ?? {}))?.[1] ?? '?'
}

/** `Paused at 50 %, v1 to v2` or `Healthy on v2`. */
function stateOf(world: World): string {
  const { status = {}, spec } = world.get(ROLLOUT, 'app') as Rollout
  const [stable, current] = [versionOf(world, status.stableRS), versionOf(world, status.currentPodHash)]
  const way = stable === current ? ` on ${stable}` : `, ${stable} to ${current}`
  const weight = status.canary?.weights?.canary.weight
  const at = weight === undefined || stable === current ? '' : ` at ${weight} %`
  const held = spec.paused && status.phase !== 'Paused' ? ', paused by hand' : ''
  return `${status.abort ? 'aborted' : (status.phase ?? '').toLowerCase()}${at}${way}${held}`
}
