// The listening side: servers on the main port and on the ports that a table asks for, and the clock of all connections.
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Core } from '../core.ts'
import { type Listen, listening } from '../listen.ts'
import { Client } from './client.ts'
import { heldNow, MOST_HELD } from './outlet.ts'
import { tryAdopting } from './reads.ts'

export type Front = Readonly<{
  port: number
  /** Opens ports that are not open yet and closes those no longer asked for; what could not be opened, as messages. */
  alsoOn(ports: ReadonlySet<number>): Promise<readonly string[]>
  /** Stops accepting; resolves when the last request is answered. */
  stop(): Promise<void>
  /** Breaks off what is still open. */
  abort(): void
}>

/** So long a connection without a request may still begin one when the proxy leaves: it may be on its way. */
const SILENT_MS = 100
/** The coarsest that the clock may be, in milliseconds. */
const MOST_TICK = 500

/** Opens the main port. Raises UserError PIN4003 when it cannot. */
export async function openFront(core: Core, listen: Listen): Promise<Front> {
  await tryAdopting()
  const clients = new Set<Client>()
  const clock = { now: performance.now() }
  let whenEmpty: (() => void) | undefined
  const gone = (client: Client): void => {
    clients.delete(client)
    if (clients.size === 0) whenEmpty?.()
  }
  const open = async (at: Listen): Promise<Server> => {
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true })
    // The server would count a connection as open for ever: its socket is taken apart (see reads.ts).
    let port = at.port
    server.on('connection', accepted => clients.add(new Client(accepted, port, core, clock, gone)))
    await listening(server, at)
    port = (server.address() as AddressInfo).port
    return server
  }

  const main = await open(listen)
  const extra = new Map<number, Server>()
  const port = (main.address() as AddressInfo).port
  const { limits } = core
  const finest = Math.min(...[limits.connect, limits.answer, limits.head, limits.body, limits.idle, limits.send])
  const ticking = setInterval(
    () => {
      clock.now = performance.now()
      core.pools.sweep(clock.now)
      for (const client of clients) client.tick(clock.now)
      if (heldNow() > MOST_HELD) cutSlowest(clients)
    },
    Math.max(5, Math.min(MOST_TICK, finest / 4)),
  )

  return {
    port,
    async alsoOn(ports) {
      for (const [number, server] of extra) {
        if (ports.has(number)) continue
        extra.delete(number)
        server.close()
        for (const client of clients) if (client.port === number) client.retire()
      }
      const problems: string[] = []
      for (const number of ports) {
        if (number === port || extra.has(number)) continue
        try {
          extra.set(number, await open({ ...listen, port: number }))
        } catch (error) {
          problems.push(error instanceof Error ? error.message : String(error))
        }
      }
      return problems
    },
    async stop() {
      for (const server of [main, ...extra.values()]) server.close()
      const leave = setInterval(() => {
        for (const client of clients) if (client.isIdle) client.destroy()
      }, SILENT_MS)
      if (clients.size > 0)
        await new Promise<void>(done => {
          whenEmpty = done
        })
      clearInterval(leave)
      clearInterval(ticking)
    },
    abort() {
      for (const client of clients) client.destroy()
    },
  }
}

/** Cuts the readers that have been stuck longest, until what is held for the others is bearable. */
function cutSlowest(clients: ReadonlySet<Client>): void {
  const stuck = [...clients].filter(client => client.stuckSince > 0).sort((a, b) => a.stuckSince - b.stuckSince)
  let over = heldNow() - MOST_HELD
  for (const client of stuck) {
    if (over <= 0) return
    over -= client.out.unsent
    client.cut()
  }
}
