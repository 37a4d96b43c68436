// What one thread serves with: the table in force, the memory of its choices, connections to pods, counters, listeners.
import { type AccessLogSpec, openAccessLog } from './access-log.ts'
import { trustsOf } from './addresses.ts'
import { compile, type Memory, type Resolve, type Snapshot } from './compile.ts'
import type { Core, Limits } from './core.ts'
import { dialAsIs, dialMap } from './dial.ts'
import { openFront } from './engine/front.ts'
import { createPools } from './engine/pools.ts'
import { type Blown, createFuses, type Tally } from './fuse.ts'
import type { Inherited } from './inherited.ts'
import type { Listen } from './listen.ts'
import type { Marks } from './marks.ts'
import { createStats, type Stats, talliedSince } from './stats.ts'
import { parseTable, type RouteTable } from './table.ts'
import { followCertificate, type TlsFiles } from './tls.ts'

/** Fuses are looked at this often, in milliseconds. */
const LOOK_MS = 250
const NOTHING: Tally = { requests: 0, errors: 0 }

/** How to serve; plain data, so that it can be sent to a thread. */
export type Setup = Readonly<{
  listen: Listen
  trust: readonly string[]
  limits: Limits
  /** Of the weighted choices; threads differ. */
  seed: number
  dialMap?: string
  tls?: TlsFiles
  accessLog?: AccessLogSpec
  marks?: Marks
  /** Peers that begin with a PROXY protocol header: addresses and ranges. */
  proxyProtocol?: readonly string[]
  /** Sockets that listen already, for the ports that tables ask for. */
  givenPorts?: Inherited['ports']
  /** Hold connections until the first table is there, instead of answering that there is no route. */
  waits?: boolean
}>

export type Serving = Readonly<{
  port: number
  /** Its listening sockets, for another process. */
  sockets(): Promise<Pick<Inherited, 'main' | 'ports'>>
  /** Closes the ports; connections that there are go on. */
  closePorts(): void
  stats: Stats
  /** Is a table in force when `use` returns? With several threads it is when its promise is kept. */
  isImmediate: boolean
  /** The table in force, in all threads. */
  snapshot(): Snapshot
  /** Puts a table in force, from the next request on. Resolves when its ports are open too, with what went wrong there. */
  use(table: RouteTable, resolve?: Resolve): Promise<readonly string[]>
  /** Answers ask clients to leave. */
  drain(): void
  endTunnels(): void
  /** Stops accepting; resolves when the last request is answered. */
  stop(): Promise<void>
  /** Breaks off what is under way. */
  abort(): void
  /** Ends everything at once. */
  close(): Promise<void>
  problems(): readonly string[]
  /** Fuses that blew, of any thread. */
  blown(): readonly Blown[]
}>

/** Opens the port. `stats`: the counters to use. Raises UserError PIN4002, PIN4003, PIN4006, PIN4007, PIN4008. */
export async function openServing(setup: Setup, stats: Stats = createStats()): Promise<Serving> {
  const memory: Memory = { seed: setup.seed, lags: new Map() }
  const pools = createPools(setup.dialMap === undefined ? dialAsIs : dialMap(setup.dialMap))
  let snapshot = compile(parseTable({}, 'nothing'), memory)
  let draining = false
  const core: Core = {
    snapshot: () => snapshot,
    pools,
    stats,
    trusts: trustsOf(setup.trust),
    limits: setup.limits,
    draining: () => draining,
    tunnels: new Set(),
    load: { inFlight: 0 },
    access: setup.accessLog && openAccessLog(setup.accessLog),
    marks: setup.marks,
  }
  const certificate = setup.tls && (await followCertificate(setup.tls))
  const front = await openFront(
    core,
    setup.listen,
    certificate,
    setup.proxyProtocol && trustsOf(setup.proxyProtocol),
    setup.givenPorts,
    setup.waits,
  )
  let openPorts: Promise<readonly string[]> = Promise.resolve([])
  let resolveNow: Resolve | undefined
  const fuses = createFuses()
  const tally = (name: string, role: string, since: number): Tally => {
    const route = snapshot.routes.find(r => r.name === name)
    const dest = route?.dests.find(d => d.role === role)
    return route && dest ? talliedSince(stats.of(route, dest), since) : NOTHING
  }
  const looking = setInterval(() => {
    if (fuses.look(tally, Date.now())) snapshot = compile(fuses.applied(), memory, resolveNow)
  }, LOOK_MS).unref()
  const endTunnels = (): void => {
    for (const socket of core.tunnels) socket.destroy()
  }
  return {
    port: front.port,
    async sockets() {
      const { main, ports } = front.sockets()
      const lists = Object.entries(ports).map(([port, fd]) => [port, [fd]] as const)
      return { main: main === undefined ? [] : [main], ports: Object.fromEntries(lists) }
    },
    closePorts: () => front.closePorts(),
    stats,
    isImmediate: true,
    snapshot: () => snapshot,
    use(table, resolve) {
      resolveNow = resolve
      fuses.begin(table, Date.now())
      snapshot = compile(fuses.applied(), memory, resolve)
      pools.keepOnly(snapshot.endpoints)
      stats.keep(snapshot.routes)
      const { ports } = snapshot
      openPorts = openPorts.then(() => front.alsoOn(ports))
      return openPorts
    },
    drain() {
      draining = true
    },
    endTunnels,
    stop: () => front.stop(),
    abort: () => front.abort(),
    async close() {
      draining = true
      await openPorts
      endTunnels()
      const stopped = front.stop()
      front.abort()
      await stopped
      pools.close()
      clearInterval(looking)
      await core.access?.close()
      certificate?.stop()
    },
    problems: () => [certificate?.problem() ?? []].flat(),
    blown: () => fuses.blown(),
  }
}
