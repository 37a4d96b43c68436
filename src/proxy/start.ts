// Starts a proxy: source, table, listeners, admin; the one door for the CLI, the demo and the simulation.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../ports.ts'
import type { AccessLogSpec } from './access-log.ts'
import { listenOf, urlHost } from './addresses.ts'
import { openAdmin } from './admin.ts'
import type { Resolve } from './compile.ts'
import { LIMITS, type Limits } from './core.ts'
import { connectionsByFiles } from './files.ts'
import { createTeller, type Handed } from './handed.ts'
import type { Inherited } from './inherited.ts'
import type { Marks } from './marks.ts'
import type { Predecessor } from './predecessor.ts'
import { openServing, type Setup } from './serving.ts'
import type { Fault, Sink, Source } from './source.ts'
import { tableSource } from './source-flags.ts'
import type { Report } from './stats.ts'
import { type Status, statusOf } from './status.ts'
import { parseTable, type RouteTableInput } from './table.ts'
import type { TlsFiles } from './tls.ts'
import { openWorkers } from './workers.ts'

export { dialMap } from './dial.ts'
export { type ProxyFlags, proxyOptionsFromFlags } from './flags.ts'
export { inheritedFrom } from './inherited.ts'
export { hearPredecessor } from './predecessor.ts'
export { fileSource } from './source-file.ts'
export { type KubeSourceOptions, kubeSource, type RouteCache } from './source-kube.ts'
export { type Successor, startSuccessor } from './successor.ts'

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
  /** A line of JSON for each request, or for a share of them. */
  accessLog?: AccessLogSpec
  /** What is added to requests and answers for those who look at them later. */
  marks?: Marks
  /** Addresses or ranges of peers that begin each connection with a PROXY protocol header, such as a load balancer. */
  proxyProtocol?: readonly string[]
  /** Threads that serve, each with its own connections and choice. Default 1. */
  workers?: number
  /** Let other processes listen on the same port: for a restart without a gap. */
  reusePort?: boolean
  /** Listening sockets that this process was given; they go before `listen` and `admin`. */
  inherited?: Inherited
  /** The process that had them before. */
  predecessor?: Predecessor
  /** Ends the wait for the first table: then the proxy is there without one, to be drained. */
  stopped?: AbortSignal
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
  /** Another process has the listening sockets: the ports are closed at once, connections that there are go on. */
  isHandedOver?: boolean
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
  /** Its listening sockets, for a successor. */
  sockets(): Promise<Omit<Inherited, 'ready'>>
  /** Tells a successor what it has counted and still has; each call what is new, undefined for nothing. */
  teller(): () => Handed | undefined
  /** Takes leave: red readiness, no new connections, what is in flight is finished; then closes. */
  drain(options?: DrainOptions): Promise<void>
  /** Closes at once. */
  close(): Promise<void>
}>

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Starts. Raises UserError: port in use (PIN4003), no usable table (PIN4001, PIN4004), bad options. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { log = silent, workers = 1 } = options
  const started = performance.now()
  const source = options.source ?? (options.table && tableSource(options.table))
  const { inherited } = options
  const serving =
    workers > 1 ? await openWorkers(workers, setupOf(options), inherited?.main) : await openServing(setupOf(options))
  const { stats } = serving
  const { predecessor } = options
  predecessor?.follow(stats)
  let applied: Readonly<Record<string, number>> = {}
  let problems: readonly string[] = []
  let faults: readonly Fault[] = []
  let portProblems: readonly string[] = []
  let tabled = source === undefined
  let draining = false

  let settled: Promise<unknown> = Promise.resolve()
  const sink: Sink = {
    table(table, resolve, parts = {}) {
      const before = serving.snapshot().generation
      const using = serving.use(table, resolve)
      const isThere = (): void => {
        applied = parts
        tabled = true
        if (before !== table.generation) log.info({ generation: table.generation }, 'route table in force')
      }
      if (serving.isImmediate) isThere()
      settled = Promise.all([settled, using]).then(([, now]) => {
        portProblems = now
        if (!serving.isImmediate) isThere()
      })
    },
    problems(messages, ofMaps = []) {
      faults = ofMaps
      for (const message of messages) if (!problems.includes(message)) log.warn({ source: source?.about }, message)
      problems = messages
    },
  }
  const inForce = (): Handed['applied'] => predecessor?.lowered(applied) ?? applied
  const status = (): Status =>
    statusOf(serving.snapshot(), stats, {
      ready: tabled && !draining,
      draining,
      applied: inForce(),
      source: source?.about ?? 'swap',
      ...(source?.follows === undefined ? {} : { follows: source.follows }),
      problems: [...problems, ...(source?.deaf?.() ?? []), ...portProblems, ...serving.problems()],
      faults,
      fuses: serving.blown(),
      uptimeSeconds: (performance.now() - started) / 1000,
    })

  let told: readonly string[] = []
  const watching = setInterval(() => {
    const blown = serving.blown().map(({ route, why }) => `the fuse of route ${route} blew: ${why}`)
    for (const message of blown) if (!told.includes(message)) log.warn({}, message)
    told = blown
  }, 500).unref()
  let stopSource = (): void => {}
  let closing: Promise<void> | undefined
  let admin: Awaited<ReturnType<typeof openAdmin>> | undefined
  const close = (): Promise<void> => {
    draining = true
    closing ??= (async () => {
      stopSource()
      clearInterval(watching)
      await settled
      await serving.close()
      await admin?.close()
    })()
    return closing
  }
  try {
    const adminFd = inherited?.admin === undefined ? {} : { fd: inherited.admin }
    admin = await openAdmin(
      { ...listenOf(options.admin ?? '127.0.0.1:0'), ...adminFd },
      {
        status,
        stats,
        ready: () => tabled && !draining,
      },
    )
    // A cluster that does not answer may keep the first table back for ever.
    stopSource = (await Promise.race([source?.start(sink), aborted(options.stopped)])) ?? stopSource
    await settled
  } catch (error) {
    await close()
    throw error
  }

  const drain = async (how: DrainOptions = {}): Promise<void> => {
    const { grace = 0, limit = 30_000, tunnels = 10_000, isHandedOver = false } = how
    draining = true
    serving.drain()
    if (isHandedOver) {
      serving.closePorts()
      await admin?.close()
    }
    if (grace > 0) await sleep(grace)
    const endTunnels = setTimeout(serving.endTunnels, tunnels)
    const breakOff = setTimeout(serving.abort, limit)
    await serving.stop()
    clearTimeout(endTunnels)
    clearTimeout(breakOff)
    await close()
  }

  const shownHost = urlHost(options.listen)
  return {
    url: `${options.tls ? 'https' : 'http'}://${shownHost}:${serving.port}`,
    adminUrl: `http://${urlHost(options.admin)}:${admin.port}`,
    port: serving.port,
    adminPort: admin.port,
    async sockets() {
      return { ...(await serving.sockets()), ...(admin?.fd === undefined ? {} : { admin: admin.fd }) }
    },
    teller: () => createTeller(stats, inForce),
    swap: (table, resolve) => sink.table(parseTable(table, 'swap'), resolve),
    status,
    stats: (route, seconds) => stats.report(route, seconds),
    drain,
    close,
  }
}

const aborted = (signal: AbortSignal | undefined): Promise<undefined> =>
  new Promise(done => {
    if (signal?.aborted) done(undefined)
    signal?.addEventListener('abort', () => done(undefined), { once: true })
  })

const setupOf = ({
  listen = '127.0.0.1:0',
  trust,
  limits,
  seed,
  dialMap,
  tls,
  reusePort,
  accessLog,
  marks,
  proxyProtocol,
  inherited,
  source,
  table,
  workers = 1,
}: ProxyOptions): Setup => ({
  listen: {
    ...listenOf(listen),
    ...(reusePort ? { reusePort } : {}),
    ...(inherited?.main[0] === undefined ? {} : { fd: inherited.main[0] }),
  },
  ...(inherited ? { givenPorts: inherited.ports } : {}),
  waits: source !== undefined || table !== undefined,
  trust: trust ?? [],
  limits: { ...LIMITS, connections: Math.ceil(connectionsByFiles() / workers), ...limits },
  seed: seed ?? Math.floor(Math.random() * 2 ** 32),
  ...(dialMap === undefined ? {} : { dialMap }),
  ...(tls === undefined ? {} : { tls }),
  ...(accessLog === undefined ? {} : { accessLog }),
  ...(marks === undefined ? {} : { marks }),
  ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
})
