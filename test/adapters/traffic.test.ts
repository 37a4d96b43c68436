// Every traffic adapter against its fixtures and the shared suite. UPDATE=1 writes the .out.yaml files: read them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { parse, stringify } from 'yaml'
import type { TrafficRouter } from '../../src/contract.ts'
import { answer, checkAdapter, checkSituation, type Situation } from './conformance.ts'

const ADAPTERS = new URL('../../adapters/traffic/', import.meta.url)
const FIXTURES = new URL('./fixtures/', import.meta.url)
const IN = '.in.yaml'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function situationsOf(folder: URL): readonly Situation[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(file => file.endsWith(IN))
    .map(file => ({ name: file.slice(0, -IN.length), ...parse(readFileSync(new URL(file, folder), 'utf8')) }))
}

const files = readdirSync(ADAPTERS).filter(file => file.endsWith('.ts') && !file.startsWith('_'))

for (const file of files) {
  const name = file.slice(0, -'.ts'.length)
  test(name, async t => {
    const { default: adapter } = (await import(new URL(file, ADAPTERS).href)) as { default: TrafficRouter<unknown> }
    const folder = new URL(`${name}/`, FIXTURES)
    const situations = situationsOf(folder)
    t.ok(situations.length > 0, 'the adapter has fixtures')
    t.test('the contract', async t => checkAdapter(t, adapter, name, situations))
    for (const situation of situations) {
      t.test(situation.name.replaceAll('-', ' '), async t => {
        const out = new URL(`${situation.name}.out.yaml`, folder)
        const got = plain(answer(adapter, situation))
        if (process.env['UPDATE']) writeFileSync(out, stringify(got, { lineWidth: 120, aliasDuplicateObjects: false }))
        t.same(got, parse(readFileSync(out, 'utf8')), 'the writes are those of the fixture')
        checkSituation(t, adapter, situation)
      })
    }
  })
}
