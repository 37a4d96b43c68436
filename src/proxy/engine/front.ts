// The listening side: servers on the main port and on the ports that a table asks for, and the clock of all connections.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import type { CompiledRoute, Snapshot } from '../compile.ts'
import type { Core, Trusts } from '../core.ts'
import { createSessions } from '../h2/sessions.ts'
import type { Inherited } from '../inherited.ts'
import { fdOf, type Listen, listening } from '../listen.ts'
import type { Certificate } from '../tls.ts'
import { Client } from './client.ts'
import { heldNow, MOST_HELD } from './outlet.ts'
import { readProxied } from './proxied.ts'
import { giveUp, tryAdopting } from './reads.ts'
import { createTcp } from './tcp.ts'
import { createUnready } from './unready.ts'

export type Front = Readonly<{
  port: number
  /** File descriptors of its listening sockets, for another process: of the main port, and by port of the others. */
  sockets(): Readonly<{ main: number | undefined; ports: Readonly<Record<string, number>> }>
  /** Closes the ports; connections that there are go on. */
  closePorts(): void
  /** Opens ports that are not open yet and closes those no longer asked for; what could not be opened, as messages. */
  alsoOn(ports: ReadonlySet<number>): Promise<readonly string[]>
  /** Stops accepting; resolves when the last request is answered. */
  stop(): Promise<void>
  /** Breaks off what is still open. */
  abort(): void
}>

/** So long a connection without a request may still begin one when the proxy leaves: it may be on its way. */
const SILENT_MS = 100
/** And so long one that has not begun, in a handshake of several journeys. */
const UNREADY_MS = 1000
/** The coarsest that the clock may be, in milliseconds. */
const MOST_TICK = 500

/** Connections that are held until there is a table. */
const MOST_EARLY = 4096

/** So long a TLS handshake may take, in milliseconds. */
const HANDSHAKE_MS = 10_000

/** Opens the main port, with TLS when there is a certificate. `proxied`: peers that begin with a PROXY protocol header;
 * `given`: sockets for the ports that tables ask for; `waits`: connections are held until the first table.
 * Raises UserError PIN4003 when it cannot. */
export async function openFront(
  core: Core,
  listen: Listen,
  certificate?: Certificate,
  proxied?: Trusts,
  given?: Inherited['ports'],
  waits = false,
): Promise<Front> {
  await tryAdopting()
  const clients = new Set<Client>()
  const clock = { now: performance.now() }
  let whenEmpty: (() => void) | undefined
  const gone = (client: Client): void => {
    clients.delete(client)
    isEmpty()
  }
  const isEmpty = (): void => {
    if (size() === 0) whenEmpty?.()
  }
  const sessions = createSessions(core, isEmpty)
  const isSecure = certificate !== undefined
  const tcp = createTcp(core, () => isEmpty())
  const unready = createUnready(isEmpty)
  const size = (): number => clients.size + sessions.size() + tcp.size() + unready.size()
  const { connections } = core.limits
  /** Too many connections? Then this one is counted as turned away. */
  const isFull = (): boolean => {
    const full = connections > 0 && size() >= connections
    if (full) core.stats.strays.turnedAway++
    return full
  }
  /** `rest`: what was read of the connection already; undefined: nobody has read from it. */
  const welcome = (accepted: Socket, port: number, peer?: string, rest?: Buffer): void => {
    if (isFull()) {
      accepted.destroy()
      return
    }
    const route = tcpRouteOf(core.snapshot(), port)
    if (route) {
      const own = (accepted.remoteAddress ?? '').replace(/^::ffff:/, '')
      // It waits for its pod before it is read on; one that was read from goes on reading by itself.
      const paused = rest === undefined ? accepted : giveUp(accepted, EMPTY)
      tcp.take(paused, route, accepted instanceof TLSSocket, peer ?? own, rest)
      return
    }
    const speaksH2 = (client: Client, read: Buffer): void => {
      clients.delete(client)
      const caller = { peer: client.caller.peer, port, proto: isSecure ? ('https' as const) : ('http' as const) }
      sessions.take(isSecure ? giveUp(client.socket, EMPTY) : client.socket, isSecure, read, caller)
    }
    const client = new Client({ accepted, port, isSecure, clock, gone, speaksH2, peer }, core)
    clients.add(client)
    if (rest !== undefined) client.takeFirst(rest)
  }
  /** Who is behind a TLS connection, where the PROXY protocol said so. */
  const behind = new WeakMap<Socket, string>()
  const refused = (): void => {
    core.stats.strays.refused++
  }
  const isProxied = (socket: Socket): boolean =>
    proxied?.((socket.remoteAddress ?? '').replace(/^::ffff:/, '')) === true
  const greet = (accepted: Socket, port: number): void => {
    if (!isProxied(accepted)) welcome(accepted, port)
    else if (isFull()) accepted.destroy()
    else {
      unready.add(accepted)
      const ready = (peer: string | undefined, rest: Buffer): void =>
        unready.begin(accepted, () => welcome(accepted, port, peer, rest))
      readProxied(accepted, ready, refused)
    }
  }
  /** The listening side in front of TLS: connections are counted there, and the PROXY protocol is spoken outside of it. */
  const uncovered = (secure: Server): Server =>
    createServer(OPTIONS, accepted => {
      accepted.on('error', () => {})
      const pass = (rest: Buffer): void => {
        if (rest.length > 0) accepted.unshift(rest)
        secure.emit('connection', accepted)
      }
      if (isFull()) {
        accepted.destroy()
        return
      }
      unready.add(accepted)
      if (!isProxied(accepted)) pass(EMPTY)
      else
        readProxied(
          accepted,
          (peer, rest) => {
            if (peer !== undefined) behind.set(accepted, peer)
            pass(rest)
          },
          refused,
        )
    })
  /** Connections that came before the first table. */
  let early: { socket: Socket; serve(): void }[] | undefined = waits ? [] : undefined
  const whenTabled = (socket: Socket, serve: () => void): void => {
    if (early === undefined) serve()
    else if (early.length < MOST_EARLY) early.push({ socket, serve })
    else socket.destroy()
  }
  /** `isRaw`: a port in TCP mode; TLS on it is the pods' own. */
  const open = async (at: Listen, isRaw: boolean): Promise<Server> => {
    let port = at.port
    const isTls = certificate !== undefined && !isRaw
    const server = isTls ? secureServer(certificate) : createServer(OPTIONS)
    if (!isTls) server.on('connection', accepted => whenTabled(accepted, () => greet(accepted, port)))
    server.on('secureConnection', (socket: TLSSocket) => {
      const raw = (socket as { _parent?: Socket })._parent ?? socket
      const named = behind.get(raw)
      const peer = named ?? (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
      unready.begin(raw, () =>
        whenTabled(socket, () => {
          if (socket.alpnProtocol !== 'h2') welcome(socket, port, named)
          else if (isFull()) socket.destroy()
          else sessions.take(socket, true, EMPTY, { peer, port, proto: 'https' })
        }),
      )
    })
    const outer = isTls ? uncovered(server) : server
    await listening(outer, at)
    port = (outer.address() as AddressInfo).port
    return outer
  }

  const main = await open(listen, false)
  const extra = new Map<number, Server & { isRaw?: boolean }>()
  const port = (main.address() as AddressInfo).port
  const { limits } = core
  const finest = Math.min(...[limits.connect, limits.answer, limits.head, limits.body, limits.idle, limits.send])
  let delay = 0
  let wasLate = false
  const tick = (): void => {
    const now = performance.now()
    // Time in which this thread was too busy to look is nobody's fault: what came meanwhile is read first.
    const isLate = now - clock.now > 2 * delay && !wasLate
    wasLate = isLate
    clock.now = now
    core.pools.sweep(now)
    if (!isLate) for (const client of clients) client.tick(now)
    if (!isLate) tcp.tick(now)
    if (heldNow() > MOST_HELD) cutSlowest([...clients].map(client => slowOf(client, now)).concat(sessions.slow(now)))
    // A table may bring a finer limit.
    delay = Math.max(5, Math.min(MOST_TICK, finest / 4, core.snapshot().finest / 4))
    ticking = setTimeout(tick, delay)
  }
  let ticking = setTimeout(tick, delay)

  return {
    port,
    sockets: () => ({
      main: fdOf(main),
      ports: Object.fromEntries(
        [...extra]
          .flatMap(([number, server]) => [[number, fdOf(server) ?? []].flat()])
          .filter(pair => pair.length === 2),
      ),
    }),
    closePorts() {
      for (const server of [main, ...extra.values()]) server.close()
    },
    async alsoOn(ports) {
      const waiting = early ?? []
      early = undefined
      for (const { socket, serve } of waiting) if (!socket.destroyed) serve()
      for (const [number, server] of extra) {
        if (ports.has(number) && server.isRaw === core.snapshot().tcp.has(number)) continue
        extra.delete(number)
        server.close()
        for (const client of clients) if (client.port === number) client.retire()
        sessions.retire(number)
      }
      const problems: string[] = []
      for (const number of ports) {
        if (number === port || extra.has(number)) continue
        try {
          const fd = given?.[number]?.[0]
          const { fd: _own, ...address } = listen
          const isRaw = core.snapshot().tcp.has(number)
          const server = await open({ ...address, port: number, ...(fd === undefined ? {} : { fd }) }, isRaw)
          extra.set(number, Object.assign(server, { isRaw }))
        } catch (error) {
          problems.push(error instanceof Error ? error.message : String(error))
        }
      }
      return problems
    },
    async stop() {
      for (const { socket } of early ?? []) socket.destroy()
      for (const server of [main, ...extra.values()]) server.close()
      const leave = setInterval(() => {
        for (const client of clients) if (client.isIdle) client.destroy()
      }, SILENT_MS)
      const giveUpUnready = setTimeout(unready.end, UNREADY_MS)
      sessions.leave()
      if (size() > 0)
        await new Promise<void>(done => {
          whenEmpty = done
        })
      clearInterval(leave)
      clearTimeout(giveUpUnready)
      clearTimeout(ticking)
    },
    abort() {
      for (const client of clients) client.destroy()
      unready.end()
      sessions.abort()
      tcp.abort()
    },
  }
}

const EMPTY = Buffer.alloc(0)
const OPTIONS = { pauseOnConnect: true, noDelay: true, allowHalfOpen: true }

function secureServer(certificate: Certificate): Server {
  const server = createTlsServer({
    ...certificate.options(),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: HANDSHAKE_MS,
    noDelay: true,
    allowHalfOpen: true,
  })
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  certificate.onChange(options => server.setSecureContext(options))
  return server
}

/** The route in TCP mode of a port, if it has one. */
function tcpRouteOf({ tcp, ports }: Snapshot, port: number): CompiledRoute | undefined {
  if (tcp.size === 0) return undefined
  return tcp.get(port) ?? (ports.has(port) ? undefined : tcp.get(0))
}

/** A client that may be cut: what is held for it, in octets, and for how many milliseconds it has taken nothing of it. */
export type Slow = Readonly<{ held: number; ms: number; cut(): void }>

const slowOf = (client: Client, now: number): Slow => ({
  held: client.out.unsent,
  ms: client.out.stuckFor(now),
  cut: () => client.cut(),
})

/** Cuts the readers that have been stuck longest, until what is held for the others is bearable. */
function cutSlowest(clients: readonly Slow[]): void {
  let over = heldNow() - MOST_HELD
  for (const { held, cut } of clients.filter(client => client.held > 0).sort((a, b) => b.ms - a.ms)) {
    if (over <= 0) return
    over -= held
    cut()
  }
}
