// `npm run bench:proxy`: Pintle's proxy beside nginx, haproxy and http-proxy, each on one core, in interleaved rounds.
// Prints processor time per request and the ratios; the same figures as JSON with -o json.
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { CONTENDERS, type Contender, startContender } from './proxy-contenders.ts'
import {
  cpuOf,
  has,
  KINDS,
  type Kind,
  LOAD_CORE,
  load,
  residentOf,
  startOrigins,
  stopAll,
  writeScripts,
} from './proxy-load.ts'
import { type Figures, gates, tableOf } from './proxy-table.ts'

const HELP = `Compares the proxy with nginx, haproxy and http-proxy: processor time per request, on one core each.

Usage: npm run bench:proxy -- [flags]

  --rounds N       rounds for each kind of request (default 6)
  --seconds S      of load in each round (default 2)
  --kinds LIST     of ${KINDS.join(', ')} (default all)
  --proxies LIST   of ${Object.keys(CONTENDERS).join(', ')} (default all that are installed)
  --connections N  kept busy (default 64)
  --rate N         requests a second for the latency table, sent by the clock (default 3000; 0: leave it out)
  -o json          print figures as JSON

Needs Linux, two cores, and Debian's wrk and nginx (the origins are nginx too); haproxy if it is to be compared.

Examples: npm run bench:proxy
          npm run bench:proxy -- --kinds get1k --proxies pintle,nginx --rounds 20 --seconds 1

Exit code: 0 done, 1 a request failed, 2 wrong usage or a program is missing.`

type Flags = Readonly<{
  rounds: number
  seconds: number
  kinds: readonly Kind[]
  proxies: readonly string[]
  connections: number
  rate: number
  json: boolean
}>

function flagsOf(args: readonly string[]): Flags | string {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rounds: text,
        seconds: text,
        kinds: text,
        proxies: text,
        connections: text,
        rate: text,
        output: { ...text, short: 'o' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return HELP
    const number = (name: 'rounds' | 'seconds' | 'connections' | 'rate', otherwise: number) => {
      const value = Number(values[name] ?? otherwise)
      if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`)
      return value
    }
    const list = (given: string | undefined, known: readonly string[], flag: string) => {
      const names = given?.split(',') ?? known
      const odd = names.find(name => !known.includes(name))
      if (odd !== undefined) throw new Error(`--${flag} knows ${known.join(', ')}, not ${odd}`)
      return names
    }
    if (values.output !== undefined && values.output !== 'json') throw new Error('-o takes json')
    return {
      rounds: number('rounds', 6),
      seconds: number('seconds', 2),
      kinds: list(values.kinds, KINDS, 'kinds') as readonly Kind[],
      proxies: list(values.proxies, Object.keys(CONTENDERS), 'proxies'),
      connections: number('connections', 64),
      rate: number('rate', 3000),
      json: values.output === 'json',
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    process.exit(2)
  }
}

const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}

async function startAll(folder: string, wanted: readonly string[]): Promise<Contender[]> {
  for (const program of ['wrk', 'nginx', 'taskset'])
    if (!(await has(program))) {
      console.error(`${program} is missing: apt-get install wrk nginx util-linux`)
      process.exit(2)
    }
  const origins = await startOrigins(folder)
  const running: Contender[] = []
  for (const name of wanted) {
    const { needs } = CONTENDERS[name]!
    if (needs === undefined || (await has(needs))) running.push(await startContender(name, folder, origins))
    else console.error(`${name} is left out: ${needs} is not installed`)
  }
  return running
}

async function measure(flags: Flags, folder: string): Promise<Figures> {
  const contenders = await startAll(folder, flags.proxies)
  const forEach = <T>(of: () => T) => Object.fromEntries(contenders.map(({ name }) => [name, of()]))
  const figures: Figures = {
    rounds: Object.fromEntries(flags.kinds.map(kind => [kind, forEach(() => [])])),
    errors: {},
    resident: {},
    latency: forEach(() => []),
  }
  for (const { port } of contenders)
    for (const kind of flags.kinds) await load(folder, kind, port, flags.connections, 1)
  for (const kind of flags.kinds)
    for (let round = 1; round <= flags.rounds; round++)
      for (const { name, pid, port } of shuffled(contenders)) {
        progress(`${kind}, round ${round} of ${flags.rounds}: ${name}`)
        const before = cpuOf(pid)
        const { requests, errors, micros, p99 } = await load(folder, kind, port, flags.connections, flags.seconds)
        const cpu = (cpuOf(pid) - before) / 1000 / Math.max(1, requests)
        figures.rounds[kind]![name]!.push({ round, cpu, rate: (requests / micros) * 1e6, p99 })
        figures.errors[name] = (figures.errors[name] ?? 0) + errors
      }
  if (flags.rate > 0)
    for (let round = 1; round <= Math.min(3, flags.rounds); round++)
      for (const { name, port } of shuffled(contenders)) {
        progress(`latency at ${flags.rate}/s, round ${round}: ${name}`)
        const script = join(import.meta.dirname, 'proxy-paced.ts')
        const args = [script, `http://127.0.0.1:${port}/1k`, `${flags.rate}`, `${flags.seconds}`]
        const { stdout } = await promisify(execFile)('taskset', ['-c', LOAD_CORE, process.execPath, ...args])
        figures.latency[name]!.push(JSON.parse(stdout))
      }
  for (const { name, pid, port } of contenders) {
    progress(`1,000 connections: ${name}`)
    await load(folder, 'get1k', port, 1000, 2)
    figures.resident[name] = residentOf(pid)
  }
  progress('')
  return figures
}

const flags = flagsOf(process.argv.slice(2))
if (typeof flags === 'string') console.log(flags)
else {
  const folder = mkdtempSync(join(tmpdir(), 'pintle-bench-'))
  // nginx's workers run as somebody else.
  chmodSync(folder, 0o755)
  const clean = (): void => {
    stopAll()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      clean()
      process.exit(130)
    })
  try {
    writeScripts(folder)
    const figures = await measure(flags, folder)
    if (flags.json) console.log(JSON.stringify(figures, undefined, 1))
    else console.log(`${tableOf(figures)}\n${gates(figures)}`)
    process.exitCode = Object.values(figures.errors).some(n => n > 0) ? 1 : 0
  } finally {
    clean()
  }
}
