// The figures of `npm run bench:proxy` as a table: medians, quartiles, and ratios that are taken round by round, so that a
// noisy moment of the machine falls on both sides.

/** One round: processor time per request in microseconds, requests a second, p99 in microseconds. */
export type Round = Readonly<{ round: number; cpu: number; rate: number; p99: number }>
type Latency = Readonly<{ requests: number; failed: number; overdue: number; p50: number; p99: number; p999: number }>

/** By kind of request and proxy. */
export type Figures = {
  rounds: Record<string, Record<string, Round[]>>
  errors: Record<string, number>
  /** MB at 1,000 connections. */
  resident: Record<string, number>
  latency: Record<string, Latency[]>
  /** Requests a second of the latency rows. */
  pace: number
  /** By share in per cent: requests, and how many more or fewer the canary got than its share. */
  shares: readonly Readonly<{ percent: number; requests: number; off: number }>[]
}

const quantile = (numbers: readonly number[], q: number): number => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.ceil(at)
  return (sorted[low] ?? Number.NaN) * (1 - (at - low)) + (sorted[high] ?? Number.NaN) * (at - low)
}
const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

/** How many times less processor time `ours` takes than `theirs`: the median over the rounds. */
export function ratio(ours: readonly Round[] | undefined, theirs: readonly Round[] | undefined): number | undefined {
  if (!ours?.length || !theirs?.length) return undefined
  const pairs = ours.flatMap(one => theirs.filter(other => other.round === one.round).map(other => other.cpu / one.cpu))
  return median(pairs)
}

const RIVALS = ['nginx', 'haproxy', 'http-proxy']

export function tableOf({ rounds, errors, resident, latency, pace, shares }: Figures): string {
  const lines: string[][] = [
    ['request', 'proxy', 'CPU us', 'quartiles', 'requests/s', 'p99 us', ...RIVALS.map(name => `x ${name}`)],
  ]
  for (const [kind, byName] of Object.entries(rounds))
    for (const [name, all] of Object.entries(byName)) {
      if (all.length === 0) continue
      const cpu = all.map(one => one.cpu)
      lines.push([
        kind,
        name,
        median(cpu).toFixed(1),
        `${quantile(cpu, 0.25).toFixed(1)}..${quantile(cpu, 0.75).toFixed(1)}`,
        median(all.map(one => one.rate)).toFixed(0),
        median(all.map(one => one.p99)).toFixed(0),
        ...RIVALS.map(rival => (rival === name ? '1' : (ratio(all, byName[rival])?.toFixed(2) ?? ''))),
      ])
    }
  const rest: string[][] = [['proxy', 'MB at 1,000', 'failed', 'p50 us', 'p99 us', `p99.9 us (${pace}/s by the clock)`]]
  for (const name of Object.keys(resident)) {
    const at = latency[name] ?? []
    const failed = errors[name] ?? 0
    const times = (['p50', 'p99', 'p999'] as const).map(q => (at.length ? median(at.map(o => o[q])).toFixed(0) : ''))
    rest.push([name, resident[name]!.toFixed(0), `${failed}`, ...times])
  }
  const exact = [
    ['share of the canary', 'requests', 'off by'],
    ...shares.map(s => [`${s.percent} %`, `${s.requests}`, s.off.toFixed(1)]),
  ]
  return [lines, rest, ...(shares.length > 0 ? [exact] : [])].map(part => `${aligned(part)}\n`).join('\n')
}

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map(line => line[i]?.length ?? 0)))
  return lines
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

type Gate = Readonly<{ kind: string; rival: string; least: number }>
const GATES: readonly Gate[] = [
  { kind: 'get1k', rival: 'nginx', least: 1.05 },
  { kind: 'get64k', rival: 'nginx', least: 1 },
  { kind: 'post16k', rival: 'nginx', least: 1.2 },
  ...['get1k', 'get64k', 'post16k'].map(kind => ({ kind, rival: 'haproxy', least: 1.1 })),
  { kind: 'get1k', rival: 'http-proxy', least: 7 },
  { kind: 'get64k', rival: 'http-proxy', least: 5.5 },
  { kind: 'post16k', rival: 'http-proxy', least: 7 },
]
const MOST_MB = 120
/** Of nginx, where pods take requests in batches. */
const BATCHED = 1.5
/** What two threads on one core may cost more than one. */
const WORKERS = 0.9
/** Of nginx and haproxy, with TLS or HTTP/2 in front. */
const SECURE = 0.6
const SECURE_KINDS = ['tls1k', 'h2get1k', 'h2get64k', 'h2cget1k', 'h2cget64k', 'grpc1k', 'grpc64k']

/** What was aimed at, and what it came to. */
export function gates({ rounds, resident, latency, shares, errors }: Figures): string {
  const lines = GATES.flatMap(({ kind, rival, least }) => {
    const got = ratio(rounds[kind]?.['pintle'], rounds[kind]?.[rival])
    if (got === undefined) return []
    return [`${got >= least ? 'met   ' : 'missed'}  ${kind}: ${got.toFixed(2)} x ${rival}, aim ${least}`]
  })
  const mb = resident['pintle']
  if (mb !== undefined)
    lines.push(`${mb < MOST_MB ? 'met   ' : 'missed'}  ${mb.toFixed(0)} MB at 1,000 connections, aim ${MOST_MB}`)
  const say = (isMet: boolean, text: string) => lines.push(`${isMet ? 'met   ' : 'missed'}  ${text}`)
  for (const kind of SECURE_KINDS)
    for (const rival of ['nginx', 'haproxy']) {
      const got = ratio(rounds[kind]?.['pintle'], rounds[kind]?.[rival])
      if (got !== undefined) say(got >= SECURE, `${kind}: ${got.toFixed(2)} x ${rival}, aim ${SECURE}`)
    }
  for (const how of ['pipelining', 'h2c']) {
    const batched = ratio(rounds['get1k']?.[`pintle-${how}`], rounds['get1k']?.['nginx'])
    if (batched !== undefined)
      say(batched >= BATCHED, `get1k with ${how}: ${batched.toFixed(2)} x nginx, aim ${BATCHED}`)
  }
  const threads = ratio(rounds['get1k']?.['pintle-2-workers'], rounds['get1k']?.['pintle'])
  if (threads !== undefined) say(threads >= WORKERS, `two workers: ${threads.toFixed(2)} x one, aim ${WORKERS}`)
  const p99 = (name: string) => median((latency[name] ?? []).map(one => one.p99))
  if (latency['pintle']?.length && latency['nginx']?.length)
    say(
      p99('pintle') <= p99('nginx'),
      `p99 ${p99('pintle').toFixed(0)} us, nginx ${p99('nginx').toFixed(0)} us at equal load`,
    )
  for (const { percent, requests, off } of shares)
    say(Math.abs(off) <= 1, `${percent} % of ${requests} requests: off by ${off.toFixed(1)}, aim 1`)
  say(
    Object.values(errors).every(n => n === 0),
    `failed: ${Object.entries(errors)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ')}`,
  )
  return lines.join('\n')
}
