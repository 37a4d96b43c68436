// Recordings of the reference controller, played against ours in a virtual world. The same stories run on a real
// cluster in test/cluster; STORIES names another folder of them.
import { test } from 'tap'
import { crds } from '../src/api/crd.ts'
import { compare, differenceText } from '../src/sim/compare.ts'
import { judge } from '../src/sim/exception.ts'
import { play } from '../src/sim/player.ts'
import { product } from '../src/sim/product.ts'
import { virtualStage } from '../src/sim/virtual-stage.ts'
import { EVERYWHERE, IN_A_VIRTUAL_WORLD } from './kit/exceptions.ts'
import { loadStories } from './kit/story-files.ts'
import { world } from './kit/world.ts'

for (const story of loadStories()) {
  test(`${story.name}: ${story.about}`, async t => {
    const troubles: string[] = []
    const note = (fields: Readonly<Record<string, unknown>>, message: string) => {
      troubles.push(`${message}: ${fields['error']}`)
    }
    const log = { debug() {}, info() {}, warn: note, error: note }
    const w = await world(t, { crds: crds(), controller: product({ log }) })
    const played = await play(story, virtualStage(w, story.name, story.objects))
    const { unexplained, stale } = judge(story.name, compare(story, played), [...EVERYWHERE, ...IN_A_VIRTUAL_WORLD])
    t.same(unexplained.map(differenceText), [], 'it goes as recorded')
    t.same(stale, [], 'every exception is needed')
    t.same(troubles, [], 'nothing is warned of')
  })
}
