// `npm run bench:proxy`: Pintle's proxy beside nginx, haproxy and http-proxy, each on one core, in interleaved rounds.
// Prints processor time per request and the ratios; the same figures as JSON with -o json.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { whole } from './numbers.ts'
import { CONTENDERS, type Contender, startContender } from './proxy-contenders.ts'
import { H2_KINDS, measureH2 } from './proxy-h2.ts'
import {
  cpuOf,
  has,
  KINDS,
  type Kind,
  load,
  residentOf,
  runLoad,
  startOrigins,
  stopAll,
  writeScripts,
} from './proxy-load.ts'
import { measureShares } from './proxy-shares.ts'
import { type Figures, gates, tableOf } from './proxy-table.ts'

const HELP = `Compares the proxy with nginx, haproxy and http-proxy: processor time per request, on one core each.

Usage: npm run bench:proxy -- [flags]

  --rounds N       rounds for each kind of request (default 6)
  --seconds S      of load in each round (default 2)
  --kinds LIST     of ${KINDS.join(', ')},
                   ${H2_KINDS.join(', ')} (default all)
  --proxies LIST   of ${Object.keys(CONTENDERS).join(', ')} (default all that are installed)
  --connections N  kept busy (default 64)
  --rate N         requests a second for the latency table, sent by the clock (default: 60 % of what the slowest of
                   them can do, 8000 at most; 0: leave it out)
  --shares N       requests for each share of the canary that is checked, in thousands (default 100; 0: leave it out)
  --quick          one round of a second, no shares: does it all still run?
  -o json          print figures as JSON

Needs Linux, two cores, and Debian's wrk and nginx (the origins of HTTP/2 are nginx too); haproxy if it is to be compared, and h2load
(nghttp2-client) for HTTP/2.

Examples: npm run bench:proxy
          npm run bench:proxy -- --kinds get1k --proxies pintle,nginx --rounds 20 --seconds 1

Exit code: 0 done, 1 a request failed or a proxy did not start, 2 wrong usage or a program is missing.`

type Flags = Readonly<{
  rounds: number
  seconds: number
  kinds: readonly Kind[]
  h2Kinds: readonly string[]
  proxies: readonly string[]
  connections: number
  rate: number | undefined
  shares: number
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
        shares: text,
        quick: { type: 'boolean' },
        output: { ...text, short: 'o' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) return HELP
    const number = (name: 'rounds' | 'seconds' | 'connections' | 'rate' | 'shares', otherwise: number, least = 1) =>
      whole(`--${name}`, values[name] ?? `${otherwise}`, least)
    const list = (given: string | undefined, known: readonly string[], flag: string) => {
      const names = given?.split(',') ?? known
      const odd = names.find(name => !known.includes(name))
      if (odd !== undefined) throw new Error(`--${flag} knows ${known.join(', ')}, not ${odd}`)
      return names
    }
    const kinds = list(values.kinds, [...KINDS, ...H2_KINDS], 'kinds')
    if (values.output !== undefined && values.output !== 'json') throw new Error('-o takes json')
    return {
      rounds: number('rounds', values.quick ? 1 : 6),
      seconds: number('seconds', values.quick ? 1 : 2),
      kinds: KINDS.filter(kind => kinds.includes(kind)),
      h2Kinds: kinds.filter(kind => H2_KINDS.includes(kind)),
      proxies: list(values.proxies, Object.keys(CONTENDERS), 'proxies'),
      connections: number('connections', 64),
      rate: values.rate === undefined ? undefined : number('rate', 0, 0),
      shares: number('shares', values.quick ? 0 : 100, 0),
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

/** A program is not there: nothing can be measured. */
class Missing extends Error {}

async function startAll(folder: string, { proxies: wanted, kinds }: Flags, failed: (name: string) => void) {
  for (const program of ['wrk', 'nginx', 'taskset'])
    if (!(await has(program))) throw new Missing(`${program} is missing: apt-get install wrk nginx util-linux`)
  const origins = await startOrigins(folder)
  const running: Contender[] = []
  for (const name of wanted) {
    const { needs } = CONTENDERS[name]!
    if (needs !== undefined && !(await has(needs))) {
      console.error(`${name} is left out: ${needs} is not installed`)
      continue
    }
    try {
      running.push(await startContender(name, folder, origins, kinds.includes('tls1k')))
    } catch (error) {
      console.error(`${name} is left out: ${error instanceof Error ? error.message : error}`)
      failed(name)
    }
  }
  return { running, origins }
}

/** Where a kind of request goes at a proxy; undefined: it cannot do that. */
const doorOf = (contender: Contender, kind: Kind) => (kind === 'tls1k' ? contender.secure : contender)

/** 60 % of what the slowest can do, as far as the generator can follow. */
function paceOf({ rate }: Flags, rounds: Figures['rounds']): number {
  if (rate !== undefined) return rate
  const rates = Object.values(rounds['get1k'] ?? {}).map(all => Math.max(...all.map(one => one.rate)))
  return rates.length === 0 ? 3000 : Math.min(8000, Math.round((0.6 * Math.min(...rates)) / 100) * 100)
}

async function measure(flags: Flags, folder: string): Promise<Figures> {
  const lost: Record<string, number> = {}
  const { running: contenders, origins } = await startAll(folder, flags, name => {
    lost[name] = 1
  })
  const forEach = <T>(of: () => T) => Object.fromEntries(contenders.map(({ name }) => [name, of()]))
  const figures: Figures = {
    rounds: Object.fromEntries(flags.kinds.map(kind => [kind, forEach(() => [])])),
    errors: { ...lost, ...forEach(() => 0) },
    resident: {},
    latency: forEach(() => []),
    pace: 0,
    shares: [],
  }
  const count = (name: string, errors: number): void => {
    figures.errors[name] = (figures.errors[name] ?? 0) + errors
  }
  for (const contender of contenders)
    for (const kind of flags.kinds) {
      const door = doorOf(contender, kind)
      if (door) await load(folder, kind, door.port, flags.connections, 1)
    }
  for (const kind of flags.kinds)
    for (let round = 1; round <= flags.rounds; round++)
      for (const contender of shuffled(contenders)) {
        const { name } = contender
        const door = doorOf(contender, kind)
        if (!door) continue
        const { pid, port } = door
        progress(`${kind}, round ${round} of ${flags.rounds}: ${name}`)
        const before = cpuOf(pid)
        const { requests, errors, micros, p99 } = await load(folder, kind, port, flags.connections, flags.seconds)
        const cpu = (cpuOf(pid) - before) / 1000 / Math.max(1, requests)
        figures.rounds[kind]![name]!.push({ round, cpu, rate: (requests / micros) * 1e6, p99 })
        count(name, errors)
      }
  Object.assign(figures.rounds, await measureH2({ ...flags, kinds: flags.h2Kinds }, folder, origins, count, progress))
  figures.pace = paceOf(flags, figures.rounds)
  if (figures.pace > 0)
    for (let round = 1; round <= Math.min(3, flags.rounds); round++)
      for (const { name, port } of shuffled(contenders)) {
        progress(`latency at ${figures.pace}/s, round ${round}: ${name}`)
        const script = join(import.meta.dirname, 'proxy-paced.ts')
        const args = [script, `http://127.0.0.1:${port}/1k`, `${figures.pace}`, `${flags.seconds}`]
        const seen = JSON.parse(await runLoad([process.execPath, ...args]))
        figures.latency[name]!.push(seen)
        count(name, seen.failed)
      }
  for (const { name, pid, port } of contenders) {
    progress(`1,000 connections: ${name}`)
    count(name, (await load(folder, 'get1k', port, 1000, 2)).errors)
    figures.resident[name] = residentOf(pid)
  }
  if (flags.shares > 0 && flags.proxies.includes('pintle'))
    figures.shares = await measureShares(flags.shares * 1000, origins, progress)
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
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    console.error(error.message)
    process.exitCode = 2
  } finally {
    clean()
  }
}
