// The embedded API server answers as a real one did: every scenario has a transcript recorded from kube-apiserver.
// With KUBECONFIG set the scenarios run there too; with UPDATE=1 as well, the transcripts are recorded anew.
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Backend, directBackend, httpBackend, realBackend } from './kit/backends.ts'
import { runScenario, type Scenario, type Transcript } from './kit/scenario.ts'
import { scenarios } from './scenarios/all.ts'
import { cluster } from './scenarios/cluster.ts'
import { definitions } from './scenarios/custom-kinds.ts'
import { differences } from './scenarios/differences.ts'

const only = process.env['ONLY']
const all: readonly Scenario[] = scenarios.filter(({ name }) => !only || name.includes(only))
const recording = process.env['UPDATE'] === '1' && process.env['KUBECONFIG'] !== undefined
const fileOf = ({ name }: Scenario) => new URL(`recorded/${name.replaceAll(/[^a-z]+/gi, '-')}.json`, import.meta.url)
const recorded = (scenario: Scenario): Transcript => JSON.parse(readFileSync(fileOf(scenario), 'utf8')) as Transcript

type Answer = { status: number; body: { reason?: string } }
const verdict = (answer: unknown) => {
  const { status, body } = answer as Answer
  return { status, reason: body.reason }
}

const run = async (backend: Backend): Promise<void> => {
  await t.test(`a server ${backend.name}`, async t => {
    const world = cluster(backend.transport)
    await world.define(definitions)
    for (const scenario of all) {
      const ns = await world.namespace()
      const transcript = await runScenario(backend.transport, scenario, ns)
      if (recording && backend.name === 'a real API server') {
        writeFileSync(fileOf(scenario), `${JSON.stringify(transcript, null, 2)}\n`)
        continue
      }
      const expected = recorded(scenario)
      await t.test(scenario.name, async t => {
        t.same(Object.keys(transcript), Object.keys(expected), 'the same steps')
        for (const [say, answer] of Object.entries(transcript)) {
          const why = differences[scenario.name]?.[say]
          if (why === undefined) t.same(answer, expected[say], say)
          else t.same(verdict(answer), verdict(expected[say]), `${say} (${why})`)
        }
      })
    }
    await world.clear()
    await backend.close()
  })
}

const real = await realBackend()
if (real) await run(real)
if (!recording) {
  await run(await directBackend())
  await run(await httpBackend())
}
