// The listening side: servers on the main port and on the ports that a table asks for, all serving one core.
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { UserError } from '../errors.ts'
import type { Core } from './core.ts'
import { forward } from './forward.ts'
import { isWebSocket, upgrade } from './upgrade.ts'

/** An address to listen on; no host: all of them. */
export type Listen = Readonly<{ host?: string; port: number }>

export type Front = Readonly<{
  port: number
  /** Opens ports that are not open yet and closes those no longer asked for; what could not be opened, as messages. */
  alsoOn(ports: ReadonlySet<number>): Promise<readonly string[]>
  /** Stops accepting; resolves when the last request is answered. */
  stop(): Promise<void>
  /** Breaks off what is still open. */
  abort(): void
}>

/** So long a fresh connection may take to send its first bytes when the proxy leaves. */
const SILENT_MS = 100

/** Opens the main port. Raises UserError PIN4003 when it cannot. */
export async function openFront(core: Core, listen: Listen): Promise<Front> {
  const main = await openServer(core, listen)
  const extra = new Map<number, Server>()
  const port = (main.address() as AddressInfo).port
  const servers = () => [main, ...extra.values()]
  const open = new Set<Socket>()
  const track = (server: Server): Server =>
    server.on('connection', (socket: Socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    })
  track(main)
  /** Connections that never asked anything; Node counts them as busy. Those on which bytes are under way get a moment. */
  const endSilent = (): void => {
    const silent = [...open].filter(socket => socket.bytesRead === 0)
    setTimeout(() => {
      for (const socket of silent) if (socket.bytesRead === 0) socket.destroy()
    }, SILENT_MS)
  }
  return {
    port,
    async alsoOn(ports) {
      for (const [number, server] of extra) {
        if (ports.has(number)) continue
        extra.delete(number)
        server.close()
      }
      const problems: string[] = []
      for (const number of ports) {
        if (number === port || extra.has(number)) continue
        try {
          extra.set(number, track(await openServer(core, { ...listen, port: number })))
        } catch (error) {
          problems.push(error instanceof Error ? error.message : String(error))
        }
      }
      return problems
    },
    async stop() {
      endSilent()
      await Promise.all(
        servers().map(server => new Promise<void>(done => (server.listening ? server.close(() => done()) : done()))),
      )
    },
    abort() {
      for (const server of servers()) server.closeAllConnections()
    },
  }
}

async function openServer(core: Core, listen: Listen): Promise<Server> {
  const server = createServer({
    keepAliveTimeout: 65_000,
    headersTimeout: 15_000,
    connectionsCheckingInterval: 1000,
    // Uploads may take as long as they like.
    requestTimeout: 0,
    maxHeaderSize: 32 * 1024,
    noDelay: true,
    insecureHTTPParser: false,
    requireHostHeader: false,
    shouldUpgradeCallback: isWebSocket,
  })
  server.on('request', (req, res) => forward(core, req, res))
  server.on('checkContinue', (req, res) => forward(core, req, res))
  server.on('upgrade', (req, socket, head) => upgrade(core, req, socket, head))
  server.on('connect', (_req, socket) => {
    socket.on('error', () => socket.destroy())
    core.stats.strays.refused++
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const { code } = error
    if (code === 'ECONNRESET' || code === 'EPIPE' || !socket.writable || started(socket as Socket)) {
      socket.destroy()
      return
    }
    core.stats.strays.refused++
    const status =
      code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? '408 Request Timeout'
          : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  await listening(server, listen)
  return server
}

/** Has an answer begun on this connection? A second head in the middle of it would be read as its body. */
const started = (socket: Socket & { _httpMessage?: { headersSent?: boolean } | null }): boolean =>
  socket._httpMessage?.headersSent === true

/** Makes a server listen. Raises UserError PIN4003. */
export function listening(server: Server, { host, port }: Listen): Promise<void> {
  return new Promise((done, fail) => {
    const at = `${host ?? ''}:${port}`
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const why = taken ? `port ${port} is in use` : `cannot listen on ${at}: ${error.message}`
      const hint = taken ? 'Stop the other program or choose another port.' : 'Choose another address or port.'
      fail(new UserError('PIN4003', why, hint))
    })
    server.listen({ port, ...(host === undefined ? {} : { host }) }, done)
  })
}
