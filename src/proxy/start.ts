// Starts a proxy: source, table, listeners, admin; the one door for the CLI, the demo and the simulation.
import { BlockList, isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import type { Log } from '../ports.ts'
import { openAdmin } from './admin.ts'
import { compile, type Memory, type Resolve, type Snapshot } from './compile.ts'
import { type Core, LIMITS, type Limits, type Trusts } from './core.ts'
import { dialAsIs, dialMap } from './dial.ts'
import { openFront } from './engine/front.ts'
import { createPools } from './engine/pools.ts'
import type { Listen } from './listen.ts'
import type { Sink, Source } from './source.ts'
import { tableSource } from './source-flags.ts'
import { createStats, type Report } from './stats.ts'
import { type Status, statusOf } from './status.ts'
import { parseTable, type RouteTableInput } from './table.ts'
import { followCertificate, type TlsFiles } from './tls.ts'

export { type ProxyFlags, proxyOptionsFromFlags } from './flags.ts'
export { fileSource } from './source-file.ts'
export { type KubeSourceOptions, kubeSource, type RouteCache } from './source-kube.ts'

export type ProxyOptions = Readonly<{
  /** `HOST:PORT` or `:PORT` (all addresses); port 0 takes a free one. Default 127.0.0.1:0. */
  listen?: string
  /** The admin listener. Default 127.0.0.1:0. */
  admin?: string
  /** Where tables come from; or `table`. With neither the proxy starts with no routes and waits for `swap`. */
  source?: Source
  table?: RouteTableInput
  /** `10.0.0.0/8=127.0.0.0/8`: where addresses of the first range are dialled. */
  dialMap?: string
  /** Serve TLS with this certificate, HTTP/2 among it; the files are followed as they change. */
  tls?: TlsFiles
  /** Addresses or ranges of peers whose X-Forwarded-* are believed. */
  trust?: readonly string[]
  limits?: Partial<Limits>
  log?: Log
  /** Seed of the weighted choices; replicas must differ. Default: by chance. */
  seed?: number
}>

export type DrainOptions = Readonly<{
  /** Milliseconds to go on accepting, red on /readyz, until everybody has noticed. Default 0. */
  grace?: number
  /** Milliseconds for requests in flight. Default 30,000. */
  limit?: number
  /** Milliseconds for WebSockets. Default 10,000. */
  tunnels?: number
}>

export type RunningProxy = Readonly<{
  url: string
  adminUrl: string
  port: number
  adminPort: number
  /** Puts another table in force, from the next request on. Raises UserError PIN4001 and keeps the old one. */
  swap(table: RouteTableInput, resolve?: Resolve): void
  status(): Status
  /** Sums over the last seconds; route null: all. */
  stats(route: string | null, seconds: number): Report
  /** Takes leave: red readiness, no new connections, what is in flight is finished; then closes. */
  drain(options?: DrainOptions): Promise<void>
  /** Closes at once. */
  close(): Promise<void>
}>

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Starts. Raises UserError: port in use (PIN4003), no usable table (PIN4001, PIN4004), bad options. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { log = silent } = options
  const memory: Memory = { seed: options.seed ?? Math.floor(Math.random() * 2 ** 32), lags: new Map() }
  const started = performance.now()
  const pools = createPools(options.dialMap === undefined ? dialAsIs : dialMap(options.dialMap))
  const stats = createStats()
  let snapshot: Snapshot = compile(parseTable({}, 'nothing'), memory)
  let applied: Readonly<Record<string, number>> = {}
  let problems: readonly string[] = []
  let portProblems: readonly string[] = []
  let tabled = options.source === undefined && options.table === undefined
  let draining = false

  const core: Core = {
    snapshot: () => snapshot,
    pools,
    stats,
    trusts: trustsOf(options.trust ?? []),
    limits: { ...LIMITS, ...options.limits },
    draining: () => draining,
    tunnels: new Set(),
  }
  const source = options.source ?? (options.table && tableSource(options.table))
  const certificate = options.tls && (await followCertificate(options.tls))
  const front = await openFront(core, listenOf(options.listen ?? '127.0.0.1:0'), certificate)

  let openPorts = Promise.resolve()
  const sink: Sink = {
    table(table, resolve, parts = {}) {
      const before = snapshot.generation
      snapshot = compile(table, memory, resolve)
      applied = parts
      tabled = true
      pools.keepOnly(snapshot.endpoints)
      stats.forget(snapshot.routes)
      const { ports } = snapshot
      openPorts = openPorts.then(async () => {
        portProblems = await front.alsoOn(ports)
      })
      if (before !== table.generation) log.info({ generation: table.generation }, 'route table in force')
    },
    problems(messages) {
      for (const message of messages) if (!problems.includes(message)) log.warn({ source: source?.about }, message)
      problems = messages
    },
  }
  const status = (): Status =>
    statusOf(snapshot, stats, {
      ready: tabled && !draining,
      draining,
      applied,
      source: source?.about ?? 'swap',
      problems: [...problems, ...portProblems, ...[certificate?.problem() ?? []].flat()],
      uptimeSeconds: (performance.now() - started) / 1000,
    })

  let stopSource = (): void => {}
  let closing: Promise<void> | undefined
  let admin: Awaited<ReturnType<typeof openAdmin>> | undefined
  const close = (): Promise<void> => {
    draining = true
    closing ??= (async () => {
      stopSource()
      await openPorts
      for (const socket of core.tunnels) socket.destroy()
      const stopped = front.stop()
      front.abort()
      await stopped
      pools.close()
      certificate?.stop()
      await admin?.close()
    })()
    return closing
  }
  try {
    admin = await openAdmin(listenOf(options.admin ?? '127.0.0.1:0'), {
      status,
      stats,
      ready: () => tabled && !draining,
    })
    stopSource = (await source?.start(sink)) ?? stopSource
    await openPorts
  } catch (error) {
    await close()
    throw error
  }

  const drain = async ({ grace = 0, limit = 30_000, tunnels = 10_000 }: DrainOptions = {}): Promise<void> => {
    draining = true
    if (grace > 0) await sleep(grace)
    const endTunnels = setTimeout(() => {
      for (const socket of core.tunnels) socket.destroy()
    }, tunnels)
    const breakOff = setTimeout(() => front.abort(), limit)
    await front.stop()
    clearTimeout(endTunnels)
    clearTimeout(breakOff)
    await close()
  }

  const shownHost = urlHost(options.listen)
  return {
    url: `${certificate ? 'https' : 'http'}://${shownHost}:${front.port}`,
    adminUrl: `http://${urlHost(options.admin)}:${admin.port}`,
    port: front.port,
    adminPort: admin.port,
    swap: (table, resolve) => sink.table(parseTable(table, 'swap'), resolve),
    status,
    stats: (route, seconds) => stats.report(route, seconds),
    drain,
    close,
  }
}

/** Reads `HOST:PORT` or `:PORT`; IPv6 hosts in brackets. Raises UserError PIN4006. */
export function listenOf(text: string): Listen {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535)
    throw new UserError('PIN4006', `bad address ${text}`, 'Write HOST:PORT or :PORT, such as 127.0.0.1:8080.', 2)
  const host = bracketed ?? plain ?? ''
  return host === '' ? { port } : { host, port }
}

/** The host to put into a URL for somebody on this machine. */
function urlHost(listen: string | undefined): string {
  const { host } = listenOf(listen ?? '127.0.0.1:0')
  if (host === undefined || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function trustsOf(ranges: readonly string[]): Trusts {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    try {
      if (bits === undefined) list.addAddress(address, family)
      else list.addSubnet(address, Number(bits), family)
    } catch {
      throw new UserError('PIN4006', `bad range ${range}`, 'Write an address or a range such as 10.0.0.0/8.', 2)
    }
  }
  return peer => list.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4')
}
