// Every scenario of this folder, played in virtual time; its journal is compared with the one beside it. UPDATE=1 writes
// the journals: read the difference.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { crds } from '../../src/api/crd.ts'
import { playScenario, readScenario } from '../../src/sim/scenario.ts'

const folder = new URL('.', import.meta.url)
const names = readdirSync(folder)
  .filter(file => file.endsWith('.yaml'))
  .map(file => file.slice(0, -'.yaml'.length))

for (const name of names) {
  const scenario = readScenario(readFileSync(new URL(`${name}.yaml`, folder), 'utf8'))
  test(scenario.name, async t => {
    const journal = await playScenario(scenario, crds())
    const golden = new URL(`${name}.journal`, folder)
    if (process.env['UPDATE']) writeFileSync(golden, journal)
    t.equal(journal, readFileSync(golden, 'utf8'))
  })
}
