// Every recorded moment of the reference controller is taken over by ours: nothing is created, rewritten or rescaled
// that the moment does not ask for, and the rest of the story leads to the recorded end.
import { test } from 'tap'
import { crds } from '../src/api/crd.ts'
import type { KubeObject } from '../src/contract.ts'
import { compareObjects, differenceText } from '../src/sim/compare.ts'
import { judge } from '../src/sim/exception.ts'
import { objectsWithoutWorkloadHashes } from '../src/sim/normalise.ts'
import { play } from '../src/sim/player.ts'
import { product } from '../src/sim/product.ts'
import { momentsOf, plant, restOf } from '../src/sim/take-over.ts'
import { virtualStage } from '../src/sim/virtual-stage.ts'
import { EVERYWHERE, IN_A_TAKE_OVER, IN_A_VIRTUAL_WORLD } from './kit/exceptions.ts'
import { loadStories } from './kit/story-files.ts'
import { at, REPLICA_SET, world } from './kit/world.ts'

/** What must not change by a take-over. */
const fixed = (sets: readonly KubeObject[]) =>
  sets.map(set => ({ name: set.metadata.name, uid: set.metadata.uid, template: at(set, 'spec.template') }))
/** Those whose scale-down is due may be empty by now: the moment asks for it. */
const sizes = (sets: readonly KubeObject[], due: ReadonlySet<string>) =>
  Object.fromEntries(
    sets.filter(set => !due.has(set.metadata.name)).map(set => [set.metadata.name, at(set, 'spec.replicas')]),
  )
/** Recordings hold no Jobs, so their Pods have nothing to live on in a world that begins with a snapshot. */
const isOfJob = ({ kind, metadata }: KubeObject) =>
  kind === 'Pod' && metadata.ownerReferences?.some(owner => owner.kind === 'Job') === true
const isDue = (set: KubeObject, now: number) =>
  Date.parse(set.metadata.annotations?.['scale-down-deadline'] ?? '') <= now

for (const story of loadStories()) {
  for (const moment of momentsOf(story)) {
    test(`${story.name}, taken over at ${moment}`, async t => {
      const snapshot = story.snapshots[moment]!
      const end = story.snapshots['end']!
      const start = Date.parse(snapshot.at ?? '')
      const w = await world(t, {
        crds: crds(),
        start,
        controller: async made => {
          plant(made, story.name, snapshot)
          return product()(made)
        },
      })
      const recorded = snapshot.objects.filter(o => o.kind === 'ReplicaSet')
      const taken = w.list(REPLICA_SET, story.name)
      t.same(fixed(taken), fixed(recorded), 'the same ReplicaSets with the same templates')
      const phase = at(
        snapshot.objects.find(o => o.kind === 'Rollout'),
        'status.phase',
      )
      const due = new Set(recorded.filter(set => isDue(set, start)).map(set => set.metadata.name))
      if (phase !== 'Progressing')
        t.same(sizes(taken, due), sizes(recorded, due), 'nothing is scaled where nothing is under way')

      const played = await play(
        { ...story, objects: [], script: restOf(story, moment), timeline: [] },
        virtualStage(w, story.name),
      )
      const [theirs, ours] = [end, played.snapshots['end']!].map(({ objects }) =>
        objectsWithoutWorkloadHashes(objects.filter(object => !isOfJob(object))),
      )
      const differences = compareObjects('snapshot end', theirs!, ours!)
      const { unexplained } = judge(story.name, differences, [...EVERYWHERE, ...IN_A_VIRTUAL_WORLD, ...IN_A_TAKE_OVER])
      t.same(unexplained.map(differenceText), [], 'it ends as recorded')
    })
  }
}
