// Recordings of the reference controller, played against ours in a virtual world.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { crds } from '../src/api/crd.ts'
import { compare, differenceText } from '../src/sim/compare.ts'
import { play } from '../src/sim/player.ts'
import { product } from '../src/sim/product.ts'
import type { Story } from '../src/sim/story.ts'
import { virtualStage } from '../src/sim/virtual-stage.ts'
import { world } from './kit/world.ts'

const folder = process.env['STORIES'] ?? fileURLToPath(new URL('stories', import.meta.url))

for (const file of readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .sort()) {
  const story = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Story
  test(`${story.name}: ${story.about}`, async t => {
    const errors: string[] = []
    const note = (fields: Readonly<Record<string, unknown>>, message: string) =>
      void errors.push(`${message}: ${fields['error']}`)
    const log = { debug() {}, info() {}, warn: note, error: note }
    const w = await world(t, { crds: crds(), controller: product({ log }), stages: { spread: 100 } })
    const played = await play(story, virtualStage(w, story.name))
    t.same(compare(story, played).map(differenceText), [])
    t.same(errors, [])
  })
}
