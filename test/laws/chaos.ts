// `npm run laws`: plays thousands of random lives and holds the laws against them. A broken law is shrunk to the shortest
// life that breaks it, and told line by line.
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { whole } from '../bench/numbers.ts'
import { type Life, lives } from './life.ts'
import { live } from './live.ts'

const HELP = `Plays random lives of rollouts in virtual time: any spec, people, pods and faults; no law may break.

Usage: npm run laws -- [--runs N] [--seed S] [--path P] [--limit N]

  --runs N    lives to play (default 200)
  --seed S    where chance begins (default: the time); printed, so that a run can be had again
  --path P    with --seed: plays the one life that an earlier run printed
  --limit N   broken laws to find before it ends (default 1)

Example: npm run laws -- --runs 10000 --seed 7

Exit code: 0 all laws hold, 1 one is broken, 2 wrong usage.`

const BATCH = 50

type Flags = Readonly<{ runs: number; seed: number; path?: string; limit: number }>

function flagsOf(args: readonly string[]): Flags | string {
  const options = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { runs: options, seed: options, path: options, limit: options, help: { type: 'boolean', short: 'h' } },
    })
    if (values.help) return HELP
    const number = (name: 'runs' | 'seed' | 'limit', otherwise: number) =>
      whole(`--${name}`, values[name] ?? `${otherwise}`, 1)
    return {
      runs: number('runs', 200),
      seed: number('seed', Date.now() % 2 ** 31),
      limit: number('limit', 1),
      ...(values.path === undefined ? {} : { path: values.path }),
    }
  } catch (error) {
    process.stderr.write(`laws: ${(error as Error).message}\n\n${HELP}\n`)
    process.exit(2)
  }
}

async function main(): Promise<number> {
  const flags = flagsOf(process.argv.slice(2))
  if (typeof flags === 'string') {
    process.stdout.write(`${flags}\n`)
    return 0
  }
  const { runs, seed } = flags
  const counts = { lives: 0, doings: 0, deaths: 0, writes: 0 }
  const property = fc.asyncProperty(lives, async life => {
    const { breaches, deaths, writes } = await live(life)
    counts.lives += 1
    counts.doings += life.doings.length
    counts.deaths += deaths
    counts.writes += writes
    if (breaches.length > 0) throw new Error(breaches.join('; '))
  })
  const started = performance.now()
  let broken = 0
  for (let done = 0; done < runs && broken < flags.limit; done += BATCH) {
    const batch = { seed: seed + done, numRuns: Math.min(BATCH, runs - done) }
    const result = await fc.check(property, flags.path === undefined ? batch : { ...batch, path: flags.path })
    if (result.failed) {
      broken += 1
      await tellBroken(result as Broken)
    }
    const seconds = Math.round((performance.now() - started) / 1000)
    process.stderr.write(`${done + batch.numRuns} of ${runs} lives, ${seconds} s\n`)
    if (flags.path !== undefined) break
  }
  process.stdout.write(
    `seed ${seed}: ${counts.lives} lives with ${counts.doings} doings of people, ${counts.deaths} deaths of the controller and ` +
      `${counts.writes} writes; ${broken === 0 ? 'no law broken' : `${broken} broken`}\n`,
  )
  return broken === 0 ? 0 : 1
}

type Broken = Readonly<{
  seed: number
  counterexamplePath: string | null
  counterexample: [Life] | null
  errorInstance: unknown
}>

async function tellBroken({ seed, counterexamplePath, counterexample, errorInstance }: Broken): Promise<void> {
  const life = counterexample?.[0]
  if (!life) return
  const lines: string[] = []
  await live(life, line => lines.push(line)).catch(error => lines.push(String(error)))
  process.stdout.write(
    [
      `BROKEN: ${(errorInstance as Error).message}`,
      `again: npm run laws -- --seed ${seed} --path ${counterexamplePath}`,
      JSON.stringify(life, undefined, 1),
      ...lines,
      '',
    ].join('\n'),
  )
}

process.exitCode = await main()
